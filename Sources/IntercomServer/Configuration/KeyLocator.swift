// Where the keys and values of a TOML document stand in its text, so that an error can point at them.

/// Finds the places of all keys and values in the text of a TOML document (TOML v1.0.0).
///
/// TOMLKit says where a syntax error is, but not where a value stands. This reads the same text for places only: what cannot be
/// understood ends the search, and what lies behind it has no place. Whether the text is valid is for TOMLKit to say, but
/// for some mistakes that end the process inside it (``mistake``).
struct KeyLocator {
    /// The document's root table; everything hangs below it.
    private(set) var root = LocatedNode(key: .init(line: 1, column: 1), value: .init(line: 1, column: 1))
    /// The first `\u0000` in a quoted key or string. TOMLKit hands strings over as C strings, which would end there.
    private(set) var escapedNUL: TextPosition?

    /// What TOMLKit must not be given: a header without a key, something in an array that begins no value (its parser asserts,
    /// in release builds too, that neither happens), a date or time (it asserts that they go on as they begin), an endless
    /// number, endless nesting.
    private(set) var mistake: Mistake?
    /// Where the header or key-value pair begins that was read last, in octets.
    private(set) var lastExpression = 0

    /// How many parts a dotted key may have, and how deep arrays and inline tables may nest: far more than any key of ours
    /// needs, and little enough for every parser's stack.
    private static let maximumDepth = 32
    private var depth = 0

    private let bytes: [UInt8]
    private var offset = 0
    private var position = TextPosition(line: 1, column: 1)

    init(_ text: some StringProtocol) {
        bytes = Array(text.utf8)
        // A byte order mark is no part of the first line.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
        locate()
    }
}

// MARK: - The parts of a document

extension KeyLocator {
    /// Reads expression after expression: a header, or a key and its value.
    private mutating func locate() {
        var table: [KeyPart] = []
        while true {
            skipBlank(newlines: true)
            guard let byte = current else { return }
            lastExpression = offset
            if byte == UInt8(ascii: "[") {
                let bracket = position
                advance()
                let isElement = skip("[")
                skipBlank(newlines: false)
                guard let start = current, start.beginsKey else { return expect("a key") }
                table = readKey()
                guard !table.isEmpty, skip("]"), !isElement || skip("]") else { return }
                root.openTable(table[...], isElement: isElement, at: bracket)
            } else {
                guard let (key, value) = readMember() else { return }
                root.insert(value, at: (table + key)[...])
            }
        }
    }

    /// `a.b = value`: the key, and the place of what is inside the value.
    private mutating func readMember() -> (key: [KeyPart], value: LocatedNode)? {
        let key = readKey()
        guard let last = key.last, skip("=") else { return nil }
        skipBlank(newlines: false)
        guard var value = readValue() else { return nil }
        value.key = last.position
        return (key, value)
    }

    /// A bare, quoted or dotted key; empty where there is none.
    private mutating func readKey() -> [KeyPart] {
        var parts: [KeyPart] = []
        repeat {
            skipBlank(newlines: false)
            let start = position
            guard let text = readKeyPart() else { return [] }
            parts.append(KeyPart(text: text, position: start))
            guard parts.count <= Self.maximumDepth else {
                mistake = Mistake(position: start, message: "the key has more than \(Self.maximumDepth) parts")
                return []
            }
            skipBlank(newlines: false)
        } while skip(".")
        return parts
    }

    private mutating func readKeyPart() -> String? {
        if current == UInt8(ascii: "\"") || current == UInt8(ascii: "'") {
            return String(decoding: readString(), as: UTF8.self)
        }
        let start = offset
        while let byte = current, byte.isBareKey { advance() }
        return start == offset ? nil : String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    /// A value of any type; nil at the end of the text.
    private mutating func readValue() -> LocatedNode? {
        guard let byte = current else { return nil }
        var node = LocatedNode(key: position, value: position)
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else {
            mistake = Mistake(position: position, message: "nested deeper than \(Self.maximumDepth) levels")
            return nil
        }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let start = node.value.line
            let text = String(decoding: readString(), as: UTF8.self)
            if position.line == start { node.text = text }
        case UInt8(ascii: "["):
            advance()
            while true {
                skipBlank(newlines: true)
                if skip("]") { break }
                guard let start = current, start.beginsValue else {
                    expect("a value")
                    return nil
                }
                guard let element = readValue() else { return nil }
                node.elements.append(element)
                skipBlank(newlines: true)
                guard skip(",") || current == UInt8(ascii: "]") else { return nil }
            }
        case UInt8(ascii: "{"):
            advance()
            while true {
                skipBlank(newlines: true)
                if skip("}") { break }
                guard let (key, value) = readMember() else { return nil }
                node.insert(value, at: key[...])
                skipBlank(newlines: true)
                guard skip(",") || current == UInt8(ascii: "}") else { return nil }
            }
        default:
            guard skipScalar() else { return nil }
        }
        return node
    }

    /// Skips a number, a boolean or a date; false after a mistake.
    private mutating func skipScalar() -> Bool {
        let start = offset
        let place = position
        while let byte = current, !byte.endsScalar { advance() }
        let text = bytes[start..<offset]
        let isTime = zip(text, text.dropFirst()).contains { before, byte in
            byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-") && before.isDigit
        }
        if isTime {
            mistake = Mistake(position: place, message: "no key takes a date or time")
        } else if text.count > 100 {
            mistake = Mistake(position: place, message: "no key takes a number as long as this")
        }
        return mistake == nil
    }
}

// MARK: - Characters

extension KeyLocator {
    /// Notes that something else stands here than what must.
    private mutating func expect(_ what: String) {
        mistake = Mistake(position: position, message: "TOML syntax: expected \(what)")
    }

    private var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func advance() {
        guard let byte = current else { return }
        offset += 1
        if byte == UInt8(ascii: "\n") {
            position = TextPosition(line: position.line + 1, column: 1)
        } else if current.map({ $0 & 0xC0 != 0x80 }) ?? true {
            // The next octet begins a character: this one was the last of its own.
            position.column += 1
        }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        advance()
        return true
    }

    /// Skips spaces and tabs; with `newlines`, comments and ends of lines too.
    private mutating func skipBlank(newlines: Bool) {
        while let byte = current {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                advance()
            case UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                guard newlines else { return }
                advance()
            case UInt8(ascii: "#"):
                guard newlines else { return }
                while let byte = current, byte != UInt8(ascii: "\n") { advance() }
            default:
                return
            }
        }
    }

    /// The content of a string of any of the four kinds, its escapes resolved; the current octet is its first quote.
    private mutating func readString() -> [UInt8] {
        guard let quote = current else { return [] }
        var opening = 0
        while opening < 3, current == quote {
            advance()
            opening += 1
        }
        // Two quotes are an empty string, three begin a string of several lines.
        guard opening != 2 else { return [] }
        let closing = opening
        var content: [UInt8] = []
        var run = 0
        while let byte = current {
            // A string of one line that does not end there is no string.
            if closing == 1, byte == UInt8(ascii: "\n") { break }
            if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                run = 0
                content += readEscape()
                continue
            }
            content.append(byte)
            advance()
            run = byte == quote ? run + 1 : 0
            if run == closing { break }
        }
        content.removeLast(min(run, content.count))
        // A string of several lines may end in up to two quotes of its own, before the closing three.
        if closing == 3 {
            var own = 0
            while own < 2, current == quote {
                content.append(quote)
                advance()
                own += 1
            }
        }
        return content
    }

    /// An escape sequence of a basic string, its backslash included.
    private mutating func readEscape() -> [UInt8] {
        let start = position
        advance()
        guard let letter = current else { return [] }
        advance()
        var digits = 0
        switch letter {
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "u"): digits = 4
        case UInt8(ascii: "U"): digits = 8
        default: return [letter]
        }
        var code: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = current.flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else { break }
            code = code << 4 | UInt32(digit)
            advance()
        }
        if code == 0, escapedNUL == nil { escapedNUL = start }
        return Unicode.Scalar(code).map { Array(String(Character($0)).utf8) } ?? []
    }
}

extension UInt8 {
    /// TOML v1.0.0, "Keys": `A-Za-z0-9_-`.
    fileprivate var isBareKey: Bool {
        switch self {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    fileprivate var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }

    /// Whether a bare or quoted key may begin with this octet.
    fileprivate var beginsKey: Bool {
        isBareKey || self == UInt8(ascii: "\"") || self == UInt8(ascii: "'")
    }

    /// Whether a value may begin with this octet; the letters are those of all bare words and numbers.
    fileprivate var beginsValue: Bool {
        beginsKey || self == UInt8(ascii: "[") || self == UInt8(ascii: "{") || self == UInt8(ascii: "+")
    }

    /// Whether a number, boolean or date ends before this octet.
    fileprivate var endsScalar: Bool {
        switch self {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"): true
        case UInt8(ascii: "\r"), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: " "): true
        default: false
        }
    }
}
