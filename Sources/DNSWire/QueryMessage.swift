// Queries of our own, as they are sent to servers.

/// A query to be sent: a header, one question, and an OPT record where EDNS is spoken.
public struct QueryMessage: Sendable {
    /// The message id: what the reply must repeat.
    public var id: UInt16
    /// RD, AD, CD; QR and OPCODE 0.
    public var flags: HeaderFlags
    /// Name, type and class on the wire (RFC 1035 §4.1.2).
    public var question: [UInt8]
    /// The content of the OPT record; nil: there is none.
    public var edns: EDNS?

    /// A query with a question that is on the wire already.
    public init(id: UInt16, flags: HeaderFlags, question: [UInt8], edns: EDNS?) {
        self.id = id
        self.flags = flags
        self.question = question
        self.edns = edns
    }

    /// A query for a name, of class IN.
    public init(id: UInt16, flags: HeaderFlags, _ name: Name, _ type: RecordType, edns: EDNS?) {
        var question = name.wire
        question.append(word: type.rawValue)
        question.append(word: RecordClass.in.rawValue)
        self.init(id: id, flags: flags, question: question, edns: edns)
    }

    /// The octets that the message has.
    public var count: Int { Header.length + question.count + (edns == nil ? 0 : EDNS.minimumLength) }

    /// The message on the wire.
    public var octets: [UInt8] {
        var octets: [UInt8] = []
        write(to: &octets)
        return octets
    }

    /// Adds the message to the end of an array.
    public func write(to octets: inout [UInt8]) {
        octets.reserveCapacity(octets.count + count)
        octets.append(Header(id: id, flags: flags, questionCount: 1, additionalCount: edns == nil ? 0 : 1))
        octets += question
        if let edns { octets += RecordBuilder.record(edns) }
    }
}
