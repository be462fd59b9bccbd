// The question of a message.

/// A question, in place: where its name is, and what is asked of it (RFC 1035 §4.1.2).
public struct Question: Hashable, Sendable {
    /// The octets behind the name: QTYPE and QCLASS.
    @inlinable public static var fixedLength: Int { 4 }

    /// The offset of QNAME.
    public let nameOffset: Int
    /// The offset behind QCLASS.
    public let endOffset: Int
    /// QTYPE.
    public let type: RecordType
    /// QCLASS.
    public let recordClass: RecordClass

    /// A question that was found in its message.
    public init(nameOffset: Int, endOffset: Int, type: RecordType, recordClass: RecordClass) {
        self.nameOffset = nameOffset
        self.endOffset = endOffset
        self.type = type
        self.recordClass = recordClass
    }

    /// Reads what stands behind the name of a question.
    @inline(__always)
    init(_ message: Span<UInt8>, nameOffset: Int, nameEnd: Int) throws(WireError) {
        guard message.count &- nameEnd >= Self.fixedLength else { throw .truncated(offset: nameEnd) }
        self.nameOffset = nameOffset
        endOffset = nameEnd &+ Self.fixedLength
        let typeAndClass = message.word32(nameEnd)
        type = RecordType(rawValue: UInt16(truncatingIfNeeded: typeAndClass >> 16))
        recordClass = RecordClass(rawValue: UInt16(truncatingIfNeeded: typeAndClass))
    }
}
