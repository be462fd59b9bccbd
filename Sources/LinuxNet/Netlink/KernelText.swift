// Names from the kernel as text: it takes any octets for them.

/// Text of octets that may be anything.
package enum KernelText {
    /// Their text in UTF-8, up to a NUL; other octets, control characters and the backslash as `\DDD` (RFC 1035
    /// §5.1), so that different octets have different texts and none of them disturbs a terminal.
    package static func text(of octets: Span<UInt8>) -> String {
        var bytes: [UInt8] = []
        var isPlain = true
        for index in octets.indices {
            let octet = octets[index]
            if octet == 0 { break }
            bytes.append(octet)
            isPlain = isPlain && isPrintable(octet)
        }
        return isPlain ? String(decoding: bytes, as: UTF8.self) : escaped(bytes)
    }

    /// ASCII that stands for itself.
    private static func isPrintable(_ octet: UInt8) -> Bool { 0x20...0x7E ~= octet && octet != UInt8(ascii: "\\") }

    private static func escaped(_ bytes: [UInt8]) -> String {
        var text = ""
        var rest = bytes[...]
        while let octet = rest.first {
            if isPrintable(octet) {
                text.unicodeScalars.append(Unicode.Scalar(octet))
                rest = rest.dropFirst()
            } else if let (character, length) = character(at: rest) {
                text += character
                rest = rest.dropFirst(length)
            } else {
                let digits = String(octet)
                text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
                rest = rest.dropFirst()
            }
        }
        return text
    }

    /// A character of two to four octets, and their count.
    private static func character(at rest: ArraySlice<UInt8>) -> (String, Int)? {
        for length in 2...4 where length <= rest.count {
            guard let text = String(validating: rest.prefix(length), as: UTF8.self) else { continue }
            // Two octets of ASCII are two characters; U+0080 to U+009F are control characters.
            guard let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1, scalar.value > 0x9F else {
                return nil
            }
            return (text, length)
        }
        return nil
    }
}
