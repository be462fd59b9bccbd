// Characters in a name that nobody sees, or that look like others: of a file with lines as Windows ends them, of a web page.

/// The first character of a name that is no printable one of ASCII, and the name without all such.
package struct OddCharacter: Sendable, Equatable {
    /// The character with its place, as `ends with a carriage return (\013)`.
    package var text: String
    /// The name without it and others of its kind; nil: nothing is left, or they were letters.
    package var cleaned: String?

    /// Looks through a name.
    /// - Parameter name: as it was typed, or in presentation form (RFC 1035 §5.1), with escapes.
    /// - Returns: nil where all characters are printable ASCII.
    package init?(in name: String) {
        let scalars = Self.unescaped(name)
        guard let first = scalars.firstIndex(where: Self.isOdd) else { return nil }
        let odd = scalars[first]
        let what = "\(Self.noun(odd)) (\(Self.number(odd)))"
        let before = String(String.UnicodeScalarView(scalars[..<first]))
        let isLast = scalars[first...].allSatisfy(Self.isOdd)
        text =
            if first == 0 { "begins with \(what)" } else if isLast { "ends with \(what)" } else {
                "has \(what) behind '\(before)'"
            }
        let more = scalars.count(where: Self.isOdd) - 1
        if more > 0 { text += " and \(more) more" }
        // A letter stands for another one: which is meant only the writer knows.
        let rest = scalars.filter { !Self.isOdd($0) }
        let areLetters = scalars.contains { Self.isOdd($0) && !Self.isUnseen($0) }
        cleaned = rest.isEmpty || areLetters ? nil : String(String.UnicodeScalarView(rest))
    }

    /// The characters of a name with `\DDD` and `\X` read; octets that are no UTF-8 are the replacement character.
    private static func unescaped(_ name: String) -> [Unicode.Scalar] {
        var octets: [UInt8] = []
        var rest = Array(name.utf8)[...]
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "\\") else {
                octets.append(octet)
                continue
            }
            let digits = rest.prefix(3)
            let number = UInt8(String(decoding: digits, as: UTF8.self))
            if let number, digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) {
                octets.append(number)
                rest = rest.dropFirst(3)
            } else if let next = rest.popFirst() {
                octets.append(next)
            }
        }
        return Array(String(decoding: octets, as: UTF8.self).unicodeScalars)
    }

    private static func isOdd(_ scalar: Unicode.Scalar) -> Bool { !(0x21...0x7E).contains(scalar.value) }

    /// True for blanks, controls, and others that are shown as nothing.
    private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.isWhitespace || scalar.properties.isDefaultIgnorableCodePoint { return true }
        return [.control, .format, .unassigned].contains(scalar.properties.generalCategory)
    }

    private static func number(_ scalar: Unicode.Scalar) -> String {
        let isASCII = scalar.isASCII
        let digits = isASCII ? String(scalar.value) : String(scalar.value, radix: 16, uppercase: true)
        let zeros = String(repeating: "0", count: max(0, (isASCII ? 3 : 4) - digits.count))
        return (isASCII ? "\\" : "U+") + zeros + digits
    }

    private static func noun(_ scalar: Unicode.Scalar) -> String {
        switch scalar.value {
        case 0x09: "a tab"
        case 0x0A: "a line feed"
        case 0x0D: "a carriage return"
        case 0x20: "a space"
        case 0xA0: "a no-break space"
        case 0xAD: "a soft hyphen"
        case 0x200B: "a zero-width space"
        case 0x200C, 0x200D: "a zero-width joiner"
        case 0xFEFF: "a byte order mark"
        case 0xFFFD: "octets that are no UTF-8"
        default:
            if isUnseen(scalar) {
                scalar.properties.generalCategory == .control ? "a control character" : "a character that is not seen"
            } else {
                "a character outside ASCII, '\(scalar)'"
            }
        }
    }
}
