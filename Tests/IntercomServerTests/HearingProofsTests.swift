// Proofs that listeners are heard, against servers of the test's own on the loopback interface: no namespace is entered.

import DNSWire
import Foundation
import Logging
import Registry
import Synchronization
import SystemPackage
import Testing

@testable import Attachment
@testable import IntercomServer
@testable import LinuxNet

@Suite("The proof that a listener is heard")
struct HearingProofsTests {
    /// The parts that a proof needs, turned by hand.
    private final class Parts {
        let workers: WorkerPool
        let publisher: Publisher
        let loop: EventLoop
        var proofs: HearingProofs?
        /// Verdicts in their order, and the number of proofs whose question was sent.
        var verdicts: [Hearing] = []
        var sent = 0
        /// Sockets that were made and not closed; the most at once is bounded.
        var requested = 0
        var mostRequested = 0
        var failure: LinuxError?
        /// True where IPv6 sockets reach the loopback interface alone, as in a namespace without a route.
        var hasNoRoute = false
        /// True where the opener replies without a socket.
        var isEmpty = false
        /// True when the opener has much to do.
        var isCrowded = false

        private final class Nobody: Monitors {
            var hasMonitors: Bool { false }
            func tell(_ messages: [[UInt8]]) {}
        }

        init() throws {
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            workers = try WorkerPool(count: 2, settings: ServerSettings(Configuration(), workers: 2), logger: logger)
            let domain = Configuration().server.domain
            publisher = Publisher(Registry(domain: domain, ttl: 5), workers: workers, monitors: Nobody())
            loop = try EventLoop(signals: [])
            try loop.watch(workers.descriptor, as: .mailbox)
            publisher.release {}
            proofs = HearingProofs(
                publisher: publisher, workers: workers, loop: loop, isCrowded: { [unowned self] in isCrowded },
                makeSocket: { [unowned self] in make($0, $1, $2) })
        }

        /// Makes the socket here, at the next turn as an opener would.
        private func make(
            _ order: HearingOrder, _ kind: SocketKind, _ done: @escaping (HearingProofs.SocketResult) -> Void
        ) {
            requested += 1
            mostRequested = max(mostRequested, requested)
            publisher.whenInForce { [self] in
                requested -= 1
                if let failure { return done(.failure(failure)) }
                do throws(LinuxError) {
                    var batch = SocketBatch()
                    let socket = try kind.makeSocket()
                    if hasNoRoute, kind.isV6 {
                        #expect(unsafe setsockopt(socket.rawValue, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) == 0)
                    }
                    if !isEmpty { batch.add(socket, kind) }
                    done(.success(Handover(batch)))
                } catch {
                    done(.failure(error))
                }
            }
        }

        func prove(_ servers: [ServerAddress], path: Unheard.Path = .led, errand: UInt64 = 1) {
            let here = NamespaceIdentity(device: 4, inode: 1)
            proofs?.prove(
                HearingOrder(
                    errand: ErrandNumber(rawValue: errand), view: ViewID(rawValue: UInt32(errand)), namespace: here,
                    source: .path("/run/netns/web"), servers: servers.map { ($0, path) }
                ) { [unowned self] event in
                    switch event {
                    case .proofSent: sent += 1
                    case .proved(_, let verdict): verdicts.append(verdict)
                    default: break
                    }
                })
        }

        /// Turns until something is so, for ten seconds at most.
        func turn(until isDone: () throws -> Bool) throws {
            let end = ContinuousClock.now + .seconds(10)
            while try !isDone(), ContinuousClock.now < end {
                publisher.confirm()
                workers.deliver()
                for token in try loop.wait(until: [proofs?.nextDeadline, .now + .milliseconds(20)]) {
                    switch token {
                    case .mailbox:
                        workers.takeReplies { if case .heard(let token) = $0 { proofs?.arrived(token) } }
                    case .proof(let ticket): proofs?.serve(ticket)
                    default: break
                    }
                }
                proofs?.expire()
            }
        }
    }

    /// A server on the loopback interface that reads questions, and answers when it is told to.
    private struct Server: ~Copyable {
        let socket: Descriptor
        let listener: Descriptor?
        let address: ServerAddress

        /// Binds a port that the kernel chooses, for UDP and, unless it is left out, TCP.
        static func start(hasTCP: Bool = true) throws -> Server {
            // The kernel chooses a port that is free for UDP; a connection may have it.
            for _ in 0..<50 { if let server = try? bound(hasTCP: hasTCP) { return server } }
            return try bound(hasTCP: hasTCP)
        }

        private static func bound(hasTCP: Bool) throws -> Server {
            let socket = try UDPSocket.bound(to: SocketAddress(v4: 0x7F00_0001, port: 0))
            let port = try socket.localAddress().port
            return Server(
                socket: socket,
                listener: hasTCP ? try TCPSocket.listening(at: SocketAddress(v4: 0x7F00_0001, port: port)) : nil,
                address: ServerAddress(address: .v4(.loopback), port: port))
        }

        /// The token of the next question over TCP; nil while none has come. The connection ends, behind an answer or without.
        func streamToken(answers: Bool = false) throws -> UInt128? {
            var message = [UInt8](repeating: 0, count: 512)
            switch listener {
            case .some(let listener):
                guard let connection = try TCPSocket.accept(from: listener),
                    let count = try connection.receive(into: &message), count > 2
                else { return nil }
                if answers { _ = try connection.send(message.span.extracting(first: count)) }
                var name = FoldedName()
                _ = try Query(message.span.extracting(2..<count), name: &name)
                return TokenName.hearing.token(in: name)
            case .none: return nil
            }
        }

        /// The token of the next question; nil while none has come. The answer goes back where that is wanted.
        func token(answers: Bool = false) throws -> UInt128? {
            var receiver = UDPReceiver(slots: 1, slotSize: 512)
            guard try receiver.receive(from: socket, atMost: 1) == 1 else { return nil }
            var name = FoldedName()
            _ = try Query(receiver.packet(0), name: &name)
            if answers { try socket.send(receiver.packet(0), to: receiver.source(0)) }
            return TokenName.hearing.token(in: name)
        }
    }

    @Test("is given by the arrival of each question at the listener, whether an answer comes or not")
    func heard() throws {
        let parts = try Parts()
        let first = try Server.start()
        let second = try Server.start()
        parts.prove([first.address, second.address])
        var arrived: [UInt128] = []
        try parts.turn {
            for token in [
                try first.token(answers: true), try second.token(), try first.streamToken(answers: true),
                try second.streamToken(),
            ].compactMap({ $0 }) {
                arrived.append(token)
                parts.proofs?.arrived(token)
            }
            return !parts.verdicts.isEmpty
        }
        #expect(parts.verdicts == [.heard])
        #expect(Set(arrived).count == 4 && parts.sent == 4, "each question has a token of its own")
        #expect(parts.proofs?.nextDeadline == nil, "nothing wakes an idle daemon")
    }

    @Test("is refuted by an answer without an arrival, at once")
    func another() throws {
        let parts = try Parts()
        let server = try Server.start()
        let start = ContinuousClock.now
        parts.prove([server.address])
        try parts.turn {
            _ = try server.token(answers: true)
            return !parts.verdicts.isEmpty
        }
        #expect(parts.verdicts == [.unheard(Unheard(at: "\(server.address)", .answeredByAnother))])
        #expect(start.duration(to: .now) < HearingProofs.deadline)
    }

    @Test("is refuted by silence after a second, and by an ICMP error at once")
    func nobody() throws {
        let parts = try Parts()
        let silent = try Server.start()
        let closed: ServerAddress
        do {
            let server = try Server.start()
            closed = server.address
        }
        parts.prove([silent.address], errand: 1)
        parts.prove([closed], errand: 2)
        try parts.turn { parts.verdicts.count == 2 }
        #expect(
            parts.verdicts == [
                .unheard(Unheard(at: "\(closed)", .refused)), .unheard(Unheard(at: "\(silent.address)", .noReply)),
            ])
    }

    /// Fates of a question over TCP, behind one over UDP that has arrived.
    enum Fate: CaseIterable { case answered, ended, refused, silent }

    @Test(
        "is refuted over TCP where that is answered by another, ended or refused, at once, or silent; UDP alone is not enough",
        arguments: Fate.allCases)
    func stream(fate: Fate) throws {
        let parts = try Parts()
        let server = try Server.start(hasTCP: fate != .refused)
        let start = ContinuousClock.now
        parts.prove([server.address])
        try parts.turn {
            if let token = try server.token() { parts.proofs?.arrived(token) }
            if fate == .answered || fate == .ended { _ = try server.streamToken(answers: fate == .answered) }
            return !parts.verdicts.isEmpty
        }
        let cause: Unheard.Cause =
            switch fate {
            case .answered, .ended: .answeredByAnother
            case .refused: .refused
            case .silent: .noReply
            }
        #expect(parts.verdicts == [.unheard(Unheard(at: "\(server.address)", cause, isStream: true))])
        #expect(fate == .silent || start.duration(to: .now) < HearingProofs.deadline)
        #expect(parts.proofs?.nextDeadline == nil)
    }

    @Test("is not given where no socket can be had: why, and whether it is the opener's fault")
    func untried() throws {
        let parts = try Parts()
        parts.failure = LinuxError(call: "connect", errno: .connectionRefused, kind: .openerAway)
        parts.prove([try Server.start().address], errand: 1)
        try parts.turn { parts.verdicts.count == 1 }
        parts.failure = LinuxError(call: "setns", errno: .notPermitted)
        parts.prove([try Server.start().address], errand: 2)
        try parts.turn { parts.verdicts.count == 2 }
        let kinds: [Failure.Kind?] = parts.verdicts.map {
            if case .untried(let failure) = $0 { failure.kind } else { nil }
        }
        #expect(kinds == [.openerAway, .refused])
    }

    @Test(
        "leaves a server out that no question can go to, asks the others, and is not given where none of its own was heard"
    )
    func routeless() throws {
        let parts = try Parts()
        parts.hasNoRoute = true
        let server = try Server.start()
        let far = try (1...2).map { ServerAddress(address: try #require(IPAddress("2001:db8::\($0)"))) }
        parts.prove([far[0], far[1], server.address])
        try parts.turn {
            for token in [try server.token(), try server.streamToken()].compactMap({ $0 }) {
                parts.proofs?.arrived(token)
            }
            return !parts.verdicts.isEmpty
        }
        // The first of them is named; 127.0.0.1 is no server of its file.
        #expect(parts.verdicts == [.unheard(Unheard(at: "\(far[0])", .noRoute))])
        #expect(parts.sent == 2 && parts.proofs?.nextDeadline == nil)
        // There is nothing to wait for where no rule leads questions to the listener.
        parts.prove([far[0], server.address], path: .own, errand: 2)
        try parts.turn { parts.verdicts.count == 2 }
        #expect(parts.verdicts.last == .unheard(Unheard(at: "\(far[0])", .noRoute, path: .own)))
        #expect(parts.sent == 2)
    }

    @Test("is not given where the kernel lets no question go to a server, and says so")
    func forbidden() throws {
        let parts = try Parts()
        // The address of everybody (connect(2): EACCES).
        parts.prove([ServerAddress(address: .v4(IPv4Address(bits: 0xFFFF_FFFF)))])
        try parts.turn { !parts.verdicts.isEmpty }
        guard case .untried(let failure)? = parts.verdicts.first else {
            Issue.record("\(parts.verdicts)")
            return
        }
        #expect(failure.kind == .refused && "\(failure)".contains("/run/netns/web"))
        #expect(parts.verdicts.count == 1 && parts.sent == 0 && parts.proofs?.nextDeadline == nil)
    }

    @Test("is not given where the opener replies without a socket, and takes no notice of tokens that nobody expects")
    func socketless() throws {
        let parts = try Parts()
        parts.isEmpty = true
        parts.proofs?.arrived(77)
        parts.prove([try Server.start().address])
        try parts.turn { !parts.verdicts.isEmpty }
        guard case .untried(let failure)? = parts.verdicts.first else {
            Issue.record("\(parts.verdicts)")
            return
        }
        #expect(failure.kind == .refused && "\(failure)".contains("/run/netns/web cannot be entered"))
        #expect(parts.verdicts.count == 1 && parts.sent == 0)
    }

    @Test("asks the opener for a socket in the namespace, and tells why there is none")
    func requested() throws {
        let parts = try OpenerParts()
        defer { parts.workers.stop() }
        for (source, errno) in [
            // The opener of this test may enter nothing; nobody is this process.
            (NamespaceSource.path("/run/netns/no-such-namespace"), Errno.noSuchFileOrDirectory),
            (.pid(getpid()), .notPermitted), (.pid(4_194_304), .noSuchProcess),
        ] {
            var failure: LinuxError?
            let order = HearingOrder(
                errand: ErrandNumber(rawValue: 1), view: ViewID(rawValue: 1),
                namespace: NamespaceIdentity(device: 4, inode: 1), source: source, servers: []
            ) { _ in }
            parts.requests.makeSocket(for: order, SocketKind(isStream: false, isV6: false)) { result in
                if case .failure(let error) = result { failure = error }
            }
            try parts.wait { failure != nil }
            #expect(failure?.errno == errno, "\(source): \(failure.map { "\($0)" } ?? "")")
        }
    }

    @Test("goes on one by one while the opener has much to do: who waits for a listener comes first")
    func crowd() throws {
        let parts = try Parts()
        let server = try Server.start()
        parts.isCrowded = true
        for errand in 1...20 { parts.prove([server.address], errand: UInt64(errand)) }
        try parts.turn {
            _ = try server.token(answers: false)
            return parts.sent >= 3
        }
        #expect(parts.mostRequested == HearingProofs.crowdedOpeningLimit)
        parts.isCrowded = false
        try parts.turn { parts.verdicts.count == 20 }
        #expect(parts.mostRequested > HearingProofs.crowdedOpeningLimit && parts.verdicts.count == 20)
    }

    @Test("holds a bounded number of sockets, and of requests to the opener, however many containers are silent")
    func bounds() throws {
        let parts = try Parts()
        let silent = try Server.start()
        let count = HearingProofs.limit + 40
        for errand in 1...count { parts.prove([silent.address], errand: UInt64(errand)) }
        try parts.turn { parts.sent == HearingProofs.limit }
        #expect(parts.mostRequested <= HearingProofs.openingLimit)
        #expect(parts.verdicts.isEmpty && parts.sent == HearingProofs.limit)
        // Those that wait are stopped as those that are asked.
        parts.proofs?.stop(ErrandNumber(rawValue: UInt64(count)))
        parts.proofs?.stop(ErrandNumber(rawValue: 1))
        try parts.turn { parts.verdicts.count == count - 2 }
        #expect(parts.verdicts.count == count - 2 && parts.sent == count - 1)
    }
}
