// One packet that makes many, one client that takes all, and what should have been forgotten.

import DNSWire
import Testing

@testable import Forwarding

/// A hostile upstream's reply to each question.
struct HostileUpstream: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let reply: @Sendable (House.Socket) -> [UInt8]?

    init(_ what: String, _ reply: @escaping @Sendable (House.Socket) -> [UInt8]?) {
        testDescription = what
        self.reply = reply
    }

    static let all = [
        HostileUpstream("SERVFAIL") { Octets.reply(to: $0.question, flags: 0x8182) },
        HostileUpstream("SERVFAIL without EDNS") { Octets.reply(to: $0.question, flags: 0x8182, additionals: []) },
        HostileUpstream("REFUSED") { Octets.reply(to: $0.question, flags: 0x8185) },
        HostileUpstream("FORMERR with the OPT record") { Octets.reply(to: $0.question, flags: 0x8181) },
        HostileUpstream("FORMERR without EDNS, then TC") { socket in
            socket.question[11] == 1
                ? Octets.reply(to: socket.question, flags: 0x8181)
                : Octets.reply(to: socket.question, flags: 0x8380, additionals: [])
        },
        HostileUpstream("TC, also over TCP, with nothing") { Octets.reply(to: $0.question, flags: 0x8380) },
        HostileUpstream("a damaged reply (CVE-2023-28455, TuDoor)") { socket in
            Array(Octets.reply(to: socket.question, answers: [Octets.a(1)], additionals: []).dropLast(2))
        },
        HostileUpstream("the name in another spelling") { socket in
            var reply = Octets.reply(to: socket.question, answers: [Octets.a(1)])
            reply[13] ^= 0x20
            return reply
        },
        HostileUpstream("a CNAME to a name of its own, for ever (CVE-2024-33655)") { socket in
            Octets.reply(to: socket.question, answers: [Octets.record(5, [1, 0x78, 0xC0, 0x0C])])
        },
        HostileUpstream("a referral to 100 servers (CVE-2020-8616, NXNSAttack)") { socket in
            Octets.reply(
                to: socket.question,
                authorities: (0..<100).map { Octets.record(2, Octets.name("ns\($0).victim.example")) })
        },
        HostileUpstream("nothing") { _ in nil },
    ]
}

@Suite("Museum: amplification, exhaustion, and what should be forgotten")
struct LoadTests {
    @Test(
        "one question is at most 2 × upstreams + 1 datagrams, and as many questions where upstreams reply",
        arguments: HostileUpstream.all, 1...3)
    func amplification(upstream: HostileUpstream, upstreams: Int) throws {
        var house = House(upstreams: upstreams)
        try house.ask(Octets.query("web.example"))
        for _ in 0..<100 {
            house.serve(upstream.reply)
            house.wait(50)
        }
        #expect(house.answers[0] != nil)
        #expect(house.datagrams <= 2 * upstreams + 1)
        let isSilent = upstream.testDescription == "nothing"
        #expect(house.datagrams + house.streams <= 2 * upstreams + 1 + (isSilent ? upstreams : 0))
        // RFC 9520 §3.1: three over UDP to each server, whatever happens.
        #expect(house.datagrams <= 3 * upstreams)
    }

    @Test(
        "17,000 questions of one namespace whose first server is silent hold at most 33 sockets, and a neighbour is answered"
    )
    func stragglers() throws {
        var house = House(upstreams: 2)
        // Server 1 answers nobody but the neighbour, so it does not rest.
        for number in 0..<17_000 {
            try house.ask(Octets.query("s\(number).example"), client: 1, namespace: 1)
            house.serve { $0.server == 1 ? nil : Octets.reply(to: $0.question, answers: [Octets.a(1)]) }
            if number % 10 == 0 {
                house.wait(1000)
                house.serve { $0.server == 1 ? nil : Octets.reply(to: $0.question, answers: [Octets.a(1)]) }
            }
        }
        #expect(house.mostSockets <= 300, "\(house.mostSockets)")
        try house.ask(Octets.query("neighbour.example"), client: 2, namespace: 2)
        house.serve { Octets.reply(to: $0.question, answers: [Octets.a(1)]) }
        #expect(house.code(2) == 0)
    }

    @Test(
        "questions that nobody answers hold at most 512 sockets of one namespace; its oldest give way, a neighbour's do not"
    )
    func silence() throws {
        var house = House(upstreams: 4)
        try house.ask(Octets.query("neighbour.example"), client: 1, namespace: 2)
        let neighbour = try #require(house.sockets.keys.first)
        for number in 0..<5000 {
            try house.ask(Octets.query("n\(number).example"), client: 2, namespace: 1)
            house.wait(1)
        }
        #expect(house.mostSockets <= 512 + 4 + 4, "\(house.mostSockets)")
        #expect(house.sockets[neighbour] != nil || house.answers[1] != nil)
    }

    @Test(
        "a stream that never makes sense is closed: empty messages, strays, one octet at a time", arguments: [0, 1, 2])
    func stream(kind: Int) throws {
        var house = House()
        try house.ask(Octets.query("web.example"))
        house.serve { $0.isStream ? nil : Octets.reply(to: $0.question, flags: 0x8380) }
        let token = try #require(house.sockets.keys.first)
        let message = [[], [7], [UInt8](repeating: 7, count: 12)][kind]
        for octet in (0..<1000).flatMap({ _ in Octets.word(message.count) + message }) {
            house.receive([octet], on: token, isRaw: true)
        }
        #expect(house.sockets[token] == nil && house.answers[0] != nil)
    }

    @Test(
        "half a message, and then silence or the end, holds nobody for longer than the wait for an upstream",
        arguments: [false, true])
    func half(ends: Bool) throws {
        var house = House()
        try house.ask(Octets.query("web.example"))
        house.serve { $0.isStream ? nil : Octets.reply(to: $0.question, flags: 0x8380) }
        let token = try #require(house.sockets.keys.first)
        house.receive([0xFF, 0xFF, 0x12], on: token, isRaw: true)
        if ends {
            house.forwarder.failed(token, now: house.now)
            house.act()
        }
        house.wait(4500)
        #expect(house.answers[0] != nil && house.forwarder.inFlight == 0)
    }

    /// Changes after which what was kept may not be told any more.
    static let changes: [(String, @Sendable (inout House) -> Void)] = [
        ("a flush", { _ = $0.forwarder.flush(.everything) }),
        ("other upstreams", { $0.setUpstreams(2) }),
        ("a policy without stale answers", { $0.forwarder.setPolicy(CachePolicy(servesStale: false)) }),
        ("a cache of another size", { $0.forwarder.setPolicy(CachePolicy(capacity: 1 << 20)) }),
    ]

    @Test(
        "an answer past its life serves while upstreams are silent, but never after a change",
        arguments: changes.map(\.0), [false, true])
    func stale(what: String, isUnderWay: Bool) throws {
        let change = try #require(Self.changes.first { $0.0 == what }?.1)
        var house = House()
        try house.ask(Octets.query("web.example"))
        house.serve { Octets.reply(to: $0.question, answers: [Octets.a(1, ttl: 1)]) }
        house.wait(1000)
        try house.ask(Octets.query("web.example"), client: 1)
        house.asked = []
        house.wait(2000)
        #expect(house.code(1) == 0, "it serves")
        house.wait(10_000)
        if !isUnderWay { change(&house) }
        try house.ask(Octets.query("web.example"), client: 2)
        if isUnderWay { change(&house) }
        house.wait(9000)
        #expect(house.code(2) == 2, "it does not any more")
    }

    @Test("NXDOMAIN of a name says nothing about the names beneath it or beside it (RFC 8020 is left to upstreams)")
    func denial() throws {
        var house = House()
        let soa = Octets.record(6, [0, 0] + [UInt8](repeating: 1, count: 20), owner: [0])
        try house.ask(Octets.query("a.example"))
        house.serve { Octets.reply(to: $0.question, flags: 0x8183, authorities: [soa]) }
        for (client, name) in ["b.a.example", "example", "xa.example"].enumerated() {
            try house.ask(Octets.query(name), client: client + 1)
            #expect(house.answers[client + 1] == nil, "\(name) is asked")
        }
    }
}
