// Bounds of a worker's connections and the repair of its listeners, turn by turn.

import DNSWire
import Forwarding
import Foundation
import Registry
import SystemPackage
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A worker, seen turn by turn,")
struct WorkerTurnTests {
    private static let text = """
        [[network]]
        name = "front"

        [[container]]
        name = "app"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]

        [[container]]
        name = "web"
        networks = [{ name = "front", ip = ["10.1.0.2"] }]
        """

    /// A worker with an upstream.
    private static func lend(_ body: (TurnedWorker) throws -> Void) throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        try body(try TurnedWorker(text, upstreams: [upstream.server]))
    }

    private static func shortage(_ errno: Errno) -> LinuxError { LinuxError(call: "accept4", errno: errno) }

    // MARK: - Idle connections

    @Test(
        "closes connections that were idle for ten seconds, also behind half a query, and none that is owed an answer")
    func idle() throws {
        try Self.lend { turned in
            let address = try turned.listen(as: "app").address
            let done = try turned.connect(to: address, asking: "web")
            #expect(try turned.answer(on: done) == "10.1.0.2")
            let half = try TurnedClient(address)
            try half.send([0, 40, 1, 2, 3])
            try turned.turn { turned.connections == 2 }
            let owed = try turned.connect(to: address, asking: "silent.example")
            let start = Moment.now
            turned.worker.closeIdleStreams(start + .seconds(5))
            #expect(turned.connections == 3)
            let next = try #require(turned.nextIdleCheck)
            #expect(next > start + .seconds(5) && next <= start + .seconds(10), "when the first of them is due")
            turned.worker.closeIdleStreams(start + .seconds(10))
            #expect(turned.connections == 1)
            #expect(turned.worker.streams.nextDeadline == start + .milliseconds(10_100))
            #expect(try turned.answer(on: done) == "end" && turned.answer(on: half) == "end")
            #expect(try owed.next() == nil)
        }
    }

    @Test("looks at idle connections when they are due, and no more when there is none")
    func due() throws {
        try Self.lend { turned in
            let client = try turned.connect(to: try turned.listen(as: "app").address, asking: "web")
            #expect(try turned.answer(on: client) == "10.1.0.2")
            turned.worker.streams.nextDeadline = Moment.now
            try turned.turn()
            #expect(turned.connections == 1)
            turned.worker.streams[0].lastActive = Moment.now + .seconds(-10)
            turned.worker.streams.nextDeadline = Moment.now
            try turned.turn { turned.connections == 0 }
            #expect(turned.worker.streams.nextDeadline == nil)
            #expect(try turned.answer(on: client) == "end")
        }
    }

    // MARK: - Shortages

    @Test(
        "gives up an idle connection of the same container where descriptors or memory are short, and else tries again soon",
        arguments: [Errno.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory])
    func shortage(errno: Errno) throws {
        try Self.lend { turned in
            let app = try turned.listen(as: "app").address
            let web = try turned.listen(as: "web").address
            let other = try turned.connect(to: web, asking: "app")
            #expect(try turned.answer(on: other) == "10.1.0.3")
            let idle = try turned.connect(to: app, asking: "web")
            #expect(try turned.answer(on: idle) == "10.1.0.2")
            turned.worker.takeAcceptFailure(Self.shortage(errno), of: try turned.ticket(of: "app"))
            #expect(turned.connections == 1, "that of the other container stays")
            #expect(try turned.answer(on: idle) == "end" && !turned.isPaused("app"))
            turned.worker.takeAcceptFailure(Self.shortage(errno), of: try turned.ticket(of: "app"))
            #expect(try turned.isPaused("app") && !turned.isPaused("web"))
            let retry = try #require(turned.retryTime)
            #expect(retry <= Moment.now + StreamConnections.retryInterval)
            let late = try turned.connect(to: app, asking: "web")
            #expect(Moment.now >= retry, "nothing is accepted before")
            #expect(try turned.answer(on: late) == "10.1.0.2" && !turned.isPaused("app"))
            #expect(turned.worker.streams.retryTime == nil && turned.worker.streams.pausedListeners == 0)
            #expect(turned.log.messages.count == 2)
            #expect(
                turned.log.messages.allSatisfy { $0.hasPrefix("warning: a TCP connection cannot be accepted yet") })
        }
    }

    @Test("closes nothing where accepting is forbidden, and tries again soon")
    func forbidden() throws {
        try Self.lend { turned in
            let address = try turned.listen(as: "app").address
            let idle = try turned.connect(to: address, asking: "web")
            #expect(try turned.answer(on: idle) == "10.1.0.2")
            turned.worker.takeAcceptFailure(Self.shortage(.notPermitted), of: try turned.ticket(of: "app"))
            #expect(try turned.connections == 1 && turned.isPaused("app"))
            _ = try turned.connect(to: address, asking: "web")
            #expect(try turned.connections == 2 && !turned.isPaused("app"))
        }
    }

    @Test("leaves connections in the queue of a container that has all it may have, until one of them is done with")
    func fullNamespace() throws {
        try Self.lend { turned in
            turned.worker.streams = StreamConnections(perNamespace: 2, perWorker: 8)
            let app = try turned.listen(as: "app").address
            let web = try turned.listen(as: "web").address
            let first = try turned.connect(to: app, asking: "silent.example")
            let second = try turned.connect(to: app, asking: "silent.example", "silent.example")
            let third = try TurnedClient(app)
            try third.ask("web")
            try turned.turn { try turned.isPaused("app") }
            #expect(turned.connections == 2 && turned.worker.streams.waitingListeners.isEmpty)
            // Other containers are not concerned.
            let other = try turned.connect(to: web, asking: "app")
            #expect(try turned.answer(on: other) == "10.1.0.3")
            #expect(try turned.isPaused("app") && third.next() == nil)
            try first.reset()
            #expect(try turned.answer(on: third) == "10.1.0.2")
            #expect(try !turned.isPaused("app") && second.next() == nil)
            // One that is owed nothing makes room itself.
            let fourth = try TurnedClient(app)
            try fourth.ask("web")
            #expect(try turned.answer(on: fourth) == "10.1.0.2" && turned.answer(on: third) == "end")
        }
    }

    @Test("that has all the connections it may have lets listeners wait their turn, and forgets them when it is to end")
    func fullWorker() throws {
        try Self.lend { turned in
            turned.worker.streams = StreamConnections(perNamespace: 2, perWorker: 1)
            let app = try turned.listen(as: "app").address
            let web = try turned.listen(as: "web").address
            let first = try turned.connect(to: app, asking: "silent.example")
            let waiting = try TurnedClient(web)
            try waiting.ask("app")
            try turned.turn { try turned.isPaused("web") }
            let ticket = try turned.ticket(of: "web")
            #expect(turned.connections == 1 && Array(turned.worker.streams.waitingListeners) == [ticket])
            try first.reset()
            #expect(try turned.answer(on: waiting) == "10.1.0.3")
            #expect(try !turned.isPaused("web") && turned.worker.streams.waitingListeners.isEmpty)
            #expect(turned.worker.streams.triesDue == 0)
            try waiting.ask("silent.example")
            let last = try TurnedClient(app)
            try last.ask("web")
            try turned.turn { try turned.isPaused("app") }
            turned.post(.stop)
            try turned.turn()
            #expect(turned.worker.streams.waitingListeners.isEmpty && turned.worker.streams.retryTime == nil)
            try waiting.reset()
            try turned.turn { turned.connections == 0 }
            #expect(try last.next() == nil, "it waits for the next daemon")
        }
    }

    @Test("closes the paused listener of a container that goes, and counts it no more")
    func pausedListenerCloses() throws {
        try Self.lend { turned in
            turned.worker.streams = StreamConnections(perNamespace: 1, perWorker: 8)
            let address = try turned.listen(as: "app").address
            let first = try turned.connect(to: address, asking: "silent.example")
            let second = try TurnedClient(address)
            try second.ask("web")
            try turned.turn { turned.worker.streams.pausedListeners == 1 }
            turned.post(.closeListener(try turned.view(of: "app")))
            try turned.turn()
            #expect(turned.worker.streams.pausedListeners == 0 && turned.connections == 0)
            #expect(try turned.answer(on: first) == "end")
        }
    }

    // MARK: - Clients that hurt

    @Test("closes a connection that was reset, whichever step finds it out", arguments: ["wake", "serve", "settle"])
    func reset(step: String) throws {
        try Self.lend { turned in
            let client = try turned.connect(to: try turned.listen(as: "app").address, asking: "silent.example")
            #expect(turned.connections == 1)
            let ticket = turned.lastConnection()
            try client.reset()
            switch step {
            case "serve":
                turned.worker.streams[0].observe(.readable)
                turned.worker.serveStream(ticket)
            case "settle":
                turned.worker.streams[0].send([1, 2, 3], 3)
                turned.worker.settle(ticket)
            default: try turned.turn()
            }
            #expect(turned.connections == 0)
        }
    }

    @Test("answers no more than a client takes, and goes on where it takes answers again, each whole")
    func slowReader() throws {
        try Self.lend { turned in
            let address = try turned.listen(as: "app").address
            let client = try turned.connect(to: address, asking: "big.example")
            #expect(try turned.answer(on: client).split(separator: " ").count == 60)
            // The kernel keeps little of what the client does not read.
            var little: Int32 = 32 * 1024
            let ours = turned.worker.streams[0].descriptor.rawValue
            let size = socklen_t(MemoryLayout<Int32>.size)
            #expect(unsafe setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &little, size) == 0)
            let count = 600
            for _ in 0..<count { try client.ask("big.example") }
            try turned.turn { turned.worker.streams[0].isCongested }
            for _ in 0..<20 { try turned.turn() }
            let bound = StreamConnection.outputBound + Transport.maximumMessage
            #expect(turned.worker.streams[0].pendingOutput < bound && turned.worker.streams[0].hasMessage)
            #expect(turned.worker.streams[0].wanted.contains(.writable))
            var answers: [String] = []
            try turned.turn {
                while let answer = try client.next() { answers.append(answer) }
                return answers.count >= count
            }
            #expect(answers.count == count && answers.allSatisfy { Set($0.split(separator: " ")).count == 60 })
            try #require(turned.connections == 1)
            try turned.turn { !turned.worker.streams[0].wanted.contains(.writable) }
            #expect(turned.worker.streams[0].need == .idle)
        }
    }

    // MARK: - Listeners that were harmed

    @Test("makes a listener that was shut down serve again, and tells of it now and then")
    func repaired() throws {
        try Self.lend { turned in
            let sockets = try turned.listen(as: "app")
            let view = try turned.view(of: "app")
            let position = try #require(turned.worker.listeners.position(of: try turned.ticket(of: "app")))
            for (isDue, repairs) in [(true, 1), (false, 1), (true, 2)] {
                turned.worker.listeners[position].nextRepairReport = Moment.now + .seconds(isDue ? -1 : 60)
                // For TCP the same as SOCK_DESTROY.
                #expect(shutdown(sockets.tcp, Int32(SHUT_RDWR)) == 0)
                try turned.turn()
                let told = turned.reports.count { if case .listenerRepaired(view) = $0 { true } else { false } }
                #expect(told == repairs && turned.reports.count == repairs)
                let client = try TurnedClient(sockets.address)
                try client.ask("web")
                #expect(try turned.answer(on: client) == "10.1.0.2")
            }
            let next = turned.worker.listeners[position].nextRepairReport
            #expect(next.map { $0 <= Moment.now + .seconds(1) } == true)
            #expect(try turned.ask("web", at: sockets.address) == "10.1.0.2")
        }
    }

    @Test("makes a listener that was shut down listen again also while it accepts nothing")
    func repairedWhilePaused() throws {
        try Self.lend { turned in
            turned.worker.streams = StreamConnections(perNamespace: 1, perWorker: 8)
            let sockets = try turned.listen(as: "app")
            let owed = try turned.connect(to: sockets.address, asking: "silent.example")
            try TurnedClient(sockets.address).ask("web")
            try turned.turn { try turned.isPaused("app") }
            #expect(shutdown(sockets.tcp, Int32(SHUT_RDWR)) == 0)
            try turned.turn { !turned.reports.isEmpty }
            guard case .listenerRepaired? = turned.reports.first else {
                Issue.record("\(turned.reports)")
                return
            }
            let client = try TurnedClient(sockets.address)
            try client.ask("web")
            try owed.reset()
            #expect(try turned.answer(on: client) == "10.1.0.2" && turned.reports.count == 1)
        }
    }

    @Test("closes a listener whose port another program has by now, and says why")
    func taken() throws {
        try Self.lend { turned in
            let sockets = try turned.listen(as: "app")
            #expect(shutdown(sockets.tcp, Int32(SHUT_RDWR)) == 0)
            let other = try TCPSocket.listening(at: sockets.address)
            try turned.turn { !turned.reports.isEmpty }
            let view = try turned.view(of: "app")
            guard case .listenerFailed(view, let error)? = turned.reports.last else {
                Issue.record("\(turned.reports)")
                return
            }
            #expect(error.errno == .addressInUse && turned.worker.listeners.ticket(of: view) == nil)
            #expect(try other.localAddress() == sockets.address)
        }
    }

    @Test(
        "closes a listener whose socket receives nothing any more, or that the loop cannot watch, and says why",
        arguments: [Errno.notSocket, .notPermitted])
    func deaf(errno: Errno) throws {
        try Self.lend { turned in
            // Readable, and no socket; epoll_ctl(2) knows EPERM for what is always ready.
            let event = try EventFD()
            event.signal()
            let udp = errno == .notSocket ? try event.descriptor.duplicate() : try Self.openNull()
            let tcp = try TCPSocket.listening(at: SocketAddress(v4: 0x7F00_0001, port: 0))
            let view = try turned.view(of: "app")
            turned.post(.listen(view, Handover(ListenerSockets(udp: udp, tcp: tcp, cookie: 0))))
            try turned.turn { !turned.reports.isEmpty }
            guard case .listenerFailed(view, let error)? = turned.reports.last else {
                Issue.record("\(turned.reports)")
                return
            }
            #expect(error.errno == errno && turned.worker.listeners.count == 0)
        }
    }

    private static func openNull() throws -> Descriptor {
        let number = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        try #require(number >= 0)
        return Descriptor(adopting: number)
    }

    @Test("tells that it has lost the opener where it cannot watch a connection to it")
    func unwatchable() throws {
        try Self.lend { turned in
            turned.post(.admissions(Handover(try Self.openNull())))
            try turned.turn()
            #expect(turned.reports.count == 1)
            guard case .admissionsLost(worker: 0)? = turned.reports.last else {
                Issue.record("\(turned.reports)")
                return
            }
        }
    }

    @Test("drops datagrams that cannot be sent, counts them, and leaves a sound listener as it is")
    func unsent() throws {
        try Self.lend { turned in
            let client = try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0))
            let source = try client.localAddress()
            // A socket that receives from the client, and sends nothing (shutdown(2)).
            let sockets = try turned.listen(as: "app") { sockets in
                try UDPSocket.connect(sockets.udp, to: source)
                #expect(shutdown(sockets.udp.rawValue, Int32(SHUT_WR)) == 0)
            }
            var query = try WorkerTown.query("web")
            try client.send(query.span, to: sockets.address)
            try turned.turn { turned.worker.counters.dropped == 1 }
            // The same behind an upstream, and behind a chain.
            for (count, name) in [(2, "a.example"), (3, "to-web.example")] {
                query = try WorkerTown.query(name)
                try client.send(query.span, to: sockets.address)
                try turned.turn { turned.worker.counters.dropped == UInt64(count) }
            }
            try turned.turn()
            #expect(turned.worker.listeners.doubtful.isEmpty && turned.worker.listeners.count == 1)
            #expect(turned.reports.isEmpty)
        }
    }

    // MARK: - Questions of our own

    @Test("tells of a question that proves its listener to be heard, over UDP and TCP, once, and counts none of them")
    func heard() throws {
        try Self.lend { turned in
            let address = try turned.listen(as: "app").address
            let view = try turned.view(of: "app")
            for (token, isStream) in [(UInt128(7) << 64 | 1, false), (UInt128(7) << 64 | 2, true)] {
                let name = "\(try TokenName.hearing.name(of: token))"
                turned.post(.expect(token: token, view))
                // Asked over the control socket, it proves nothing.
                #expect(try turned.resolve(name, for: "app")?.decision == .answered(.specialUse))
                #expect(turned.reports.count == (isStream ? 1 : 0))
                guard isStream else {
                    for _ in 0..<2 { #expect(try turned.ask(name, at: address) == "NXDOMAIN") }
                    continue
                }
                let client = try turned.connect(to: address, asking: name, name)
                for _ in 0..<2 { #expect(try turned.answer(on: client) == "NXDOMAIN") }
            }
            let tokens = turned.reports.map { if case .heard(let token) = $0 { token } else { UInt128(0) } }
            #expect(tokens == [UInt128(7) << 64 | 1, UInt128(7) << 64 | 2])
            #expect(turned.worker.counters.queries == 2, "those that came again, when nobody waited for them")
        }
    }

    @Test("tells of a probe that has come back to it, and answers nothing")
    func looped() throws {
        try Self.lend { turned in
            let address = try turned.listen(as: "app").address
            turned.post(.probes([77]))
            try turned.turn()
            let name = "\(try LoopProbe.name(of: 77))"
            let socket = try UDPSocket.connected(to: address)
            let query = try WorkerTown.query(name)
            _ = try socket.send(query.span)
            try turned.turn { turned.reports.count == 1 }
            let client = try turned.connect(to: address, asking: name, "web")
            #expect(try turned.answer(on: client) == "10.1.0.2", "the probe before it has no answer")
            let tokens = turned.reports.map { if case .looped(let token) = $0 { token } else { UInt64(0) } }
            #expect(tokens == [77, 77] && turned.worker.counters.dropped == 2)
            var buffer = [UInt8](repeating: 0, count: 512)
            #expect(try socket.receive(into: &buffer) == nil)
            let shown = try turned.resolve(name, for: "app")
            #expect(shown?.decision == .dropped && shown?.message.isEmpty == true)
        }
    }
}
