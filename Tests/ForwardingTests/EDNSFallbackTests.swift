// Upstreams that do not know EDNS (RFC 6891 §7).

import Testing

@Suite("Upstreams without EDNS")
struct EDNSFallbackTests {
    @Test("are asked once more without it", arguments: scenarios)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    static let scenarios: [Scenario] = [
        Scenario("FORMERR without OPT", plainAfter(reply(code: 1, opt: false))),
        Scenario("FORMERR, a bare header", plainAfter(reply(code: 1, opt: false, bare: true))),
        Scenario("NOTIMP without OPT", plainAfter(reply(code: 4, opt: false))),
        Scenario(
            "BADVERS",
            plainAfter(
                reply {
                    $0.answers = []; $0.additionals = [Packet.opt(codeBits: 1)]
                })),
        Scenario("FORMERR that copies the OPT record", plainAfter(reply(code: 1))),
        Scenario("NOTIMP that copies the OPT record", plainAfter(reply(code: 4))),
        Scenario("SERVFAIL without OPT (RFC 2671 §5.3)", plainAfter(reply(code: 2, opt: false))),
        Scenario(
            "but SERVFAIL of an upstream that understands EDNS is about the question: the next upstream",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a"),
                .ask(.other), .opens("b", to: 1), .reply(on: "b", reply(code: 2, opt: false)), .closes("b"),
                .opens("c", to: 2), .reply(on: "c", reply(8)), .answers(.address(8, from: 2)), .closes("c"),
            ]),
        Scenario(
            "silence to what carries EDNS: the last datagram goes without; after two questions all do, for 15 min",
            upstreams: [1], silent(1, at: 0), silent(2, at: 2000),
            [
                .time(4000), .ask(.numbered(3)), .opens("b", to: 1, edns: false), .reply(on: "b", plain),
                .answers(.address(9, from: 1)), .closes("b"), .time(903_199), .ask(.numbered(4)),
                .opens("c", to: 1, edns: false), .reply(on: "c", plain), .answers(.address(9, from: 1)), .closes("c"),
                .time(903_200), .ask(.numbered(5)), .opens("d", to: 1), .reply(on: "d", reply(8)),
                .answers(.address(8, from: 1)), .closes("d"),
            ]),
        Scenario(
            "one such question may be chance: a reply with OPT to the next one shows that",
            upstreams: [1], silent(1, at: 0),
            [
                .time(2000), .ask(.numbered(2)), .opens("b", to: 1), .reply(on: "b", reply(8)),
                .answers(.address(8, from: 1)), .closes("b"), .time(4000), .ask(.numbered(3)), .opens("c", to: 1),
                .time(4400), .repeats("c"), .time(5200), .repeats("c"),
            ]),
        Scenario(
            "questions that were under way together are one chance",
            upstreams: [1],
            [
                .ask(.numbered(1)), .opens("a", to: 1), .ask(client: 2, .numbered(2)), .opens("b", to: 1), .time(400),
                .repeats("a"), .repeats("b"), .time(1200), .repeats("a", edns: false), .repeats("b", edns: false),
                .reply(on: "a", plain), .answers(.address(9, from: 1)), .closes("a"), .reply(on: "b", plain),
                .answers(client: 2, .address(9, from: 1)), .closes("b"), .ask(.numbered(3)), .opens("c", to: 1),
            ]),
        Scenario(
            "who asks for signatures gets none without EDNS: it is left in",
            upstreams: [1],
            [
                .ask(CacheAnswerTests.query { $0.additionals = [Packet.opt(dnssecOK: true)] }), .opens("a", to: 1),
                .time(400), .repeats("a"), .time(1200), .repeats("a"),
            ]),
        Scenario(
            "FORMERR to the plain query too: the next upstream, with EDNS",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 1, opt: false)),
                .closes("a"), .opens("p", to: 1, edns: false), .reply(on: "p", reply(code: 1, opt: false)),
                .closes("p"), .opens("b", to: 2), .reply(on: "b", reply(code: 1, opt: false)),
                .closes("b"), .opens("q", to: 2, edns: false), .reply(on: "q", reply(code: 1, opt: false)),
                .closes("q"), .answers(.code(1, from: 1)),
            ]),
        Scenario(
            "a plain query is repeated as it is, and goes over TCP as it is",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 1, opt: false)),
                .closes("a"), .opens("p", to: 1, edns: false), .time(400), .repeats("p"),
                .reply(
                    on: "p",
                    reply {
                        $0.flags |= 0x0200; $0.additionals = []
                    }),
                .closes("p"), .connects("t", to: 1, edns: false),
                .stream(on: "t", reply(9) { $0.additionals = [] }), .answers(.address(9, from: 1)),
            ]),
        Scenario(
            "that was understood without is remembered, for 15 min",
            plainAfter(reply(code: 1, opt: false)),
            [
                .ask(.numbered(1)), .opens("b", to: 1, edns: false), .reply(on: "b", reply(8)),
                .answers(.address(8, from: 1)), .closes("b"),
                .time(899_999), .ask(.numbered(2)), .opens("c", to: 1, edns: false), .reply(on: "c", reply(8)),
                .answers(.address(8, from: 1)), .closes("c"),
                .time(900_000), .ask(.numbered(3)), .opens("d", to: 1, edns: true), .reply(on: "d", reply(8)),
                .answers(.address(8, from: 1)), .closes("d"),
            ]),
        Scenario(
            "that was not understood without either is not: it was about the question",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 1, opt: false)),
                .closes("a"), .opens("p", to: 1, edns: false), .reply(on: "p", reply(code: 1, opt: false)),
                .closes("p"), .answers(.code(1, from: 1)),
                .ask(.other), .opens("b", to: 1, edns: true), .reply(on: "b", reply(9)),
                .answers(.address(9, from: 1)), .closes("b"),
            ]),
        Scenario(
            "is remembered of that upstream alone",
            plainAfter(reply(code: 1, opt: false)),
            [
                .ask(.numbered(1)), .opens("b", to: 1, edns: false), .reply(on: "b", reply(code: 2, opt: false)),
                .closes("b"), .opens("c", to: 2, edns: true), .reply(on: "c", reply(8)),
                .answers(.address(8, from: 2)), .closes("c"),
            ]),
    ]

    /// A reply without OPT.
    private static let plain = reply(9) { $0.additionals = [] }

    /// A question that upstream 1 answers only without EDNS, and meets with silence else.
    private static func silent(_ number: Int, at time: Int) -> [Step] {
        [
            .time(time), .ask(.numbered(number)), .opens("s", to: 1), .time(time + 400), .repeats("s"),
            .time(time + 1200), .repeats("s", edns: false), .reply(on: "s", plain), .answers(.address(9, from: 1)),
            .closes("s"),
        ]
    }

    private static func plainAfter(_ upstream: @escaping Upstream) -> [Step] {
        [
            .ask(), .opens("a", to: 1), .reply(on: "a", upstream),
            .closes("a"), .opens("p", to: 1, edns: false), .nothing,
            .reply(on: "p", reply(9) { $0.additionals = [] }), .answers(.address(9, from: 1)), .closes("p"),
        ]
    }
}
