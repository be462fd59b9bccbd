// Parts of messages, copied into arrays.

import DNSWire

extension [UInt8] {
    /// Name, type and class of a question, as they are in its message: the first name is never compressed, as there is
    /// nothing before it to point to.
    init(_ message: Span<UInt8>, _ question: Question) {
        self = []
        append(message, question.nameOffset..<question.endOffset)
    }

    /// Appends the octets of `span` in `range`, as far as they exist.
    mutating func append(_ span: Span<UInt8>, _ range: Range<Int>) {
        append(span.extracting(range.clamped(to: 0..<span.count)))
    }
}
