// A resource record, in place.

/// The place of a record in its message, and its fixed fields (RFC 1035 §4.1.3).
public struct ResourceRecord: Hashable, Sendable {
    /// The section that it is in.
    public let section: Section
    /// The offset of the owner's name: where the record begins.
    public let nameOffset: Int
    /// TYPE.
    public let type: RecordType
    /// CLASS; of OPT the sender's UDP payload size (RFC 6891 §6.1.2).
    public let recordClass: RecordClass
    /// Seconds that the record may be kept. Values from 2³¹ on are large numbers, to be capped (RFC 8767 §4).
    public let ttl: UInt32
    /// The offset of the TTL.
    public let ttlOffset: Int
    /// RDLENGTH.
    public let rdataLength: Int

    /// The octets between the owner and RDATA: TYPE, CLASS, TTL and RDLENGTH.
    @inlinable public static var fixedLength: Int { 10 }

    /// The offset of RDATA: behind the four octets of the TTL and the two of RDLENGTH.
    public var rdataOffset: Int { ttlOffset + 6 }
    /// The offset behind the record.
    public var endOffset: Int { rdataOffset + rdataLength }

    /// Reads the record at an offset: its name's form and all lengths are checked, its data are not.
    init(_ message: Span<UInt8>, at offset: Int, _ section: Section) throws(WireError) {
        let nameEnd = try LabelReader.skip(message, at: offset)
        let data = nameEnd + Self.fixedLength
        guard data <= message.count else { throw .truncated(offset: offset) }
        let length = Int(message.word16(data - 2))
        guard data + length <= message.count else { throw .truncated(offset: offset) }
        self.section = section
        nameOffset = offset
        type = RecordType(rawValue: message.word16(nameEnd))
        recordClass = RecordClass(rawValue: message.word16(nameEnd + 2))
        ttl = message.word32(nameEnd + 4)
        ttlOffset = nameEnd + 4
        rdataLength = length
    }
}

/// Goes through the records of a message, section by section.
///
/// A value of its own, without the message: who walks gives the same message each time.
public struct RecordCursor: Sendable {
    private var position: Int
    private var answers: Int
    private var authorities: Int
    private var additionals: Int

    /// - Parameter position: the offset behind the last question.
    init(_ header: Header, at position: Int) {
        self.position = position
        answers = Int(header.answerCount)
        authorities = Int(header.authorityCount)
        additionals = Int(header.additionalCount)
    }

    /// The offset behind the last record read.
    public var offset: Int { position }

    /// The next record; nil behind the last one that the header counts.
    public mutating func next(_ message: Span<UInt8>) throws(WireError) -> ResourceRecord? {
        let section: Section
        if answers > 0 {
            section = .answer
            answers -= 1
        } else if authorities > 0 {
            section = .authority
            authorities -= 1
        } else if additionals > 0 {
            section = .additional
            additionals -= 1
        } else {
            return nil
        }
        let record = try ResourceRecord(message, at: position, section)
        position = record.endOffset
        return record
    }
}
