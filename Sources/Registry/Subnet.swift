// Blocks of addresses, as 10.1.0.0/24 (RFC 4632, RFC 4291 §2.3).

package import DNSWire

/// A block of addresses that have their first bits in common.
package struct Subnet: Sendable, Hashable, CustomStringConvertible {
    /// The block's first address: all bits behind the prefix are 0.
    package let address: IPAddress
    /// 0...32 for IPv4, 0...128 for IPv6.
    package let prefixLength: Int

    /// The block of this length that an address is in; nil where the length does not fit the family.
    package init?(_ address: IPAddress, prefixLength: Int) {
        switch address {
        case .v4(let address):
            guard (0...32).contains(prefixLength) else { return nil }
            self.address = .v4(IPv4Address(bits: address.bits & (~0 << UInt32(32 - prefixLength))))
        case .v6(let address):
            guard (0...128).contains(prefixLength) else { return nil }
            self.address = .v6(IPv6Address(bits: address.bits & (~0 << UInt128(128 - prefixLength))))
        }
        self.prefixLength = prefixLength
    }

    /// Reads `ADDRESS/LENGTH`; nil for anything else. Bits behind the prefix are passed over.
    package init?(_ text: some StringProtocol) {
        guard let slash = text.firstIndex(of: "/"), let address = IPAddress(String(text[..<slash])) else { return nil }
        let length = text[text.index(after: slash)...]
        guard (1...3).contains(length.utf8.count), length.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let prefixLength = Int(length)
        else { return nil }
        self.init(address, prefixLength: prefixLength)
    }

    /// True when an address is in the block.
    package func contains(_ address: IPAddress) -> Bool {
        switch (self.address, address) {
        case (.v4, .v4), (.v6, .v6): Subnet(address, prefixLength: prefixLength)?.address == self.address
        default: false
        }
    }

    package var description: String { "\(address)/\(prefixLength)" }
}
