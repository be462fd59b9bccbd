// The body of an answer, in the one form in which it is passed on, cached, and given to any number of clients.

import DNSWire

/// An answer as an upstream gave it, or a failure of our own in the same form.
///
/// The records are never decoded and encoded again, so types that nobody has invented yet pass through.
struct AnswerBody: Sendable {
    /// Header, question and records as they came, without the OPT record, which is about one hop (RFC 6891 §6.2.6), and
    /// without what stood behind it. The header's counts are those of these records.
    private(set) var message: [UInt8]
    /// The offset behind the question.
    let questionEnd: Int
    /// All twelve bits of what was said (RFC 6891 §6.1.3).
    let responseCode: ResponseCode
    /// True when an OPT record came with it.
    let hasEDNS: Bool
    /// The Extended DNS Errors that came with it, as options of an OPT record.
    private(set) var options: [UInt8]
    /// Offsets of the TTLs in `message`, two octets each, in their order.
    private(set) var ttlOffsets: [UInt8] = []
    /// The addresses that take turns in coming first, once it is kept.
    private(set) var run = AddressRun.none
    /// Seconds that it may be kept; 0: not beyond those who wait for it.
    private(set) var life: UInt32 = 0

    /// A failure of our own: a question and why there is no answer.
    init(failure code: ResponseCode, _ details: [ErrorDetail], question: [UInt8]) {
        message = []
        message.append(Header(id: 0, flags: HeaderFlags(), questionCount: 1))
        message += question
        questionEnd = message.count
        responseCode = code
        hasEDNS = false
        options = ErrorDetail.options(details)
    }

    /// A copy of what somebody else keeps.
    init(_ form: borrowing AnswerForm) {
        message = []
        message.append(form.message, form.message.indices)
        questionEnd = form.questionEnd
        responseCode = form.responseCode
        hasEDNS = false
        options = []
        options.append(form.options, form.options.indices)
        ttlOffsets = []
        ttlOffsets.append(form.ttlOffsets, form.ttlOffsets.indices)
    }

    /// Reads a whole reply; throws where a record does not stay inside of the message.
    /// - Parameters:
    ///   - policy: the bounds of TTLs.
    ///   - name: room for a name.
    init(_ octets: Span<UInt8>, _ policy: CachePolicy, name: inout FoldedName) throws(WireError) {
        let reply = try Reply.parse(octets, name: &name)
        questionEnd = reply.question.endOffset
        responseCode = reply.responseCode
        hasEDNS = reply.edns != nil
        options = reply.edns.map { ErrorDetail.options($0, of: octets) } ?? []
        var walk = RecordWalk(reply, policy)
        try walk.pass(over: octets, until: reply.edns?.recordOffset ?? reply.end)
        message = []
        message.append(octets, 0..<walk.end)
        ttlOffsets = walk.ttlOffsets
        run = walk.run
        life = walk.life
        var octets = message.mutableSpan
        octets.set(walk.additionalCount, at: Header.additionalCountOffset)
        for (offset, ttl) in walk.changedTTLs { octets.set(ttl, at: offset) }
    }
}

extension AnswerBody {
    /// NXDOMAIN of the name itself, and so of all its types (RFC 2308 §5); not of what a CNAME leads to.
    var deniesName: Bool { responseCode == .nameError && message.span.word16(Header.answerCountOffset) == 0 }

    /// True when the answer section begins with a CNAME record, so that the chain may leave the upstream group; also where its
    /// owner is not the pointer that every server writes. Questions for the CNAME record itself follow nothing.
    var mayLeadElsewhere: Bool {
        let octets = message.span
        guard octets.word16(Header.answerCountOffset) > 0, questionEnd + Self.ownerAndType <= octets.count else {
            return false
        }
        let asked = RecordType(rawValue: octets.word16(questionEnd - Question.fixedLength))
        guard asked != .cname, asked != .any else { return false }
        return octets.word16(questionEnd) != CompressionPointer.word(to: Header.length)
            || octets.word16(questionEnd + 2) == RecordType.cname.rawValue
    }

    /// Octets of a pointer and a type.
    private static let ownerAndType = 4

    /// TC: something of the answer was left out.
    var isTruncated: Bool { HeaderFlags(rawValue: message.span.word16(Header.flagsOffset)).tc }

    /// The Extended DNS Errors (RFC 8914).
    var details: [ErrorDetail] { ErrorDetail.details(in: options.span) }

    /// The answer, lent.
    var form: AnswerForm {
        @_lifetime(borrow self)
        get {
            AnswerForm(
                message: message.span, questionEnd: questionEnd, responseCode: responseCode, options: options.span,
                ttlOffsets: ttlOffsets.span)
        }
    }
}
