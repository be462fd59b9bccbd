// Documents as short text, so that a table can say what is expected.

import Testing

@testable import TOML

extension TOMLValue {
    /// The value alone, as `{a: 1, b: ["x", true]}`.
    var text: String {
        switch content {
        case .string(let text): "\"\(text)\""
        case .integer(let number): "\(number)"
        case .boolean(let flag): "\(flag)"
        case .array(let elements): "[" + elements.map(\.text).joined(separator: ", ") + "]"
        case .table(let members): "{" + members.map { "\($0.key): \($0.value.text)" }.joined(separator: ", ") + "}"
        case .float: "float"
        case .dateOrTime: "date"
        }
    }

    /// One line a key or element: its path, the place of its key, and that of its value.
    func places(_ path: String = "") -> [String] {
        let inside: [(path: String, key: TextPosition, value: TOMLValue)] =
            switch content {
            case .table(let members):
                members.map { (path.isEmpty ? $0.key : "\(path).\($0.key)", $0.position, $0.value) }
            case .array(let elements): elements.enumerated().map { ("\(path)[\($0)]", $1.position, $1) }
            default: []
            }
        return inside.flatMap { path, key, value in
            ["\(path) \(key.line):\(key.column) \(value.position.line):\(value.position.column)"] + value.places(path)
        }
    }
}

/// Result of reading a text: its values, or its error as `line:column: message`.
func outcome(of text: String) -> String {
    do throws(TOMLError) {
        return try TOMLValue(parsing: text).text
    } catch {
        return "\(error.position.line):\(error.position.column): \(error.message)"
    }
}
