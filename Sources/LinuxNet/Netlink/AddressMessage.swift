// Addresses of interfaces: RTM_NEWADDR and RTM_DELADDR, rtnetlink(7) and `linux/if_addr.h`.

internal import CLinux

/// A message of the kernel about an address, as `ip address show` prints it.
package struct AddressMessage: Hashable, Sendable {
    /// The link that has it.
    package var link: UInt32
    /// The address itself, not that of a point-to-point peer.
    package var address: LinkAddress
    /// 0...32 or 0...128.
    package var prefixLength: UInt8
    /// Flags of the address.
    package var flags: AddressFlags
    /// Scope in which it is valid.
    package var scope: AddressScope
}

extension AddressMessage {
    /// Reads a message with an `ifaddrmsg`: family, prefix length, eight flags, scope, link; then attributes.
    /// - Returns: nil for other families than IPv4 and IPv6.
    package init?(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        var attributes = try NetlinkAttributeReader(message, behind: MemoryLayout<ifaddrmsg>.size)
        let fixed = message.payload
        let family = Int32(fixed[0])
        guard family == AF_INET || family == AF_INET6 else { return nil }
        var flags = AddressFlags(rawValue: UInt32(fixed[2]))
        var own: LinkAddress?
        var prefix: LinkAddress?
        while let attribute = try attributes.next() {
            switch Int(attribute.type) {
            case IFA_LOCAL: own = try LinkAddress(attribute, family)
            case IFA_ADDRESS: prefix = try LinkAddress(attribute, family)
            // All flags, of which the fixed part has the first eight.
            case IFA_FLAGS: flags = AddressFlags(rawValue: try attribute.word32())
            default: continue
            }
        }
        // IFA_ADDRESS is that of the peer where there is one; IPv6 has IFA_LOCAL only then.
        guard let address = own ?? prefix else {
            throw .missingAttribute(message.type, attribute: UInt16(truncatingIfNeeded: IFA_ADDRESS))
        }
        self.init(
            link: fixed.hostWord32(4), address: address, prefixLength: fixed[1], flags: flags,
            scope: AddressScope(rawValue: fixed[3]))
    }
}

/// An address in host order.
package enum LinkAddress: Hashable, Sendable {
    /// IPv4: 32 bits.
    case v4(UInt32)
    /// IPv6: 128 bits.
    case v6(UInt128)

    fileprivate init(_ attribute: borrowing NetlinkAttribute, _ family: Int32) throws(NetlinkError) {
        let octets = attribute.value
        let length = family == AF_INET ? 4 : 16
        guard octets.count >= length else { throw .badAttributeValue(type: attribute.type, octets: octets.count) }
        let bits = (0..<length).reduce(UInt128(0)) { $0 << 8 | UInt128(octets[$1]) }
        self = family == AF_INET ? .v4(UInt32(truncatingIfNeeded: bits)) : .v6(bits)
    }
}

/// IFA_F_* of `linux/if_addr.h`.
package struct AddressFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    private init(_ constant: some BinaryInteger) {
        rawValue = UInt32(truncatingIfNeeded: constant)
    }

    /// Of IPv6: made for a while, to hide who we are (RFC 8981). Of IPv4 the same bit: not the first of its subnet.
    package static let temporary = Self(IFA_F_TEMPORARY)
    /// Duplicate address detection found another (RFC 4862 §5.4).
    package static let duplicate = Self(IFA_F_DADFAILED)
    /// Not for new connections (RFC 4862 §5.5.4).
    package static let deprecated = Self(IFA_F_DEPRECATED)
    /// Duplicate address detection has not ended.
    package static let tentative = Self(IFA_F_TENTATIVE)
}

/// RT_SCOPE_* of `linux/rtnetlink.h`: how far an address means something.
package struct AddressScope: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    private init(_ constant: rt_scope_t) {
        rawValue = UInt8(truncatingIfNeeded: constant.rawValue)
    }

    /// Everywhere.
    package static let universe = Self(RT_SCOPE_UNIVERSE)
    /// On its link alone, as `169.254.0.0/16` and `fe80::/10`.
    package static let link = Self(RT_SCOPE_LINK)
    /// Within this namespace alone, as `127.0.0.1`.
    package static let host = Self(RT_SCOPE_HOST)
}
