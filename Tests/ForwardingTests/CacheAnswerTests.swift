// Cached answers: for which queries, and in which form.

import DNSWire
import Forwarding
import Testing

@Suite("A kept answer")
struct CacheAnswerTests {
    @Test("is for who asks the same, of the same", arguments: scenarios)
    func scenario(_ scenario: Scenario) throws {
        try scenario.run()
    }

    private static let kept = CacheLifeTests.asked(reply(9), .address(9, from: 1))
    private static let nine = Said.address(9, ttl: 300)

    static func query(_ change: (inout Packet) -> Void) -> Packet {
        var packet = Packet.plain
        change(&packet)
        return packet
    }

    private static let checkingDisabled = query { $0.flags |= 0x0010 }
    private static let dnssec = query { $0.additionals = [Packet.opt(dnssecOK: true)] }
    private static let ipv6 = query { $0.question = Packet.question("www.example.com", type: 28) }
    private static let chaos = query {
        $0.question = Packet.question("www.example.com", type: 1, recordClass: 3)
    }
    private static let noRecursion = query { $0.flags = 0 }

    /// To another group, or from another namespace: asked anew.
    private static func asked(
        _ last: UInt8, of query: Packet = .plain, namespace: UInt32 = 1, group: UInt32 = 7
    ) -> [Step] {
        [
            .ask(namespace: namespace, group: group, query), .opens("b", to: 1), .reply(on: "b", reply(last)),
            .answers(.address(last, from: 1)), .closes("b"),
        ]
    }

    static let scenarios: [Scenario] = [
        Scenario(
            "RFC 4343: the name in any spelling, answered as it was spelled",
            kept, [.hit(nine, of: query { $0.question = Packet.question("wWw.EXAMPLE.com", type: 1) })]),
        Scenario(
            "another client's id, without EDNS", kept,
            [
                .hit(
                    nine,
                    of: query {
                        $0.id = 7; $0.additionals = []
                    })
            ]),
        Scenario("whoever asks, of those who share the upstreams", kept, [.hit(nine, namespace: 2)]),
        Scenario(
            "not another name", kept, asked(8, of: .other), [.hit(nine), .hit(.address(8, ttl: 300), of: .other)]),
        Scenario("not another type", kept, asked(8, of: ipv6), [.hit(nine)]),
        Scenario("not another class", kept, asked(8, of: chaos), [.hit(nine)]),
        Scenario("RFC 3225 §3: not with another DO", kept, asked(8, of: dnssec), [.hit(nine)]),
        Scenario("RFC 4035 §3.2.2: not with another CD", kept, asked(8, of: checkingDisabled), [.hit(nine)]),
        Scenario(
            "not from another group of upstreams",
            kept, [.upstreams([1], group: 3)], asked(8, group: 3),
            [
                .hit(nine), .hit(.address(8, ttl: 300), group: 3),
            ]),
        Scenario(
            "not from another namespace, where upstreams are asked from the namespace of who asks",
            [.upstreams([1], .namespace, group: 3)], asked(9, namespace: 4, group: 3), asked(8, namespace: 5, group: 3),
            [
                .hit(nine, namespace: 4, group: 3), .hit(.address(8, ttl: 300), namespace: 5, group: 3),
            ]),
        Scenario(
            "not from a namespace that is gone, by another that has its number",
            [.upstreams([1], .namespace, group: 3)], asked(9, namespace: 4, group: 3), asked(8, namespace: 5, group: 3),
            [.abandon(namespace: 4)], asked(7, namespace: 4, group: 3),
            [
                .hit(.address(8, ttl: 300), namespace: 5, group: 3)
            ]),
        Scenario(
            "RFC 1034 §4.3.1: without RD what is kept is told, and what is told is not kept",
            asked(8, of: noRecursion), kept, [.hit(nine, of: noRecursion)]),
        Scenario("a new list of upstreams: what the old ones said is forgotten", kept, [.upstreams([1])], asked(8)),
        Scenario("the same list once more: it is kept", kept, [.upstreams([1, 2]), .hit(nine)]),
        Scenario(
            "a group that is gone takes its answers with it",
            kept, [.upstreams(nil), .refused(.noUpstreams), .upstreams([1, 2])], asked(8)),
        Scenario(
            "flush of a name: all types of it, and no other",
            kept, asked(8, of: ipv6), asked(7, of: .other), [.flush(.name(name("WWW.example.com")))], asked(9),
            asked(9, of: ipv6), [.hit(.address(7, ttl: 300), of: .other)]),
        Scenario("flush of a name: not of those under it", kept, [.flush(.name(name("example.com"))), .hit(nine)]),
        Scenario(
            "flush of a suffix: of names under it, whole labels",
            kept, [.flush(.suffix(name("ample.com"))), .hit(nine), .flush(.suffix(name("Example.com")))], asked(8)),
        Scenario("flush of a suffix: of the name itself", kept, [.flush(.suffix(name("www.example.com")))], asked(8)),
        Scenario("flush of everything", kept, [.flush(.everything)], asked(8)),
        Scenario("flush of the root's suffix is everything", kept, [.flush(.suffix(.root))], asked(8)),
        Scenario("new rules keep what is kept", kept, [.policy(.plain(maximumTTL: 3)), .hit(nine)]),
        Scenario(
            "another size begins anew", kept, [.policy(.plain(capacity: 1 << 19))], asked(8),
            [
                .hit(.address(8, ttl: 300))
            ]),
        Scenario(
            "Extended DNS Errors are kept with it",
            [
                .ask(), .opens("a", to: 1),
                .reply(on: "a", reply(9) { $0.additionals = [Packet.opt(options: Packet.extendedError(22, "so so"))] }),
                .answers(.address(9, from: 1)), .closes("a"), .hit(Said(last: 9, ttls: [300], errors: [22])),
            ]),
    ]

    static func name(_ text: String) -> Name { (try? Name(text)) ?? .root }

    /// A forwarder that keeps an answer to `query`.
    static func worker(_ query: Packet = .plain, _ upstream: Upstream) throws -> Worker {
        var worker = Worker()
        _ = try worker.ask(query)
        try worker.perform(.opens("a", to: 1), "")
        try worker.receive(upstream(try worker.asked("a")), on: "a")
        while worker.forwarder.nextAction() != nil {}
        return worker
    }

    @Test(
        "RFC 6840 §5.8: says that its data are authentic to who asks for that",
        arguments: [(UInt16(0x0100), false, false), (0x0120, false, true), (0x0100, true, true)])
    func authenticData(flags: UInt16, dnssecOK: Bool, isTold: Bool) throws {
        var query = Packet.plain
        query.flags = flags
        query.additionals = [Packet.opt(dnssecOK: dnssecOK)]
        var worker = try Self.worker(query) { reply { $0.flags |= 0x0020 }($0) }
        let answer = try worker.parsed(query)
        #expect(answer.flags & 0x0020 == (isTold ? 0x0020 : 0))
    }

    @Test("RFC 1035 §4.1.1: is no authority's word, though it was when it came")
    func authority() throws {
        var worker = try Self.worker { reply { $0.flags |= 0x0400 }($0) }
        #expect(try worker.parsed(.plain).flags & 0x0400 == 0)
    }

    @Test(
        "is cut to what its client takes, with TC, and whole over TCP",
        arguments: [nil, 512, 1000, 1232, 3000] as [UInt16?])
    func truncation(size: UInt16?) throws {
        let answers = (0..<200).map { Packet.a(UInt8($0)) }
        var worker = try Self.worker { reply { $0.answers = answers }($0) }
        worker.now = worker.start + .seconds(1)
        let query = AnswerTests.query(opt: size.map { Packet.opt(size: $0) })
        let limit = Int(max(size ?? 512, 512))
        let short = try worker.cached(query)?.count ?? 0
        let cut = try worker.parsed(query)
        #expect(cut.isTruncated && short <= limit && short + 16 > limit)
        #expect(cut.ttls.allSatisfy { $0 == 299 } && cut.rest == [])
        let whole = try worker.parsed(query, over: .stream)
        #expect(whole.sections[0].count == 200 && !whole.isTruncated && whole.ttls.allSatisfy { $0 == 299 })
    }

    @Test("has all records as they came, but for their TTLs")
    func records() throws {
        let packet = Packet(
            flags: 0x8180,
            answers: [
                Packet.record(5, [3, 99, 100, 110, 0xC0, 16], ttl: 100),
                Packet.record(65_280, [0xC0, 0x0C, 0, 255], owner: [3, 99, 100, 110, 0xC0, 16], ttl: 100),
                Packet.a(1, ttl: 100),
            ],
            authorities: [Packet.record(2, [2, 110, 115, 0xC0, 16], owner: [0xC0, 16], ttl: 100)],
            additionals: [
                Packet.record(28, [UInt8](repeating: 1, count: 16), owner: [2, 110, 115, 0xC0, 16], ttl: 100)
            ])
        var worker = try Self.worker { asked in
            var answer = packet
            answer.id = asked.id
            return answer.bytes
        }
        var expected = packet
        expected.id = Packet.plain.id
        expected.additionals.append(Packet.opt())
        #expect(try worker.cached(.plain) == expected.bytes)
    }

    @Test("counts as a hit, and what had to be asked for as a miss")
    func counters() throws {
        var worker = try Self.worker { reply()($0) }
        for _ in 0..<3 { _ = try worker.cached(.plain) }
        let counters = worker.forwarder.cacheCounters
        #expect(counters.hits == 3 && counters.misses == 1 && counters.entries == 1)
        #expect(counters.octets > reply()(.plain).count)
        #expect(worker.forwarder.flush(.everything) == 1)
        #expect(worker.forwarder.cacheCounters.entries == 0 && worker.forwarder.cacheCounters.octets == 0)
    }
}
