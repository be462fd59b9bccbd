// The text of a configuration file as a tree of values, each with its place; all that is known of TOMLKit is here.

import TOMLKit

/// A value of a document.
struct DocumentValue {
    enum Content {
        case string(String)
        case integer(Int)
        case boolean(Bool)
        case array([DocumentValue])
        case table([DocumentMember])
        /// A type that no key of ours takes; its name.
        case other(String)
    }

    var content: Content
    /// Where it begins.
    var position: TextPosition

    /// What the type is called in a message.
    var typeName: String {
        switch content {
        case .string: "a string"
        case .integer: "an integer"
        case .boolean: "a boolean"
        case .array: "an array"
        case .table: "a table"
        case .other(let name): name
        }
    }
}

/// A key of a table and its value.
struct DocumentMember {
    var key: String
    /// Where the key is spelled.
    var position: TextPosition
    var value: DocumentValue
}

extension DocumentValue {
    /// Reads a document: its root table.
    /// - Throws: the first syntax error.
    init(parsing text: String) throws(Mistake) {
        // TOMLKit takes a C string; and TOML allows no NUL anywhere.
        if let nul = text.utf8.firstIndex(of: 0) {
            throw Mistake(position: TextPosition(of: nul, in: text), message: "the file has a NUL octet")
        }
        // What was no UTF-8 in the file has become U+FFFD on the way; nobody writes that on purpose.
        if let damage = text.unicodeScalars.firstIndex(of: "\u{FFFD}") {
            throw Mistake(position: TextPosition(of: damage, in: text), message: "the file is not UTF-8")
        }
        let locator = KeyLocator(text)
        if let mistake = locator.mistake {
            // What stands before may be wrong already, and the mistake only what came of it.
            let before = text.utf8.index(text.startIndex, offsetBy: locator.lastExpression)
            try TOMLTable(checked: String(text[..<before])).clear()
            throw mistake
        }
        let table = try TOMLTable(checked: text)
        // TOMLKit never frees what it has parsed, nor any key or string that it is asked for: after thousands of reloads it
        // would show. So it is asked only for what the locator does not know.
        defer { table.clear() }
        if let position = locator.escapedNUL {
            throw Mistake(position: position, message: "the character U+0000 is not allowed")
        }
        self.init(table.tomlValue, at: locator.root, fallback: TextPosition(line: 1, column: 1))
    }

    /// A value, and what is inside it; what has no place of its own has that of what it is in.
    private init(_ value: any TOMLValueConvertible, at node: LocatedNode?, fallback: TextPosition) {
        position = node?.value ?? fallback
        let position = position
        if value.type == .string {
            content = .string(node?.text ?? value.string ?? "")
        } else if let integer = value.int {
            content = .integer(integer)
        } else if let boolean = value.bool {
            content = .boolean(boolean)
        } else if let array = value.array {
            content = .array(
                array.enumerated().map { index, element in
                    let node = node.flatMap { $0.elements.indices.contains(index) ? $0.elements[index] : nil }
                    return DocumentValue(element, at: node, fallback: position)
                })
        } else if let table = value.table {
            let located = node.map { Array($0.members.keys) } ?? []
            let members = (located.count == table.count ? located : table.keys).compactMap { key -> DocumentMember? in
                guard let value = table[key] else { return nil }
                let node = node?.members[key]
                return DocumentMember(
                    key: key, position: node?.key ?? position,
                    value: DocumentValue(value, at: node, fallback: position))
            }
            content = .table(members.sorted { $0.position < $1.position })
        } else {
            content = .other(value.double != nil ? "a float" : "a date or time")
        }
    }
}

extension TOMLTable {
    fileprivate convenience init(checked text: String) throws(Mistake) {
        do {
            try self.init(string: text)
        } catch {
            throw Mistake(syntaxError: error)
        }
    }
}

extension Mistake {
    /// TOMLKit's own error, its opening words replaced by what it is about.
    fileprivate init(syntaxError error: any Error) {
        guard let error = error as? TOMLParseError else {
            self.init(position: TextPosition(line: 1, column: 1), message: "TOML syntax: \(error)")
            return
        }
        let opening = "Error while parsing "
        let text = error.description
        let message = text.hasPrefix(opening) ? String(text.dropFirst(opening.count)) : text
        self.init(
            position: TextPosition(line: error.source.begin.line, column: error.source.begin.column),
            message: "TOML syntax: \(message)")
    }
}

extension TextPosition {
    /// The place of a character in a text.
    init(of index: String.Index, in text: String) {
        let before = text[..<index].utf8
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { before.index(after: $0) } ?? before.startIndex
        self.init(
            line: before.count { $0 == UInt8(ascii: "\n") } + 1,
            column: text.unicodeScalars[lineStart..<index].count + 1)
    }
}
