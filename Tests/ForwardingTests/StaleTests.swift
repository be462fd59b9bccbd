// Answers past their life, for when nobody answers (RFC 8767).

import Forwarding
import Testing

@Suite("Answers past their life")
struct StaleTests {
    @Test("serve while upstreams do not", arguments: scenarios)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    private static let policy = CachePolicy(prefetches: false)

    /// An answer with a TTL of 1 s, which is over at 1000.
    private static let kept =
        CacheLifeTests.asked(reply { $0.answers = [Packet.a(9, ttl: 1)] }, .address(9, from: 1)) + [.time(1000)]

    private static func scenario(_ name: String, upstreams: [UInt8] = [1], _ steps: [Step]...) -> Scenario {
        Scenario(name, upstreams: upstreams, policy: policy, kept, steps.flatMap { $0 })
    }

    /// Upstream 1 can be reached neither over UDP nor over TCP.
    private static let unreachable: [Step] = [
        .opens("b", to: 1), .failure(on: "b"), .closes("b"), .connects("t", to: 1), .failure(on: "t"), .closes("t"),
    ]

    private static let stale = Said(last: 9, ttls: [30], errors: [3])

    static let scenarios: [Scenario] = [
        scenario(
            "RFC 8767 §5: after 1.8 s, with TTL 30 and EDE 3; what upstreams say then is kept",
            [
                .ask(), .opens("b", to: 1), .time(1400), .repeats("b"), .time(2200), .repeats("b"),
                .time(2799), .nothing, .time(2800), .answers(.stale(9)), .nothing,
                .time(3000), .reply(on: "b", reply(8)), .closes("b"), .hit(.address(8, ttl: 300)),
            ]),
        scenario(
            "not earlier: an answer in time is what counts",
            [
                .ask(), .opens("b", to: 1), .time(2799), .repeats("b"), .reply(on: "b", reply(8)),
                .answers(.address(8, from: 1)), .closes("b"),
            ]),
        scenario(
            "RFC 8767 §5: at once where upstreams fail",
            [.ask(), .opens("b", to: 1), .reply(on: "b", reply(code: 2)), .closes("b"), .answers(.stale(9))]),
        scenario(
            "at once where they cannot be reached",
            [.ask()] + unreachable + [.answers(.stale(9))]),
        scenario(
            "not while another upstream may answer",
            upstreams: [1, 2],
            [
                .ask(), .opens("b", to: 1), .reply(on: "b", reply(code: 2)), .closes("b"), .opens("c", to: 2),
                .nothing, .reply(on: "c", reply(8)), .answers(.address(8, from: 2)), .closes("c"),
            ]),
        scenario(
            "RFC 8767 §5: who has just failed is not asked again for 5 s",
            [
                .ask(), .opens("b", to: 1), .reply(on: "b", reply(code: 2)), .closes("b"), .answers(.stale(9)),
                .hit(stale), .time(5999), .hit(stale), .time(6000), .ask(client: 2), .opens("c", to: 1),
                .reply(on: "c", reply(8)), .answers(client: 2, .address(8, from: 1)), .closes("c"),
            ]),
        scenario(
            "whoever asks while upstreams have been silent for 1.8 s already does not wait",
            [
                .ask(), .opens("b", to: 1), .time(1400), .repeats("b"), .time(2799), .repeats("b"),
                .time(2800), .answers(.stale(9)), .ask(client: 2), .answers(client: 2, .stale(9)), .nothing,
            ]),
        scenario(
            "all who wait get it",
            [
                .ask(), .opens("b", to: 1), .ask(client: 2, namespace: 2), .reply(on: "b", reply(code: 2)),
                .closes("b"), .answers(.stale(9)), .answers(client: 2, .stale(9)),
            ]),
        scenario(
            "RFC 8767 §4: a \"no\" from upstreams is an answer, and takes its place",
            [
                .ask(), .opens("b", to: 1), .reply(on: "b", reply(code: 3)), .answers(.code(3, from: 1)),
                .closes("b"), .ask(client: 2), .opens("c", to: 1), .reply(on: "c", reply(code: 2)), .closes("c"),
                .answers(client: 2, .code(2, from: 1)),
            ]),
        scenario(
            "for one day past their life, and not longer",
            [
                .time(86_400_999), .ask(), .opens("b", to: 1), .reply(on: "b", reply(code: 2)), .closes("b"),
                .answers(.stale(9)), .time(86_406_000), .ask(client: 2), .opens("c", to: 1),
                .reply(on: "c", reply(code: 2)), .closes("c"), .answers(client: 2, .code(2, from: 1)),
            ]),
        scenario(
            "not what another group's upstreams said",
            [
                .upstreams([1], group: 3), .ask(group: 3), .opens("b", to: 1), .reply(on: "b", reply(code: 2)),
                .closes("b"), .answers(.code(2, from: 1)),
            ]),
        scenario(
            "when nothing at all came: at 1.8 s; and then at once for 1 s after the end",
            [
                .ask(), .opens("b", to: 1), .time(1400), .repeats("b"), .time(2200), .repeats("b"),
                .time(2800), .answers(.stale(9)), .time(5500), .closes("b"), .hit(stale),
                .time(6499), .hit(stale), .time(6500), .ask(client: 2), .opens("c", to: 1),
            ]),
        Scenario(
            "RFC 8914 §4.20: NXDOMAIN past its life has EDE 19", upstreams: [1], policy: policy,
            CacheLifeTests.asked(
                CacheLifeTests.records([], authorities: [Packet.soa(ttl: 1, minimum: 1)], code: 3), .code(3, from: 1)),
            [
                .time(1000), .ask(), .opens("b", to: 1), .reply(on: "b", reply(code: 2)), .closes("b"),
                .answers(.code(3, from: 0)), .hit(Said(code: 3, ttls: [30], errors: [19])),
            ]),
        Scenario(
            "a failure is never served past its life", upstreams: [1], policy: policy,
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 2)), .closes("a"), .answers(.code(2, from: 1)),
                .time(5000), .ask(), .opens("b", to: 1), .time(6800), .repeats("b"), .nothing,
            ]),
        Scenario(
            "serve-stale = false: SERVFAIL", upstreams: [1], policy: .plain(), kept,
            [
                .ask(), .opens("b", to: 1), .reply(on: "b", reply(code: 2)), .closes("b"), .answers(.code(2, from: 1)),
                .hit(Said(code: 2)),
            ]),
    ]

    @Test("count as stale")
    func counters() throws {
        var worker = Worker(upstreams: [1], policy: Self.policy)
        for step in Self.kept + [.ask()] + Self.unreachable + [.answers(.stale(9))] {
            try worker.perform(step, "")
        }
        _ = try worker.cached(.plain)
        #expect(worker.forwarder.cacheCounters.stale == 2)
    }
}
