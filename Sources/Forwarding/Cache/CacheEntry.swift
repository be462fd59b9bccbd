// One kept answer, as it lies in the ring: what is known of it, then its octets.

import DNSWire

/// What stands before the octets of a kept answer. Times are milliseconds of the cache's clock.
struct CacheEntry {
    /// The octets of this in the ring.
    static let length = 56

    /// All octets of the entry, this and what fills it up to the ring's alignment included.
    var size: UInt32
    var hash: UInt32
    var circumstances: Circumstances
    /// Seconds.
    var life: UInt32
    /// When its upstream said it.
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
    /// How often it was asked for in this life, 0...``maximumAsked``.
    var asked: UInt8 = 0
    var state = State.alive
    /// How often in a row the question has failed.
    var failures: UInt8 = 0
    /// The addresses that take turns in coming first.
    var run: AddressRun

    static let maximumRounds: UInt8 = 3
    static let maximumAsked: UInt8 = 3
    /// Where `rounds`, `asked` and `state` lie.
    static let roundsOffset = 42
    static let askedOffset = 43
    static let stateOffset = 45

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

    /// Where its message is in the ring, for an entry at this place.
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
    /// What is known of the entry at a place. In line, so that no more is read of it than is used.
    @inline(__always)
    func entry(_ place: Int) -> CacheEntry {
        let octets = octets.span.extracting(place..<place + CacheEntry.length)
        return CacheEntry(
            size: octets.word32(0), hash: octets.word32(4),
            circumstances: Circumstances(scope: octets.word32(8), bits: octets[44]), life: octets.word32(12),
            born: octets.word64(16), hold: octets.word64(24), messageLength: octets.word16(32),
            questionEnd: octets.word16(34), optionsLength: octets.word16(36), ttlOffsetsLength: octets.word16(38),
            responseCode: ResponseCode(rawValue: octets.word16(40)), rounds: octets[CacheEntry.roundsOffset],
            asked: octets[CacheEntry.askedOffset],
            state: CacheEntry.State(rawValue: octets[CacheEntry.stateOffset]) ?? .dead, failures: octets[46],
            run: AddressRun(start: octets.word16(48), stride: octets[47], count: octets.word16(50)))
    }

    /// Writes what is known of the entry at a place.
    mutating func set(_ entry: CacheEntry, at place: Int) {
        var octets = self.octets.mutableSpan
        octets.set(entry.size, at: place)
        octets.set(entry.hash, at: place + 4)
        octets.set(entry.circumstances.scope, at: place + 8)
        octets.set(entry.life, at: place + 12)
        octets.set(entry.born, at: place + 16)
        octets.set(entry.hold, at: place + 24)
        octets.set(entry.messageLength, at: place + 32)
        octets.set(entry.questionEnd, at: place + 34)
        octets.set(entry.optionsLength, at: place + 36)
        octets.set(entry.ttlOffsetsLength, at: place + 38)
        octets.set(entry.responseCode.rawValue, at: place + 40)
        octets[place + CacheEntry.roundsOffset] = entry.rounds
        octets[place + CacheEntry.askedOffset] = entry.asked
        octets[place + 44] = entry.circumstances.bits
        octets[place + CacheEntry.stateOffset] = entry.state.rawValue
        octets[place + 46] = entry.failures
        octets[place + 47] = entry.run.stride
        octets.set(entry.run.start, at: place + 48)
        octets.set(entry.run.count, at: place + 50)
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
