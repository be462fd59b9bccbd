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
    private static let answered: [Step] = [.answers(.address(9, from: 1)), .closes("t")]

    static let scenarios: [Scenario] = [
        Scenario("at once", overTCP + [.stream(on: "t", reply(9))] + answered),
        Scenario("octet by octet", overTCP + [.stream(on: "t", pieces: 1, reply(9))] + answered),
        Scenario("three at a time", overTCP + [.stream(on: "t", pieces: 3, reply(9))] + answered),
        Scenario("seven at a time", overTCP + [.stream(on: "t", pieces: 7, reply(9))] + answered),
        Scenario(
            "cut off inside of a record, as old servers do",
            [
                .ask(), .opens("a", to: 1),
                .reply(on: "a", { Array(reply { $0.flags |= 0x0200 }($0).dropLast(13)) }),
                .closes("a"), .connects("t", to: 1), .stream(on: "t", reply(9)),
            ] + answered),
        Scenario(
            "a wrong message before the right one",
            overTCP + [.stream(on: "t", pieces: 5, reply(8) { $0.id ^= 1 }), .nothing, .stream(on: "t", reply(9))]
                + answered),
        Scenario(
            "messages of no length, then the right one",
            overTCP + [.octets(on: "t", [0, 0, 0, 0, 0, 1, 7]), .nothing, .stream(on: "t", reply(9))] + answered),
        Scenario(
            "a length that lies, then the end: the next upstream, by UDP",
            overTCP + [
                .octets(on: "t", [0xFF, 0xFF]), .stream(on: "t", reply(8)), .nothing,
                .failure(on: "t"), .closes("t"), .opens("b", to: 2), .reply(on: "b", reply(9)),
                .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "a connection that is refused: the next upstream at once",
            overTCP + [
                .failure(on: "t"), .closes("t"), .opens("b", to: 2), .reply(on: "b", reply(9)),
                .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "a silent connection: the next after 1 s, and the connection may still answer",
            overTCP + [
                .time(1099), .nothing, .time(1100), .opens("b", to: 2), .time(2100), .repeats("b"), .time(2200),
                .stream(on: "t", reply(9)), .answers(.address(9, from: 1)), .closes("t"), .closes("b"),
            ]),
        Scenario(
            "nobody but a silent connection is left: 4.5 s",
            upstreams: [1],
            overTCP + [.time(1100), .nothing, .time(4499), .nothing, .time(4500), .answers(.failure(22)), .closes("t")]),
        Scenario(
            "a connection that fails after the wait for it alone began",
            upstreams: [1],
            overTCP + [.time(1100), .nothing, .time(2000), .failure(on: "t"), .closes("t"), .answers(.failure(22))]),
        Scenario(
            "TC over TCP: the reply as it is",
            overTCP + [.stream(on: "t", reply(9) { $0.flags |= 0x0200 })] + answered),
        Scenario(
            "SERVFAIL over TCP: the next at once",
            overTCP + [
                .stream(on: "t", reply(code: 2)), .closes("t"), .opens("b", to: 2), .reply(on: "b", reply(9)),
                .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "what stands behind the reply is dropped",
            overTCP + [.stream(on: "t", { reply(9)($0) + [0, 3, 1, 2, 3] })] + answered),
        Scenario(
            "a datagram on a connection's token is dropped",
            overTCP + [.reply(on: "t", reply(8)), .nothing]
                + [.stream(on: "t", reply(9))] + answered),
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
