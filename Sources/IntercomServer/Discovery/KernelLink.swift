// Links and addresses as the topology keeps them.

import DNSWire
import LinuxNet
import Registry

/// Namespace of a link.
enum Place: Hashable, Sendable {
    /// In the namespace that the daemon is in.
    case host
    /// In another, by its number in the host's.
    case namespace(NamespaceID)
}

/// The part of a link's message that networks and endpoints depend on.
struct KernelLink: Equatable, Sendable {
    var name: String
    var alias: String?
    var kind: LinkKind?
    var isUp: Bool
    /// The bridge that it is a port of.
    var master: UInt32?
    /// The other end of a veth, the parent of a macvlan or ipvlan; 0 where there is none in any namespace.
    var other: UInt32
    /// Namespace of ``other``, as a number in this link's own namespace; nil: this link's own.
    var otherPlace: NamespaceID?

    init(_ message: LinkMessage) {
        name = message.name
        alias = message.alias
        kind = message.kind
        isUp = message.flags.contains(.up)
        master = message.master
        other = message.link ?? 0
        otherPlace = message.linkNamespace
    }

    /// True when it has a parent, whose network it is on.
    var hangsOnParent: Bool {
        switch kind {
        case .macvlan, .macvtap, .ipvlan, .ipvtap: true
        default: false
        }
    }
}

/// An address of a link. A link may have one address several times, with different lengths of prefix.
struct KernelAddress: Hashable, Sendable {
    let address: IPAddress
    let prefixLength: Int

    init(_ message: AddressMessage) {
        address =
            switch message.address {
            case .v4(let bits): .v4(IPv4Address(bits: bits))
            case .v6(let bits): .v6(IPv6Address(bits: bits))
            }
        prefixLength = Int(message.prefixLength)
    }

    /// The block of addresses that the link's segment has; nil for a single address.
    var subnet: Subnet? {
        switch address {
        case .v4: prefixLength < 32 ? Subnet(address, prefixLength: prefixLength) : nil
        case .v6: prefixLength < 128 ? Subnet(address, prefixLength: prefixLength) : nil
        }
    }
}

extension AddressMessage {
    /// True when others may learn the address: it is valid beyond its link, and it is there to stay.
    var isUsable: Bool {
        if scope == .host || !flags.isDisjoint(with: [.tentative, .duplicate, .deprecated]) { return false }
        switch address {
        case .v4(let bits):
            // 127.0.0.0/8, 169.254.0.0/16 (RFC 3927), 224.0.0.0/4, and the unspecified address.
            return bits >> 24 != 127 && bits >> 16 != 0xA9FE && bits >> 28 != 0xE && bits != 0
        case .v6(let bits):
            // ::1 and ::, fe80::/10, ff00::/8. Of IPv4 the bit of temporary addresses means another thing.
            return bits > 1 && bits >> 118 != 0xFE80 >> 6 && bits >> 120 != 0xFF && !flags.contains(.temporary)
        }
    }
}

extension AddressMessage {
    /// True for an address of `lo`, whose number is 1 in every namespace (LOOPBACK_IFINDEX of include/net/flow.h). Without
    /// 127.0.0.1 nothing reaches 127.0.0.11, though it is an address that is of no use to others.
    var isOnLoopback: Bool { link == 1 }
}
