// Parts of the control plane around an opener of the tests' own, turned by hand: workers, the registry, requests.

import Attachment
import ControlAPI
import Logging
import Registry
import Synchronization
import Testing

@testable import IntercomServer
@testable import LinuxNet

/// Neighbours of a part that makes requests to the opener.
final class OpenerParts {
    let workers: WorkerPool
    let publisher: Publisher
    let requests: OpenerRequests
    let loop: EventLoop
    /// Messages of what worker threads and parts have logged.
    let log = LogRecord()

    private final class Nobody: Monitors {
        var hasMonitors: Bool { false }
        func tell(_ messages: [[UInt8]]) {}
    }

    /// - Parameters:
    ///   - opener: carries out requests.
    ///   - configuration: settings of the workers.
    ///   - registry: networks and containers that are known at first; nil: none.
    init(
        _ opener: any Opener = StandInOpener(), _ configuration: Configuration = Configuration(),
        _ registry: Registry? = nil
    ) throws {
        workers = try WorkerPool(count: 2, settings: ServerSettings(configuration, workers: 2), logger: log.logger)
        publisher = Publisher(
            registry ?? Registry(domain: configuration.server.domain, ttl: configuration.server.ttl), workers: workers,
            monitors: Nobody())
        requests = try OpenerRequests(opener)
        loop = try EventLoop(signals: [])
        try loop.watch(workers.descriptor, as: .mailbox)
        try loop.watch(requests.descriptor, as: .requests)
        publisher.release {}
    }

    /// Turns until something is so; a fault where that is not within ten seconds.
    func wait(
        sourceLocation: SourceLocation = #_sourceLocation, until isDone: () -> Bool
    ) throws {
        let isSo = try turn(until: isDone)
        #expect(isSo, "it is not so after ten seconds", sourceLocation: sourceLocation)
    }

    /// Turns until something is so, for ten seconds at most.
    /// - Parameter report: is given what workers say unasked.
    /// - Returns: whether it is so.
    @discardableResult
    func turn(_ report: (WorkerReply) -> Void = { _ in }, until isDone: () -> Bool) throws -> Bool {
        let end = ContinuousClock.now + .seconds(10)
        while !isDone() {
            guard ContinuousClock.now < end else { return false }
            publisher.postNames()
            publisher.postListeners()
            publisher.confirm()
            workers.deliver()
            for token in try loop.wait(until: [requests.nextDeadline, .now + .milliseconds(5)]) {
                switch token {
                case .mailbox: workers.takeReplies(report)
                case .requests: requests.takeResults()
                default: break
                }
            }
            requests.expire()
        }
        return true
    }
}

/// Everything that was logged, in its order.
final class LogRecord: Sendable {
    private let entries = Mutex<[String]>([])

    var logger: Logger { Logger(label: "test") { _ in Handler(record: self) } }

    var messages: [String] { entries.withLock(\.self) }

    /// Messages since the last call.
    func take() -> [String] {
        entries.withLock { entries in
            defer { entries = [] }
            return entries
        }
    }

    private struct Handler: LogHandler {
        let record: LogRecord
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { record.entries.withLock { $0.append("\(event.level): \(event.message)") } }
    }
}
