// Words of a zone file's line: blanks part them, quotes hold them together, backslashes escape (RFC 1035 §5.1).

enum ZoneWords {
    /// Parts texts into words.
    ///
    /// Escapes stay as they are outside of quotes, for names read them themselves; in quotes, and in strings, they are read.
    /// - Parameters:
    ///   - texts: what somebody wrote.
    ///   - areStrings: true where a text that does not begin with a quote or with `\#` is one string, blanks included.
    static func words(_ texts: [String], areStrings: Bool) throws(RecordTextError) -> [[UInt8]] {
        var words: [[UInt8]] = []
        for text in texts {
            let octets = Array(text.utf8)
            if areStrings, octets.first != UInt8(ascii: "\""), !text.hasPrefix("\\#"), words.first != Array("\\#".utf8)
            {
                var position = 0
                words.append(try string(octets, &position, until: nil))
            } else {
                words += try self.words(octets)
            }
        }
        return words
    }

    private static func words(_ octets: [UInt8]) throws(RecordTextError) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var position = 0
        while position < octets.count {
            switch octets[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                if let ended = word { words.append(ended) }
                word = nil
                position += 1
            case UInt8(ascii: "\""):
                position += 1
                word = try (word ?? []) + string(octets, &position, until: UInt8(ascii: "\""))
            case UInt8(ascii: "\\"):
                // With the octet that it escapes, which may be a blank or a quote.
                word = (word ?? []) + octets[position...].prefix(2)
                position += 2
            case let octet:
                word = (word ?? []) + [octet]
                position += 1
            }
        }
        if let word { words.append(word) }
        return words
    }

    /// Reads a string with its escapes, up to a quote or to the end.
    private static func string(
        _ octets: [UInt8], _ position: inout Int, until end: UInt8?
    ) throws(RecordTextError) -> [UInt8] {
        var string: [UInt8] = []
        while position < octets.count {
            let octet = octets[position]
            position += 1
            if octet == end { return string }
            guard octet == UInt8(ascii: "\\") else {
                string.append(octet)
                continue
            }
            do throws(NameError) {
                let escape = try NameText.escape(octets[position...], in: String(decoding: octets, as: UTF8.self))
                string.append(escape.octet)
                position += escape.length
            } catch {
                throw .badData(.txt, reason: "\(error)")
            }
        }
        if end != nil { throw .badData(.txt, reason: "a quote is not closed") }
        return string
    }
}

extension UInt8 {
    /// True for a letter or digit of ASCII.
    var isLetterOrDigit: Bool { hexadecimalValue != nil || 0x61...0x7A ~= self | 0x20 }

    /// The value of a hexadecimal digit; nil for any other character.
    var hexadecimalValue: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}
