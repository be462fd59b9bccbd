// Kinds of links: IFLA_LINKINFO of `linux/if_link.h`.

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

    /// Reads the IFLA_INFO_KIND in IFLA_LINKINFO; nil where there is none.
    init?(_ information: borrowing NetlinkAttribute) throws(NetlinkError) {
        var attributes = information.nested
        while let attribute = try attributes.next() {
            guard Int(attribute.type) == IFLA_INFO_KIND else { continue }
            self.init(rawValue: attribute.text)
            return
        }
        return nil
    }

    /// Reads IFLA_BRPORT_ISOLATED in IFLA_LINKINFO, which a port of a bridge has.
    static func isIsolatedPort(_ information: borrowing NetlinkAttribute) throws(NetlinkError) -> Bool {
        var isPort = false
        var attributes = information.nested
        while let attribute = try attributes.next() {
            if attribute.isOf(IFLA_INFO_SLAVE_KIND) { isPort = attribute.text == bridge.rawValue }
            guard isPort, attribute.isOf(IFLA_INFO_SLAVE_DATA) else { continue }
            var settings = attribute.nested
            while let setting = try settings.next() {
                if setting.isOf(IFLA_BRPORT_ISOLATED) { return setting.value.count > 0 && setting.value[0] != 0 }
            }
        }
        return false
    }
}
