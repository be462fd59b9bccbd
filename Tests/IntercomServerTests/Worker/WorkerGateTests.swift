// Workers before containers with a gate: an address is told when it may be reached, and not before.

import DNSWire
import Forwarding
import Registry
import Synchronization
import SystemPackage
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A worker whose container has a gate")
struct WorkerGateTests {
    private static let text = """
        [[policy]]
        name = "gated"
        default = "allow"
        addresses = true

        [[network]]
        name = "front"

        [[container]]
        name = "app"
        policy = "gated"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]

        [[record]]
        name = "www.test"
        type = "CNAME"
        data = "a.example"

        [[record]]
        name = "own.test"
        type = "A"
        data = "10.9.0.7"
        """

    /// The opener's end of connections: it lets addresses through, or refuses to.
    private final class Sets: Sendable {
        private struct State {
            var admitted: [String] = []
            var errno: Int32 = 0
            var makesRoom = false
            var isOver = false
        }

        private let state = Mutex(State())

        /// Addresses that were asked for, in their order.
        var admitted: [String] { state.withLock(\.admitted) }

        func answer(errno: Int32 = 0, makesRoom: Bool = false) {
            state.withLock { ($0.errno, $0.makesRoom) = (errno, makesRoom) }
        }

        /// Ends all connections.
        func end() { state.withLock { $0.isOver = true } }

        /// A worker's end of a connection that a thread serves.
        func connect() throws -> Handover<Descriptor> {
            var pair = try UnixSocket.pairForMessages()
            guard let second = pair.second.take() else { throw StandInOpener.refusal }
            let other = Handover(second)
            try Thread.start(name: "sets") { [self] in
                guard let connection = other.take() else { return }
                run(connection)
            }
            return Handover(pair.takeFirst())
        }

        private func run(_ connection: borrowing Descriptor) {
            var buffer = [UInt8](repeating: 0, count: Admission.maximumLength)
            let end = ContinuousClock.now + .seconds(60)
            while ContinuousClock.now < end, !state.withLock(\.isOver) {
                guard (try? WorkerTown.isReadable(connection, within: 10)) == true else { continue }
                guard let count = (try? connection.receive(into: &buffer)) ?? nil, count > 0,
                    let admission = Admission(buffer.span.extracting(first: count))
                else { return }
                let reply = state.withLock { state in
                    state.admitted += admission.entries.map { "\($0)" }
                    return AdmissionReply(number: admission.number, errno: state.errno, madeRoom: state.makesRoom)
                }
                let octets = reply.octets
                _ = try? connection.send(octets.span)
            }
        }
    }

    private static func lend(_ body: (WorkerTown, Sets, ViewID) throws -> Void) throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        let town = try WorkerTown(text, upstreams: [upstream.server])
        defer { town.stop() }
        let sets = Sets()
        defer { sets.end() }
        _ = try town.listener(of: "app")
        for worker in town.parts.workers.indices {
            town.parts.workers.post(.admissions(try sets.connect()), to: worker)
        }
        try body(town, sets, try town.view(of: "app"))
    }

    private static func set(_ state: GateState?, of view: ViewID, _ town: WorkerTown) throws {
        town.parts.workers.post(.gate(view, state))
        try town.settle()
    }

    @Test("tells an address once it is let through: of an upstream, of the cache, behind a record, and of a record")
    func told() throws {
        try Self.lend { town, sets, view in
            try Self.set(.ready(cookie: 7), of: view, town)
            for transport in [Transport.datagram, .stream] {
                for (name, answer) in [
                    ("a.example", "192.0.2.53"), ("a.example", "192.0.2.53"), ("www.test", "a.example. 192.0.2.53"),
                    ("own.test", "10.9.0.7"), ("nx.example", "NXDOMAIN"), ("localhost", "127.0.0.1"),
                ] {
                    let found = try town.resolve(name, from: "app", over: transport)
                    #expect(found == answer, "\(name)")
                }
            }
            // Each address is asked for once while it may be reached.
            #expect(sets.admitted.count == 2, "\(sets.admitted)")
            let counts = try town.replies { .countGates(token: $0) }.compactMap { reply -> GateCounters? in
                if case .gates(_, let counts) = reply { counts[view] } else { nil }
            }
            #expect(counts.map(\.told).reduce(0, +) == 2 && counts.map(\.admitted).reduce(0, +) == 2)
        }
    }

    @Test("tells no address while its gate is not in force, and the reason instead", arguments: [true, false])
    func notInForce(isKnown: Bool) throws {
        try Self.lend { town, sets, view in
            if isKnown { try Self.set(.failed("no nftables"), of: view, town) }
            for transport in [Transport.datagram, .stream] {
                for name in ["a.example", "www.test", "own.test"] {
                    let found = try town.resolve(name, from: "app", over: transport)
                    #expect(found == "SERVFAIL", "\(name)")
                }
                // What has no address is told.
                #expect(try town.resolve("nx.example", from: "app", over: transport) == "NXDOMAIN")
            }
            #expect(sets.admitted.isEmpty)
            try Self.set(.ready(cookie: 7), of: view, town)
            #expect(try town.resolve("own.test", from: "app") == "10.9.0.7")
        }
    }

    @Test("tells no address that could not be let through, and tells the control plane; a set that made room, too")
    func refused() throws {
        try Self.lend { town, sets, view in
            try Self.set(.ready(cookie: 7), of: view, town)
            sets.answer(errno: 28)
            #expect(try town.resolve("a.example", from: "app") == "SERVFAIL")
            try town.wait { $0.contains { if case .gateFailed(view, errno: 28) = $0 { true } else { false } } }
            sets.answer(makesRoom: true)
            #expect(try town.resolve("a.example", from: "app") == "192.0.2.53")
            try town.wait { $0.contains { if case .gateMadeRoom(view) = $0 { true } else { false } } }
        }
    }

    @Test("tells no address when it has lost the opener, and says so")
    func lost() throws {
        try Self.lend { town, sets, view in
            try Self.set(.ready(cookie: 7), of: view, town)
            #expect(try town.resolve("a.example", from: "app") == "192.0.2.53")
            sets.end()
            try town.wait { reports in
                reports.filter { if case .admissionsLost = $0 { true } else { false } }.count == 2
            }
            // One that may be reached already is told.
            #expect(try town.resolve("a.example", from: "app") == "192.0.2.53")
            #expect(try town.resolve("own.test", from: "app") == "SERVFAIL")
        }
    }
}
