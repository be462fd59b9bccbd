// Names of reverse lookups, read as the addresses that they are about.

/// The addresses that a name under `in-addr.arpa` or `ip6.arpa` is about.
public struct ReverseBlock: Equatable, Sendable {
    /// The first address of the block.
    public let address: IPAddress
    /// The bits that the name gives: 8 for each label of `in-addr.arpa`, 4 for each of `ip6.arpa`.
    public let prefixLength: Int
    /// Labels before those of the address, as in `lb._dns-sd._udp.0.0.10.in-addr.arpa`.
    public let labelsBefore: Int

    /// True for a block within 127.0.0.0/8 (RFC 6303 §4.2), and for ::1.
    public var isLoopback: Bool {
        switch address {
        case .v4: prefixLength >= 8 && address.isLoopback
        case .v6: isAddress && address.isLoopback
        }
    }

    /// The bits that a domain of this many labels gives, of those that end as the block's name does; negative where it is
    /// not below `in-addr.arpa` or `ip6.arpa`.
    public func prefixLength(ofLabels labels: Int) -> Int {
        switch address {
        case .v4: (labels - 2) * 8
        case .v6: (labels - 2) * 4
        }
    }

    /// True for a block of one address.
    public var isAddress: Bool {
        switch address {
        case .v4: prefixLength == 32
        case .v6: prefixLength == 128
        }
    }
}

extension FoldedName {
    /// True for a name under `in-addr.arpa` or `ip6.arpa`.
    @inlinable
    @inline(__always)
    public var isReverse: Bool {
        // The length of the last label sorts out nearly every name at once.
        labelCount > 2 && self[labelOffset(labelCount - 1)] == 4 && isUnderReverseZone
    }

    @usableFromInline
    var isUnderReverseZone: Bool {
        suffixEquals(Self.inAddrArpa.span, fromLabel: labelCount - 2)
            || suffixEquals(Self.ip6Arpa.span, fromLabel: labelCount - 2)
    }

    /// The address that a PTR question is about: four decimal labels under `in-addr.arpa` (RFC 1035 §3.5) or 32 nibbles
    /// under `ip6.arpa` (RFC 3596 §2.5). Nil for every other name, those of parts of addresses too.
    public var reverseAddress: IPAddress? {
        guard let block = reverseBlock, block.isAddress, block.labelsBefore == 0 else { return nil }
        return block.address
    }

    /// The block of addresses that the labels before `in-addr.arpa` or `ip6.arpa` give, as many as are of an address.
    /// Nil where there is none, and for every other name.
    public var reverseBlock: ReverseBlock? {
        guard labelCount > 2 else { return nil }
        if suffixEquals(Self.inAddrArpa.span, fromLabel: labelCount - 2) { return reverseIPv4 }
        if suffixEquals(Self.ip6Arpa.span, fromLabel: labelCount - 2) { return reverseIPv6 }
        return nil
    }

    private var reverseIPv4: ReverseBlock? {
        var bits: UInt32 = 0
        var count = 0
        while count < min(4, labelCount - 2), let octet = decimal(labelCount - 3 - count) {
            bits |= octet << UInt32(24 - 8 * count)
            count += 1
        }
        guard count > 0 else { return nil }
        return ReverseBlock(
            address: .v4(IPv4Address(bits: bits)), prefixLength: 8 * count, labelsBefore: labelCount - 2 - count)
    }

    private var reverseIPv6: ReverseBlock? {
        var bits: UInt128 = 0
        var count = 0
        while count < min(32, labelCount - 2), let nibble = nibble(labelCount - 3 - count) {
            bits |= nibble << UInt128(124 - 4 * count)
            count += 1
        }
        guard count > 0 else { return nil }
        return ReverseBlock(
            address: .v6(IPv6Address(bits: bits)), prefixLength: 4 * count, labelsBefore: labelCount - 2 - count)
    }

    /// A label that is a number up to 255 without leading zeros.
    private func decimal(_ label: Int) -> UInt32? {
        let start = labelOffset(label)
        let count = Int(self[start])
        guard count <= 3 else { return nil }
        var value: UInt32 = 0
        for index in 1...count {
            let digit = UInt32(self[start + index]) &- 0x30
            guard digit <= 9, index == 1 || value != 0 else { return nil }
            value = value * 10 + digit
        }
        return value <= 255 ? value : nil
    }

    /// A label that is one hexadecimal digit.
    private func nibble(_ label: Int) -> UInt128? {
        let start = labelOffset(label)
        guard self[start] == 1 else { return nil }
        switch self[start + 1] {
        case let digit where 0x30...0x39 ~= digit: return UInt128(digit - 0x30)
        case let digit where 0x61...0x66 ~= digit: return UInt128(digit - 0x61 + 10)
        default: return nil
        }
    }

    /// `in-addr.arpa`.
    private static let inAddrArpa: InlineArray<14, UInt8> =
        [7, 0x69, 0x6E, 0x2D, 0x61, 0x64, 0x64, 0x72, 4, 0x61, 0x72, 0x70, 0x61, 0]
    /// `ip6.arpa`.
    private static let ip6Arpa: InlineArray<10, UInt8> = [3, 0x69, 0x70, 0x36, 4, 0x61, 0x72, 0x70, 0x61, 0]
}
