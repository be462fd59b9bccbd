// IPv4 addresses as inet_aton(3) reads them.

extension IPv4Address {
    /// Reads an address as inet_aton(3) does, and with it each libc in resolv.conf: one to four numbers, of which the last fills
    /// the octets that are left (`127.1` is 127.0.0.1), each decimal, octal behind a `0` (`010` is 8) or hexadecimal behind `0x`.
    /// Nil for anything else.
    public init?(traditional text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard 1...4 ~= parts.count else { return nil }
        var bits: UInt32 = 0
        for (index, part) in parts.enumerated() {
            guard let number = Self.number(part) else { return nil }
            let isLast = index == parts.count - 1
            let octets = isLast ? 4 - index : 1
            guard UInt64(number) < 1 << UInt64(8 * octets) else { return nil }
            bits |= isLast ? number : number << UInt32(24 - 8 * index)
        }
        self.init(bits: bits)
    }

    /// A number as strtoul(3) reads it with base 0, without a sign.
    private static func number(_ text: some StringProtocol) -> UInt32? {
        let (digits, radix): (Substring, Int)
        if text.hasPrefix("0x") || text.hasPrefix("0X") {
            (digits, radix) = (Substring(text.dropFirst(2)), 16)
        } else if text.hasPrefix("0"), text.count > 1 {
            (digits, radix) = (Substring(text.dropFirst()), 8)
        } else {
            (digits, radix) = (Substring(text), 10)
        }
        guard digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 || 0x41...0x46 ~= $0 & 0xDF }) else { return nil }
        return UInt32(digits, radix: radix)
    }
}
