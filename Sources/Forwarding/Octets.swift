// Headers and numbers in network byte order, for octets that are put together here.

import DNSWire

extension [UInt8] {
    /// Name, type and class of a question, as they are in its message: the first name is never compressed, as there is
    /// nothing before it to point to.
    init(_ message: Span<UInt8>, _ question: Question) {
        self = []
        append(message, question.nameOffset..<question.endOffset)
    }

    /// Appends the twelve octets of a header.
    mutating func append(_ header: Header) {
        append(word16: header.id)
        append(word16: header.flags.rawValue)
        append(word16: header.questionCount)
        append(word16: header.answerCount)
        append(word16: header.authorityCount)
        append(word16: header.additionalCount)
    }

    /// Appends a 16-bit number, most significant octet first.
    mutating func append(word16 number: UInt16) {
        append(UInt8(truncatingIfNeeded: number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }

    /// Sets a number of octets that are there, most significant first.
    mutating func set(word16 number: UInt16, at offset: Int) {
        self[offset] = UInt8(truncatingIfNeeded: number >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: number)
    }

    mutating func set(word32 number: UInt32, at offset: Int) {
        set(word16: UInt16(truncatingIfNeeded: number >> 16), at: offset)
        set(word16: UInt16(truncatingIfNeeded: number), at: offset + 2)
    }

    mutating func set(word64 number: UInt64, at offset: Int) {
        set(word32: UInt32(truncatingIfNeeded: number >> 32), at: offset)
        set(word32: UInt32(truncatingIfNeeded: number), at: offset + 4)
    }

    /// Sets octets that are there.
    mutating func set(_ octets: Span<UInt8>, at offset: Int) {
        for index in octets.indices { self[offset + index] = octets[index] }
    }

    /// Appends the octets of `span` in `range`, as far as they exist.
    mutating func append(_ span: Span<UInt8>, _ range: Range<Int>) {
        let range = range.clamped(to: 0..<span.count)
        reserveCapacity(count + range.count)
        for offset in range { append(span[offset]) }
    }
}
