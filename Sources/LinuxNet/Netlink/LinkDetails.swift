// What a link is: IFLA_LINKINFO of `linux/if_link.h`.

internal import CLinux

/// A kind of link, as `ip link add type …` names it; there may be any.
package struct LinkKind: RawRepresentable, Hashable, Sendable {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// A switch: other links are its ports.
    package static let bridge = Self(rawValue: "bridge")
    /// One end of a cable whose other end is a link as well, veth(4).
    package static let veth = Self(rawValue: "veth")
    /// A further network card on a parent, with a hardware address of its own.
    package static let macvlan = Self(rawValue: "macvlan")
    /// A macvlan for programs: a VM's network card.
    package static let macvtap = Self(rawValue: "macvtap")
    /// The same with the parent's hardware address.
    package static let ipvlan = Self(rawValue: "ipvlan")
    /// An ipvlan for programs.
    package static let ipvtap = Self(rawValue: "ipvtap")
    /// A tunnel between hosts that carries a segment over UDP (RFC 7348).
    package static let vxlan = Self(rawValue: "vxlan")
}

/// What one kind alone has.
package enum LinkDetails: Hashable, Sendable {
    /// The mode of a macvlan or macvtap.
    case macvlan(MacvlanMode)
    /// The mode of an ipvlan or ipvtap.
    case ipvlan(IpvlanMode)
    /// The network identifier, 24 bits (RFC 7348 §5).
    case vxlan(identifier: UInt32)

    /// IFLA_MACVLAN_MODE: which macvlans of one parent hear each other.
    package struct MacvlanMode: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        private init(_ constant: macvlan_mode) {
            rawValue = constant.rawValue
        }

        /// None hears another.
        package static let `private` = Self(MACVLAN_MODE_PRIVATE)
        /// They hear each other if a switch outside sends back what it gets (IEEE 802.1Qbg).
        package static let vepa = Self(MACVLAN_MODE_VEPA)
        /// All hear each other, as ports of a bridge.
        package static let bridge = Self(MACVLAN_MODE_BRIDGE)
        /// One has the parent to itself.
        package static let passthru = Self(MACVLAN_MODE_PASSTHRU)
        /// Each hears the senders that are listed for it.
        package static let source = Self(MACVLAN_MODE_SOURCE)
    }

    /// IFLA_IPVLAN_MODE: the layer at which packets change between ipvlans of one parent.
    package struct IpvlanMode: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt16

        package init(rawValue: UInt16) {
            self.rawValue = rawValue
        }

        private init(_ constant: ipvlan_mode) {
            rawValue = UInt16(truncatingIfNeeded: constant.rawValue)
        }

        /// They are switched, and hear each other.
        package static let l2 = Self(IPVLAN_MODE_L2)
        /// They are routed: no broadcast, no multicast.
        package static let l3 = Self(IPVLAN_MODE_L3)
        /// As ``l3``, and the host's packet filter sees what passes.
        package static let l3s = Self(IPVLAN_MODE_L3S)
    }

    /// Reads IFLA_LINKINFO: IFLA_INFO_KIND, IFLA_INFO_SLAVE_KIND, and IFLA_INFO_DATA in the form of the kind.
    static func read(
        _ information: borrowing NetlinkAttribute
    ) throws(NetlinkError) -> (kind: LinkKind?, portKind: String?, details: LinkDetails?) {
        var kind: LinkKind?
        var portKind: String?
        var details: LinkDetails?
        var attributes = information.nested
        while let attribute = try attributes.next() {
            switch Int(attribute.type) {
            // The kind is before its data.
            case IFLA_INFO_KIND: kind = LinkKind(rawValue: attribute.text)
            case IFLA_INFO_SLAVE_KIND: portKind = attribute.text
            case IFLA_INFO_DATA: details = try LinkDetails(of: kind, attribute)
            default: continue
            }
        }
        return (kind, portKind, details)
    }

    private init?(of kind: LinkKind?, _ data: borrowing NetlinkAttribute) throws(NetlinkError) {
        var attributes = data.nested
        while let attribute = try attributes.next() {
            switch (kind, Int(attribute.type)) {
            case (.macvlan, IFLA_MACVLAN_MODE), (.macvtap, IFLA_MACVLAN_MODE):
                self = .macvlan(MacvlanMode(rawValue: try attribute.word32()))
                return
            case (.ipvlan, IFLA_IPVLAN_MODE), (.ipvtap, IFLA_IPVLAN_MODE):
                self = .ipvlan(IpvlanMode(rawValue: try attribute.word16()))
                return
            case (.vxlan, IFLA_VXLAN_ID):
                self = .vxlan(identifier: try attribute.word32())
                return
            default: continue
            }
        }
        return nil
    }
}
