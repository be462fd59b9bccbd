// Names in presentation form: the text of zone files and of people.

extension Name: CustomStringConvertible {
    /// Reads a name as people write it: `web.frontend`, with or without a dot at the end; `.` is the root.
    ///
    /// `\.` is a dot within a label, `\DDD` any octet by its decimal number (RFC 1035 §5.1). Other characters stand for
    /// their UTF-8 octets.
    public init(_ presentation: some StringProtocol) throws(NameError) {
        let text = Array(presentation.utf8)
        guard !text.isEmpty else { throw .empty }
        guard text != [UInt8(ascii: ".")] else {
            self = .root
            return
        }
        // The label that is being read begins at `start`, with its length, which is known at its end.
        var wire: [UInt8] = []
        wire.reserveCapacity(text.count + 2)
        wire.append(0)
        var start = 0
        var longLabel: ArraySlice<UInt8>?
        func endLabel() {
            let label = wire[(start + 1)...]
            if label.count > Name.maximumLabelLength { longLabel = longLabel ?? label }
            wire[start] = UInt8(truncatingIfNeeded: label.count)
            start = wire.count
            wire.append(0)
        }
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "."):
                guard wire.count > start + 1 else { throw .emptyLabel }
                endLabel()
            case UInt8(ascii: "\\"):
                let (octet, length) = try NameText.escape(text[(index + 1)...], in: presentation)
                wire.append(octet)
                index += length
            case let octet:
                wire.append(octet)
            }
            index += 1
        }
        if wire.count > start + 1 { endLabel() }
        if let longLabel { throw .labelTooLong(NameText.escaped(longLabel)) }
        guard wire.count <= Name.maximumLength else { throw .nameTooLong(octets: wire.count) }
        self.init(trustedWire: wire)
    }

    /// The name as text that reads back to itself, without a dot at the end; `.` for the root.
    public var description: String {
        wire.count == 1 ? "." : labels.map { NameText.escaped($0) }.joined(separator: ".")
    }
}

/// The escapes of presentation form (RFC 1035 §5.1).
enum NameText {
    /// Reads what stands behind a backslash: the octet it means and how many octets of text that took.
    static func escape(
        _ rest: ArraySlice<UInt8>, in text: some StringProtocol
    ) throws(NameError) -> (octet: UInt8, length: Int) {
        guard let first = rest.first else { throw .badEscape(String(text)) }
        guard 0x30...0x39 ~= first else { return (first, 1) }
        let digits = rest.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { throw .badEscape(String(text)) }
        let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard let octet = UInt8(exactly: value) else { throw .badEscape(String(text)) }
        return (octet, 3)
    }

    /// A label with its dots and the characters that are special in zone files escaped.
    static func escaped(_ label: some Sequence<UInt8>) -> String {
        var text = ""
        for octet in label { append(octet, to: &text, special: [0x2E, 0x5C, 0x22, 0x28, 0x29, 0x3B, 0x40, 0x24]) }
        return text
    }

    /// A character string of a TXT record, in quotes.
    static func quoted(_ string: some Sequence<UInt8>) -> String {
        var text = "\""
        for octet in string { append(octet, to: &text, special: [0x22, 0x5C], from: 0x20) }
        return text + "\""
    }

    private static func append(_ octet: UInt8, to text: inout String, special: [UInt8], from first: UInt8 = 0x21) {
        if special.contains(octet) {
            text += "\\"
            text.unicodeScalars.append(Unicode.Scalar(octet))
        } else if first...0x7E ~= octet {
            text.unicodeScalars.append(Unicode.Scalar(octet))
        } else {
            let digits = String(octet)
            text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
    }
}
