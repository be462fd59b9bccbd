// Network interfaces: RTM_NEWLINK and RTM_DELLINK, rtnetlink(7) and `linux/if_link.h`.

internal import CLinux

/// A message of the kernel about a link, as `ip -details link show` prints it.
package struct LinkMessage: Hashable, Sendable {
    /// The link's number in its namespace; another link may get it when this one has gone.
    package var index: UInt32
    /// Flags of the link.
    package var flags: LinkFlags
    /// IFLA_IFNAME; no link is without.
    package var name: String
    /// IFLA_IFALIAS: what people call it.
    package var alias: String?
    /// IFLA_MASTER: the bridge or bond that it is a port of.
    package var master: UInt32?
    /// IFLA_LINK: the other end of a veth, the parent of a macvlan. 0: not there yet, or not of this namespace.
    package var link: UInt32?
    /// IFLA_LINK_NETNSID: where ``link`` is, if that is another namespace.
    ///
    /// In a notification it is a number in the namespace of this link; in a reply, in that of the socket.
    package var linkNamespace: NamespaceID?
    /// Type, as in `ip link add type …`; nil for a device of hardware and for loopback.
    package var kind: LinkKind?
    /// IFLA_MTU: the most octets of a packet.
    package var mtu: UInt32?
    /// IFLA_ADDRESS, where it is one of Ethernet.
    package var hardwareAddress: HardwareAddress?
    /// IFLA_BRPORT_ISOLATED, of a bridge's port: nothing passes between two ports that have it.
    package var isIsolated = false
}

extension LinkMessage {
    /// Reads a message with an `ifinfomsg`: family, type, index, flags, which of them have changed; then attributes.
    /// - Returns: nil for what bridges tell of their ports (AF_BRIDGE): of those links the kernel tells otherwise too.
    package init?(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        var attributes = try NetlinkAttributeReader(message, behind: MemoryLayout<ifinfomsg>.size)
        let fixed = message.payload
        guard Int32(fixed[0]) == AF_UNSPEC else { return nil }
        var read = LinkMessage(
            index: fixed.hostWord32(4), flags: LinkFlags(rawValue: fixed.hostWord32(8)), name: "")
        while let attribute = try attributes.next() {
            switch Int(attribute.type) {
            case IFLA_IFNAME: read.name = attribute.text
            case IFLA_IFALIAS: read.alias = attribute.text.isEmpty ? nil : attribute.text
            case IFLA_MASTER: read.master = try attribute.word32()
            case IFLA_LINK: read.link = try attribute.word32()
            case IFLA_LINK_NETNSID: read.linkNamespace = NamespaceID(rawValue: try attribute.number32())
            case IFLA_MTU: read.mtu = try attribute.word32()
            case IFLA_ADDRESS: read.hardwareAddress = HardwareAddress(attribute)
            case IFLA_LINKINFO:
                read.kind = try LinkKind(attribute)
                read.isIsolated = try LinkKind.isIsolatedPort(attribute)
            default: continue
            }
        }
        self = read
    }
}

/// `ifi_flags`, netdevice(7).
package struct LinkFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Somebody wants it to be up: `ip link set up`.
    package static let up = Self(rawValue: UInt32(truncatingIfNeeded: IFF_UP))
    /// It leads back to its own namespace.
    package static let loopback = Self(rawValue: UInt32(truncatingIfNeeded: IFF_LOOPBACK))
}
