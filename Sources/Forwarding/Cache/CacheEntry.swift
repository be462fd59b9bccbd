// One kept answer, as it lies in the ring: what is known of it, then its octets.

import DNSWire

/// The head of a cached answer, before its octets. Times are milliseconds of the cache's clock.
struct CacheEntry {
    /// The octets of this in the ring: those of the fields, up to a multiple of ``AnswerRing/alignment``.
    static let length = 56

    /// Offsets of the fields in the ring.
    enum Field {
        static let size = 0
        static let hash = 4
        static let scope = 8
        static let life = 12
        static let born = 16
        static let hold = 24
        static let messageLength = 32
        static let questionEnd = 34
        static let optionsLength = 36
        static let ttlOffsetsLength = 38
        static let responseCode = 40
        static let rounds = 42
        static let asked = 43
        static let bits = 44
        static let state = 45
        static let failures = 46
        static let stride = 47
        static let runStart = 48
        static let runCount = 50
        static let mayLeadElsewhere = 52
    }

    /// All octets of the entry, this and what fills it up to the ring's alignment included.
    var size: UInt32
    var hash: UInt32
    var circumstances: Circumstances
    /// Seconds.
    var life: UInt32
    /// The time at which it came from its upstream.
    var born: UInt64
    /// Until then nobody is to be asked again, although the life is over or nearly so: who was asked has just failed.
    var hold: UInt64 = 0
    var messageLength: UInt16
    var questionEnd: UInt16
    var optionsLength: UInt16
    var ttlOffsetsLength: UInt16
    var responseCode: ResponseCode
    /// Rounds of the ring that it is spared; 0...``maximumRounds``.
    var rounds: UInt8 = 0
    /// Requests for it in this life, 0...``maximumAsked``.
    var asked: UInt8 = 0
    var state = State.alive
    /// Failures of the question in a row.
    var failures: UInt8 = 0
    /// The addresses that take turns in coming first.
    var run: AddressRun
    /// See ``AnswerBody/mayLeadElsewhere``.
    var mayLeadElsewhere: Bool

    static let maximumRounds: UInt8 = 3
    static let maximumAsked: UInt8 = 3

    enum State: UInt8 {
        case alive
        /// Alive, and asked for anew already.
        case refreshing
        /// Waits for the ring to come around: removed, or in another place now.
        case dead
    }
}

extension CacheEntry {
    /// - Parameters:
    ///   - life: seconds.
    ///   - now: of the cache's clock.
    init(_ body: AnswerBody, hash: UInt32, _ circumstances: Circumstances, life: UInt32, now: UInt64) {
        self.hash = hash
        self.circumstances = circumstances
        self.life = life
        born = now
        messageLength = UInt16(truncatingIfNeeded: body.message.count)
        questionEnd = UInt16(truncatingIfNeeded: body.questionEnd)
        optionsLength = UInt16(truncatingIfNeeded: body.options.count)
        ttlOffsetsLength = UInt16(truncatingIfNeeded: body.ttlOffsets.count)
        responseCode = body.responseCode
        run = body.run
        mayLeadElsewhere = body.mayLeadElsewhere
        let octets = Self.length + body.message.count + body.options.count + body.ttlOffsets.count
        let mask = AnswerRing.alignment - 1
        size = UInt32(truncatingIfNeeded: (octets + mask) & ~mask)
    }

    /// Neither an answer nor a "no": that nobody could say anything (RFC 9520).
    @inline(__always)
    var isFailure: Bool { responseCode != .noError && responseCode != .nameError }

    /// The failures that still count: not those of long ago.
    func recentFailures(_ now: UInt64) -> UInt8 {
        let last = isFailure ? expiry : hold
        return now < last + Self.failureMemory ? failures : 0
    }

    /// Milliseconds after the last failure's time in which the next one counts as one more in a row: as long as a failure may
    /// be kept at all (RFC 9520 §3.2).
    private static let failureMemory: UInt64 = 300_000

    /// The end of its life.
    var expiry: UInt64 { born + UInt64(life) * 1000 }

    /// The place of its message in the ring, for an entry at this place.
    func message(_ place: Int) -> Range<Int> {
        place &+ Self.length..<place &+ Self.length &+ Int(messageLength)
    }

    func options(_ place: Int) -> Range<Int> {
        let start = message(place).upperBound
        return start..<start &+ Int(optionsLength)
    }

    func ttlOffsets(_ place: Int) -> Range<Int> {
        let start = options(place).upperBound
        return start..<start &+ Int(ttlOffsetsLength)
    }
}

extension AnswerRing {
    /// Reads the entry at a place. In line, so that no more is read of it than is used.
    @inline(__always)
    func entry(_ place: Int) -> CacheEntry {
        typealias Field = CacheEntry.Field
        let octets = octets.span.extracting(place..<place + CacheEntry.length)
        return CacheEntry(
            size: octets.word32(Field.size), hash: octets.word32(Field.hash),
            circumstances: Circumstances(scope: octets.word32(Field.scope), bits: octets[Field.bits]),
            life: octets.word32(Field.life), born: octets.word64(Field.born), hold: octets.word64(Field.hold),
            messageLength: octets.word16(Field.messageLength), questionEnd: octets.word16(Field.questionEnd),
            optionsLength: octets.word16(Field.optionsLength),
            ttlOffsetsLength: octets.word16(Field.ttlOffsetsLength),
            responseCode: ResponseCode(rawValue: octets.word16(Field.responseCode)), rounds: octets[Field.rounds],
            asked: octets[Field.asked], state: CacheEntry.State(rawValue: octets[Field.state]) ?? .dead,
            failures: octets[Field.failures],
            run: AddressRun(
                start: octets.word16(Field.runStart), stride: octets[Field.stride],
                count: octets.word16(Field.runCount)), mayLeadElsewhere: octets[Field.mayLeadElsewhere] != 0)
    }

    /// Writes what is known of the entry at a place.
    mutating func set(_ entry: CacheEntry, at place: Int) {
        typealias Field = CacheEntry.Field
        var octets = self.octets.mutableSpan
        octets.set(entry.size, at: place + Field.size)
        octets.set(entry.hash, at: place + Field.hash)
        octets.set(entry.circumstances.scope, at: place + Field.scope)
        octets.set(entry.life, at: place + Field.life)
        octets.set(entry.born, at: place + Field.born)
        octets.set(entry.hold, at: place + Field.hold)
        octets.set(entry.messageLength, at: place + Field.messageLength)
        octets.set(entry.questionEnd, at: place + Field.questionEnd)
        octets.set(entry.optionsLength, at: place + Field.optionsLength)
        octets.set(entry.ttlOffsetsLength, at: place + Field.ttlOffsetsLength)
        octets.set(entry.responseCode.rawValue, at: place + Field.responseCode)
        octets[place + Field.rounds] = entry.rounds
        octets[place + Field.asked] = entry.asked
        octets[place + Field.bits] = entry.circumstances.bits
        octets[place + Field.state] = entry.state.rawValue
        octets[place + Field.failures] = entry.failures
        octets[place + Field.stride] = entry.run.stride
        octets.set(entry.run.start, at: place + Field.runStart)
        octets.set(entry.run.count, at: place + Field.runCount)
        octets[place + Field.mayLeadElsewhere] = entry.mayLeadElsewhere ? 1 : 0
    }

    /// Writes the octets of an answer behind its entry; name and type as the key has them.
    mutating func setOctets(_ body: AnswerBody, _ key: AnswerKey, of entry: CacheEntry, at place: Int) {
        let message = entry.message(place).lowerBound
        var octets = self.octets.mutableSpan
        octets.copy(body.message.span, to: message)
        octets.copy(key.name, to: message + Header.length)
        octets.set(key.type.rawValue, at: message + Header.length + key.name.count)
        octets.copy(body.options.span, to: entry.options(place).lowerBound)
        octets.copy(body.ttlOffsets.span, to: entry.ttlOffsets(place).lowerBound)
    }
}
