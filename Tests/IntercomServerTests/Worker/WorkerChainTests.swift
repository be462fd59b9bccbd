// Chains of CNAME records over a worker's sockets: of the operator and of upstreams, from the cache, cut, without an end.

import ControlAPI
import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A chain of CNAME records that a worker follows")
struct WorkerChainTests {
    private static let text = """
        [[route]]
        domain = "corp.example"
        upstreams = ["127.0.0.9"]

        [[network]]
        name = "front"

        [[container]]
        name = "app"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]

        [[container]]
        name = "web"
        networks = [{ name = "front", ip = ["10.1.0.2"], alias = ["www.gone.example"] }]

        [[record]]
        name = "www.test"
        type = "CNAME"
        data = "far.example"

        [[record]]
        name = "kept.test"
        type = "CNAME"
        data = "via-web.example"

        [[record]]
        name = "big.test"
        type = "CNAME"
        data = "big.example"

        [[record]]
        name = "loop.test"
        type = "CNAME"
        data = "to-loop--test.example"
        """

    /// A town with an upstream for all, and another for names under `corp.example`.
    private static func lend(_ body: (WorkerTown, StandInUpstream, StandInUpstream) throws -> Void) throws {
        let (upstream, corp) = (try StandInUpstream(), try StandInUpstream())
        defer {
            upstream.stop()
            corp.stop()
        }
        let town = try WorkerTown(text, upstreams: [upstream.server])
        defer { town.stop() }
        for group in town.parts.publisher.registry.upstreamGroups { town.setUpstreams(group.id, [corp.server]) }
        try body(town, upstream, corp)
    }

    @Test(
        "goes on from the cache, over both transports, and nobody is asked again",
        arguments: [("via-web.example", "web. 10.1.0.2"), ("kept.test", "via-web.example. web. 10.1.0.2")])
    func kept(name: String, answer: String) throws {
        try Self.lend { town, upstream, _ in
            for transport in [Transport.datagram, .stream, .datagram, .stream] {
                let found = try town.resolve(name, from: "app", over: transport)
                #expect(found == answer)
            }
            // One of two workers has the listener.
            #expect(upstream.questions == ["udp via-web.example. A"])
        }
    }

    @Test("goes through records of the operator behind an upstream's answer, and into the upstreams of a route")
    func further() throws {
        try Self.lend { town, upstream, corp in
            for transport in [Transport.datagram, .stream] {
                for (name, answer) in [
                    ("to-www--test.example", "www.test. far.example. 192.0.2.53"),
                    ("to-a--corp--example.example", "a.corp.example. 192.0.2.53"),
                    ("to-nx--corp--example.example", "nx.corp.example."),
                ] {
                    let found = try town.resolve(name, from: "app", over: transport)
                    #expect(found == answer, "\(name)")
                }
            }
            #expect(Set(corp.questions) == ["udp a.corp.example. A", "udp nx.corp.example. A"])
            #expect(!upstream.questions.contains { $0.contains("corp.example. A") && !$0.contains("udp to-") })
        }
    }

    @Test(
        "that has no end, half of the operator's and half of an upstream's, is given up with SERVFAIL and no record of it"
    )
    func endless() throws {
        try Self.lend { town, upstream, _ in
            for transport in [Transport.datagram, .stream] {
                upstream.forget()
                let answer = try #require(
                    try town.ask([try WorkerTown.query("loop.test")], from: "app", over: transport).first)
                #expect(WorkerTown.text(answer) == "SERVFAIL")
                let shown = try Resolve.Answer(
                    Resolution(message: answer, source: "", .dropped), asked: "loop.test", .a)
                #expect(shown.answers.isEmpty)
                #expect(shown.extendedErrors.map(\.text) == ["more than 16 CNAME records, or a circle of them"])
                #expect(upstream.questions.count <= Responder.longestChain)
            }
        }
    }

    @Test("ends with SERVFAIL where nobody may be asked for its last name, and the reason")
    func refused() throws {
        try Self.lend { town, _, _ in
            town.setUpstreams(.default, [])
            try town.settle()
            for transport in [Transport.datagram, .stream] {
                let answer = try #require(
                    try town.ask([try WorkerTown.query("www.test")], from: "app", over: transport).first)
                let shown = try Resolve.Answer(Resolution(message: answer, source: "", .dropped), asked: "www.test", .a)
                #expect(shown.rcode == "SERVFAIL" && shown.answers.map(\.data) == ["far.example."])
                #expect(shown.extendedErrors.map(\.text) == ["no upstream may be asked"])
            }
            #expect(try town.count(\.answers.unanswered) == 2)
        }
    }

    @Test("is cut to what a client takes, and whole over TCP")
    func cut() throws {
        try Self.lend { town, _, _ in
            var query = try WorkerTown.query("big.test")
            // Without EDNS there is room for 512 octets.
            query[11] = 0
            query = Array(query.prefix(12 + 10 + 4))
            let cut = try #require(try town.ask([query], from: "app", over: .datagram).first)
            #expect(cut.count <= 512 && cut[2] & 2 != 0)
            let data = WorkerTown.text(cut).split(separator: " ")
            #expect(data.first == "big.example." && data.count < 61)
            let whole = try town.ask([query], from: "app", over: .stream)
            #expect(WorkerTown.text(whole.first).split(separator: " ").count == 61)
        }
    }

    @Test("is shown to people with its end and who gave that")
    func shown() throws {
        try Self.lend { town, upstream, _ in
            _ = try town.listener(of: "app")
            let (view, query) = (try town.view(of: "app"), try WorkerTown.query("www.test"))
            for author in ["upstream \(upstream.server)", "cache"] {
                let shown = try town.replies { .resolve(token: $0, view: view, query: query) }
                for reply in shown {
                    guard case .resolved(_, let resolution) = reply else { continue }
                    #expect(WorkerTown.text(resolution.message) == "far.example. 192.0.2.53")
                    #expect(resolution.source == "CNAME to far.example → \(author)")
                    #expect(resolution.decision == .forwarded(group: UpstreamGroupID.default.rawValue))
                }
                #expect(shown.count == 2)
            }
        }
    }

    // MARK: - Names above others

    @Test("or none: a name that upstreams deny, with names of the asker's beneath it, exists, fresh and from the cache")
    func above() throws {
        try Self.lend { town, upstream, _ in
            for transport in [Transport.datagram, .stream, .datagram, .stream] {
                let found = try town.resolve("gone.example", from: "app", over: transport)
                #expect(found == "NOERROR")
                let other = try town.resolve("gone.test", from: "app", over: transport)
                #expect(other == "NXDOMAIN")
            }
            #expect(upstream.questions == ["udp gone.example. A", "udp gone.test. A"])
            #expect(try town.resolve("www.gone.example", from: "app") == "10.1.0.2")
        }
    }

    // MARK: - Joining

    @Test("and an answer that cannot be read are joined to SERVFAIL with the question alone")
    func unreadable() throws {
        let query = try WorkerTown.query("www.test", id: 0x0102)
        guard let splice = Splice(answering: query.span, limit: 512) else {
            Issue.record("the query cannot be read")
            return
        }
        for damaged in [[], [1, 2, 3], Array(query.prefix(12)), [1, 2, 0x81, 0x80, 0, 1, 0, 9, 0, 0, 0, 0]] as [[UInt8]]
        {
            let joined = splice.join(damaged)
            #expect(WorkerTown.text(joined) == "SERVFAIL", "\(damaged)")
            #expect(joined.prefix(2) == [1, 2] && joined.count == 12 + 10 + 4)
            #expect(Array(joined[12...]) == Array(query[12..<joined.count]))
        }
    }
}
