// Headers and numbers in network byte order, for messages that are put together here.

import DNSWire

extension [UInt8] {
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

    /// Appends the octets of `span` in `range`, as far as they exist.
    mutating func append(_ span: Span<UInt8>, _ range: Range<Int>) {
        let range = range.clamped(to: 0..<span.count)
        reserveCapacity(count + range.count)
        for offset in range { append(span[offset]) }
    }
}
