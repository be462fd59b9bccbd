// JSON in printable ASCII alone: names that a container has chosen reach no terminal and no log as they are.

/// Escapes for the octets of a message (RFC 8259 §7).
///
/// Names keep every character, for programs read `\uXXXX` as the character that it stands for. Whoever looks at the octets
/// of the socket (socat, strace, varlinkctl) sees no control character (C0, DEL, C1) and no mark of direction.
enum ASCIIJSON {
    /// A document that means the same. JSON has other than printable ASCII within strings alone.
    static func escaped(_ document: [UInt8]) -> [UInt8] {
        guard !document.allSatisfy({ printable.contains($0) }) else { return document }
        var escaped: [UInt8] = []
        escaped.reserveCapacity(document.count + document.count / 4)
        for scalar in String(decoding: document, as: UTF8.self).unicodeScalars {
            if let octet = UInt8(exactly: scalar.value), printable.contains(octet) {
                escaped.append(octet)
            } else {
                for unit in UTF16.encode(scalar) ?? .init() { append(unit, to: &escaped) }
            }
        }
        return escaped
    }

    private static let printable: ClosedRange<UInt8> = 0x20...0x7E

    /// A UTF-16 code unit as `\uXXXX`.
    private static func append(_ unit: UInt16, to document: inout [UInt8]) {
        let digits = String(unit, radix: 16)
        document += "\\u".utf8
        document += repeatElement(UInt8(ascii: "0"), count: 4 - digits.utf8.count)
        document += digits.utf8
    }
}
