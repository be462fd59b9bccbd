// Answers that are asked for often are renewed before they end.

import Forwarding
import Testing

@Suite("Answers near their end")
struct PrefetchTests {
    @Test("are renewed where they are asked for often", arguments: scenarios)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    private static let policy = CachePolicy(servesStale: false)
    private static let kept = CacheLifeTests.asked(reply(9), .address(9, from: 1))
    private static func scenario(_ name: String, _ steps: [Step]...) -> Scenario {
        Scenario(name, upstreams: [1], policy: policy, kept, steps.flatMap { $0 })
    }

    static let scenarios: [Scenario] = [
        scenario(
            "in the last tenth of their life, once, while they still serve",
            [
                .time(1000), .hit(.address(9, ttl: 299)), .time(269_999), .hit(.address(9, ttl: 31)), .nothing,
                .time(270_000), .hit(.address(9, ttl: 30)), .opens("b", to: 1), .hit(.address(9, ttl: 30)), .nothing,
                .time(270_100), .reply(on: "b", reply(8)), .closes("b"), .hit(.address(8, ttl: 300)),
            ]),
        scenario(
            "not where they were asked for once before",
            [.time(299_000), .hit(.address(9, ttl: 1)), .nothing]),
        scenario(
            "once more where that fails, after 5 s and then 10 s",
            [
                .hit(.address(9, ttl: 300)), .time(270_000), .hit(.address(9, ttl: 30)), .opens("b", to: 1),
                .reply(on: "b", reply(code: 2)), .closes("b"),
                .time(274_999), .hit(.address(9, ttl: 26)), .nothing, .time(275_000), .hit(.address(9, ttl: 25)),
                .opens("c", to: 1), .reply(on: "c", reply(code: 2)), .closes("c"),
                .time(284_999), .hit(.address(9, ttl: 16)), .nothing, .time(285_000), .hit(.address(9, ttl: 15)),
                .opens("d", to: 1), .reply(on: "d", reply(8)), .closes("d"), .hit(.address(8, ttl: 300)),
            ]),
        scenario(
            "once more where nobody answers at all",
            [
                .hit(.address(9, ttl: 300)), .time(270_000), .hit(.address(9, ttl: 30)), .opens("b", to: 1),
                .failure(on: "b"), .closes("b"), .connects("t", to: 1), .failure(on: "t"), .closes("t"),
                .time(271_000), .hit(.address(9, ttl: 29)), .opens("c", to: 1), .reply(on: "c", reply(8)), .closes("c"),
                .hit(.address(8, ttl: 300)),
            ]),
        Scenario(
            "once more where it had to give way to others", upstreams: [1], policy: policy,
            limits: ForwardingLimits(worker: 2), kept,
            [
                .hit(.address(9, ttl: 300)), .time(270_000), .hit(.address(9, ttl: 30)), .opens("b", to: 1),
                .ask(client: 2, .other), .opens("c", to: 1), .ask(client: 3, .numbered(3)), .closes("b"),
                .opens("d", to: 1), .reply(on: "c", reply(1)), .answers(client: 2, .address(1, from: 1)), .closes("c"),
                .reply(on: "d", reply(1)), .answers(client: 3, .address(1, from: 1)), .closes("d"),
                .hit(.address(9, ttl: 30)), .opens("e", to: 1), .reply(on: "e", reply(8)), .closes("e"),
                .hit(.address(8, ttl: 300)),
            ]),
        scenario(
            "whoever asks after their end waits for what is being asked already",
            [
                .hit(.address(9, ttl: 300)), .time(299_900), .hit(.address(9, ttl: 1)), .opens("b", to: 1),
                .time(300_000), .ask(), .nothing, .reply(on: "b", reply(8)), .answers(.address(8, from: 1)),
                .closes("b"),
            ]),
        scenario(
            "a client without RD renews them as any other",
            [
                .hit(.address(9, ttl: 300)), .time(290_000),
                .hit(.address(9, ttl: 10), of: CacheAnswerTests.query { $0.flags = 0 }), .opens("b", to: 1),
                .reply(on: "b", reply(8)), .closes("b"), .hit(.address(8, ttl: 300)),
            ]),
        Scenario(
            "failures are not", upstreams: [1], policy: policy,
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 2)), .closes("a"), .answers(.code(2, from: 1)),
                .hit(Said(code: 2)), .hit(Said(code: 2)), .time(4900), .hit(Said(code: 2)), .nothing,
            ]),
        Scenario(
            "prefetch = false: never", policy: .plain(), kept,
            [
                .hit(.address(9, ttl: 300)), .hit(.address(9, ttl: 300)), .time(299_000), .hit(.address(9, ttl: 1)),
                .nothing,
            ]),
    ]

    @Test("the question that renews is the client's, and counts as such")
    func question() throws {
        var worker = Worker(policy: Self.policy)
        for step in Self.kept + [.hit(.address(9, ttl: 300)), .time(270_000)] { try worker.perform(step, "") }
        #expect(worker.forwarder.inFlight == 0)
        _ = try worker.cached(.plain)
        try worker.perform(.opens("b", to: 1), "")
        let asked = try worker.asked("b")
        #expect(asked.question == Packet.plain.question && asked.flags == 0x0120)
        #expect(worker.forwarder.inFlight == 0, "nobody waits")
        #expect(worker.forwarder.cacheCounters.prefetches == 1)
    }
}
