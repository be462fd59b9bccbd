// The listener of the host itself, by what the host's files say and what the opener answers.

import ControlAPI
import DNSWire
import Synchronization
import SystemPackage
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("The listener of the host itself")
struct HostListenerTests {
    /// Lends a listener whose opener fails so often before it makes sockets.
    private static func lend(
        failures: [LinuxError] = [],
        _ body: (HostListener, OpenerParts, _ calls: () -> Int) throws -> Void
    ) throws {
        let rest = Mutex(failures)
        let count = Atomic<Int>(0)
        let parts = try OpenerParts(
            StandInOpener(hostListener: { () throws(LinuxError) in
                count.add(1, ordering: .relaxed)
                if let failure = rest.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw failure }
                return try .atLoopback()
            }))
        defer { parts.workers.stop() }
        let listener = HostListener(requests: parts.requests, publisher: parts.publisher, logger: parts.log.logger)
        try body(listener, parts) { count.load(ordering: .relaxed) }
    }

    /// The state in a word, or the reason for which nobody listens.
    private static func state(_ listener: HostListener) throws -> String {
        guard let service = listener.describe(domain: try Name("internal")) else { return "off" }
        return service.reason ?? "listening"
    }

    @Test("is made when the host's files lead here, and closed when they do not: no way leads from us to us meanwhile")
    func life() throws {
        try Self.lend { listener, parts, calls in
            var changes: [Bool] = []
            listener.servesHostChanged = { changes.append(listener.servesHost) }
            listener.follow(servesHost: false)
            #expect(try Self.state(listener) == "off" && !listener.servesHost)
            listener.follow(servesHost: true)
            // Before anybody can ask.
            #expect(listener.servesHost && changes == [true])
            #expect(try Self.state(listener) == "the listener is being made")
            listener.follow(servesHost: true)
            try parts.wait { (try? Self.state(listener)) == "listening" }
            listener.follow(servesHost: true)
            #expect(calls() == 1)
            listener.follow(servesHost: false)
            // A server at that address is ours until its port is free.
            #expect(try Self.state(listener) == "off" && listener.servesHost)
            try parts.wait { !listener.servesHost }
            #expect(changes == [true, false])
            #expect(
                parts.log.messages == [
                    "info: the host itself is served at 127.0.0.11", "info: the host itself is not served any more",
                ])
        }
    }

    @Test("says who is in its way and what to do, and is tried again when the files are read again")
    func refused() throws {
        let taken = LinuxError(call: "bind", errno: .addressInUse, subject: "127.0.0.11:53")
        let other = LinuxError(call: "bind", errno: .permissionDenied, subject: "127.0.0.11:53")
        try Self.lend(failures: [taken, other]) { listener, parts, calls in
            listener.follow(servesHost: true)
            try parts.wait { (try? Self.state(listener))?.hasPrefix("bind") == true }
            #expect(
                try Self.state(listener)
                    == "\(taken); end the program that listens there ('ss -lnup sport = 53'), then 'intercomctl reload'"
            )
            listener.follow(servesHost: true)
            try parts.wait { (try? Self.state(listener)) == "\(other)" }
            listener.follow(servesHost: true)
            try parts.wait { (try? Self.state(listener)) == "listening" }
            #expect(calls() == 3)
        }
    }

    @Test("stays closed where the files changed while it was being made: what comes then is dropped")
    func overtaken() throws {
        try Self.lend { listener, parts, calls in
            listener.follow(servesHost: true)
            listener.follow(servesHost: false)
            try parts.wait { calls() == 1 && parts.requests.isIdle && !listener.servesHost }
            #expect(try Self.state(listener) == "off")
            listener.follow(servesHost: true)
            try parts.wait { (try? Self.state(listener)) == "listening" }
            #expect(calls() == 2)
        }
    }

    @Test("is made anew when a worker cannot serve with it, and only then")
    func lost() throws {
        try Self.lend { listener, parts, calls in
            let error = LinuxError(call: "recvmmsg", errno: .badFileDescriptor)
            listener.failed(error)
            #expect(try Self.state(listener) == "off" && calls() == 0)
            listener.follow(servesHost: true)
            try parts.wait { (try? Self.state(listener)) == "listening" }
            listener.failed(error)
            #expect(listener.servesHost)
            #expect(try Self.state(listener) == "the listener is being made")
            try parts.wait { (try? Self.state(listener)) == "listening" }
            #expect(calls() == 2)
            #expect(
                parts.log.messages.contains {
                    $0 == "warning: the host's listener at 127.0.0.11 failed, and is made anew: \(error)"
                })
        }
    }
}
