// Limits of a worker, even under the control of a hostile packet; and its log.

import LinuxNet
import Logging
import Synchronization
import Testing

@testable import IntercomServer

@Suite("A worker's thread")
struct WorkerLimitsTests {
    /// Runs something on a thread that is limited as a worker is.
    private func limited(_ body: @escaping @Sendable () -> [String]) throws -> [String] {
        let results = Mutex<[String]>([])
        try Thread.start(name: "worker-test") {
            limitThread(to: AllowedSystemCalls.worker, Logger(label: "test"))
            let found = body()
            results.withLock { $0 = found }
        }.join()
        return results.withLock { $0 }
    }

    @Test("asks upstreams over UDP and TCP, and reaches no program of the machine by a path")
    func sockets() throws {
        let path = "/tmp/intercom-\(Entropy.word()).sock"
        let listener = try UnixSocket.listen(path: path, mode: 0o666, group: "")
        defer { try? Files.unlink(path) }
        let udp = try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0))
        let server = try udp.localAddress()
        let found = try limited {
            var found: [String] = []
            func attempt(_ name: String, _ body: () throws(LinuxError) -> Void) {
                do throws(LinuxError) {
                    try body()
                    found.append(name)
                } catch {
                    found.append("\(name): \(error.errno)")
                }
            }
            attempt("UDP") { () throws(LinuxError) in _ = try UDPSocket.connected(to: server).send([1].span) }
            attempt("TCP") { () throws(LinuxError) in _ = try TCPSocket.connecting(to: server) }
            attempt("control socket") { () throws(LinuxError) in _ = try UnixSocket.connect(path: path) }
            attempt("file") { () throws(LinuxError) in _ = try Files.readText("/etc/passwd", limit: 1 << 20) }
            attempt("netlink") { () throws(LinuxError) in _ = try RouteNetlink() }
            return found
        }
        #expect(
            found == [
                "UDP", "TCP", "control socket: Operation not permitted", "file: Operation not permitted",
                "netlink: Operation not permitted",
            ])
        _ = listener.rawValue
    }

    @Test("logs by way of the control plane, in order, with what a message is about")
    func logs() throws {
        let control = try Mailbox<WorkerReply>()
        _ = try limited {
            let logger = Logger(label: "worker") { _ in WorkerLog(control, level: .debug) }
            logger.trace("left out")
            logger.debug("one")
            logger.warning("two", metadata: .about(container: "web"))
            return []
        }
        let messages = control.takeAll().map { reply in
            if case .log(let event, _) = reply {
                "\(event.level) \(event.message) \(event.metadata?["container"].map { "\($0)" } ?? "")"
            } else {
                ""
            }
        }
        #expect(messages == ["debug one ", "warning two web"])
    }

    @Test("has so many messages waiting and no more; the next that is written says how many were left out")
    func bounded() {
        let backlog = LogBacklog()
        let added = (0..<LogBacklog.limit + 50).count { _ in backlog.add() }
        #expect(added == LogBacklog.limit)
        #expect(backlog.take() == 50)
        #expect(backlog.take() == 0)
        #expect(backlog.add() && backlog.add() && !backlog.add())
    }

    @Test("has its messages written at their level, and a warning behind them where some were left out")
    func written() throws {
        let control = try Mailbox<WorkerReply>()
        var handler = WorkerLog(control, level: .info)
        #expect(handler[metadataKey: "a"] == nil)
        handler[metadataKey: "a"] = "b"
        #expect(handler[metadataKey: "a"] == "b" && handler.metadata == ["a": "b"])
        let logger = Logger(label: "worker") { [handler] _ in handler }
        for number in 0..<LogBacklog.limit + 3 { logger.error("\(number)") }
        let replies = control.takeAll()
        #expect(replies.count == LogBacklog.limit)
        let record = LogRecord()
        for reply in replies { if case .log(let event, let backlog) = reply { record.logger.write(event, backlog) } }
        let warning = "warning: 3 log messages of a worker were left out: more came than could be written"
        #expect(record.messages.count == LogBacklog.limit + 1)
        #expect(record.messages.prefix(3) == ["error: 0", warning, "error: 1"])
        // There is room again.
        logger.error("last")
        #expect(control.takeAll().count == 1)
    }
}
