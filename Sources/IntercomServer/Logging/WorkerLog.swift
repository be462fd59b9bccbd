// Log messages of workers, written by the control plane: a worker has no way to the journal or to any other program.

import LinuxNet
import Logging
import Synchronization

/// A log handler that posts to the control plane, which writes.
struct WorkerLog: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let control: Mailbox<WorkerReply>
    private let backlog = LogBacklog()

    init(_ control: Mailbox<WorkerReply>, level: Logger.Level) {
        self.control = control
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if backlog.add() { control.post(.log(event, backlog)) }
    }
}

/// Messages of a worker that the control plane has not written yet. They are bounded: at level trace each query is one.
final class LogBacklog: Sendable {
    /// Messages that wait at most; about 200 octets each.
    static let limit = 1000

    private let waiting = Atomic(0)
    private let leftOut = Atomic(0)

    /// Counts a message that is about to be posted.
    /// - Returns: false where too many wait: it is left out.
    func add() -> Bool {
        if waiting.add(1, ordering: .relaxed).newValue <= Self.limit { return true }
        waiting.subtract(1, ordering: .relaxed)
        leftOut.add(1, ordering: .relaxed)
        return false
    }

    /// Counts a message that is written.
    /// - Returns: messages that were left out since the last time.
    func take() -> Int {
        waiting.subtract(1, ordering: .relaxed)
        return leftOut.exchange(0, ordering: .relaxed)
    }
}

extension Logger {
    /// Writes a message that a worker has posted.
    func write(_ event: LogEvent, _ backlog: LogBacklog) {
        let leftOut = backlog.take()
        log(level: event.level, event.message, metadata: event.metadata)
        if leftOut > 0 {
            warning("\(leftOut) log messages of a worker were left out: more came than could be written")
        }
    }
}
