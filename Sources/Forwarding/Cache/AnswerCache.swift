// Answers of upstreams, kept while they hold, and a while longer for the time when nobody answers.

import DNSWire
import Tables

/// The cache of one worker. Looking up and writing an answer allocates nothing and counts no references.
///
/// It never takes more memory than its policy says: messages and what is known of them lie in a ring (``AnswerRing``), and
/// are found by an index of hashes, and both have their share from the beginning.
struct AnswerCache: Sendable {

    /// Milliseconds that an answer serves beyond its life, while no upstream answers (RFC 8767 §5: 1 to 3 days).
    static let staleTime: UInt64 = 86_400_000

    private(set) var policy: CachePolicy
    let hash: NameHash
    /// The moment at which the cache's clock began.
    private let epoch: Moment
    var ring: AnswerRing
    /// The numbers of entries, see ``AnswerRing/number(of:)``.
    var index: HashIndex
    var counters = CacheCounters()

    /// - Parameter seed: a secret that nobody outside knows.
    init(_ policy: CachePolicy, seed: UInt64, now: Moment) {
        self.init(policy, NameHash(seed: seed), now)
    }

    /// The part of the memory that the index may take.
    private static let indexPart = 8

    private init(_ policy: CachePolicy, _ hash: NameHash, _ now: Moment) {
        self.policy = policy
        self.hash = hash
        epoch = now
        // An entry has 100 octets and more; so an eighth for the table is always enough.
        index = HashIndex(octets: policy.capacity / Self.indexPart)
        ring = AnswerRing(capacity: max(0, policy.capacity - index.maximumOctets))
    }

    /// Changes the rules. Another capacity is another cache, which is empty; what is kept keeps its life.
    mutating func setPolicy(_ policy: CachePolicy) {
        if policy.capacity == self.policy.capacity {
            self.policy = policy
        } else {
            let counters = counters
            self = AnswerCache(policy, hash, epoch)
            self.counters = counters
        }
    }

    // MARK: - Looking up

    /// An entry, and where it lies: good until the cache is changed.
    struct Kept {
        let place: Int
        let entry: CacheEntry
    }

    /// The result of looking up a key.
    enum Finding {
        case nothing
        /// In its life, this many seconds old. `isDue`: it is popular and near its end, and nobody renews it yet.
        case fresh(Kept, age: UInt32, isDue: Bool)
        /// Past its life, for when nobody answers; `isHeld`: who was asked has just failed, and is not to be asked again.
        case stale(Kept, isHeld: Bool)
    }

    /// Looks an answer up; gives it another round in the ring.
    mutating func find(_ key: AnswerKey, _ now: Moment) -> Finding {
        let time = milliseconds(now)
        guard let kept = kept(key, time) else { return .nothing }
        if time < kept.entry.expiry {
            let (age, isDue) = use(kept, time)
            return .fresh(kept, age: age, isDue: isDue)
        }
        guard mayServeStale(kept.entry, time) else { return .nothing }
        touch(kept)
        return .stale(kept, isHeld: time < kept.entry.hold)
    }

    /// The age in seconds of an answer in its life, and whether it is to be renewed; gives it another round in the ring.
    @inline(__always)
    private mutating func use(_ kept: Kept, _ time: UInt64) -> (age: UInt32, isDue: Bool) {
        let entry = kept.entry
        let age = time - min(entry.born, time)
        // What is hardly ever so comes first.
        let isDue =
            age >= UInt64(entry.life) * Self.renewalAge && policy.prefetches && entry.state == .alive
            && entry.asked >= Self.renewalRequests && !entry.isFailure && time >= entry.hold
        touch(kept)
        return (UInt32(truncatingIfNeeded: age / 1000), isDue)
    }

    /// Milliseconds for each second of its life after which a popular answer is renewed: nine tenths, as unbound does
    /// (unbound.conf(5), `prefetch`).
    private static let renewalAge: UInt64 = 900
    /// Requests in an answer's life that make it popular.
    private static let renewalRequests: UInt8 = 2

    /// True when there is an answer that is past its life and may serve.
    func hasStale(_ key: AnswerKey, _ now: Moment) -> Bool {
        let time = milliseconds(now)
        return kept(key, time).map { mayServeStale($0.entry, time) } ?? false
    }

    /// That answer, taken along.
    func staleBody(_ key: AnswerKey, _ now: Moment) -> AnswerBody? {
        let time = milliseconds(now)
        guard let kept = kept(key, time), mayServeStale(kept.entry, time) else { return nil }
        return AnswerBody(form(kept))
    }

    /// True when an answer may serve although its life is over, or will be soon.
    @inline(__always)
    func mayServeStale(_ entry: CacheEntry, _ time: UInt64) -> Bool {
        policy.servesStale && !entry.isFailure && time < entry.expiry + Self.staleTime
    }

    /// The best that is known for a key: an answer to the question, or that its name does not exist. What is in its life comes
    /// first, then the younger.
    func kept(_ key: AnswerKey, _ time: UInt64) -> Kept? {
        let exact = keptExactly(key)
        if let exact, time < exact.entry.expiry { return exact }
        guard let denial = keptExactly(key.ofEveryType), denial.entry.responseCode == .nameError else { return exact }
        guard let exact, time >= denial.entry.expiry, exact.entry.born > denial.entry.born else { return denial }
        return exact
    }

    /// Looks up what is kept under one key, and changes nothing.
    @inline(__always)
    func keptExactly(_ key: AnswerKey) -> Kept? {
        var probe = index.probe(key.hash(hash))
        while let number = index.next(&probe) {
            let place = AnswerRing.place(of: number)
            guard matches(key, ring.entry(place), at: place) else { continue }
            // Read behind the comparison of names, which is a call: whatever was read before it is saved octet by octet, and
            // put together again, for a third of a look-up's instructions.
            return Kept(place: place, entry: ring.entry(place))
        }
        return nil
    }

    @inline(__always)
    private func matches(_ key: AnswerKey, _ entry: CacheEntry, at place: Int) -> Bool {
        let nameEnd = Header.length &+ key.name.count
        guard entry.circumstances == key.circumstances, Int(entry.questionEnd) == nameEnd &+ Question.fixedLength else {
            return false
        }
        let message = ring.octets.span.extracting(entry.message(place))
        let typeAndClass = UInt32(key.type.rawValue) << 16 | UInt32(key.recordClass.rawValue)
        guard message.word32(nameEnd) == typeAndClass else { return false }
        return message.extracting(Header.length..<nameEnd).isEqual(to: key.name)
    }

    @inline(__always)
    private mutating func touch(_ kept: Kept) {
        if kept.entry.rounds < CacheEntry.maximumRounds {
            ring.octets[kept.place + CacheEntry.Field.rounds] = kept.entry.rounds + 1
        }
        if kept.entry.asked < CacheEntry.maximumAsked {
            ring.octets[kept.place + CacheEntry.Field.asked] = kept.entry.asked + 1
        }
    }

    /// Milliseconds since this cache began.
    @inline(__always)
    func milliseconds(_ now: Moment) -> UInt64 { UInt64(max(0, (now - epoch).milliseconds)) }

    // MARK: - Answering

    /// An answer that was written.
    struct Hit {
        /// Its octets.
        let length: Int
        /// The place of its entry, if it is to be renewed before it expires.
        let dueAt: Int?
        /// The code in its header.
        let responseCode: ResponseCode
        /// See ``AnswerBody/mayLeadElsewhere``.
        let mayLeadElsewhere: Bool
    }

    /// Writes what is kept under a key for a client, see ``AnswerForm/write(to:question:into:limit:)``; nil where there is
    /// nothing that may serve before upstreams were asked.
    @inline(__always)
    mutating func answer(
        _ key: AnswerKey, to client: ClientQuery, question: Span<UInt8>, _ now: Moment,
        into buffer: consuming MutableSpan<UInt8>, limit: Int
    ) -> Hit? {
        let time = milliseconds(now)
        // An answer to this very question, in its life: as nearly always. Written here, so that what is known of it stays in
        // registers: a finding that comes from two places lies in memory.
        guard let kept = keptExactly(key), time < kept.entry.expiry else {
            return answerOther(key, to: client, question: question, now, into: buffer, limit: limit)
        }
        let (age, isDue) = use(kept, time)
        counters.hits &+= 1
        let length = form(kept, .age(age)).write(to: client, question: question, into: buffer, limit: limit)
        return Hit(
            length: length, dueAt: isDue ? kept.place : nil, responseCode: kept.entry.responseCode,
            mayLeadElsewhere: kept.entry.mayLeadElsewhere)
    }

    /// The same where an answer to the very question is not there, or is past its life.
    @inline(never)
    private mutating func answerOther(
        _ key: AnswerKey, to client: ClientQuery, question: Span<UInt8>, _ now: Moment,
        into buffer: consuming MutableSpan<UInt8>, limit: Int
    ) -> Hit? {
        let (kept, time, isDue): (Kept, AnswerForm.Time, Bool)
        switch find(key, now) {
        case .fresh(let found, let age, let due): (kept, time, isDue) = (found, .age(age), due)
        case .stale(let found, isHeld: true):
            (kept, time, isDue) = (found, .stale, false)
            counters.stale &+= 1
        case .stale(_, isHeld: false), .nothing: return nil
        }
        counters.hits &+= 1
        let length = form(kept, time).write(to: client, question: question, into: buffer, limit: limit)
        return Hit(
            length: length, dueAt: isDue ? kept.place : nil, responseCode: kept.entry.responseCode,
            mayLeadElsewhere: kept.entry.mayLeadElsewhere)
    }

    /// A kept answer, lent.
    @inline(__always)
    @_lifetime(borrow self)
    func form(_ kept: Kept, _ time: AnswerForm.Time = .age(0)) -> AnswerForm {
        let octets = ring.octets.span
        let (place, entry) = (kept.place, kept.entry)
        return AnswerForm(
            message: octets.extracting(entry.message(place)), questionEnd: Int(entry.questionEnd),
            responseCode: entry.responseCode, options: octets.extracting(entry.options(place)),
            ttlOffsets: octets.extracting(entry.ttlOffsets(place)), time: time, run: entry.run, turn: counters.hits)
    }
}
