// Lifetimes of cached answers, and the TTLs in them.

import DNSWire
import Forwarding
import Testing

@Suite("The life of a kept answer")
struct CacheLifeTests {
    @Test("ends when its upstream said", arguments: positive + negative + bounded + failures)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    /// A question that upstream 1 answers at once.
    static func asked(_ upstream: @escaping Upstream, _ expected: Expected, for query: Packet = .plain) -> [Step] {
        [.ask(query), .opens("a", to: 1), .reply(on: "a", upstream), .answers(expected), .closes("a")]
    }

    /// The question has to be asked again.
    static func askedAgain(_ query: Packet = .plain) -> [Step] {
        [.ask(query), .opens("z", to: 1), .abandon(namespace: 1), .closes("z")]
    }

    /// A reply with these records.
    static func records(
        _ answers: [[UInt8]], authorities: [[UInt8]] = [], code: UInt16 = 0
    ) -> Upstream {
        reply { packet in
            packet.flags = 0x8180 | code
            packet.answers = answers
            packet.authorities = authorities
        }
    }

    // MARK: -

    static let positive: [Scenario] = [
        Scenario(
            "RFC 1035 §3.2.1: TTLs count down by the second, and the last is the last",
            asked(reply(9), .address(9, from: 1)),
            [
                .hit(.address(9, ttl: 300)), .time(999), .hit(.address(9, ttl: 300)), .time(1000),
                .hit(.address(9, ttl: 299)), .time(299_999), .hit(.address(9, ttl: 1)), .time(300_000),
            ], askedAgain()),
        Scenario(
            "RFC 1035 §3.2.1: TTL 0 is for who waits, and for nobody else",
            asked(records([Packet.a(9, ttl: 0)]), .address(9, from: 1)), askedAgain()),
        Scenario(
            "RFC 2181 §5.2: the shortest TTL of a set is that of all; each is told as it came",
            asked(records([Packet.a(9, ttl: 300), Packet.a(8, ttl: 2)]), .address(9, from: 1)),
            [
                .time(1999), .hit(Said(last: 9, ttls: [299, 1])), .time(2000),
            ], askedAgain()),
        Scenario(
            "RFC 8767 §4: a TTL with its highest bit set is a large one, and is capped",
            asked(records([Packet.a(9, ttl: 0x8000_0005)]), .address(9, from: 1)),
            [.hit(.address(9, ttl: 86_400)), .time(86_400_000)], askedAgain()),
        Scenario(
            "RFC 8767 §4: so are all bits set, and a SOA record's",
            asked(records([Packet.a(9, ttl: 0xFFFF_FFFF)]), .address(9, from: 1)),
            [.hit(.address(9, ttl: 86_400)), .flush(.everything)],
            asked(
                records([], authorities: [Packet.soa(ttl: 0x8000_0000, minimum: 0xFFFF_FFFF)], code: 3),
                .code(3, from: 1)), [.hit(.no(3, ttl: 300))]),
        Scenario(
            "RFC 1034 §3.6.2: a chain of CNAMEs is kept as one, and goes with its shortest link",
            asked(
                records([
                    Packet.record(5, [1, 99, 0xC0, 16], ttl: 5),
                    Packet.record(1, [192, 0, 2, 9], owner: [1, 99, 0xC0, 16], ttl: 60),
                ]), .address(16, from: 1)), [.time(4000), .hit(Said(last: 16, ttls: [1, 56])), .time(5000)],
            askedAgain()),
        Scenario(
            "records beside the answer count: what is told has not expired",
            asked(
                records([Packet.a(9)], authorities: [Packet.record(2, [0], owner: [0], ttl: 10)]),
                .address(9, from: 1)), [.time(9000), .hit(Said(last: 9, ttls: [291, 1])), .time(10_000)], askedAgain()),
        Scenario(
            "RFC 2181 §9: what was cut off is not kept",
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", truncated), .closes("a"), .connects("t", to: 1),
                .stream(on: "t", reply(9) { $0.flags |= 0x0200 }), .answers(.truncated(from: 1)),
            ], askedAgain()),
        Scenario(
            "RFC 6895 §3.1: what is no question about data is not kept",
            asked(records([Packet.record(249, [1, 2, 3, 9])]), .address(9, from: 1), for: typed(249)),
            askedAgain(typed(249))),
        Scenario(
            "RFC 8482: ANY is kept for ANY alone",
            asked(records([Packet.a(9)]), .address(9, from: 1), for: typed(255)),
            [.hit(.address(9, ttl: 300), of: typed(255))], askedAgain()),
        Scenario(
            "a new answer takes the place of the old one",
            asked(reply(9), .address(9, from: 1)), [.time(300_000)], asked(reply(8), .address(8, from: 1)),
            [.hit(.address(8, ttl: 300))]),
        Scenario(
            "a new answer that is not to be kept takes the old one with it",
            asked(records([Packet.a(9, ttl: 1)]), .address(9, from: 1)), [.time(1000)],
            asked(records([Packet.a(8, ttl: 0)]), .address(8, from: 1)), askedAgain()),
    ]

    static func typed(_ type: UInt16) -> Packet {
        var packet = Packet.plain
        packet.question = Packet.question("www.example.com", type: type)
        return packet
    }

    static let negative: [Scenario] = [
        Scenario(
            "RFC 2308 §5: NXDOMAIN lives as long as the SOA record's MINIMUM",
            asked(records([], authorities: [Packet.soa(ttl: 600, minimum: 60)], code: 3), .code(3, from: 1)),
            [.hit(.no(3, ttl: 60)), .time(59_000), .hit(.no(3, ttl: 1)), .time(60_000)], askedAgain()),
        Scenario(
            "RFC 2308 §5: NXDOMAIN is about the name, whatever type is asked for",
            asked(records([], authorities: [Packet.soa(ttl: 600, minimum: 60)], code: 3), .code(3, from: 1)),
            [
                .hit(.no(3, ttl: 60), of: typed(28)), .hit(.no(3, ttl: 60), of: typed(65)), .time(60_000),
            ], askedAgain(typed(28))),
        Scenario(
            "RFC 2308 §2.2: that a name has no such data is about that type alone",
            asked(records([], authorities: [Packet.soa(ttl: 600, minimum: 60)]), .code(0, from: 1)),
            askedAgain(typed(28))),
        Scenario(
            "RFC 2308 §2.1: the NXDOMAIN of what a CNAME leads to is not about the name",
            asked(
                records(
                    [Packet.record(5, [1, 99, 0xC0, 16], ttl: 50)], authorities: [Packet.soa(ttl: 600, minimum: 60)],
                    code: 3), .code(3, from: 1)), askedAgain(typed(28))),
        Scenario(
            "a name that appears is not denied any more, for any type",
            asked(
                records([], authorities: [Packet.soa(ttl: 600, minimum: 60)], code: 3), .code(3, from: 1),
                for: typed(28)),
            [.flush(.suffix(.root))],
            asked(records([], authorities: [Packet.soa(ttl: 600, minimum: 1)], code: 3), .code(3, from: 1)),
            [.time(1000)], asked(reply(9), .address(9, from: 1), for: typed(28)), askedAgain()),
        Scenario(
            "a name that goes is denied for all types whose answers have ended",
            asked(records([Packet.a(9, ttl: 10)]), .address(9, from: 1)),
            asked(
                records([], authorities: [Packet.soa(ttl: 600, minimum: 60)], code: 3), .code(3, from: 1),
                for: typed(28)),
            [.hit(.address(9, ttl: 10)), .time(10_000), .hit(.no(3, ttl: 50))]),
        Scenario(
            "RFC 2308 §5: and not longer than its TTL",
            asked(records([], authorities: [Packet.soa(ttl: 30, minimum: 60)], code: 3), .code(3, from: 1)),
            [.hit(.no(3, ttl: 30)), .time(30_000)], askedAgain()),
        Scenario(
            "RFC 2308 §2.2: so does a name without such data",
            asked(records([], authorities: [Packet.soa(ttl: 600, minimum: 60)]), .code(0, from: 1)),
            [.hit(.no(0, ttl: 60)), .time(60_000)], askedAgain()),
        Scenario(
            "RFC 2308 §5: a \"no\" without a SOA record is not kept",
            asked(records([], code: 3), .code(3, from: 1)), asked(records([]), .code(0, from: 1)), askedAgain()),
        Scenario(
            "RFC 2308 §2.2: a referral is no \"no\"",
            asked(records([], authorities: [Packet.record(2, [0], owner: [0xC0, 16])]), .code(0, from: 1)), askedAgain()
        ),
        Scenario(
            "RFC 2308 §2.2.1: a chain that ends at nothing is kept as long as its shortest link and its SOA record",
            asked(
                records(
                    [Packet.record(5, [1, 99, 0xC0, 16], ttl: 5)], authorities: [Packet.soa(ttl: 600, minimum: 60)],
                    code: 3), .code(3, from: 1)),
            [.time(4000), .hit(Said(code: 3, last: 16, ttls: [1, 56])), .time(5000)], askedAgain()),
        Scenario(
            "a chain without its end, and without a SOA record, is not kept",
            asked(records([Packet.record(5, [1, 99, 0xC0, 16])]), .address(16, from: 1)), askedAgain()),
        Scenario(
            "a MINIMUM of 0: not kept",
            asked(records([], authorities: [Packet.soa(ttl: 600, minimum: 0)], code: 3), .code(3, from: 1)),
            askedAgain()),
        Scenario(
            "of two SOA records the shorter counts",
            asked(
                records(
                    [], authorities: [Packet.soa(ttl: 600, minimum: 60), Packet.soa(ttl: 600, minimum: 7)], code: 3),
                .code(3, from: 1)), [.time(6000), .hit(Said(code: 3, ttls: [594, 1])), .time(7000)], askedAgain()),
    ]

    static let bounded: [Scenario] = [
        Scenario(
            "max-ttl lowers what is told and what is kept", policy: .plain(maximumTTL: 10),
            asked(reply(9), .address(9, from: 1)),
            [.hit(.address(9, ttl: 10)), .time(9999), .hit(.address(9, ttl: 1)), .time(10_000)], askedAgain()),
        Scenario(
            "by default it is a day",
            asked(records([Packet.a(9, ttl: 604_800)]), .address(9, from: 1)),
            [.hit(.address(9, ttl: 86_400)), .time(86_400_000)], askedAgain()),
        Scenario(
            "min-ttl raises them", policy: .plain(minimumTTL: 60),
            asked(records([Packet.a(9, ttl: 5)]), .address(9, from: 1)),
            [.hit(.address(9, ttl: 60)), .time(59_000), .hit(.address(9, ttl: 1)), .time(60_000)], askedAgain()),
        Scenario(
            "but TTL 0 stays 0", policy: .plain(minimumTTL: 60),
            asked(records([Packet.a(9, ttl: 0)]), .address(9, from: 1)), askedAgain()),
        Scenario(
            "max-negative-ttl: 5 min by default",
            asked(records([], authorities: [Packet.soa(ttl: 3600, minimum: 3600)], code: 3), .code(3, from: 1)),
            [.hit(.no(3, ttl: 300)), .time(300_000)], askedAgain()),
        Scenario(
            "max-negative-ttl 0: a \"no\" is not kept", policy: .plain(maximumNegativeTTL: 0),
            asked(records([], authorities: [Packet.soa(ttl: 3600, minimum: 3600)], code: 3), .code(3, from: 1)),
            askedAgain()),
        Scenario(
            "without memory nothing is kept", policy: .plain(capacity: 0),
            asked(reply(9), .address(9, from: 1)), askedAgain()),
    ]

    /// A question that upstream 1 answers with SERVFAIL.
    private static func failed(at time: Int) -> [Step] {
        [
            .time(time), .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 2)), .closes("a"),
            .answers(.code(2, from: 1)), .hit(Said(code: 2)),
        ]
    }

    static let failures: [Scenario] = [
        Scenario(
            "RFC 9520 §3.2: that upstreams cannot answer is remembered for 5 s, whoever asks", upstreams: [1],
            [
                .ask(), .opens("a", to: 1),
                .reply(
                    on: "a",
                    reply {
                        $0.flags = 0x8182; $0.answers = []
                        $0.additionals = [Packet.opt(options: Packet.extendedError(6, "bogus"))]
                    }),
                .closes("a"), .answers(.code(2, from: 1)), .hit(Said(code: 2, errors: [6])),
                .time(4999), .hit(Said(code: 2, errors: [6]), namespace: 2), .time(5000),
            ], askedAgain()),
        Scenario(
            "RFC 9520 §3.2: that nobody answered, for 1 s", upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .failure(on: "a"), .closes("a"), .connects("t", to: 1), .failure(on: "t"),
                .closes("t"), .answers(.failure(22)), .hit(Said(code: 2, errors: [22])), .time(999),
                .hit(Said(code: 2, errors: [22])), .time(1000),
            ], askedAgain()),
        Scenario(
            "RFC 9520 §2.1: REFUSED by all is a failure too", upstreams: [1],
            [
                .ask(), .opens("a", to: 1), .reply(on: "a", reply(code: 5)), .closes("a"), .answers(.code(5, from: 1)),
                .hit(Said(code: 5)), .time(5000),
            ], askedAgain()),
        Scenario(
            "RFC 9520 §3.2: what fails again is remembered twice as long each time, at most a minute", upstreams: [1],
            failed(at: 0), failed(at: 5000), failed(at: 15_000), failed(at: 35_000), failed(at: 75_000),
            failed(at: 135_000), [.time(194_999), .hit(Said(code: 2)), .time(195_000)], askedAgain()),
        Scenario(
            "RFC 9520 §3.2: an answer in between, or five minutes without a question, begin anew", upstreams: [1],
            failed(at: 0), failed(at: 5000), [.time(15_000)],
            asked(records([Packet.a(9, ttl: 0)]), .address(9, from: 1)), failed(at: 16_000), failed(at: 21_000),
            [.time(331_000)], failed(at: 331_000), [.time(336_000)], askedAgain()),
        Scenario(
            "other codes are passed on and not kept",
            asked(reply(code: 6), .code(6, from: 1)), askedAgain()),
    ]
}
