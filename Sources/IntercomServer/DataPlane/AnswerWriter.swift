// Writes one answer of ours: header and question as they came, then records, then EDNS.

import DNSWire
import Registry

/// An answer under way. It never grows past what the client takes; what does not fit sets TC.
struct AnswerWriter: ~Copyable, ~Escapable {
    private var writer: MessageWriter
    /// Whether the client speaks EDNS, and sets DO.
    private let speaksEDNS: Bool
    private let dnssecOK: Bool
    /// The type that is asked for.
    let type: RecordType
    private var code = ResponseCode.noError

    /// RFC 8482 §4.2: what ANY gets of a name that exists: `HINFO "RFC8482" ""`, TTL to be set.
    static let minimalAny: InlineArray<21, UInt8> = [
        0xC0, 0x0C, 0, 13, 0, 1, 0, 0, 0, 0, 0, 9, 7, 0x52, 0x46, 0x43, 0x38, 0x34, 0x38, 0x32, 0,
    ]

    /// Begins the answer to a query: its question is echoed as it came.
    @_lifetime(copy buffer)
    init(
        _ query: Query, of message: Span<UInt8>, over transport: Transport, into buffer: consuming MutableSpan<UInt8>
    ) {
        speaksEDNS = query.edns != nil
        dnssecOK = query.edns?.dnssecOK ?? false
        type = query.question.type
        writer = MessageWriter(buffer, limit: query.answerLimit(over: transport))
        if speaksEDNS { writer.reserve(EDNS.minimumLength) }
        let flags = HeaderFlags(answering: query.header.flags, aa: true, .noError)
        writer.writeHeader(Header(id: query.header.id, flags: flags))
        writer.writeQuestion(from: message, query.question)
    }

    mutating func begin(_ code: ResponseCode) {
        self.code = code
    }

    // MARK: - Records

    /// Adds one record of fixed octets, with its TTL.
    mutating func append(fixed record: Span<UInt8>, ttl: UInt32) {
        let start = writer.count
        guard writer.writeRecords(record, count: 1, section: .answer) else {
            writer.setTruncated()
            return
        }
        // Behind the owner (2 octets), the type and the class.
        writer.overwrite(ttl, at: start + 6)
    }

    /// Adds the records of a name, beginning where it is their turn; as many as fit.
    mutating func append(_ records: Directory.Records, from directory: borrowing Directory) {
        guard records.stride > 0 else {
            let fits = writer.writeRecords(
                directory.bytes(records.offset, records.length), count: records.count, section: .answer)
            if !fits { writer.setTruncated() }
            return
        }
        let fitting = min(records.count, writer.available / records.stride)
        if fitting < records.count { writer.setTruncated() }
        let untilEnd = min(fitting, records.count - records.start)
        let first = records.offset + records.start * records.stride
        writer.writeRecords(
            directory.bytes(first, untilEnd * records.stride), count: untilEnd, section: .answer)
        if fitting > untilEnd {
            let rest = fitting - untilEnd
            writer.writeRecords(
                directory.bytes(records.offset, rest * records.stride), count: rest, section: .answer)
        }
    }

    /// Adds a record to the authority section; it is left out where it does not fit, as nobody needs it.
    mutating func append(authority record: Span<UInt8>) {
        writer.writeRecords(record, count: 1, section: .authority)
    }

    /// Adds a CHAOS TXT record; TTL 0: it is nobody's business to keep it.
    mutating func appendChaosText(_ text: String) {
        let fits = writer.writeRecord(
            name: .question, recordClass: .ch, ttl: 0, .txt([Array(text.utf8.prefix(255))]), section: .answer)
        if !fits { writer.setTruncated() }
    }

    // MARK: - The end

    /// Completes the answer.
    mutating func finish(_ source: AnswerSource, extendedError: ExtendedError? = nil) -> Outcome {
        if speaksEDNS {
            writer.writeOPT(responseCode: code, dnssecOK: dnssecOK, extendedError: extendedError)
        } else {
            writer.flags.responseCode = code
        }
        return .answered(length: writer.finish(), source)
    }

    /// An answer that says no more than a code.
    mutating func fail(_ code: ResponseCode, _ source: AnswerSource) -> Outcome {
        self.code = code
        writer.flags.aa = false
        return finish(source)
    }
}
