// Addresses that no name of the public DNS should lead to.

extension IPv4Address {
    /// Blocks that are not reached over the Internet: this host (RFC 1122 §3.2.1.3), private (RFC 1918), shared by a carrier's
    /// customers (RFC 6598), loopback, link-local (RFC 3927).
    private static let privateBlocks: [(bits: UInt32, prefixLength: UInt32)] = [
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16), (0xAC10_0000, 12),
        (0xC0A8_0000, 16),
    ]

    /// True for private, shared, loopback and link-local addresses, and those of 0.0.0.0/8, which Linux takes for itself.
    public var isPrivate: Bool {
        Self.privateBlocks.contains { (bits ^ $0.bits) >> (32 - $0.prefixLength) == 0 }
    }
}

extension IPv6Address {
    /// Prefixes of 96 bits behind which an IPv4 address is reached: none, which is obsolete (RFC 4291 §2.5.5.1), mapped (RFC 4291
    /// §2.5.5.2), and NAT64 (RFC 6052 §2.1).
    private static let embedding: [UInt128] = [0, 0xFFFF, 0x64_FF9B << 64]

    /// True for unique local (RFC 4193), site-local, link-local and loopback addresses, ::, and addresses that embed a private
    /// IPv4 address, those of 6to4 (RFC 3056) included.
    public var isPrivate: Bool {
        if bits <= 1 || bits >> 121 == 0xFC >> 1 || bits >> 118 == 0xFEC0 >> 6 || isLinkLocal { return true }
        if Self.embedding.contains(bits >> 32) {
            return IPv4Address(bits: UInt32(truncatingIfNeeded: bits)).isPrivate
        }
        return bits >> 112 == 0x2002 && IPv4Address(bits: UInt32(truncatingIfNeeded: bits >> 80)).isPrivate
    }
}
