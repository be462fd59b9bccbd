// Somebody guesses, and sends replies that are none (RFC 5452).

import Testing

@testable import Forwarding

@Suite("Guessed replies")
struct SpoofingTests {
    @Test("are not believed", arguments: scenarios)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    private static let wrong = reply(8) { $0.id ^= 1 }
    private static func wrong(_ count: Int, on socket: Character) -> [Step] {
        Array(repeating: .reply(on: socket, wrong), count: count)
    }
    private static let respelled = reply(8) { packet in
        packet.question = packet.question.map { 0x61...0x7A ~= $0 ? $0 & ~0x20 : $0 }
    }
    private static let lower = reply(8) { packet in
        packet.question = packet.question.map { 0x41...0x5A ~= $0 ? $0 | 0x20 : $0 }
    }

    static let scenarios: [Scenario] = [
        Scenario(
            "RFC 5452 §9: nine wrong ones change nothing",
            [.ask(), .opens("a", to: 1)], wrong(9, on: "a"),
            [.nothing, .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a")]),
        Scenario(
            "after ten the upstream is asked over TCP, where nobody can guess",
            [.ask(), .opens("a", to: 1)], wrong(10, on: "a"),
            [
                .closes("a"), .connects("t", to: 1), .reply(on: "a", reply(8)), .nothing,
                .stream(on: "t", reply(9)), .answers(.address(9, from: 1)),
            ]),
        Scenario(
            "ten for one exchange, on whichever of its sockets",
            [.ask(), .opens("a", to: 1), .time(400), .opens("b", to: 2)], wrong(6, on: "a"), wrong(4, on: "b"),
            [.closes("b"), .connects("t", to: 2), .reply(on: "a", wrong), .closes("a"), .connects("u", to: 1)],
            [.stream(on: "t", reply(9)), .answers(.address(9, from: 2))]),
        Scenario(
            "the other exchanges go on as they are",
            [.ask(), .opens("a", to: 1), .ask(client: 2, .other), .opens("b", to: 1)], wrong(10, on: "a"),
            [
                .closes("a"), .connects("t", to: 1), .reply(on: "b", reply(9)),
                .answers(client: 2, .address(9, from: 1)), .closes("b"),
            ]),
        Scenario(
            "a socket on which something wrong came is not used again",
            [.ask(), .opens("a", to: 1)], wrong(1, on: "a"),
            [
                .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a"), .ask(.other),
                .opens("b", to: 1),
            ]),
        Scenario(
            "the right id with the name in another spelling: TCP tells whether the upstream does so; this one does not",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", respelled), .closes("a"), .connects("t", to: 1),
                .stream(on: "t", reply(9)), .answers(.address(9, from: 1)),
                .ask(.other), .opens("b", to: 1), .reply(on: "b", respelled), .closes("b"), .reuses("t", "u"),
            ]),
        Scenario(
            "this one does, and is believed from then on",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", respelled), .closes("a"), .connects("t", to: 1),
                .stream(on: "t", respelled), .answers(.address(8, from: 1)),
                .ask(.other), .opens("b", to: 1), .reply(on: "b", respelled), .answers(.address(8, from: 1)),
                .closes("b"),
            ]),
        Scenario(
            "case-randomization: an upstream that lowers names is asked without from then on", randomizesCase: true,
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", lower), .closes("a"), .connects("t", to: 1),
                .stream(on: "t", lower), .answers(.address(8, from: 1)),
                .ask(.other), .opens("b", to: 1), .reply(on: "b", lower), .answers(.address(8, from: 1)),
                .closes("b"),
            ]),
    ]

    @Test("case-randomization: names go out in a spelling of their own, and clients get theirs back")
    func randomizedCase() throws {
        var worker = Worker()
        worker.forwarder.randomizesCase = true
        var spellings: Set<[UInt8]> = []
        for client in 0..<20 {
            var query = Packet.numbered(client)
            query.question = Packet.question("abcdefghij.n\(client)-[`@{.Example", type: 65)
            _ = try worker.ask(query, client: client)
            try worker.perform(.opens("a", to: 1), "")
            let asked = try worker.asked("a")
            let isLetter = { (octet: UInt8) in 0x61...0x7A ~= octet | 0x20 && octet >= 0x41 }
            #expect(
                zip(asked.question, query.question).allSatisfy { $0 == $1 || isLetter($0) && $0 ^ $1 == 0x20 })
            #expect(asked.question.suffix(4) == query.question.suffix(4))
            spellings.insert(Array(asked.question.prefix(11)))
            try worker.receive(reply(9)(asked), on: "a")
            let answer = try worker.answer()
            #expect(Parsed(answer.message(limit: 512))?.question == query.question)
            while worker.forwarder.nextAction() != nil {}
        }
        #expect(spellings.count > 15, "ten letters are spelled in many ways")
    }

    @Test("each question has an id of its own, over TCP none that another one has")
    func ids() throws {
        var worker = Worker(limits: ForwardingLimits(namespace: 600))
        var ids: Set<UInt16> = []
        for number in 0..<500 {
            try worker.perform(.ask(client: number, .numbered(number)), "")
            try worker.perform(.opens("a", to: 1), "")
            try worker.receive(truncated(try worker.asked("a")), on: "a")
            try worker.perform(.closes("a"), "")
            switch worker.forwarder.nextAction() {
            case .openStream(_, _, _, let message), .send(_, let message): ids.insert(Packet.id(message.dropFirst(2)))
            default: Issue.record("over TCP")
            }
        }
        #expect(ids.count == 500)
    }
}

@Suite("Datagram sockets")
struct DatagramSocketTests {
    @Test("carry one question each", arguments: scenarios)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    static let scenarios: [Scenario] = [
        Scenario(
            "RFC 5452 §9.2: a socket is closed with its reply, and the next question has a port of its own",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a"),
                .ask(.other), .opens("b", to: 1), .nothing,
            ]),
        Scenario(
            "a late reply to a question that another upstream has answered closes its socket",
            [
                .ask(), .opens("a", to: 1), .time(400), .opens("b", to: 2), .reply(on: "b", reply(2)),
                .answers(.address(2, from: 2)), .closes("b"), .reply(on: "a", reply(1)), .closes("a"), .nothing,
            ]),
        Scenario(
            "the end of a namespace closes those that were opened in it",
            [
                .upstreams([1, 2], .namespace, group: 3), .ask(namespace: 4, group: 3), .opens("a", to: 1), .time(400),
                .opens("b", to: 2), .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
                .abandon(namespace: 4), .closes("a"),
            ]),
    ]
}
