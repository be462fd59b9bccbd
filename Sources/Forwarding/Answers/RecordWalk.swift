// The time that a reply may be cached, as its records say.

import DNSWire

/// One pass over the records of a reply: where its TTLs are, within which bounds they must be brought, and what follows
/// for the life of the whole.
struct RecordWalk {
    private let reply: Reply
    private let policy: CachePolicy
    /// The offset behind the last record that was passed.
    private(set) var end: Int
    /// Records of the additional section that were passed.
    private(set) var additionalCount: UInt16 = 0
    /// Two octets each, in their order.
    private(set) var ttlOffsets: [UInt8] = []
    /// TTLs that were outside of the bounds, by their offset.
    private(set) var changedTTLs: [(offset: Int, ttl: UInt32)] = []

    /// The first addresses of the answer section that may change places; fewer than two: there is nothing to change.
    private(set) var run = AddressRun.none

    private var smallestTTL = UInt32.max
    private var hasAnswer = false
    /// Seconds that "no" may be kept, as the SOA record says, and where its TTL is.
    private var negative: (ttl: UInt32, offset: Int)?

    init(_ reply: Reply, _ policy: CachePolicy) {
        self.reply = reply
        self.policy = policy
        end = reply.question.endOffset
    }

    /// Passes over the records that end at or before an offset.
    mutating func pass(over message: Span<UInt8>, until limit: Int) throws(WireError) {
        var records = try Message(message).records
        while let record = try records.next(), record.endOffset <= limit {
            end = record.endOffset
            note(record)
            switch record.section {
            case .answer: noteAnswer(record, message)
            case .authority: noteAuthority(record, message)
            case .additional: additionalCount += 1
            }
        }
        if run.count > 1, run.isPointedTo(in: message, until: end) { run = .none }
        guard isNegative, let negative else { return }
        // Who caches our answer takes the SOA record's TTL for its own (RFC 2308 §5).
        changedTTLs.append((negative.offset, negative.ttl))
    }

    private mutating func note(_ record: ResourceRecord) {
        ttlOffsets.append(word: UInt16(truncatingIfNeeded: record.ttlOffset))
        let ttl = bounded(record.ttl)
        smallestTTL = min(smallestTTL, ttl)
        if ttl > 0, ttl != record.ttl { changedTTLs.append((record.ttlOffset, ttl)) }
    }

    /// A TTL within the bounds of the policy. 0 stays 0: nobody is to keep it. A TTL from 2³¹ on is a large one (RFC 8767 §4).
    private func bounded(_ ttl: UInt32) -> UInt32 {
        guard ttl > 0 else { return 0 }
        return min(max(ttl, policy.minimumTTL), policy.maximumTTL)
    }

    private mutating func noteAnswer(_ record: ResourceRecord, _ message: Span<UInt8>) {
        let asked = reply.question.type
        if record.type == asked || asked == .any { hasAnswer = true }
        if !run.append(record, message), run.count < 2, let other = AddressRun(record) { run = other }
    }

    /// The SOA record of the authority section says how long a "no" holds: min(TTL, MINIMUM), RFC 2308 §5.
    private mutating func noteAuthority(_ record: ResourceRecord, _ message: Span<UInt8>) {
        guard record.type == .soa, record.recordClass == reply.question.recordClass, record.rdataLength >= 4 else {
            return
        }
        let minimum = message.word32(record.endOffset - 4)
        let ttl = min(bounded(record.ttl), bounded(minimum), policy.maximumNegativeTTL)
        if ttl < negative?.ttl ?? .max { negative = (ttl, record.ttlOffset) }
    }

    /// True when the reply says that there is no such name, or no such data behind it (RFC 2308 §2).
    private var isNegative: Bool {
        reply.responseCode == .nameError || reply.responseCode == .noError && !hasAnswer
    }

    /// Types of questions that are not about data of a name (RFC 6895 §3.1, "meta-TYPEs and QTYPEs"); ANY, which is 255, is.
    private static let metaTypes: Range<UInt16> = 128..<255

    /// Seconds that the reply may be kept; 0: not at all.
    ///
    /// The whole goes with its shortest record, a chain of CNAMEs too. A "no" without a SOA record is not kept (RFC 2308
    /// §5), nor is what other codes say, what is cut off, or the answer to a question that is not about data (RFC 6895
    /// §3.1).
    var life: UInt32 {
        let type = reply.question.type
        guard !reply.header.flags.tc, type != .everyType, !Self.metaTypes.contains(type.rawValue) else { return 0 }
        if isNegative { return negative.map { min($0.ttl, smallestTTL) } ?? 0 }
        return reply.responseCode == .noError ? smallestTTL : 0
    }
}
