// A tree of places: where each key and value of a TOML document stands in its text.

/// A place in a text file.
struct TextPosition: Hashable, Comparable, Sendable {
    /// Counted from 1.
    var line: Int
    /// Counted from 1, in Unicode scalars: the columns of an editor, and of TOMLKit's own errors.
    var column: Int

    static func < (a: TextPosition, b: TextPosition) -> Bool {
        (a.line, a.column) < (b.line, b.column)
    }
}

/// The places of one key, of its value, and of everything inside that value; and what strings say, as they are read to find
/// their ends.
struct LocatedNode: Equatable, Sendable {
    /// Where the key is spelled; for an element of an array, where the element begins.
    var key: TextPosition
    /// Where the value begins; for a table with a header, the header's bracket.
    var value: TextPosition
    /// What a string of one line says.
    var text: String?
    /// The keys of a table.
    var members: [String: LocatedNode] = [:]
    /// The elements of an array.
    var elements: [LocatedNode] = []
}

/// A part of a dotted key.
struct KeyPart {
    var text: String
    var position: TextPosition
}

extension LocatedNode {
    /// `[a.b]`, or with `isElement` `[[a.b]]`: makes the table, and those above it that are not there yet.
    mutating func openTable(_ path: ArraySlice<KeyPart>, isElement: Bool, at bracket: TextPosition) {
        guard let part = path.first else {
            if isElement { elements.append(LocatedNode(key: bracket, value: bracket)) }
            return
        }
        // A path through an array of tables means its last one.
        if !elements.isEmpty {
            elements[elements.count - 1].openTable(path, isElement: isElement, at: bracket)
            return
        }
        members[part.text, default: LocatedNode(key: part.position, value: bracket)]
            .openTable(path.dropFirst(), isElement: isElement, at: bracket)
    }

    /// Puts a value where its dotted key says.
    mutating func insert(_ value: LocatedNode, at path: ArraySlice<KeyPart>) {
        guard let part = path.first else { return }
        if !elements.isEmpty {
            elements[elements.count - 1].insert(value, at: path)
        } else if path.count == 1 {
            members[part.text] = value
        } else {
            members[part.text, default: LocatedNode(key: part.position, value: part.position)]
                .insert(value, at: path.dropFirst())
        }
    }
}
