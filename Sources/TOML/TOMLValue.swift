// A TOML document as a tree of values, each with its place in the text.

/// A value of a document, and its place.
package struct TOMLValue: Equatable, Sendable {
    /// A value by its type.
    package enum Content: Equatable, Sendable {
        /// Text of any of the four kinds of strings, without U+0000.
        case string(String)
        /// A 64-bit integer.
        case integer(Int)
        /// `true` or `false`.
        case boolean(Bool)
        /// An array, or an array of tables.
        case array([TOMLValue])
        /// A table: keys in the order of the text, none twice.
        case table([TOMLMember])
        /// A floating-point number, whose value is not kept.
        case float
        /// A date, a time or both, whose value is not kept.
        case dateOrTime
    }

    /// The value.
    package var content: Content
    /// Start of the value; of a table with a header, the header's bracket; of the table of a dotted key, that part of
    /// the key.
    package var position: TextPosition

    /// Deepest nesting of arrays and inline tables, and most parts of a key: more than any configuration needs, and
    /// few enough for the stack of every reader that recurses.
    package static let maximumDepth = 32

    /// The type as a message names it, for example "an integer".
    package var typeName: String {
        switch content {
        case .string: "a string"
        case .integer: "an integer"
        case .boolean: "a boolean"
        case .array: "an array"
        case .table: "a table"
        case .float: "a float"
        case .dateOrTime: "a date or time"
        }
    }
}

/// A key of a table and its value.
package struct TOMLMember: Equatable, Sendable {
    /// The key, its quotes and escapes resolved.
    package var key: String
    /// First place of the key.
    package var position: TextPosition
    /// The key's value.
    package var value: TOMLValue
}

/// A place in a text.
package struct TextPosition: Hashable, Comparable, Sendable {
    /// Counted from 1.
    package var line: Int
    /// Counted from 1, in Unicode scalars: the columns of an editor.
    package var column: Int

    /// The place in this line and column.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Order of reading.
    package static func < (a: TextPosition, b: TextPosition) -> Bool {
        (a.line, a.column) < (b.line, b.column)
    }
}

/// The first mistake in a text that is not a TOML document.
package struct TOMLError: Error, Equatable, Sendable {
    /// The place of the mistake.
    package var position: TextPosition
    /// The reason, for example "TOML syntax: expected a key".
    package var message: String

    init(position: TextPosition, message: String) {
        self.position = position
        self.message = message
    }
}
