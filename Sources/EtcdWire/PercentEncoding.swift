// Percent-encoding of gRPC's messages (RFC 3986 §2.1).

/// Text with octets as `%41`.
enum PercentEncoding {
    /// The text that was encoded; a `%` without two digits stands for itself.
    static func decode(_ text: some StringProtocol) -> String {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "%"), let first = rest.first.flatMap(digit),
                let second = rest.dropFirst().first.flatMap(digit)
            {
                octets.append(first << 4 | second)
                rest = rest.dropFirst(2)
            } else {
                octets.append(octet)
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }

    private static func digit(_ octet: UInt8) -> UInt8? {
        Character(Unicode.Scalar(octet)).hexDigitValue.map { UInt8(truncatingIfNeeded: $0) }
    }
}
