// Writes one answer of ours: header and question as they came, then records, then EDNS.

import DNSWire
import Registry

/// An answer under way. It never grows past what the client takes; what does not fit sets TC.
///
/// Records come compiled (``RecordBuilder``), and of each answer all are in one section.
struct AnswerWriter: ~Copyable, ~Escapable {
    private var buffer: MutableSpan<UInt8>
    /// The octets written so far, with the header's.
    private(set) var count: Int
    /// The most octets that there may be before the OPT record.
    private let limit: Int
    /// Its flags are the query's until the end.
    private var header: Header
    private var isTruncated = false
    /// True when the client speaks EDNS; true when it sets DO.
    private let speaksEDNS: Bool
    private let dnssecOK: Bool

    /// The response code.
    var code = ResponseCode.noError
    /// AA: the answer is our own.
    var isAuthoritative = true
    /// An Extended DNS Error (RFC 8914), for clients that speak EDNS.
    var extendedError: ExtendedError?

    /// Begins the answer to a query: its question is echoed as it came.
    /// - Parameter buffer: 512 octets at least, so there is room for any question.
    @inline(__always)
    @_lifetime(copy buffer)
    init(
        _ query: Query, of message: Span<UInt8>, over transport: Transport, into buffer: consuming MutableSpan<UInt8>
    ) {
        speaksEDNS = query.edns != nil
        dnssecOK = query.edns?.dnssecOK ?? false
        limit = min(query.answerLimit(over: transport), buffer.count) - (speaksEDNS ? EDNS.minimumLength : 0)
        header = Header(id: query.header.id, flags: query.header.flags, questionCount: 1)
        count = query.question.endOffset
        // With the header, although it will be another: more octets are copied faster than few.
        buffer.copy(message.extracting(first: count), to: 0)
        self.buffer = buffer
    }

    // MARK: - Records

    /// False where some records did not fit.
    var isWhole: Bool { !isTruncated }
    /// Octets that there are for records.
    var room: Int { limit - count }

    /// Adds one record to the answer section.
    mutating func append(one record: Span<UInt8>) {
        append(answers: record, 1)
    }

    /// Adds the records of a name, beginning where it is their turn; as many as fit.
    /// - Returns: false where there is none.
    @inline(__always)
    mutating func append(_ records: borrowing Directory.Records) -> Bool {
        guard records.count > 1 else {
            append(answers: records.octets, records.count)
            return records.count > 0
        }
        guard records.stride > 0 else {
            appendOneByOne(records)
            return true
        }
        let fitting = min(records.count, (limit - count) / records.stride)
        let untilEnd = min(fitting, records.count - records.start)
        let first = records.octets.extracting(droppingFirst: records.start * records.stride)
        append(answers: first.extracting(first: untilEnd * records.stride), untilEnd)
        let rest = fitting - untilEnd
        append(answers: records.octets.extracting(first: rest * records.stride), rest)
        if fitting < records.count { isTruncated = true }
        return true
    }

    /// Adds the records of a name, whose owner is the name at an offset of the message.
    /// - Returns: false where not all of them fit.
    @inline(never)
    mutating func append(_ records: borrowing Directory.Records, of owner: Int) -> Bool {
        var offset = count
        _ = append(records)
        while offset < count {
            buffer.set(CompressionPointer.word(to: owner), at: offset)
            offset += Self.length(of: buffer.span, at: offset)
        }
        return !isTruncated
    }

    /// Adds records in the order that they have, each with its owner; as many as fit.
    @inline(__always)
    mutating func append(prepared records: borrowing Directory.Records) {
        if records.octets.count <= room { return append(answers: records.octets, records.count) }
        appendOneByOne(records)
    }

    /// Adds records of different lengths, beginning where it is their turn, until one does not fit.
    @inline(never)
    private mutating func appendOneByOne(_ records: borrowing Directory.Records) {
        var offset = 0
        for _ in 0..<records.start { offset += Self.length(of: records.octets, at: offset) }
        for _ in 0..<records.count {
            let length = Self.length(of: records.octets, at: offset)
            append(answers: records.octets.extracting(offset..<offset + length), 1)
            if isTruncated { return }
            offset += length
            if offset == records.octets.count { offset = 0 }
        }
    }

    /// The octets of the compiled record at an offset: those before RDATA, and RDLENGTH.
    private static func length(of records: Span<UInt8>, at offset: Int) -> Int {
        RecordBuilder.fixedLength + Int(records.word16(offset + RecordBuilder.fixedLength - 2))
    }

    /// Adds records that are on the wire already, all of them or none.
    @inline(__always)
    private mutating func append(answers records: Span<UInt8>, _ number: Int) {
        guard append(records) else {
            isTruncated = true
            return
        }
        header.answerCount &+= UInt16(truncatingIfNeeded: number)
    }

    /// Adds a record to the authority section; left out where it does not fit, as nobody needs it.
    @inline(__always)
    mutating func append(authority record: Span<UInt8>) {
        if append(record) { header.authorityCount = 1 }
    }

    @inline(__always)
    private mutating func append(_ octets: Span<UInt8>) -> Bool {
        guard octets.count <= limit - count else { return false }
        buffer.copy(octets, to: count)
        count += octets.count
        return true
    }

    // MARK: - The end

    /// Completes the answer; gives its octets.
    @inline(__always)
    mutating func finish() -> Int {
        header.flags = HeaderFlags(answering: header.flags, aa: isAuthoritative, code)
        header.flags.tc = isTruncated
        if speaksEDNS {
            header.additionalCount = 1
            writeOPT()
        }
        header.write(into: &buffer)
        return count
    }

    /// Completes an answer with ``extendedError`` and a text, for clients that speak EDNS (RFC 8914 §2); the text is left out
    /// where it does not fit.
    /// - Returns: the octets of the answer.
    @inline(never)
    mutating func finish(explaining text: Span<UInt8>) -> Int {
        let options = ExtendedError.optionLength + text.count
        guard let extendedError, speaksEDNS, options <= limit - count else { return finish() }
        let start = count
        count += EDNS.minimumLength + options
        EDNS.write(code, dnssecOK: dnssecOK, optionsLength: options, into: &buffer, at: start)
        let option = start + EDNS.minimumLength
        let length = ExtendedError.infoCodeLength + text.count
        buffer.set(
            UInt32(OptionCode.extendedError.rawValue) << 16 | UInt32(UInt16(truncatingIfNeeded: length)), at: option)
        buffer.set(extendedError.rawValue, at: option + EDNS.optionHeaderLength)
        buffer.copy(text, to: option + ExtendedError.optionLength)
        header.flags = HeaderFlags(answering: header.flags, aa: isAuthoritative, code)
        header.additionalCount = 1
        header.write(into: &buffer)
        return count
    }

    /// Adds the OPT record, for which ``limit`` leaves room; what else it could say is left out where there is none.
    @inline(__always)
    private mutating func writeOPT() {
        let start = count
        count &+= EDNS.minimumLength
        var optionsLength = 0
        if let extendedError, limit - start >= ExtendedError.optionLength {
            extendedError.write(into: &buffer, at: count)
            optionsLength = ExtendedError.optionLength
            count += optionsLength
        }
        EDNS.write(code, dnssecOK: dnssecOK, optionsLength: optionsLength, into: &buffer, at: start)
    }
}
