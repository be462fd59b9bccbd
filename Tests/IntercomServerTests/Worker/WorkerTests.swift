// Workers over their sockets: what is forwarded, kept, followed, observed and counted.

import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A worker")
struct WorkerTests {
    private static let text = """
        [[network]]
        name = "front"
        subnets = ["10.1.0.0/24"]

        [[network]]
        name = "back"
        upstreams = ["127.0.0.9"]

        [[container]]
        name = "app"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]

        [[container]]
        name = "web"
        networks = [{ name = "front", ip = ["10.1.0.2"] }]

        [[container]]
        name = "far"
        networks = [{ name = "back", ip = ["10.2.0.2"] }]

        [[record]]
        name = "www.test"
        type = "CNAME"
        data = "far.example"

        [[record]]
        name = "loop-a.test"
        type = "CNAME"
        data = "loop-b.test"

        [[record]]
        name = "loop-b.test"
        type = "CNAME"
        data = "loop-a.test"
        """

    /// A town with an upstream; `body` may ask as `app`.
    private static func lend(_ body: (WorkerTown, StandInUpstream) throws -> Void) throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        let town = try WorkerTown(text, upstreams: [upstream.server])
        defer { town.stop() }
        try body(town, upstream)
    }

    // MARK: - Forwarding

    @Test(
        "passes on what an upstream says, and asks it once while the answer lives",
        arguments: [
            ("a.example", "192.0.2.53", ["udp a.example. A"]), ("nx.example", "NXDOMAIN", ["udp nx.example. A"]),
            ("web", "10.1.0.2", []),
        ])
    func forwards(name: String, answer: String, asked: [String]) throws {
        try Self.lend { town, upstream in
            for transport in [Transport.datagram, .stream] {
                let found = try town.resolve(name, from: "app", over: transport)
                #expect(found == answer)
            }
            // A denial without a SOA record is not kept (RFC 2308 §5).
            #expect(upstream.questions == (answer == "NXDOMAIN" ? asked + asked : asked))
        }
    }

    @Test("asks again over TCP where a datagram has no room, and gives a client as much as it takes")
    func truncation() throws {
        try Self.lend { town, upstream in
            #expect(try town.resolve("big.example", from: "app").split(separator: " ").count == 60)
            #expect(upstream.questions == ["udp big.example. A", "tcp big.example. A"])
            var query = try WorkerTown.query("big.example")
            // Without EDNS there is room for 512 octets.
            query[11] = 0
            let small = try town.ask([Array(query.prefix(12 + 13 + 4))], from: "app", over: .datagram)
            #expect(small.first.map { $0.count <= 512 && $0[2] & 2 != 0 } == true)
            let whole = try town.ask([Array(query.prefix(12 + 13 + 4))], from: "app", over: .stream)
            #expect(WorkerTown.text(whole.first).split(separator: " ").count == 60)
        }
    }

    @Test("says SERVFAIL where no upstream answers, and tells the control plane whom it asked")
    func unanswered() throws {
        try Self.lend { town, upstream in
            #expect(try town.resolve("servfail.example", from: "app") == "SERVFAIL")
            try town.wait { $0.contains { if case .unanswered = $0 { true } else { false } } }
            town.setUpstreams(.default, [])
            try town.settle()
            #expect(try town.resolve("other.example", from: "app") == "SERVFAIL")
            #expect(try town.resolve("other.example", from: "app", over: .stream) == "SERVFAIL")
            #expect(upstream.questions.allSatisfy { $0.contains("servfail") })
        }
    }

    @Test("answers the messages of a connection in any order: those of its own do not wait for an upstream")
    func pipelined() throws {
        try Self.lend { town, _ in
            let queries = try [("silent.example", 1), ("web", 2), ("a.example", 3), ("localhost", 4)].map {
                try WorkerTown.query($0.0, id: UInt16($0.1))
            }
            let answers = try town.ask(queries, from: "app", over: .stream, answers: 3)
            #expect(Set(answers.map { $0[1] }) == [2, 3, 4])
            #expect(Set(answers.prefix(2).map { $0[1] }) == [2, 4])
        }
    }

    @Test("closes a connection whose length field is too small for a header, and the others go on")
    func shortMessage() throws {
        try Self.lend { town, _ in
            let answers = try town.ask([[1, 2, 3], try WorkerTown.query("web")], from: "app", over: .stream)
            #expect(answers.map(WorkerTown.text) == ["10.1.0.2"])
            #expect(try town.resolve("web", from: "app", over: .stream) == "10.1.0.2")
        }
    }

    // MARK: - Chains

    @Test(
        "follows CNAME records into the world and out of it, and gives the chain whole",
        arguments: [
            ("www.test", "far.example. 192.0.2.53", ["udp far.example. A"]),
            ("to-web.example", "web. 10.1.0.2", ["udp to-web.example. A"]),
            // An upstream follows what leads to itself.
            ("to-to-web--example.example", "to-web.example.", ["udp to-to-web--example.example. A"]),
        ])
    func chains(name: String, answer: String, asked: [String]) throws {
        try Self.lend { town, upstream in
            for transport in [Transport.datagram, .stream] {
                let found = try town.resolve(name, from: "app", over: transport)
                #expect(found == answer)
            }
            #expect(Set(upstream.questions) == Set(asked))
        }
    }

    @Test("ends a circle of CNAME records with SERVFAIL or the chain, and never asks for ever")
    func circle() throws {
        try Self.lend { town, upstream in
            for transport in [Transport.datagram, .stream] {
                let answer = try town.resolve("loop-a.test", from: "app", over: transport)
                #expect(answer != "nothing" && !answer.contains("192.0.2"))
            }
            #expect(upstream.questions.isEmpty)
        }
    }

    // MARK: - Watching and counting

    @Test("shows those who watch each question with its decision, of the containers that they watch alone")
    func observed() throws {
        try Self.lend { town, upstream in
            _ = try town.listener(of: "app")
            _ = try town.listener(of: "web")
            town.parts.workers.post(.observe(.some([try town.view(of: "app")]), withMessages: true))
            try town.settle()
            for name in ["web", "a.example", "a.example", "www.test", "to-web.example", "servfail.example"] {
                for transport in [Transport.datagram, .stream] {
                    _ = try town.resolve(name, from: "app", over: transport)
                }
            }
            _ = try town.resolve("app", from: "web")
            let questions = try town.replies { .takeQuestions(token: $0) }.flatMap { reply -> [ObservedQuestion] in
                if case .questions(_, let observed) = reply { observed.questions } else { [] }
            }
            #expect(questions.count == 12)
            #expect(questions.allSatisfy { !$0.message.isEmpty })
            let ways = Dictionary(grouping: questions) { "\($0.asked?.name ?? "")" }
            #expect(ways.mapValues(\.count).values.allSatisfy { $0 == 2 || $0 == 4 })
            #expect(Set(questions.map(\.transport)) == [.datagram, .stream])
            let decisions = ways.mapValues { Set($0.map(\.decision)) }
            #expect(decisions["web"] == ["network front"])
            #expect(decisions["a.example"]?.contains { $0.hasPrefix("cache") } == true)
            #expect(decisions["a.example"]?.contains { $0.contains("\(upstream.server)") } == true)
            #expect(ways["servfail.example"]?.allSatisfy { $0.responseCode == .serverFailure } == true)
            town.parts.workers.post(.observe(.none, withMessages: false))
            _ = try town.resolve("web", from: "app")
            let later = try town.replies { .takeQuestions(token: $0) }.map { reply in
                if case .questions(_, let observed) = reply { observed.questions.count } else { 0 }
            }
            #expect(later == [0, 0])
        }
    }

    @Test("counts questions by network, container, transport and type, and what became of them")
    func counted() throws {
        try Self.lend { town, _ in
            for type in [RecordType.a, .aaaa, .mx] {
                for transport in [Transport.datagram, .stream] {
                    _ = try town.resolve("web", type, from: "app", over: transport)
                }
            }
            _ = try town.resolve("a.example", from: "app")
            _ = try town.resolve("a.example", from: "app")
            #expect(try town.count(\.queries) == 8)
            #expect(try town.count(\.answers.local) == 6)
            #expect(try town.count(\.forwarded) == 1)
            let measures = try town.replies { .measure(token: $0, perContainer: true) }.compactMap {
                reply -> WorkerMeasures? in
                if case .measured(_, let measures) = reply { measures } else { nil }
            }
            let questions = measures.flatMap(\.questions).filter { $0.counts.total > 0 }
            #expect(Set(questions.map(\.network)) == ["front"])
            #expect(questions.filter(\.isStream).map(\.counts.total) == [3])
            #expect(questions.filter { !$0.isStream }.map(\.counts.total) == [5])
            let view = try town.view(of: "app")
            #expect(measures.flatMap(\.containers).filter { $0.count > 0 }.map(\.view) == [view])
            #expect(measures.flatMap(\.servers).map(\.asked).reduce(0, +) == 1)
        }
    }

    @Test("lists kept answers, and forgets those that it is told to")
    func kept() throws {
        try Self.lend { town, upstream in
            for name in ["a.example", "b.example", "c.test"] { _ = try town.resolve(name, from: "app") }
            func names(_ selection: CacheSelection) throws -> [String] {
                try town.replies { .listKept(token: $0, selection, limit: 10) }.flatMap { reply -> [String] in
                    if case .kept(_, let kept) = reply { kept.answers.map { "\($0.name)" } } else { [] }
                }.sorted()
            }
            #expect(try names(.everything) == ["a.example", "b.example", "c.test"])
            #expect(try names(.suffix(Name("example"))) == ["a.example", "b.example"])
            let suffix = try Name("example")
            let flushed = try town.replies { .flush(token: $0, .suffix(suffix)) }.reduce(0) { sum, reply in
                if case .flushed(_, let count) = reply { sum + count } else { sum }
            }
            #expect(try flushed == 2 && names(.everything) == ["c.test"])
            upstream.forget()
            for name in ["a.example", "c.test"] { _ = try town.resolve(name, from: "app") }
            #expect(upstream.questions == ["udp a.example. A"])
        }
    }

    // MARK: - From a container's namespace

    @Test(
        "asks the control plane for sockets in a container's namespace, and upstreams by them",
        arguments: [true, false])
    func sockets(isThere: Bool) throws {
        try Self.lend { town, upstream in
            town.setUpstreams(.default, [upstream.server], origin: .namespace)
            for (name, count) in [("a.example", 1), ("big.example", 60)] {
                let answer = try Self.askServed(name, town, isThere)
                #expect(isThere ? answer.split(separator: " ").count == count : answer == "SERVFAIL")
            }
            #expect(town.reports.contains { if case .needsSockets = $0 { true } else { false } })
            #expect(upstream.questions.isEmpty != isThere)
        }
    }

    /// Asks as `app`, and gives workers the sockets that they ask for, or none, until an answer has come.
    private static func askServed(_ name: String, _ town: WorkerTown, _ isThere: Bool) throws -> String {
        let socket = try UDPSocket.connected(to: try town.listener(of: "app"))
        let query = try WorkerTown.query(name)
        _ = try socket.send(query.span)
        let end = ContinuousClock.now + .seconds(10)
        while try !WorkerTown.isReadable(socket, within: 5), ContinuousClock.now < end {
            try town.settle()
            try serveNeeds(town, isThere)
        }
        return WorkerTown.text(try WorkerTown.receive(from: socket, count: 1).first)
    }

    private static func serveNeeds(_ town: WorkerTown, _ isThere: Bool) throws {
        for (view, kind, count) in town.takeNeeds() {
            let batch = try batch(isThere ? count : 0, kind)
            town.parts.workers.post(.sockets(view, kind, Handover(batch)))
        }
    }

    private static func batch(_ count: Int, _ kind: SocketKind) throws -> SocketBatch {
        var batch = SocketBatch()
        for _ in 0..<count { batch.add(try kind.makeSocket(), kind) }
        return batch
    }

    @Test("asks the former servers of a container for what nobody here knows, and says when none can be reached")
    func former() throws {
        try Self.lend { town, upstream in
            let view = try town.view(of: "app")
            town.parts.publisher.registry.setFormerServers(true, of: ContainerID(of: view))
            let gone = ServerAddress(address: .v4(IPv4Address(bits: 0x7F00_0001)), port: 1)
            town.parts.workers.post(.formerServers(view, [gone]))
            town.parts.workers.post(
                .upstreams(
                    group: UpstreamGroupID.former.rawValue,
                    UpstreamList(servers: [], origin: .former, standIn: UpstreamGroupID.default.rawValue)))
            try town.settle()
            let answer = try Self.askServed("a.example", town, true)
            #expect(answer == "192.0.2.53")
            try town.wait { $0.contains { if case .formerServersLost(view) = $0 { true } else { false } } }
        }
    }

    // MARK: - Listeners

    @Test("closes a listener, whose port is free then, and serves again with another one")
    func listeners() throws {
        try Self.lend { town, _ in
            let address = try town.listener(of: "app")
            #expect(try town.resolve("web", from: "app") == "10.1.0.2")
            let view = try town.view(of: "app")
            var isClosed = false
            town.parts.publisher.closeListener(of: view) { isClosed = true }
            try town.parts.wait { isClosed }
            let sockets = try WorkerTown.sockets(address)
            town.parts.publisher.open(sockets, of: view)
            try town.settle()
            #expect(try town.resolve("web", from: "app") == "10.1.0.2")
        }
    }

    @Test("serves a container at ::1, too, while it has a listener at 127.0.0.11")
    func v6() throws {
        try Self.lend { town, _ in
            let view = try town.view(of: "app")
            _ = try town.listener(of: "app")
            let sockets = try WorkerTown.sockets(SocketAddress(v6: 1, port: 0))
            let address = try sockets.udp.localAddress()
            town.parts.publisher.openV6(sockets, of: view)
            try town.settle()
            for transport in [Transport.datagram, .stream] {
                let answers = try WorkerTown.ask([WorkerTown.query("web")], at: address, over: transport)
                #expect(answers.map(WorkerTown.text) == ["10.1.0.2"])
            }
            town.parts.publisher.closeV6Listener(of: view)
            try town.settle()
            #expect(try UDPSocket.bound(to: address).rawValue >= 0)
            #expect(try town.resolve("web", from: "app") == "10.1.0.2")
        }
    }

    @Test("gives its clients their answers before it ends")
    func drained() throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        let town = try WorkerTown(Self.text, upstreams: [upstream.server])
        let address = try town.listener(of: "app")
        let socket = try TCPSocket.connecting(to: address)
        let isConnected = TCPSocket.waitForConnection(of: socket, milliseconds: 5000)
        #expect(isConnected)
        let query = try WorkerTown.query("web")
        let message = [0, UInt8(query.count)] + query
        _ = try socket.send(message.span)
        town.stop()
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = try socket.receive(into: &buffer) ?? 0
        #expect(count > 2 && WorkerTown.text(Array(buffer[2..<count])) == "10.1.0.2")
        // The end of the connection, and no reset.
        let end = try socket.receive(into: &buffer)
        #expect(end == 0)
    }
}
