// Upstreams that cannot be asked, and connections to them that take several questions, turn by turn.

import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A worker's questions to upstreams")
struct WorkerUpstreamTests {
    private static let text = """
        [[network]]
        name = "front"

        [[container]]
        name = "app"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]
        """

    /// A server that no socket can be connected to: the address of everybody (connect(2): EACCES).
    private static let unreachable = ServerAddress(address: .v4(IPv4Address(bits: 0xFFFF_FFFF)), port: 53)

    private static func lend(_ body: (TurnedWorker, StandInUpstream) throws -> Void) throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        try body(try TurnedWorker(text, upstreams: [upstream.server]), upstream)
    }

    private static func set(_ list: UpstreamList, _ turned: TurnedWorker) throws {
        turned.post(.upstreams(group: UpstreamGroupID.default.rawValue, list))
        try turned.turn()
    }

    /// Sockets that the worker asks for, from here on.
    private static func needs(_ turned: TurnedWorker) -> [SocketKind] {
        turned.reports.compactMap { if case .needsSockets(_, let kind, _) = $0 { kind } else { nil } }
    }

    private static func give(_ count: Int, _ kind: SocketKind, to turned: TurnedWorker) throws {
        var batch = SocketBatch()
        for _ in 0..<count { batch.add(try kind.makeSocket(), kind) }
        turned.post(.sockets(try turned.view(of: "app"), kind, Handover(batch)))
    }

    @Test("of the control plane fail at once where nobody may be asked, and say so")
    func nobody() throws {
        try Self.lend { turned, upstream in
            try Self.set(UpstreamList(servers: [], origin: .host), turned)
            let shown = try turned.resolve("a.example", for: "app")
            #expect(WorkerTown.text(shown?.message) == "SERVFAIL")
            #expect(upstream.questions.isEmpty && turned.worker.waiting.count == 0)
        }
    }

    @Test("fail at once where no socket can be connected, over UDP and TCP", arguments: [false, true])
    func unconnected(usesStreams: Bool) throws {
        try Self.lend { turned, _ in
            let address = try turned.listen(as: "app").address
            var list = UpstreamList(servers: [Self.unreachable], origin: .host)
            list.usesStreams = usesStreams
            try Self.set(list, turned)
            #expect(try turned.ask("a.example", at: address) == "SERVFAIL")
            #expect(turned.worker.forwarder.inFlight == 0)
        }
    }

    @Test(
        "from a container's namespace go on to the next server where one cannot be connected to, at once or with a socket"
    )
    func fromNamespace() throws {
        try Self.lend { turned, upstream in
            // Without a listener there is no namespace.
            try Self.set(UpstreamList(servers: [upstream.server], origin: .namespace), turned)
            #expect(WorkerTown.text(try turned.resolve("a.example", for: "app")?.message) == "SERVFAIL")
            let address = try turned.listen(as: "app").address
            try Self.set(UpstreamList(servers: [Self.unreachable, upstream.server], origin: .namespace), turned)
            for name in ["b.example", "c.example"] {
                let socket = try UDPSocket.connected(to: address)
                let query = try WorkerTown.query(name)
                _ = try socket.send(query.span)
                if name == "b.example" {
                    try turned.turn { !Self.needs(turned).isEmpty }
                    try Self.give(8, SocketKind(isStream: false, isV6: false), to: turned)
                }
                try turned.turn { try WorkerTown.isReadable(socket, within: 0) }
                #expect(WorkerTown.text(try WorkerTown.receive(from: socket, count: 1).first) == "192.0.2.53")
            }
            #expect(Self.needs(turned).count == 1, "there were enough")
            #expect(upstream.questions == ["udp b.example. A", "udp c.example. A"])
        }
    }

    @Test("fail at once where no server can be connected to with the sockets of a container's namespace")
    func allFromNamespace() throws {
        try Self.lend { turned, _ in
            let address = try turned.listen(as: "app").address
            try Self.set(UpstreamList(servers: [Self.unreachable], origin: .namespace), turned)
            let socket = try UDPSocket.connected(to: address)
            let query = try WorkerTown.query("a.example")
            _ = try socket.send(query.span)
            // Over UDP, and then over TCP.
            for (count, kind) in [false, true].map({ SocketKind(isStream: $0, isV6: false) }).enumerated() {
                try turned.turn { Self.needs(turned).count > count }
                #expect(Self.needs(turned).last == kind)
                try Self.give(8, kind, to: turned)
            }
            try turned.turn { try WorkerTown.isReadable(socket, within: 0) }
            #expect(WorkerTown.text(try WorkerTown.receive(from: socket, count: 1).first) == "SERVFAIL")
            #expect(turned.worker.forwarder.inFlight == 0)
        }
    }

    @Test(
        "share a connection: those that came while it was made, and those that come later",
        arguments: [UpstreamList.Origin.host, .namespace])
    func shared(origin: UpstreamList.Origin) throws {
        try Self.lend { turned, upstream in
            let address = try turned.listen(as: "app").address
            var list = UpstreamList(servers: [upstream.server], origin: origin)
            list.usesStreams = true
            try Self.set(list, turned)
            let client = try turned.connect(to: address, asking: "a.example", "b.example")
            if origin == .namespace {
                try turned.turn { !Self.needs(turned).isEmpty }
                #expect(Self.needs(turned) == [SocketKind(isStream: true, isV6: false)])
                try Self.give(1, SocketKind(isStream: true, isV6: false), to: turned)
            }
            #expect(try turned.answer(on: client) == "192.0.2.53" && turned.answer(on: client) == "192.0.2.53")
            try client.ask("c.example")
            #expect(try turned.answer(on: client) == "192.0.2.53")
            #expect(
                Set(upstream.questions) == ["tcp a.example. A", "tcp b.example. A", "tcp c.example. A"])
            // One for this connection, and one for the next, which nobody has made.
            #expect(Self.needs(turned).count == (origin == .namespace ? 2 : 0))
        }
    }

    @Test("to former servers of a container are told to people as theirs, and what their names lead to is theirs, too")
    func former() throws {
        try Self.lend { turned, upstream in
            _ = try turned.listen(as: "app")
            let view = try turned.view(of: "app")
            var registry = turned.town.registry
            registry.setFormerServers(true, of: ContainerID(of: view))
            turned.post(.directory(registry.takeChanges()))
            turned.post(.formerServers(view, [upstream.server]))
            for group in [UpstreamGroupID.former, .neighbours] {
                turned.post(.upstreams(group: group.rawValue, UpstreamList(servers: [], origin: .former)))
            }
            for (token, name, answer) in [
                (1, "a.example", "192.0.2.53"), (2, "to-far--example", "far.example."),
            ] as [(UInt64, String, String)] {
                turned.post(.resolve(token: token, view: view, query: try WorkerTown.query(name)))
                if token == 1 {
                    try turned.turn { !Self.needs(turned).isEmpty }
                    try Self.give(8, SocketKind(isStream: false, isV6: false), to: turned)
                }
                try turned.turn { turned.resolved[token] != nil }
                #expect(turned.resolved[token]?.source == "former server \(upstream.server)")
                #expect(WorkerTown.text(turned.resolved[token]?.message) == answer)
            }
            #expect(upstream.questions == ["udp a.example. A", "udp to-far--example. A"])
        }
    }

    @Test("go to the scope of a link-local address by the name of its interface, or by its number")
    func scopes() throws {
        let address = IPAddress.v6(IPv6Address(bits: 0xFE80 << 112 | 1))
        let number = try InterfaceName.index(of: "lo")
        let socket = try UDPSocket.bound(to: SocketAddress(v6: 1, port: 0))
        for (scope, expected) in [("lo", number), ("\(number)", number), (nil, 0)] as [(String?, UInt32)] {
            let server = ServerAddress(address: address, port: 5353, scope: scope)
            let known = SocketAddress(v6: 0xFE80 << 112 | 1, port: 5353, scope: expected)
            #expect(try SocketAddress(server) == known && SocketAddress(server, on: socket) == known)
        }
        let nowhere = ServerAddress(address: address, scope: "no-such-link")
        #expect(throws: LinuxError.self) { try SocketAddress(nowhere) }
        #expect(throws: LinuxError.self) { try SocketAddress(nowhere, on: socket) }
        let kinds = [false, true].map { SocketKind(to: nowhere, isStream: $0) }
        #expect(kinds == [SocketKind(isStream: false, isV6: true), SocketKind(isStream: true, isV6: true)])
    }
}
