// Truncated replies, and the connection that brings the whole.

import DNSWire
import Testing

@testable import Forwarding

@Suite("TCP to upstreams")
struct StreamTests {
    @Test("a truncated reply is asked for again over TCP", arguments: scenarios)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    /// To where every scenario has come: upstream 1 said TC and is being asked over TCP on "t".
    private static let overTCP: [Step] = [
        .ask(), .opens("a", to: 1), .time(100), .reply(on: "a", truncated), .closes("a"), .connects("t", to: 1),
        .nothing,
    ]
    private static let answered: [Step] = [.answers(.address(9, from: 1)), .nothing]

    static let scenarios: [Scenario] = [
        Scenario("at once", overTCP, [.stream(on: "t", reply(9))], answered),
        Scenario("octet by octet", overTCP, [.stream(on: "t", pieces: 1, reply(9))], answered),
        Scenario("three at a time", overTCP, [.stream(on: "t", pieces: 3, reply(9))], answered),
        Scenario("seven at a time", overTCP, [.stream(on: "t", pieces: 7, reply(9))], answered),
        Scenario(
            "cut off inside of a record, as old servers do",
            [
                .ask(), .opens("a", to: 1),
                .reply(on: "a", { Array(reply { $0.flags |= 0x0200 }($0).dropLast(13)) }),
                .closes("a"), .connects("t", to: 1), .stream(on: "t", reply(9)),
            ], answered),
        Scenario(
            "a wrong message before the right one",
            overTCP, [.stream(on: "t", pieces: 5, reply(8) { $0.id ^= 1 }), .nothing, .stream(on: "t", reply(9))],
            answered),
        Scenario(
            "messages of no length, then the right one",
            overTCP, [.octets(on: "t", [0, 0, 0, 0, 0, 1, 7]), .nothing, .stream(on: "t", reply(9))], answered),
        Scenario(
            "an upstream's endless empty messages end the connection, and the next upstream is asked",
            overTCP,
            [
                .octets(on: "t", [UInt8](repeating: 0, count: 2 * 99)), .nothing,
                .octets(on: "t", [UInt8](repeating: 0, count: 65_536)), .closes("t"), .opens("b", to: 2),
                .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "so do messages that nobody asked for",
            overTCP,
            [
                .octets(on: "t", (0..<100).flatMap { _ in [0, 12] + [UInt8](repeating: 0, count: 12) }), .closes("t"),
                .opens("b", to: 2), .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "a length that lies, then the end: once more, and then the next upstream, by UDP",
            overTCP,
            [
                .octets(on: "t", [0xFF, 0xFF]), .stream(on: "t", reply(8)), .nothing,
                .failure(on: "t"), .closes("t"), .connects("u", to: 1), .octets(on: "u", [0xFF, 0xFF]),
                .failure(on: "u"), .closes("u"), .opens("b", to: 2), .reply(on: "b", reply(9)),
                .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "closed in the middle of the reply: once more",
            overTCP,
            [
                .octets(on: "t", [0, 40, 1]), .failure(on: "t"), .closes("t"), .connects("u", to: 1),
                .stream(on: "u", reply(9)),
            ], answered),
        Scenario(
            "a connection that is refused: the next upstream at once",
            overTCP,
            [
                .failure(on: "t"), .closes("t"), .opens("b", to: 2), .reply(on: "b", reply(9)),
                .answers(.address(9, from: 2)), .closes("b"),
            ]),
        // The first reply took 100 ms: 100 + 4 · 50 is late, and twice that for a connection.
        Scenario(
            "a silent connection: the next after 600 ms, and the connection may still answer",
            overTCP,
            [
                .time(699), .nothing, .time(700), .opens("b", to: 2), .time(1099),
                .stream(on: "t", reply(9)), .answers(.address(9, from: 1)), .closes("t"),
                .time(4500), .closes("b"),
            ]),
        Scenario(
            "a silent connection, and then a silent upstream: the truncated answer, with TC, when both are late",
            overTCP,
            [
                .time(700), .opens("b", to: 2), .time(1099), .nothing, .time(1100), .answers(.truncated(from: 1)),
                .closes("t"), .time(4500), .closes("b"),
            ]),
        Scenario(
            "a connection that takes ten times a datagram's time: the whole answer, where nobody else is left",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .time(10), .reply(on: "a", truncated), .closes("a"),
                .connects("t", to: 1), .time(1009), .nothing, .stream(on: "t", reply(9)),
                .answers(.address(9, from: 1)), .closes("t"),
            ]),
        Scenario(
            "a silent connection takes no further question",
            overTCP,
            [
                .time(700), .opens("b", to: 2), .ask(client: 2, .other), .opens("c", to: 1),
                .reply(on: "c", truncated), .closes("c"), .connects("u", to: 1), .stream(on: "u", reply(8)),
                .answers(client: 2, .address(8, from: 1)), .reply(on: "b", reply(9)), .answers(.address(9, from: 2)),
                .closes("t"), .closes("b"),
            ]),
        Scenario(
            "nobody but a silent connection is left: the truncated answer, with TC, after a second",
            upstreams: [1],
            overTCP, [.time(1099), .nothing, .time(1100), .answers(.truncated(from: 1)), .closes("t"), .nothing]),
        Scenario(
            "a connection that fails, and nobody is left: the truncated answer, with TC, at once",
            upstreams: [1],
            overTCP, [.failure(on: "t"), .closes("t"), .answers(.truncated(from: 1)), .nothing]),
        Scenario(
            "all upstreams say TC, and none takes connections: the truncated answer of the first",
            overTCP,
            [
                .failure(on: "t"), .closes("t"), .opens("b", to: 2), .reply(on: "b", truncated), .closes("b"),
                .connects("u", to: 2), .failure(on: "u"), .closes("u"), .answers(.truncated(from: 1)), .nothing,
            ]),
        Scenario(
            "TC over TCP: the reply as it is",
            overTCP, [.stream(on: "t", reply(9) { $0.flags |= 0x0200 }), .answers(.truncated(from: 1)), .nothing]),
        Scenario(
            "SERVFAIL over TCP: the next at once",
            overTCP,
            [
                .stream(on: "t", reply(code: 2)), .opens("b", to: 2), .reply(on: "b", reply(9)),
                .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "what stands behind the reply is dropped",
            overTCP, [.stream(on: "t", { reply(9)($0) + [0, 3, 1, 2, 3] })], answered),
        Scenario(
            "a datagram on a connection's token is dropped",
            overTCP, [.reply(on: "t", reply(8)), .nothing], [.stream(on: "t", reply(9))], answered),
    ]

    @Test("a connection is kept and used again (RFC 7766 §6.2.1)", arguments: kept)
    func keptConnection(_ scenario: Scenario) throws {
        try scenario.run()
    }

    /// A further question that upstream 1 wants over TCP, on the connection "t".
    private static func asked(_ number: Int, _ name: Character) -> [Step] {
        [
            .ask(client: number, .numbered(number)), .opens("x", to: 1), .reply(on: "x", truncated), .closes("x"),
            .reuses("t", name),
        ]
    }
    private static let good = overTCP + [.stream(on: "t", reply(9))] + answered

    static let kept: [Scenario] = [
        Scenario("for 10 s without a question", good, [.time(10_099), .nothing, .time(10_100), .closes("t")]),
        Scenario(
            "for 10 s from the last one on",
            good, [.time(9000)], asked(2, "u"),
            [.stream(on: "u", reply(8)), .answers(client: 2, .address(8, from: 1))],
            [.time(18_999), .nothing, .time(19_000), .closes("t")]),
        Scenario(
            "RFC 7766 §6.2.1.1: questions go one behind another, replies come in any order",
            overTCP, asked(2, "u"), asked(3, "v"),
            [
                .stream(on: "v", reply(3)), .answers(client: 3, .address(3, from: 1)),
                .stream(on: "t", reply(9)), .answers(.address(9, from: 1)),
                .stream(on: "u", reply(2)), .answers(client: 2, .address(2, from: 1)), .nothing,
            ]),
        Scenario(
            "RFC 7766 §7: a reply to another question under the right id is none",
            overTCP, asked(2, "u"),
            [
                .stream(on: "u", reply(8) { $0.question = Packet.plain.question }), .nothing,
                .stream(on: "u", reply(2)), .answers(client: 2, .address(2, from: 1)),
                .stream(on: "t", reply(9)),
            ], answered),
        Scenario(
            "the peer closes it while nobody asks: the next question opens another",
            good,
            [
                .failure(on: "t"), .closes("t"), .ask(client: 2, .numbered(2)), .opens("b", to: 1),
                .reply(on: "b", truncated), .closes("b"), .connects("u", to: 1),
                .stream(on: "u", reply(8)), .answers(client: 2, .address(8, from: 1)),
            ]),
        Scenario(
            "the peer closes it under us: all that it owes is asked for again over another, once",
            good, asked(2, "u"), asked(3, "v"),
            [
                .failure(on: "t"), .closes("t"), .connects("w", to: 1), .reuses("w", "x"), .nothing,
                .stream(on: "x", reply(3)), .answers(client: 3, .address(3, from: 1)),
                .failure(on: "w"), .closes("w"), .opens("y", to: 2), .reply(on: "y", reply(2)),
                .answers(client: 2, .address(2, from: 2)), .closes("y"),
            ]),
        Scenario(
            "a new connection that is closed without a word is a failure at once",
            overTCP, [.failure(on: "t"), .closes("t"), .opens("b", to: 2)],
            [.reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b")]),
        Scenario(
            "who is gone leaves it to the others, and a reply to him is dropped",
            overTCP, asked(2, "u"),
            [
                .ask(client: 4, namespace: 2, .numbered(4)), .opens("x", to: 1), .reply(on: "x", truncated),
                .closes("x"), .reuses("t", "v"), .abandon(namespace: 1), .nothing,
                .stream(on: "t", reply(9)), .stream(on: "u", reply(8)), .nothing,
                .stream(on: "v", reply(4)), .answers(client: 4, .address(4, from: 1)),
            ]),
        Scenario(
            "an upstream that is in no list any more is asked no more, and its connection is closed",
            good, [.upstreams([2]), .closes("t")]),
    ]

    @Test("64 KiB in pieces of any size come whole", arguments: [1, 2, 3, 1000, 65_537])
    func large(pieces: Int) throws {
        var worker = Worker()
        _ = try worker.ask()
        try worker.perform(.opens("a", to: 1), "")
        try worker.perform(.reply(on: "a", truncated), "")
        try worker.perform(.closes("a"), "")
        try worker.perform(.connects("t", to: 1), "")
        let message = reply { packet in
            packet.answers = (0..<4000).map { Packet.a(UInt8(truncatingIfNeeded: $0)) }
        }(try worker.asked("t"))
        try worker.stream(word16(UInt16(message.count)) + message, on: "t", pieces: pieces)
        let answer = try worker.answer()
        let whole = try #require(Parsed(answer.message(limit: 65_535)))
        #expect(whole.sections[0].count == 4000)
        #expect(!whole.isTruncated)
    }

    @Test("a stream of messages, cut anywhere, gives the same messages", arguments: 1...12)
    func framing(pieces: Int) {
        let messages: [[UInt8]] = [[1], [], [2, 3, 4], [], [], [UInt8](repeating: 7, count: 300), [9, 9]]
        let stream = messages.flatMap { word16(UInt16($0.count)) + $0 }
        var framing = StreamFraming()
        var seen: [[UInt8]] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            var offset = 0
            while let message = framing.next(piece.span, from: &offset) { seen.append(message) }
            #expect(offset == piece.count)
        }
        #expect(seen == messages)
    }
}
