// Text from outside, made harmless for whoever reads it: a terminal, a log line, a JSON document.

/// Escapes for text that a container, a file or an upstream has chosen.
///
/// Control characters steer terminals and break log lines; marks of direction and characters without a width make text
/// look like another text ("Trojan Source", CVE-2021-42574). Names keep them, whoever shows a name escapes them.
public enum DisplayText {
    /// The text with each character that is not to be shown as `\u{HEX}`. A backslash stays as it is: names in
    /// presentation form (RFC 1035 §5.1) have such already.
    public static func escaped(_ text: String) -> String {
        guard !isPlain(text) else { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            if isHidden(scalar) {
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// A JSON document that means the same, with each character that is not to be shown as `\uXXXX` (RFC 8259 §7).
    ///
    /// Control characters below U+0020 stay: in strings an encoder has escaped them, between values they are layout.
    public static func escapedJSON(_ document: String) -> String {
        guard !isPlain(document) else { return document }
        var shown = ""
        for scalar in document.unicodeScalars {
            if scalar.value >= 0x20, isHidden(scalar) {
                for unit in UTF16.encode(scalar) ?? .init() {
                    let digits = String(unit, radix: 16)
                    shown += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// A number with its noun: `1 network`, `2 networks`.
    /// - Parameters:
    ///   - count: the number.
    ///   - one: the noun in the singular.
    ///   - many: its plural; nil: with an `s`.
    public static func counted(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        "\(count) \(count == 1 ? one : many ?? one + "s")"
    }

    /// True for what is not to be shown as it is: controls (C0, DEL, C1), format characters (direction, joiners, tags,
    /// the byte order mark), line and paragraph separators, and fillers that are shown as nothing.
    public static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: return true
        default: return scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    /// True for printable ASCII alone, as nearly all text is.
    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { 0x20...0x7E ~= $0 } }
}
