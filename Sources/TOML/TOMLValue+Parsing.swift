// From text to values: what toml++ cannot be given is refused first, what it gives is read from octets.

private import CToml

extension TOMLValue {
    /// Reads a document: its root table.
    /// - Throws: ``TOMLError`` with the first mistake: in the syntax, or what no document of ours may have (NUL, octets that
    ///   are not UTF-8, nesting beyond ``maximumDepth``).
    package init(parsing text: String) throws(TOMLError) {
        try NestingScan.check(text)
        let octets = Array(text.utf8)
        // Mostly enough: a short line becomes a value of about 30 octets and the text's own. If not, the size is known then.
        var tree = [UInt8](repeating: 0, count: 4096 + 4 * octets.count)
        var result = Self.read(octets, into: &tree)
        if result.size > tree.count {
            tree = [UInt8](repeating: 0, count: result.size)
            result = Self.read(octets, into: &tree)
        }
        if result.line > 0 {
            let message = String(decoding: tree.prefix(result.size), as: UTF8.self)
            throw TOMLError(
                position: TextPosition(line: Int(result.line), column: Int(result.column)),
                message: "TOML syntax: \(message.dropping(prefix: "Error while parsing "))")
        }
        var reader = TreeReader(octets: tree)
        self = try reader.readValue()
    }

    private static func read(_ text: [UInt8], into tree: inout [UInt8]) -> ctoml_result {
        var span = tree.mutableSpan
        return ctoml_read(text.span, &span)
    }
}

/// Reads the octets that the shim wrote; `ctoml.h` describes them.
private struct TreeReader {
    let octets: [UInt8]
    private var offset = 0

    init(octets: [UInt8]) {
        self.octets = octets
    }

    mutating func readValue() throws(TOMLError) -> TOMLValue {
        let type = readNumber(octets: 1)
        let position = readPosition()
        let content: TOMLValue.Content
        switch ctoml_type(UInt32(type)) {
        case ctoml_string: content = .string(try readText(at: position))
        case ctoml_integer: content = .integer(Int(truncatingIfNeeded: readNumber(octets: 8)))
        case ctoml_boolean: content = .boolean(readNumber(octets: 1) != 0)
        case ctoml_array:
            var elements: [TOMLValue] = []
            for _ in 0..<readNumber(octets: 4) { elements.append(try readValue()) }
            content = .array(elements)
        case ctoml_table:
            var members: [TOMLMember] = []
            for _ in 0..<readNumber(octets: 4) {
                let position = readPosition()
                members.append(
                    TOMLMember(key: try readText(at: position), position: position, value: try readValue()))
            }
            content = .table(members.sorted { $0.position < $1.position })
        case ctoml_float: content = .float
        default: content = .dateOrTime
        }
        return TOMLValue(content: content, position: position)
    }

    private mutating func readPosition() -> TextPosition {
        let line = readNumber(octets: 4)
        return TextPosition(line: Int(line), column: Int(readNumber(octets: 4)))
    }

    /// Reads text, which may not have a NUL: `\u0000` can say it, and C's strings end there.
    private mutating func readText(at position: TextPosition) throws(TOMLError) -> String {
        let count = Int(readNumber(octets: 4))
        let text = octets[offset...].prefix(count)
        offset = text.endIndex
        guard !text.contains(0) else {
            throw TOMLError(position: position, message: "the character U+0000 is not allowed")
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a little-endian number of at most 8 octets.
    private mutating func readNumber(octets count: Int) -> UInt64 {
        let end = min(offset + count, octets.count)
        defer { offset = end }
        return octets[offset..<end].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> Substring {
        hasPrefix(prefix) ? dropFirst(prefix.count) : self[...]
    }
}
