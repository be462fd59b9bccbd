// The twelve octets that every message begins with.

/// The header of a message (RFC 1035 §4.1.1).
public struct Header: Hashable, Sendable {
    /// The length of a header in octets; the first question's name begins there.
    @inlinable public static var length: Int { 12 }

    /// Offset of the flags.
    @inlinable public static var flagsOffset: Int { 2 }
    /// Offset of QDCOUNT.
    @inlinable public static var questionCountOffset: Int { 4 }
    /// Offset of ANCOUNT.
    @inlinable public static var answerCountOffset: Int { 6 }
    /// Offset of NSCOUNT.
    @inlinable public static var authorityCountOffset: Int { 8 }
    /// Offset of ARCOUNT.
    @inlinable public static var additionalCountOffset: Int { 10 }

    /// Chosen by who asks, copied by who answers.
    public var id: UInt16
    /// QR, OPCODE, the flags and RCODE.
    public var flags: HeaderFlags
    /// QDCOUNT.
    public var questionCount: UInt16
    /// ANCOUNT.
    public var answerCount: UInt16
    /// NSCOUNT.
    public var authorityCount: UInt16
    /// ARCOUNT.
    public var additionalCount: UInt16

    /// The header of a message to be written; without a count there is nothing.
    @inlinable
    public init(
        id: UInt16, flags: HeaderFlags, questionCount: UInt16 = 0, answerCount: UInt16 = 0, authorityCount: UInt16 = 0,
        additionalCount: UInt16 = 0
    ) {
        self.id = id
        self.flags = flags
        self.questionCount = questionCount
        self.answerCount = answerCount
        self.authorityCount = authorityCount
        self.additionalCount = additionalCount
    }

    /// Reads a message's header; nil for a message of less than twelve octets, which cannot even be refused.
    @inlinable
    @inline(__always)
    public init?(_ message: Span<UInt8>) {
        guard message.count >= Self.length else { return nil }
        id = message.word16(0)
        flags = HeaderFlags(rawValue: message.word16(Self.flagsOffset))
        questionCount = message.word16(Self.questionCountOffset)
        answerCount = message.word16(Self.answerCountOffset)
        authorityCount = message.word16(Self.authorityCountOffset)
        additionalCount = message.word16(Self.additionalCountOffset)
    }

    /// Writes the twelve octets at the beginning of a buffer that has room for them.
    @inlinable
    @inline(__always)
    public func write(into buffer: inout MutableSpan<UInt8>) {
        var octets = buffer._mutatingExtracting(0..<Self.length)
        octets.set(id, at: 0)
        octets.set(flags.rawValue, at: Self.flagsOffset)
        octets.set(questionCount, at: Self.questionCountOffset)
        octets.set(answerCount, at: Self.answerCountOffset)
        octets.set(authorityCount, at: Self.authorityCountOffset)
        octets.set(additionalCount, at: Self.additionalCountOffset)
    }

    /// The records of all three sections together.
    public var recordCount: Int { Int(answerCount) + Int(authorityCount) + Int(additionalCount) }
}

/// The parts of a message that hold records (RFC 1035 §4.1), in their order.
public enum Section: UInt8, Hashable, Sendable, Comparable, CaseIterable, CustomStringConvertible {
    /// Records that answer the question.
    case answer
    /// Name servers that know, or the SOA record that says why there is no answer.
    case authority
    /// Further records that help, and OPT.
    case additional

    public static func < (left: Section, right: Section) -> Bool { left.rawValue < right.rawValue }

    /// `answer`, `authority`, `additional`.
    public var description: String {
        switch self {
        case .answer: "answer"
        case .authority: "authority"
        case .additional: "additional"
        }
    }
}
