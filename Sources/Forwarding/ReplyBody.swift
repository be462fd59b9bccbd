// What an upstream said, kept as it came: what is patched for a client is written while its answer is.

package import DNSWire

/// A reply that was found to answer what was asked, in a form that any number of clients can be given.
///
/// The records are never decoded and encoded again, so types that nobody has invented yet pass through.
package struct ReplyBody: Sendable {
    /// The message as it came, up to the last record.
    let message: [UInt8]
    /// The header as it came.
    let header: Header
    /// The offset behind the question.
    let questionEnd: Int
    /// All twelve bits of what the upstream said (RFC 6891 §6.1.3).
    package let responseCode: ResponseCode
    /// The Extended DNS Errors of the upstream's OPT record.
    package let details: [ErrorDetail]
    /// Whether there is an OPT record.
    let hasEDNS: Bool
    /// Whether records stand behind the OPT record, so that it cannot be taken out without moving them.
    let hasInnerOPT: Bool
    /// The offset behind the records before the OPT record, or behind all where there is none.
    let recordsEnd: Int
    /// The records of the additional section before `recordsEnd`.
    let additionalCount: UInt16

    /// The most Extended DNS Errors that are passed on.
    private static let maximumDetails = 8

    /// Reads a whole reply; throws where a record does not stay inside of the message.
    init(_ message: Span<UInt8>) throws(WireError) {
        var name = FoldedName()
        let reply = try Reply.parse(message, name: &name)
        header = reply.header
        questionEnd = reply.question.endOffset
        responseCode = reply.responseCode
        hasEDNS = reply.edns != nil
        hasInnerOPT = hasEDNS && !reply.optIsLast
        recordsEnd = reply.edns?.recordOffset ?? reply.end
        var octets: [UInt8] = []
        octets.append(message, 0..<reply.end)
        self.message = octets
        details = reply.edns.map { Self.details(message, $0) } ?? []
        additionalCount = try Self.additionalCount(message, header, before: recordsEnd)
    }

    /// The records of the additional section that end at or before an offset.
    private static func additionalCount(
        _ message: Span<UInt8>, _ header: Header, before end: Int
    ) throws(WireError) -> UInt16 {
        guard header.additionalCount > 0 else { return 0 }
        var count: UInt16 = 0
        var records = try Message(message).records
        while let record = try records.next(), record.endOffset <= end {
            if record.section == .additional { count += 1 }
        }
        return count
    }

    private static func details(_ message: Span<UInt8>, _ edns: EDNS) -> [ErrorDetail] {
        var details: [ErrorDetail] = []
        var options = edns.options
        while details.count < maximumDetails, let option = try? options.next(message) {
            guard option.code == .extendedError, option.length >= 2 else { continue }
            let code = UInt16(message[option.offset]) << 8 | UInt16(message[option.offset + 1])
            var text: [UInt8] = []
            text.append(message, option.offset + 2..<option.offset + option.length)
            // Clients refuse a whole message for a text that is no UTF-8 (RFC 8914 §2).
            if String(validating: text, as: UTF8.self) == nil { text = [] }
            details.append(ErrorDetail(ExtendedError(rawValue: code), octets: text))
        }
        return details
    }
}

extension ReplyBody {
    /// How much of a reply fits.
    struct Cut {
        var end: Int
        var answerCount: UInt16 = 0
        var authorityCount: UInt16 = 0
        /// Whether something that belongs to the answer was left out (RFC 2181 §9): the additional section does not.
        var isTruncated = false
    }

    /// The records of the answer and authority sections that end within `room` octets, in their order and each whole.
    func cut(to room: Int) -> Cut {
        var cut = Cut(end: questionEnd)
        guard let reader = try? Message(message.span) else { return cut }
        var records = reader.records
        while let record = try? records.next(), record.section != .additional {
            guard record.endOffset <= room else {
                cut.isTruncated = true
                break
            }
            cut.end = record.endOffset
            switch record.section {
            case .answer: cut.answerCount += 1
            case .authority: cut.authorityCount += 1
            case .additional: break
            }
        }
        return cut
    }
}
