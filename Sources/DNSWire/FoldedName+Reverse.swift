// Names of reverse lookups, read as the addresses that they are about.

extension FoldedName {
    /// The address that a PTR question is about: four decimal labels under `in-addr.arpa` (RFC 1035 §3.5) or 32 nibbles
    /// under `ip6.arpa` (RFC 3596 §2.5). Nil for every other name, those of parts of addresses too.
    package var reverseAddress: IPAddress? {
        switch labelCount {
        case 6 where suffixEquals(Self.inAddrArpa.span, fromLabel: 4): reverseIPv4.map { .v4($0) }
        case 34 where suffixEquals(Self.ip6Arpa.span, fromLabel: 32): reverseIPv6.map { .v6($0) }
        default: nil
        }
    }

    private var reverseIPv4: IPv4Address? {
        var bits: UInt32 = 0
        for label in (0..<4).reversed() {
            let start = labelOffset(label)
            let count = Int(self[start])
            guard count <= 3 else { return nil }
            var value: UInt32 = 0
            for index in 1...count {
                let digit = UInt32(self[start + index]) &- 0x30
                guard digit <= 9, index == 1 || value != 0 else { return nil }
                value = value * 10 + digit
            }
            guard value <= 255 else { return nil }
            bits = bits << 8 | value
        }
        return IPv4Address(bits: bits)
    }

    private var reverseIPv6: IPv6Address? {
        var bits: UInt128 = 0
        for label in (0..<32).reversed() {
            let start = labelOffset(label)
            guard self[start] == 1 else { return nil }
            switch self[start + 1] {
            case let digit where 0x30...0x39 ~= digit: bits = bits << 4 | UInt128(digit - 0x30)
            case let digit where 0x61...0x66 ~= digit: bits = bits << 4 | UInt128(digit - 0x61 + 10)
            default: return nil
            }
        }
        return IPv6Address(bits: bits)
    }

    /// `in-addr.arpa`.
    private static let inAddrArpa: InlineArray<14, UInt8> =
        [7, 0x69, 0x6E, 0x2D, 0x61, 0x64, 0x64, 0x72, 4, 0x61, 0x72, 0x70, 0x61, 0]
    /// `ip6.arpa`.
    private static let ip6Arpa: InlineArray<10, UInt8> = [3, 0x69, 0x70, 0x36, 4, 0x61, 0x72, 0x70, 0x61, 0]
}
