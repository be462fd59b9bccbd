// Numbers in network byte order, put at the end of an array: messages and records that are built when there is time.

extension [UInt8] {
    /// Adds a 16-bit number, its most significant octet first.
    @inline(__always)
    package mutating func append(word: UInt16) {
        append(UInt8(truncatingIfNeeded: word >> 8))
        append(UInt8(truncatingIfNeeded: word))
    }

    /// Adds a 32-bit number, its most significant octet first.
    @inline(__always)
    package mutating func append(word: UInt32) {
        append(word: UInt16(truncatingIfNeeded: word >> 16))
        append(word: UInt16(truncatingIfNeeded: word))
    }

    /// Adds the twelve octets of a header (RFC 1035 §4.1.1).
    package mutating func append(_ header: Header) {
        append(word: header.id)
        append(word: header.flags.rawValue)
        append(word: header.questionCount)
        append(word: header.answerCount)
        append(word: header.authorityCount)
        append(word: header.additionalCount)
    }

    /// Adds a copy of octets.
    package mutating func append(_ octets: Span<UInt8>) {
        reserveCapacity(count + octets.count)
        for index in octets.indices { append(octets[index]) }
    }
}
