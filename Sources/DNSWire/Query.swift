// Reads a query: all that the data plane needs of it, in one pass.

/// A query, in place: its header, its one question and its EDNS.
public struct Query: Hashable, Sendable {
    /// Id, flags and counts.
    public let header: Header
    /// The one that there is.
    public let question: Question
    /// Nil where the client does not speak EDNS.
    public private(set) var edns: EDNS?

    /// A query of nothing: what stands where none has been read yet.
    public static let empty = Query(
        header: Header(id: 0, flags: HeaderFlags()),
        question: Question(
            nameOffset: Header.length, endOffset: Header.length, type: RecordType(rawValue: 0),
            recordClass: RecordClass(rawValue: 0)),
        edns: nil)

    private init(header: Header, question: Question, edns: EDNS?) {
        self.header = header
        self.question = question
        self.edns = edns
    }

    /// Reads a message with one question; its name goes, folded, into `name`.
    ///
    /// All records are walked, so a message that ends too early or has an OPT record where none may be (RFC 6891 §6.1.1)
    /// is found out here. What stands behind the last record is not looked at.
    public init(_ message: Span<UInt8>, name: inout FoldedName) throws(WireError) {
        guard let header = Header(message) else { throw .truncated(offset: 0) }
        guard header.questionCount == 1 else { throw .questionCount(Int(header.questionCount)) }
        let nameEnd = try name.read(message, at: Header.length)
        let question = try Question(message, nameOffset: Header.length, nameEnd: nameEnd)
        self.header = header
        self.question = question
        if header.recordCount == 0 {
            edns = nil
        } else if header.recordCount == 1, header.additionalCount == 1,
            let plain = EDNS(withoutOptions: message, at: question.endOffset)
        {
            edns = plain
        } else {
            edns = try Self.edns(message, header, behind: question)
        }
    }

    /// Has a client that takes longer datagrams than these take these alone: they may not reach it whole.
    public mutating func limitDatagrams(to octets: Int) {
        if let edns, Int(edns.udpPayloadSize) > octets { self.edns = edns.limited(to: octets) }
    }

    /// Walks over all records.
    @inline(never)
    private static func edns(
        _ message: Span<UInt8>, _ header: Header, behind question: Question
    ) throws(WireError) -> EDNS? {
        var cursor = RecordCursor(header, at: question.endOffset)
        var found: EDNS?
        while let record = try cursor.next(message) {
            guard record.type == .opt else { continue }
            guard found == nil else { throw .secondOptionRecord(offset: record.nameOffset) }
            found = try EDNS(message, record)
        }
        return found
    }
}
