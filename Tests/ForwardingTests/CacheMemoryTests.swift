// Memory of the cache: insertion, eviction, and no answer to another question.

import DNSWire
import Tables
import Testing

@testable import Forwarding

/// A cache and a clock, without exchanges.
struct Store: ~Copyable {
    var cache: AnswerCache
    let start = Moment(nanoseconds: 1_000_000)
    var now: Moment
    private var name = FoldedName()
    private let body: AnswerBody

    init(_ policy: CachePolicy) throws {
        now = start
        cache = AnswerCache(policy, seed: 7, now: start)
        body = try Self.body("x")
    }

    /// An answer with one A record and a TTL of 300 s.
    static func body(_ name: String, padding: Int = 0) throws -> AnswerBody {
        var packet = Packet(flags: 0x8180, question: Packet.question(name, type: 1), answers: [Packet.a(1)])
        if padding > 0 { packet.answers.append(Packet.record(16, [UInt8](repeating: 0, count: padding))) }
        var scratch = FoldedName()
        return try AnswerBody(packet.bytes.span, CachePolicy(), name: &scratch)
    }

    private mutating func key(_ name: String) -> QuestionKey {
        let octets = [UInt8](repeating: 0, count: 12) + Packet.question(name, type: 1)
        _ = try? self.name.read(octets.span, at: 12)
        let question = Question(nameOffset: 12, endOffset: octets.count, type: .a, recordClass: .in)
        return QuestionKey(self.name, question, Circumstances(scope: 1, bits: 0), cache.hash)
    }

    mutating func keep(_ name: String, life: UInt32 = 300, padding: Int = 0) throws {
        let key = key(name)
        cache.keep(try Self.body(name, padding: padding), under: key.lent, life: life, asked: 1, now)
    }

    /// The age of a kept answer; nil where there is none.
    mutating func age(_ name: String) -> UInt32? {
        let key = key(name)
        guard case .fresh(let place, let age, _) = cache.find(key.lent, now) else { return nil }
        // An answer that is found must be about the question.
        #expect(AnswerBody(cache.form(place)).message[12...].starts(with: key.question))
        return age
    }

    /// Walks over all that is kept.
    borrowing func check(sourceLocation: SourceLocation = #_sourceLocation) {
        var entries = 0
        var octets = 0
        var offset = cache.ring.oldest
        while let place = offset {
            let entry = cache.ring.entry(place)
            if entry.state != .dead {
                entries += 1
                octets += Int(entry.size)
                var probe = cache.index.probe(entry.hash)
                var isFound = false
                while let found = cache.index.next(&probe) {
                    isFound = isFound || found == AnswerRing.number(of: place)
                }
                #expect(isFound, "an entry is in the table", sourceLocation: sourceLocation)
            }
            offset = cache.ring.next(place, size: Int(entry.size))
        }
        #expect(cache.counters.entries == entries && cache.index.count == entries, sourceLocation: sourceLocation)
        #expect(cache.counters.octets == octets, sourceLocation: sourceLocation)
        #expect(
            cache.ring.octets.count + cache.index.maximumOctets <= cache.policy.capacity, sourceLocation: sourceLocation
        )
    }
}

@Suite("The memory of the cache")
struct CacheMemoryTests {
    @Test("never exceeds its bound, and is used", arguments: [4096, 65_536, 1 << 20])
    func bound(capacity: Int) throws {
        var store = try Store(CachePolicy(capacity: capacity))
        for number in 0..<capacity / 50 {
            try store.keep("name\(number).example", padding: number % 7 * 20)
            if number % 1000 == 0 { store.check() }
        }
        store.check()
        #expect(store.cache.counters.octets > capacity / 2, "\(store.cache.counters)")
        #expect(store.cache.counters.evictions > 0)
        #expect(store.age("name\(capacity / 50 - 1).example") == 0, "the youngest is there")
    }

    @Test("keeps what is asked for all the time through a scan of names that nobody asks for again")
    func scan() throws {
        var store = try Store(CachePolicy(capacity: 128 << 10))
        let hot = (0..<100).map { "hot\($0).example" }
        for name in hot { try store.keep(name) }
        for number in 0..<20_000 {
            try store.keep("scan\(number).example")
            // Each of them once in 300 names; several hundred fit.
            if number % 3 == 0 { #expect(store.age(hot[number / 3 % 100]) != nil) }
        }
        store.check()
        #expect(store.cache.counters.evictions > 18_000)
    }

    @Test("keeps what was popular through three rounds of a scan, without a further question")
    func rounds() throws {
        var store = try Store(CachePolicy(capacity: 128 << 10))
        try store.keep("hot.example")
        for _ in 0..<3 { _ = store.age("hot.example") }
        for number in 0..<3500 { try store.keep("scan\(number).example") }
        #expect(store.cache.counters.evictions > 2 * store.cache.counters.entries)
        #expect(store.age("hot.example") != nil)
    }

    @Test("is not moved about when everything in it is popular: each insertion has a bound")
    func popular() throws {
        var store = try Store(CachePolicy(capacity: 64 << 10))
        for number in 0..<1000 {
            try store.keep("name\(number).example")
            for _ in 0..<3 { _ = store.age("name\(number).example") }
        }
        store.check()
        #expect(store.cache.counters.evictions > 400)
        #expect(store.cache.counters.entries > 400)
    }

    @Test("has no room for an answer of more than an eighth of it, and forgets the one before it")
    func large() throws {
        var store = try Store(CachePolicy(capacity: 32 << 10))
        try store.keep("a.example")
        try store.keep("a.example", padding: 5000)
        #expect(store.age("a.example") == nil)
        store.check()
    }

    @Test("an answer that takes the place of another takes no further room where it fits")
    func replacement() throws {
        var store = try Store(CachePolicy(capacity: 64 << 10))
        try store.keep("a.example", padding: 40)
        let octets = store.cache.ring.octets.count
        for padding in [40, 0, 40, 20] {
            store.now += .seconds(1)
            try store.keep("a.example", padding: padding)
            #expect(store.age("a.example") == 0)
        }
        #expect(store.cache.ring.octets.count == octets)
        try store.keep("a.example", padding: 200)
        #expect(store.cache.ring.octets.count > octets)
        store.check()
    }

    @Test(
        "says what a dictionary would say, or nothing where that had to go", arguments: 1...6, [2048, 16_384, 1 << 20])
    func model(seed: UInt64, capacity: Int) throws {
        var random = Numbers(state: seed)
        var store = try Store(CachePolicy(capacity: capacity, servesStale: false))
        var model: [String: (born: Int, life: Int)] = [:]
        var seconds = 0
        for _ in 0..<3000 {
            let name = "n\(random.next() % 200).example"
            switch random.next() % 20 {
            case 0:
                seconds += Int(random.next() % 20)
                store.now = store.start + .seconds(seconds)
            case 1..<8:
                let life = Int(random.next() % 60)
                try store.keep(name, life: UInt32(life), padding: Int(random.next() % 300))
                model[name] = (seconds, life)
            case 8 where random.next() % 8 == 0:
                _ = store.cache.flush(.name((try? Name(name)) ?? .root))
                model[name] = nil
            default:
                let age = store.age(name)
                let known = model[name].flatMap { seconds - $0.born < $0.life ? UInt32(seconds - $0.born) : nil }
                #expect(age == known || age == nil && capacity < 1 << 20, "\(name) at \(seconds) s")
            }
        }
        store.check()
    }
}

/// Numbers that look like chance and are the same each time: splitmix64.
struct Numbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
