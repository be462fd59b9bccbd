// Equal questions are asked once.

import DNSWire
import Forwarding
import Testing

@Suite("Equal questions")
struct CoalescingTests {
    @Test("to the same upstreams wait for one exchange", arguments: scenarios)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    private static func query(_ change: (inout Packet) -> Void) -> Packet { CacheAnswerTests.query(change) }

    static let scenarios: [Scenario] = [
        Scenario(
            "from several clients and namespaces: one question, one answer for each",
            [
                .ask(client: 1), .opens("a", to: 1), .ask(client: 2), .ask(client: 3, namespace: 2), .nothing,
                .reply(on: "a", reply(9)), .answers(client: 1, .address(9, from: 1)),
                .answers(client: 2, .address(9, from: 1)), .answers(client: 3, .address(9, from: 1)), .closes("a"),
            ]),
        Scenario(
            "in another spelling, too (RFC 4343)",
            [
                .ask(), .opens("a", to: 1),
                .ask(client: 2, query { $0.question = Packet.question("WWW.Example.COM", type: 1) }), .nothing,
                .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .answers(client: 2, .address(9, from: 1)),
                .closes("a"),
            ]),
        Scenario(
            "whoever comes later waits no longer than the first",
            [
                .ask(), .opens("a", to: 1), .time(400), .opens("b", to: 2), .time(800), .repeats("a"),
                .time(1000), .ask(client: 2), .time(4500),
                .answers(.failure(22)), .answers(client: 2, .failure(22)), .closes("a"), .closes("b"),
            ]),
        Scenario(
            "not with another DO, CD, RD, type or group",
            [.upstreams([1], group: 3), .ask(), .opens("a", to: 1)],
            [
                .ask(query { $0.additionals = [Packet.opt(dnssecOK: true)] }), .opens("b", to: 1),
                .ask(query { $0.flags |= 0x0010 }), .opens("c", to: 1),
                .ask(query { $0.flags = 0 }), .opens("d", to: 1),
                .ask(query { $0.question = Packet.question("www.example.com", type: 28) }), .opens("e", to: 1),
                .ask(group: 3), .opens("f", to: 1),
            ]),
        Scenario(
            "a TTL of 0 serves all who wait, and nobody after them",
            [
                .ask(), .opens("a", to: 1), .ask(client: 2),
                .reply(on: "a", reply { $0.answers = [Packet.a(9, ttl: 0)] }), .answers(.address(9, from: 1)),
                .answers(client: 2, .address(9, from: 1)), .closes("a"), .ask(client: 3), .opens("b", to: 1),
            ]),
        Scenario(
            "a failure is everyone's",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .ask(client: 2), .reply(on: "a", reply(code: 2)), .closes("a"),
                .answers(.code(2, from: 1)), .answers(client: 2, .code(2, from: 1)),
            ]),
    ]

    @Test("are answered to each with its own id, spelling, EDNS and size")
    func ownAnswers() throws {
        var worker = Worker()
        let answers = (0..<60).map { Packet.a(UInt8($0)) }
        var queries: [Packet] = [.plain, .plain, .plain]
        queries[1].id = 7
        queries[1].additionals = []
        queries[2].question = Packet.question("wWw.eXample.com", type: 1)
        queries[2].additionals = [Packet.opt(size: 800)]
        for (client, query) in queries.enumerated() { _ = try worker.ask(query, client: client) }
        try worker.perform(.opens("a", to: 1), "")
        try worker.receive(reply { $0.answers = answers }(try worker.asked("a")), on: "a")
        for query in queries {
            let answer = try worker.answer()
            let message = try #require(Parsed(answer.message(limit: answer.datagramLimit)))
            #expect(message.id == query.id && message.question == query.question)
            #expect((message.opt == nil) == query.additionals.isEmpty)
            #expect(message.isTruncated == (query.id == 7 || query.additionals == [Packet.opt(size: 800)]))
        }
    }

    @Test("100 at once are one exchange, and count as that")
    func hundred() throws {
        var worker = Worker()
        for client in 0..<100 { _ = try worker.ask(client: client) }
        try worker.perform(.opens("a", to: 1), "")
        try worker.perform(.nothing, "")
        #expect(worker.forwarder.inFlight == 1)
        #expect(worker.forwarder.cacheCounters.coalesced == 99)
        #expect(worker.forwarder.cacheCounters.misses == 100)
    }
}
