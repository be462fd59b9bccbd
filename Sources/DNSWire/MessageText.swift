// Messages as text, for people: `intercomctl resolve` and failing tests.

/// Describes messages the way that `dig` does.
public enum MessageText {
    /// The whole message: header, questions, records section by section. A malformed one is shown as far as it can be
    /// read, and then what is wrong.
    public static func describe(_ message: Span<UInt8>) -> String {
        var lines: [String] = []
        do throws(WireError) {
            try describe(message, &lines)
        } catch {
            lines.append(";; malformed: \(error)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func describe(_ bytes: Span<UInt8>, _ lines: inout [String]) throws(WireError) {
        let message = try Message(bytes)
        let header = message.header
        lines.append(
            ";; opcode: \(header.flags.opcode), status: \(header.flags.responseCode), id: \(header.id)")
        lines.append(
            ";; flags: \(flags(header.flags).joined(separator: " ")); QUERY: \(header.questionCount), "
                + "ANSWER: \(header.answerCount), AUTHORITY: \(header.authorityCount), "
                + "ADDITIONAL: \(header.additionalCount)")
        var position = Header.length
        for index in 0..<header.questionCount {
            let question = try message.question(at: position)
            if index == 0 { lines.append(";; QUESTION SECTION:") }
            lines.append(";" + (try text(of: question, in: bytes)))
            position = question.endOffset
        }
        var records = message.records
        var section: Section?
        while let record = try records.next() {
            if section != record.section {
                section = record.section
                lines.append(";; \(record.section.description.uppercased()) SECTION:")
            }
            lines.append(try text(of: record, in: bytes))
        }
    }

    /// The flags that are set, in `dig`'s order: `qr aa tc rd ra ad cd`.
    public static func flags(_ flags: HeaderFlags) -> [String] {
        [
            (flags.isResponse, "qr"), (flags.aa, "aa"), (flags.tc, "tc"), (flags.rd, "rd"), (flags.ra, "ra"),
            (flags.ad, "ad"), (flags.cd, "cd"),
        ].filter(\.0).map(\.1)
    }

    /// `web. IN A`.
    public static func text(of question: Question, in message: Span<UInt8>) throws(WireError) -> String {
        "\(absolute(try Name(message, at: question.nameOffset))) \(question.recordClass) \(question.type)"
    }

    /// `web. 5 IN A 10.1.0.2`; for OPT what it says about the message.
    public static func text(of record: ResourceRecord, in message: Span<UInt8>) throws(WireError) -> String {
        if record.type == .opt, let edns = try? EDNS(message, record) { return try text(of: edns, in: message) }
        return "\(absolute(try Name(message, at: record.nameOffset))) \(record.ttl) \(record.recordClass) "
            + "\(record.type) \(try data(of: record, in: message))"
    }

    /// `; EDNS: version 0, udp 1232, flags do, EDE 15 (Blocked): "text"`.
    private static func text(of edns: EDNS, in message: Span<UInt8>) throws(WireError) -> String {
        var parts = ["version \(edns.version)", "udp \(edns.udpPayloadSize)"]
        if edns.dnssecOK { parts.append("flags do") }
        if edns.extendedResponseCodeBits != 0 { parts.append("extended rcode \(edns.extendedResponseCodeBits)") }
        var options = edns.options
        while let option = try options.next(message) {
            if option.code == .extendedError, option.length >= 2 {
                let code = ExtendedError(rawValue: message.word16(option.offset))
                let extra = octets(message, option.offset + 2..<option.offset + option.length)
                parts.append("EDE \(code.rawValue) (\(code))" + (extra.isEmpty ? "" : ": \(NameText.quoted(extra))"))
            } else {
                parts.append("\(option.code) \(hex(message, option.offset..<option.offset + option.length))")
            }
        }
        return "; EDNS: " + parts.joined(separator: ", ")
    }

    static func octets(_ message: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        range.map { message[$0] }
    }

    static func hex(_ message: Span<UInt8>, _ range: Range<Int>) -> String {
        range.map { (message[$0] < 16 ? "0" : "") + String(message[$0], radix: 16) }.joined()
    }

    /// A name with its dot at the end.
    static func absolute(_ name: Name) -> String {
        name.wire.count == 1 ? "." : "\(name)."
    }
}
