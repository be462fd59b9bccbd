// Reads an upstream's reply as far as passing it on needs.

/// A reply, in place: checked from end to end, taken apart no further than it has to be.
public struct Reply: Hashable, Sendable {
    /// Id, flags and counts.
    public let header: Header
    /// The question as the upstream repeats it.
    public let question: Question
    /// The upstream's EDNS; it is about our exchange with the upstream and so not for the client (RFC 6891 §6.2.6).
    public let edns: EDNS?
    /// The offset behind the last record that is passed on: where OPT begins if it is the last record, else ``end``.
    public let bodyEnd: Int
    /// The offset behind the last record.
    public let end: Int
    /// True when OPT is the last record, so that cutting the message at ``bodyEnd`` takes just that away.
    public let optIsLast: Bool

    /// The whole response code, EDNS's bits on top of the header's (RFC 6891 §6.1.3).
    public var responseCode: ResponseCode {
        ResponseCode(rawValue: UInt16(edns?.extendedResponseCodeBits ?? 0) << 4 | header.flags.responseCode.rawValue)
    }

    /// Reads a message with one question; its name goes, folded, into `name`.
    ///
    /// Every record is walked, and the data of the common types must have their form: what comes from outside and is sent
    /// on into containers should not be the first malformed message that their libraries meet. Octets behind the last
    /// record are not part of the message.
    public static func parse(_ message: Span<UInt8>, name: inout FoldedName) throws(WireError) -> Reply {
        guard let header = Header(message) else { throw .truncated(offset: 0) }
        guard header.questionCount == 1 else { throw .questionCount(Int(header.questionCount)) }
        let nameEnd = try name.read(message, at: Header.length)
        let question = try Question(message, nameOffset: Header.length, nameEnd: nameEnd)
        var cursor = RecordCursor(header, at: question.endOffset)
        var edns: EDNS?
        while let record = try cursor.next(message) {
            if record.type == .opt {
                guard edns == nil else { throw .secondOptionRecord(offset: record.nameOffset) }
                edns = try EDNS(message, record)
            } else {
                try record.checkData(message)
            }
        }
        let optIsLast = edns?.recordEnd == cursor.offset
        return Reply(
            header: header, question: question, edns: edns,
            bodyEnd: optIsLast ? edns?.recordOffset ?? cursor.offset : cursor.offset, end: cursor.offset,
            optIsLast: optIsLast)
    }
}
