// The connection to a reader of dnstap: never waited for, made again when it ends.

import DNSWire
import LinuxNet
import Logging

/// Sends frames to who listens at a path. What the reader does not take in time is dropped and counted.
///
/// It is served by turns, as it has something to do only while questions are logged: see ``QuestionWatchers/interval``.
final class DnstapSink {
    /// Octets that wait for the reader at most.
    private static let capacity = 1 << 20
    /// Time until the next attempt to connect.
    private static let retryDelay = Duration.seconds(1)

    /// Path of the reader's socket.
    let path: String
    private let logger: Logger
    private var socket: Descriptor?
    private var stream = FrameStream()
    private var waiting: [UInt8] = []
    private var nextAttempt = ContinuousClock.now
    /// True when it was said that there is no reader.
    private var hasComplained = false
    private var buffer = [UInt8](repeating: 0, count: 1024)
    /// Number of frames that no reader got.
    private(set) var dropped = 0

    init(path: String, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// Sends a frame with the next turn.
    func send(_ content: [UInt8]) {
        guard stream.phase == .started, waiting.count + content.count + 4 <= Self.capacity else {
            dropped += 1
            return
        }
        waiting += FrameStream.frame(content)
    }

    /// Connects where that is due, hears the reader, and gives it what it takes.
    func turn() {
        if socket == nil { connect() }
        guard socket != nil else { return }
        do throws(LinuxError) {
            try receive()
            try flush()
        } catch {
            close("\(error.errno)")
        }
        if stream.phase == .ended { close("the reader has ended it") }
    }

    /// Tells the reader that nothing more comes.
    func end() {
        guard stream.phase == .started else { return }
        waiting += FrameStream.stop
        try? flush()
        socket = nil
    }

    private func connect() {
        guard nextAttempt <= .now else { return }
        nextAttempt = .now + Self.retryDelay
        do throws(LinuxError) {
            socket = try UnixSocket.connectAtOnce(path: path)
            stream = FrameStream()
            waiting = FrameStream.ready
        } catch {
            complain("\(error.errno)")
        }
    }

    private func receive() throws(LinuxError) {
        while let count = try socket?.read(into: &buffer) {
            guard count > 0 else { return close("the reader has ended it") }
            waiting += stream.take(buffer.prefix(count))
            if stream.phase == .started, hasComplained {
                hasComplained = false
                logger.info("queries are logged to \(path) again")
            }
        }
    }

    private func flush() throws(LinuxError) {
        var sent = 0
        while sent < waiting.count {
            guard let count = try socket?.write(waiting.span.extracting(sent..<waiting.count)) else { break }
            sent += count
        }
        waiting.removeFirst(sent)
    }

    private func close(_ reason: String) {
        guard socket != nil else { return }
        socket = nil
        stream = FrameStream()
        waiting = []
        complain(reason)
    }

    private func complain(_ reason: String) {
        guard !hasComplained else { return }
        hasComplained = true
        logger.warning(
            "queries are not logged: no dnstap reader at \(path) (\(reason)); start one there, or set [log] queries to another way"
        )
    }
}
