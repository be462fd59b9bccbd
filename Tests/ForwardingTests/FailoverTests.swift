// Order and times of upstreams, and the reply that wins.

import Forwarding
import Testing

@Suite("Asking upstreams")
struct FailoverTests {
    @Test("a question goes where it must, step by step", arguments: words + silences + withoutDatagrams + lists)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    /// Replies and errors of upstreams.
    static let words: [Scenario] = [
        Scenario(
            "the first upstream answers",
            [
                .ask(), .opens("a", to: 1), .nothing,
                .time(30), .nothing,
                .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a"),
                .time(10_000),
            ]),
        Scenario(
            "NXDOMAIN is an answer: nobody else is asked",
            [
                .ask(), .opens("a", to: 1),
                .reply(on: "a", reply(code: 3)), .answers(.code(3, from: 1)), .closes("a"),
            ]),
        Scenario(
            "SERVFAIL: the next at once",
            [
                .ask(), .opens("a", to: 1), .time(20), .reply(on: "a", reply(code: 2)),
                .closes("a"), .opens("b", to: 2), .nothing,
                .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "REFUSED, with nothing but a header: the next at once",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 5, opt: false, bare: true)),
                .closes("a"), .opens("b", to: 2),
                .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "all say REFUSED: so does the answer",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 5)), .closes("a"), .opens("b", to: 2),
                .reply(on: "b", reply(code: 5)), .closes("b"), .answers(.code(5, from: 1)),
            ]),
        Scenario(
            "SERVFAIL says more than REFUSED, whoever says it",
            upstreams: [1, 2, 3],
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 5)), .closes("a"), .opens("b", to: 2),
                .reply(on: "b", reply(code: 2)), .closes("b"), .opens("c", to: 3),
                .reply(on: "c", reply(code: 5)), .closes("c"), .answers(.code(2, from: 2)),
            ]),
        Scenario(
            "a socket that fails, as ICMP says: the next at once",
            [
                .ask(), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .opens("b", to: 2), .nothing,
                .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "all sockets fail: each over TCP, and then SERVFAIL with EDE 22 at once",
            [
                .ask(), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .opens("b", to: 2),
                .failure(on: "b"), .closes("b"), .connects("t", to: 1), .failure(on: "t"), .closes("t"),
                .connects("u", to: 2), .failure(on: "u"), .closes("u"), .answers(.failure(22)), .nothing, .time(9000),
            ]),
        Scenario(
            "one says SERVFAIL and the other cannot be reached: SERVFAIL as it was said",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 2)), .closes("a"), .opens("b", to: 2),
                .failure(on: "b"), .closes("b"), .connects("t", to: 2), .failure(on: "t"), .closes("t"),
                .answers(.code(2, from: 1)),
            ]),
        Scenario(
            "NOTAUTH: the next at once",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 9)), .closes("a"), .opens("b", to: 2),
                .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
            ]),
        Scenario(
            "news of a socket that is closed is old news",
            [
                .ask(), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .opens("b", to: 2),
                .failure(on: "a"), .reply(on: "a", reply(8)), .stream(on: "a", reply(8)), .nothing,
                .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
                .ask(client: 2, .other), .opens("c", to: 1), .reply(on: "b", reply(8)), .failure(on: "a"), .nothing,
                .reply(on: "c", reply(7)), .answers(client: 2, .address(7, from: 1)), .closes("c"),
            ]),
    ]

    /// Silent upstreams. One that never replied is late after 400 ms.
    static let silences: [Scenario] = [
        Scenario(
            "the next is asked and answers; the silent one is listened to for the rest of the time",
            [
                .ask(), .opens("a", to: 1), .time(399), .nothing, .time(400), .opens("b", to: 2), .nothing,
                .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
                .time(4499), .nothing, .time(4500), .closes("a"), .nothing,
            ]),
        Scenario(
            "the late reply of the first still wins, and that of the second is heard too",
            [
                .ask(), .opens("a", to: 1), .time(400), .opens("b", to: 2), .time(600),
                .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a"),
                .reply(on: "b", reply(8)), .closes("b"), .nothing,
            ]),
        Scenario(
            "who has failed is not asked again, who is silent is",
            [
                .ask(), .opens("a", to: 1), .time(400), .opens("b", to: 2), .time(410),
                .reply(on: "b", reply(code: 2)), .closes("b"), .repeats("a"), .nothing,
                .time(1209), .nothing, .time(1210), .repeats("a", edns: false), .nothing,
                .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a"),
            ]),
        Scenario(
            "a late SERVFAIL of the first does not hurry the third: the second is being asked",
            upstreams: [1, 2, 3],
            [
                .ask(), .opens("a", to: 1), .time(400), .opens("b", to: 2), .time(410),
                .reply(on: "a", reply(code: 2)), .closes("a"), .nothing,
                .time(799), .nothing, .time(800), .opens("c", to: 3),
                .reply(on: "b", reply(9)), .answers(.address(9, from: 2)), .closes("b"),
                .time(4500), .closes("c"),
            ]),
        Scenario(
            "RFC 9520 §3.1: all silent: each is asked at most three times over UDP, then over TCP; SERVFAIL with EDE 22 after 4.5 s",
            [
                .ask(), .opens("a", to: 1), .time(400), .opens("b", to: 2), .time(799), .nothing,
                .time(800), .repeats("a"), .time(1200), .repeats("b"), .time(1600), .repeats("a", edns: false),
                .time(1999), .nothing, .time(2000), .connects("t", to: 2), .time(2599), .nothing, .time(2600),
                .connects("u", to: 1), .time(4499), .nothing,
                .time(4500), .answers(.failure(22)), .closes("a"), .closes("b"), .closes("t"), .closes("u"),
                .time(9000), .nothing,
            ]),
        Scenario(
            "where the host's resolv.conf says timeout:10 clients are given 9.5 s, and slow servers, too",
            [
                .upstreams([1], patience: 9500), .ask(), .opens("a", to: 1), .time(400), .repeats("a"),
                .time(1200), .repeats("a", edns: false), .time(2200), .connects("t", to: 1), .time(9499), .nothing,
                .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("t"), .closes("a"),
            ]),
        Scenario(
            "a single upstream is asked again, on the socket that it may still answer",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .time(400), .repeats("a"), .time(1199), .nothing,
                .time(1200), .repeats("a", edns: false), .time(2199), .nothing, .reply(on: "a", reply(9)),
                .answers(.address(9, from: 1)), .closes("a"),
            ]),
        Scenario(
            "a clock that jumps past the end ends the exchange, without asking anybody first",
            [.ask(), .opens("a", to: 1), .time(60_000), .answers(.failure(22)), .closes("a")]),
        Scenario(
            "two clients, two questions: each gets its own reply",
            [
                .ask(client: 1), .opens("a", to: 1), .time(300), .ask(client: 2, .other), .opens("b", to: 1),
                .time(400), .opens("c", to: 2), .nothing, .time(700), .opens("d", to: 2), .nothing,
                .reply(on: "b", reply(2)), .answers(client: 2, .address(2, from: 1)), .closes("b"),
                .reply(on: "c", reply(3)), .answers(client: 1, .address(3, from: 2)), .closes("c"),
            ]),
    ]

    /// UDP is of no use: filtered, refused, or not to be used.
    static let withoutDatagrams: [Scenario] = [
        Scenario(
            "UDP is filtered: TCP answers, and the next questions go over TCP at once, for 15 min",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .time(400), .repeats("a"), .time(1200), .repeats("a", edns: false),
                .time(2200), .connects("t", to: 1), .stream(on: "t", reply(9)), .answers(.address(9, from: 1)),
                .ask(.other), .reuses("t", "u"), .stream(on: "u", reply(8)), .answers(.address(8, from: 1)),
                .time(4500), .closes("a"), .time(12_200), .closes("t"), .time(902_199), .ask(.numbered(1)),
                .connects("v", to: 1), .stream(on: "v", reply(7)), .answers(.address(7, from: 1)), .time(902_200),
                .ask(.numbered(2)), .opens("b", to: 1), .reply(on: "b", reply(6)), .answers(.address(6, from: 1)),
                .closes("b"),
            ]),
        Scenario(
            "UDP is refused: TCP answers, and the next questions go over TCP at once",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .connects("t", to: 1),
                .stream(on: "t", reply(9)), .answers(.address(9, from: 1)),
                .ask(.other), .reuses("t", "u"), .stream(on: "u", reply(8)), .answers(.address(8, from: 1)),
            ]),
        Scenario(
            "an upstream that is asked over TCP for that is asked over UDP where TCP fails",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .connects("t", to: 1),
                .stream(on: "t", reply(9)), .answers(.address(9, from: 1)), .failure(on: "t"), .closes("t"),
                .ask(.other), .connects("u", to: 1), .failure(on: "u"), .closes("u"), .opens("b", to: 1),
                .reply(on: "b", reply(8)), .answers(.address(8, from: 1)), .closes("b"),
                .ask(.numbered(1)), .opens("c", to: 1),
            ]),
        Scenario(
            "or is silent",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .connects("t", to: 1),
                .stream(on: "t", reply(9)), .answers(.address(9, from: 1)), .failure(on: "t"), .closes("t"),
                .ask(.other), .connects("u", to: 1), .time(800), .opens("b", to: 1),
                .reply(on: "b", reply(8)), .answers(.address(8, from: 1)), .closes("u"), .closes("b"),
            ]),
        Scenario(
            "a late datagram still counts while TCP is tried",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .time(400), .repeats("a"), .time(1200), .repeats("a", edns: false),
                .time(2200), .connects("t", to: 1), .failure(on: "t"), .closes("t"), .nothing, .time(3000),
                .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a"),
            ]),
        Scenario(
            "RFC 9520 §3.2: TCP that fails persistently is left alone for 1 s, 2 s, …",
            upstreams: [1],
            (1...3).flatMap { number -> [Step] in
                [
                    .ask(.numbered(number)), .opens("a", to: 1), .reply(on: "a", truncated), .closes("a"),
                    .connects("t", to: 1), .failure(on: "t"), .closes("t"), .answers(.truncated(from: 1)),
                ]
            },
            [
                .ask(.numbered(4)), .opens("a", to: 1), .reply(on: "a", truncated), .closes("a"),
                .answers(.truncated(from: 1)), .time(1000), .ask(.numbered(5)), .opens("a", to: 1),
                .reply(on: "a", truncated), .closes("a"), .connects("t", to: 1), .stream(on: "t", reply(9)),
                .answers(.address(9, from: 1)),
            ]),
        Scenario(
            "options use-vc: TCP alone, the next upstream over TCP too, and never UDP",
            [
                .upstreams([1, 2], usesStreams: true), .ask(), .connects("t", to: 1), .failure(on: "t"), .closes("t"),
                .connects("u", to: 2), .stream(on: "u", reply(9)), .answers(.address(9, from: 2)),
                .ask(.other), .connects("v", to: 1), .time(800), .reuses("u", "w"), .time(4499), .nothing,
                .time(4500), .answers(.failure(22)), .closes("v"), .closes("u"),
            ]),
    ]

    static let lists: [Scenario] = [
        Scenario(
            "a new list is in force for the next step of an exchange, and the old upstream may still answer",
            upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .upstreams([5, 6]), .nothing,
                .time(400), .opens("b", to: 5), .time(800), .opens("c", to: 6), .nothing,
                .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a"),
            ]),
        Scenario(
            "a new list that keeps the upstream does not open a second socket to it",
            upstreams: [1, 2],
            [
                .ask(), .opens("a", to: 1), .upstreams([1, 3]), .time(400), .opens("b", to: 3), .time(800),
                .repeats("a"), .reply(on: "b", reply(9)), .answers(.address(9, from: 3)), .closes("b"),
            ]),
        Scenario(
            "without a group nobody is asked any more; who was asked already may still answer",
            [
                .ask(), .opens("a", to: 1), .upstreams(nil), .refused(.noUpstreams), .time(400), .repeats("a"),
                .upstreams([]), .refused(.noUpstreams), .reply(on: "a", reply(9)), .answers(.address(9, from: 1)),
                .closes("a"),
            ]),
        Scenario(
            "a server that is named twice is one", upstreams: [1, 1],
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 2)), .closes("a"),
                .answers(.code(2, from: 1)),
            ]),
    ]

    @Test("with 'rotate' each question begins with another server (resolv.conf(5))")
    func rotation() throws {
        var worker = Worker()
        worker.forwarder.setUpstreams(7, UpstreamList(servers: [1, 2, 3].map(server), rotates: true))
        for (number, first) in [1, 2, 3, 1].enumerated() {
            try worker.perform(.ask(.numbered(number)), "")
            try worker.perform(.opens("a", to: UInt8(first)), "")
        }
    }
}
