// The beginning of a damaged reply, as far as it can be read.

/// The part of a reply that can be read where the whole cannot: cut without TC, a record of a wrong length, a misplaced
/// or a second OPT record, an additional record that makes no sense.
///
/// Servers and middleboxes send such replies. Whatever comes before the damage is still what the server said.
public struct ReadablePart: Hashable, Sendable {
    /// Header, question, and each record before the first that cannot be read. The header counts these records.
    public let octets: [UInt8]
    /// True when every record of the answer section is in ``octets``.
    public let hasWholeAnswer: Bool

    /// Reads a message from its beginning; nil where its header or its one question cannot be read.
    public init?(of message: Span<UInt8>) {
        guard var header = Header(message), header.questionCount == 1,
            let nameEnd = try? LabelReader.skip(message, at: Header.length),
            let question = try? Question(message, nameOffset: Header.length, nameEnd: nameEnd)
        else { return nil }
        let announced = header
        (header.answerCount, header.authorityCount, header.additionalCount) = (0, 0, 0)
        var end = question.endOffset
        var cursor = RecordCursor(announced, at: end)
        var hasOPT = false
        var lastIsMisplacedOPT = false
        while let record = try? cursor.next(message) {
            if record.type == .opt {
                lastIsMisplacedOPT = record.section == .answer
                guard !hasOPT, (try? EDNS(message, record)) != nil else { break }
                hasOPT = true
            } else if (try? record.checkData(message)) == nil {
                break
            }
            switch record.section {
            case .answer: header.answerCount += 1
            case .authority: header.authorityCount += 1
            case .additional: header.additionalCount += 1
            }
            end = record.endOffset
        }
        // An OPT record is about the exchange, not part of what is answered (RFC 6891 §6.1.1): behind all answers it is left out.
        let answers = Int(header.answerCount) + (lastIsMisplacedOPT ? 1 : 0)
        hasWholeAnswer = answers == Int(announced.answerCount)
        var octets = [UInt8](repeating: 0, count: end)
        var buffer = octets.mutableSpan
        buffer.copy(message.extracting(first: end), to: 0)
        header.write(into: &buffer)
        self.octets = octets
    }
}
