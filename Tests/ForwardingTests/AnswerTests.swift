// The client's form of a reply: its own id, question and EDNS, and everything else as it came.

import DNSWire
import Testing

@testable import Forwarding

@Suite("Answers")
struct AnswerTests {
    /// Answer to this client if the upstream replies so.
    static func answer(to query: Packet, _ upstream: Upstream) throws -> Answer {
        var worker = Worker()
        #expect(try worker.ask(query) == .accepted)
        try worker.perform(.opens("a", to: 1), "")
        try worker.receive(upstream(try worker.asked("a")), on: "a")
        return try worker.answer()
    }

    static func parsed(to query: Packet, _ upstream: Upstream) throws -> Parsed {
        let answer = try answer(to: query, upstream)
        let message = answer.message(limit: answer.datagramLimit)
        #expect(message.count <= answer.datagramLimit)
        return try #require(Parsed(message))
    }

    static func query(flags: UInt16 = 0x0100, opt: [UInt8]? = nil) -> Packet {
        var query = Packet()
        query.flags = flags
        query.additionals = opt.map { [$0] } ?? []
        return query
    }

    @Test(
        "NXDOMAIN that is overruled, as names of ours are beneath the name, becomes NODATA with the same SOA record (RFC 8020 §2)"
    )
    func overruled() throws {
        let query = Self.query(flags: 0x0120, opt: Packet.opt())
        var denial = try Self.answer(
            to: query,
            reply { packet in
                packet.flags = 0x81A3
                packet.answers = []
                packet.authorities = [Packet.soa(ttl: 60, minimum: 30)]
            })
        let before = try #require(Parsed(denial.message(limit: 512)))
        #expect(denial.deniesName && before.flags == 0x81A3)
        var name = FoldedName()
        try denial.readName(into: &name)
        #expect(name.labelCount == 3)
        denial.overruleDenial()
        let after = try #require(Parsed(denial.message(limit: 512)))
        #expect(after.flags == 0x8180, "and nobody calls it authentic")
        #expect(after.sections == before.sections && after.question == before.question)
        let other = try Self.answer(to: query, reply(code: 3))
        #expect(other.deniesName)
        let alias = try Self.answer(
            to: query,
            reply { packet in
                packet.flags = 0x8183
                packet.answers = [Packet.record(5, Packet.name("gone.example.com"))]
            })
        #expect(!alias.deniesName, "what a CNAME record leads to does not exist, the name does")
    }

    struct FlagCase: Sendable {
        let query: UInt16
        var dnssecOK: Bool?
        let upstream: UInt16
        let answer: UInt16
    }

    @Test(
        "flags: RD and CD are the client's, RA is set, AA as it came, AD for who asked, Z never",
        arguments: [
            FlagCase(query: 0x0100, upstream: 0x8180, answer: 0x8180),
            FlagCase(query: 0x0000, upstream: 0x8180, answer: 0x8080),
            FlagCase(query: 0x0110, upstream: 0x8180, answer: 0x8190),
            FlagCase(query: 0x0100, upstream: 0x8110, answer: 0x8180),
            FlagCase(query: 0x0100, upstream: 0x8500, answer: 0x8580),
            FlagCase(query: 0x0100, upstream: 0x81A0, answer: 0x8180),
            FlagCase(query: 0x0100, dnssecOK: false, upstream: 0x81A0, answer: 0x8180),
            FlagCase(query: 0x0120, upstream: 0x81A0, answer: 0x81A0),
            FlagCase(query: 0x0100, dnssecOK: true, upstream: 0x81A0, answer: 0x81A0),
            FlagCase(query: 0x0120, dnssecOK: true, upstream: 0x8180, answer: 0x8180),
            FlagCase(query: 0x0100, upstream: 0x81C0, answer: 0x8180),
            FlagCase(query: 0x0100, upstream: 0x8183, answer: 0x8183),
            FlagCase(query: 0x0100, upstream: 0x8186, answer: 0x8186),
        ])
    func flags(_ flags: FlagCase) throws {
        let query = Self.query(flags: flags.query, opt: flags.dnssecOK.map { Packet.opt(dnssecOK: $0) })
        let answer = try Self.parsed(to: query, reply { $0.flags = flags.upstream })
        #expect(answer.flags == flags.answer)
        #expect(answer.id == query.id)
    }

    @Test(
        "the upstream is asked with the client's RD, CD and DO, a size of 1232 and none of its options",
        arguments: [
            (UInt16(0x0100), UInt16(0x0120)), (0x0000, 0x0020), (0x0110, 0x0130), (0x0120, 0x0120), (0x0150, 0x0130),
        ], [nil, false, true] as [Bool?])
    func upstreamQuery(flags: (query: UInt16, sent: UInt16), dnssecOK: Bool?) throws {
        var worker = Worker()
        let cookie = Packet.option(10, [1, 2, 3, 4, 5, 6, 7, 8])
        let subnet = Packet.option(8, [0, 1, 24, 0, 192, 0, 2])
        let opt = dnssecOK.map { Packet.opt(size: 4096, dnssecOK: $0, options: cookie + subnet) }
        let query = Self.query(flags: flags.query, opt: opt)
        _ = try worker.ask(query)
        try worker.perform(.opens("a", to: 1), "")
        let asked = try worker.asked("a")
        #expect(asked.flags == flags.sent)
        #expect(asked.question == query.question)
        #expect(asked.id != query.id)
        #expect(asked.additionals == [Packet.opt(dnssecOK: dnssecOK ?? false)])
    }

    @Test(
        "the question is asked and answered as the client spelled it",
        arguments: ["www.example.com", "wWw.eXAMPLE.Com", "_a-b.\u{1}"])
    func spelling(name: String) throws {
        var query = Self.query()
        query.question = Packet.question(name, type: 65)
        let answer = try Self.parsed(to: query, reply())
        #expect(answer.question == query.question)
    }

    @Test("the root can be asked for")
    func root() throws {
        var query = Self.query()
        query.question = Packet.question("", type: 2)
        let answer = try Self.parsed(to: query, reply { $0.answers = [Packet.record(2, [1, 97, 0], owner: [0])] })
        #expect(answer.question == [0, 0, 2, 0, 1])
        #expect(answer.sections[0].count == 1)
    }

    @Test("records of any type pass bit for bit, in their sections")
    func records() throws {
        let rrsig =
            [0, 1, 8, 3, 0, 0, 1, 44, 0x66, 0, 0, 0, 0x65, 0, 0, 0, 0x12, 0x34] + Packet.name("Example.COM")
            + (0..<64).map { UInt8($0) }
        let answers = [
            Packet.a(1), Packet.record(46, rrsig), Packet.record(65_280, [0xC0, 0x0C, 0, 255]),
            Packet.record(65, [0, 1, 0, 0, 1, 0, 3, 2, 104, 50]), Packet.record(64_999, [], ttl: 86_400),
            Packet.record(16, []),
        ]
        let authorities = [Packet.record(2, [0xC0, 0x0C]), Packet.record(50, [1, 0, 0, 0, 0, 1, 7, 0, 1, 0x40])]
        let glue = [Packet.record(28, [UInt8](repeating: 0xFD, count: 16), owner: Packet.name("ns.Example.COM"))]
        let query = Self.query(opt: Packet.opt(dnssecOK: true))
        let answer = try Self.parsed(
            to: query,
            reply { packet in
                packet.answers = answers
                packet.authorities = authorities
                packet.additionals = glue + [Packet.opt(dnssecOK: true)]
            })
        #expect(answer.sections == [answers, authorities, glue + [Packet.opt(dnssecOK: true)]])
    }

    @Test(
        "an OPT record comes where the client sent one, with its DO, whatever the upstream did",
        arguments: [nil, false, true] as [Bool?], [nil, false, true] as [Bool?])
    func opt(client: Bool?, upstream: Bool?) throws {
        let query = Self.query(opt: client.map { Packet.opt(dnssecOK: $0) })
        let answer = try Self.parsed(
            to: query, reply { $0.additionals = upstream.map { [Packet.opt(size: 4096, dnssecOK: $0)] } ?? [] })
        #expect(answer.opt == client.map { Packet.opt(dnssecOK: $0) })
        #expect(answer.sections[2].count == (client == nil ? 0 : 1))
    }

    @Test("Extended DNS Errors of the upstream are carried over, its other options are not")
    func upstreamOptions() throws {
        let options =
            Packet.option(10, [UInt8](repeating: 1, count: 24)) + Packet.extendedError(6, "bogus")
            + Packet.option(12, [0, 0])
            + Packet.extendedError(7) + Packet.option(3, [110, 115])
            // A text that is no UTF-8 is left out: clients would refuse the whole message for it.
            + Packet.option(15, [0, 8, 0xC3, 0x28])
        let upstream = reply {
            $0.flags = 0x8182; $0.answers = []; $0.additionals = [Packet.opt(options: options)]
        }
        let answer = try Self.parsed(to: .plain, upstream)
        #expect(answer.errors == ["6 bogus", "7 ", "8 "])
        #expect(answer.code == 2)
        #expect(try Self.parsed(to: Self.query(), upstream).opt == nil)
    }

    @Test(
        "a response code of more than four bits is SERVFAIL to a client that cannot be told", arguments: [true, false])
    func extendedCode(edns: Bool) throws {
        let answer = try Self.parsed(
            to: edns ? .plain : Self.query(),
            reply {
                $0.flags = 0x8187; $0.additionals = [Packet.opt(codeBits: 1)]
            })
        #expect(answer.code == (edns ? 23 : 2))
    }

    @Test("records behind the OPT record are left out with it: it is about one hop (RFC 6891 §6.2.6)")
    func innerOPT() throws {
        let opt = Packet.opt(size: 4096, options: Packet.option(10, [1, 2, 3, 4, 5, 6, 7, 8]))
        let glue = Packet.record(1, [192, 0, 2, 7], owner: Packet.name("ns.test"))
        let upstream = reply {
            $0.flags |= 0x0400; $0.additionals = [glue, opt, glue]
        }
        let whole = try Self.parsed(to: .plain, upstream)
        #expect(whole.sections[2] == [glue, Packet.opt()])
        #expect(whole.flags == 0x8580)
        #expect(try Self.parsed(to: Self.query(), upstream).sections[2] == [glue])
    }

    @Test("a failure of our own has the client's question and no records", arguments: [true, false])
    func failure(edns: Bool) throws {
        var worker = Worker()
        var query = edns ? Packet.plain : Packet()
        query.flags = 0x0110
        query.question = Packet.question("wWw.Example", type: 28)
        _ = try worker.ask(query)
        try worker.perform(.opens("a", to: 1), "")
        try worker.perform(.time(4500), "")
        let answer = try worker.answer()
        let message = try #require(Parsed(answer.message(limit: answer.datagramLimit)))
        #expect(message.id == query.id)
        #expect(message.flags == 0x8192)
        #expect(message.question == query.question)
        #expect(message.errors == (edns ? ["22 no upstream answered in time"] : []))
        #expect(message.sections.map(\.count) == [0, 0, edns ? 1 : 0])
        #expect(answer.source == .nobody)
    }

    @Test("SERVFAIL at the door, for a question that was not taken")
    func serverFailure() throws {
        let query = Packet.plain
        let bytes = query.bytes
        var name = FoldedName()
        let parsed = try Query(bytes.span, name: &name)
        let answer = Answer.serverFailure(to: bytes.span, parsed, because: ErrorDetail(.networkError, text: "too many"))
        let message = try #require(Parsed(answer.message(limit: 512)))
        #expect(message.code == 2)
        #expect(message.errors == ["23 too many"])
        #expect(answer.responseCode == .serverFailure)
        #expect(answer.extendedErrors == [ErrorDetail(.networkError, text: "too many")])
    }
}
