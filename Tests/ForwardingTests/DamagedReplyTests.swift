// Replies to what was asked that cannot be read whole: nobody waits for a better one on the same socket.

import DNSWire
import Testing

@testable import Forwarding

/// A reply of some server, with the id 0x1234, and what becomes of it where nobody has a better one.
struct DamagedReply: Sendable, CustomTestStringConvertible {
    let what: String
    let octets: [UInt8]
    /// Part that can be passed on if no server has a better reply; nil: SERVFAIL.
    let readable: Expected?

    init(_ what: String, _ hex: String, readable: Expected?) {
        self.what = what
        let digits = Array(hex.filter { !$0.isWhitespace })
        octets = stride(from: 0, to: digits.count, by: 2).map { UInt8(String(digits[$0..<$0 + 2]), radix: 16) ?? 0 }
        self.readable = readable
    }

    var testDescription: String { what }

    /// The question that it repeats.
    var query: Packet {
        var query = Packet.plain
        let end = (octets[12...].firstIndex(of: 0) ?? 0) + 5
        query.question = Array(octets[12..<end])
        return query
    }

    var upstream: Upstream { { [octets] asked in word16(asked.id) + octets.dropFirst(2) } }
}

@Suite("A reply that cannot be read whole")
struct DamagedReplyTests {
    static let replies = [
        DamagedReply(
            "cut inside of a record, without TC",
            """
            1234 8180 0001 0014 0000 0000 03637574 076578616d706c65 00 0001 0001
            c00c 0001 0001 0000003c 0004 c0000213 c00c 0001 0001 0000003c 0004 c000020f c00c 0001 0001 00
            """, readable: nil),
        DamagedReply(
            "an address of three octets",
            "1234 8180 0001 0001 0000 0000 036c656e 076578616d706c65 00 0001 0001 c00c 0001 0001 0000003c 0003 c00002",
            readable: nil),
        DamagedReply(
            "an address of five octets",
            "1234 8180 0001 0001 0000 0000 036c656e 076578616d706c65 00 0001 0001 c00c 0001 0001 0000003c 0005 c000020101",
            readable: nil),
        DamagedReply(
            "a CNAME that leads into the header",
            "1234 8180 0001 0001 0000 0000 036c656e 076578616d706c65 00 0001 0001 c00c 0005 0001 0000003c 0002 c000",
            readable: nil),
        DamagedReply(
            "more answers counted than there are",
            "1234 8180 0001 0002 0000 0000 036c656e 076578616d706c65 00 0001 0001 c00c 0001 0001 0000003c 0004 c0000201",
            readable: nil),
        DamagedReply(
            "an owner that points to itself",
            "1234 8180 0001 0001 0000 0000 036c656e 076578616d706c65 00 0001 0001 c01d 0001 0001 0000003c 0004 c0000201",
            readable: nil),
        DamagedReply(
            "an additional record that cannot be read",
            """
            1234 8180 0001 0001 0000 0001 036c656e 076578616d706c65 00 0001 0001
            c00c 0001 0001 0000003c 0004 c0000201 c00c 0001 0001 0000003c 0005 c000
            """, readable: .address(1, from: 1)),
        DamagedReply(
            "an authority record that cannot be read",
            """
            1234 8180 0001 0001 0001 0000 036c656e 076578616d706c65 00 0001 0001
            c00c 0001 0001 0000003c 0004 c0000201 c010 0002 0001 0000003c 0001 05
            """, readable: .address(1, from: 1)),
        DamagedReply(
            "an OPT record among the answers",
            """
            1234 8180 0001 0002 0000 0000 036c656e 076578616d706c65 00 0001 0001
            c00c 0001 0001 0000003c 0004 c0000201 00 0029 04d0 00000000 0000
            """, readable: .address(1, from: 1)),
        DamagedReply(
            "an OPT record before an answer",
            """
            1234 8180 0001 0002 0000 0000 036c656e 076578616d706c65 00 0001 0001
            00 0029 04d0 00000000 0000 c00c 0001 0001 0000003c 0004 c0000201
            """, readable: nil),
        DamagedReply(
            "two OPT records",
            """
            1234 8180 0001 0001 0000 0002 036c656e 076578616d706c65 00 0001 0001
            c00c 0001 0001 0000003c 0004 c0000201 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000
            """, readable: .address(1, from: 1)),
        DamagedReply(
            "an OPT record that is not the root's",
            """
            1234 8180 0001 0001 0000 0001 036c656e 076578616d706c65 00 0001 0001
            c00c 0001 0001 0000003c 0004 c0000201 c00c 0029 04d0 00000000 0000
            """, readable: .address(1, from: 1)),
        DamagedReply(
            "an option that is longer than its record",
            """
            1234 8180 0001 0001 0000 0001 036c656e 076578616d706c65 00 0001 0001
            c00c 0001 0001 0000003c 0004 c0000201 00 0029 04d0 00000000 0004 000a 0008
            """, readable: .address(1, from: 1)),
    ]

    /// To where all come: the reply came over UDP on "a", and the connection "t" is being opened.
    private static func overUDP(_ reply: DamagedReply) -> [Step] {
        [.ask(reply.query), .opens("a", to: 1), .reply(on: "a", reply.upstream), .closes("a"), .connects("t", to: 1)]
    }

    @Test("is asked for again over TCP at once", arguments: replies)
    func again(_ damaged: DamagedReply) throws {
        try Scenario(
            damaged.what, Self.overUDP(damaged),
            [.nothing, .stream(on: "t", reply(9)), .answers(.address(9, from: 1)), .nothing]
        ).run()
    }

    @Test("that comes over TCP, too, leads to the next upstream at once", arguments: replies)
    func next(_ damaged: DamagedReply) throws {
        try Scenario(
            damaged.what, Self.overUDP(damaged),
            [
                .stream(on: "t", damaged.upstream), .opens("b", to: 2), .nothing, .reply(on: "b", reply(9)),
                .answers(.address(9, from: 2)), .closes("b"), .nothing,
            ]
        ).run()
    }

    @Test(
        "where there is no other, is passed on as far as it can be read if all answers are, else SERVFAIL with EDE 23",
        arguments: replies)
    func alone(_ damaged: DamagedReply) throws {
        let readable = damaged.readable ?? .failure(23)
        try Scenario(
            damaged.what, upstreams: [1], Self.overUDP(damaged),
            [.stream(on: "t", damaged.upstream), .answers(readable), .nothing]
        ).run()
        try Scenario(
            "\(damaged.what), and no TCP", upstreams: [1], Self.overUDP(damaged),
            [.failure(on: "t"), .closes("t"), .answers(readable), .nothing]
        ).run()
    }

    @Test("is better than the failure of another upstream, if all answers can be read", arguments: replies)
    func failure(_ damaged: DamagedReply) throws {
        try Scenario(
            damaged.what, Self.overUDP(damaged),
            [
                .stream(on: "t", damaged.upstream), .opens("b", to: 2), .reply(on: "b", reply(code: 2)), .closes("b"),
                .answers(damaged.readable ?? .code(2, from: 2)), .nothing,
            ]
        ).run()
    }

    @Test("that is silent over TCP is passed on when TCP is late", arguments: replies.filter { $0.readable != nil })
    func silent(_ damaged: DamagedReply) throws {
        try Scenario(
            damaged.what, upstreams: [1], Self.overUDP(damaged),
            // It answered at once: 50 ms is late, and twice that for a connection.
            [.time(99), .nothing, .time(100), .answers(damaged.readable ?? .failure(23)), .closes("t"), .nothing]
        ).run()
    }

    @Test("and whose code is a failure is that failure")
    func code() throws {
        let damaged: Upstream = { changed(reply(code: 2)($0)) { $0[11] = 9 } }
        try Scenario(
            "SERVFAIL",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", damaged), .closes("a"), .opens("p", to: 1, edns: false),
                .reply(on: "p", damaged), .closes("p"), .opens("b", to: 2), .reply(on: "b", reply(9)),
                .answers(.address(9, from: 2)), .closes("b"),
            ]
        ).run()
    }

    @Test("is told apart from one with an empty TXT record, which is passed on (RFC 6763 §6.1)")
    func emptyText() throws {
        let octets = DamagedReply(
            "TXT", "1234 8180 0001 0001 0000 0000 03747874 076578616d706c65 00 0010 0001 c00c 0010 0001 0000003c 0000",
            readable: nil)
        let answer = try AnswerTests.parsed(to: octets.query, octets.upstream)
        #expect(answer.sections[0] == [Packet.record(16, [], ttl: 60)])
    }
}
