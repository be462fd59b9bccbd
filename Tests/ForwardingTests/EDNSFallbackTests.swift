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
        Scenario(
            "FORMERR with OPT is about the question: the next upstream",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 1)), .closes("a"), .opens("b", to: 2),
                .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
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

    private static func plainAfter(_ upstream: @escaping Upstream) -> [Step] {
        [
            .ask(), .opens("a", to: 1), .reply(on: "a", upstream),
            .closes("a"), .opens("p", to: 1, edns: false), .nothing,
            .reply(on: "p", reply(9) { $0.additionals = [] }), .answers(.address(9, from: 1)), .closes("p"),
        ]
    }
}
