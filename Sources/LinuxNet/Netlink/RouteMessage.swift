// Messages of rtnetlink(7) about links, addresses, default routes and namespaces.

internal import CLinux

/// A message of rtnetlink of a kind that is used here.
package enum RouteMessage: Hashable, Sendable {
    /// There is such a link: it is new, or changed, or was asked for.
    case link(LinkMessage)
    /// There is no such link any more.
    case linkDeleted(LinkMessage)
    /// A link has such an address: it is new, or changed, or was asked for.
    case address(AddressMessage)
    /// No link has this address any more.
    case addressDeleted(AddressMessage)
    /// There is such a default route: it is new, or changed, or was asked for.
    case defaultRoute(DefaultRouteMessage)
    /// A default route, or one of its next hops, has gone. The kernel does not say so of routes of IPv4 that go with their
    /// link or address.
    case defaultRouteDeleted(DefaultRouteMessage)
    /// A neighbor that was asked for.
    case neighbor(NeighborMessage)
    /// The number by which another namespace goes in this one.
    case namespaceID(NamespaceIDMessage)
    /// The namespace of this number has ended.
    case namespaceIDDeleted(NamespaceIDMessage)

    /// Reads a message.
    /// - Returns: nil for one of another type or family, and for a route that is no default route.
    package init?(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        switch Int(message.type.rawValue) {
        case RTM_NEWLINK: self.init(try LinkMessage(message)) { .link($0) }
        case RTM_DELLINK: self.init(try LinkMessage(message)) { .linkDeleted($0) }
        case RTM_NEWADDR: self.init(try AddressMessage(message)) { .address($0) }
        case RTM_DELADDR: self.init(try AddressMessage(message)) { .addressDeleted($0) }
        case RTM_NEWROUTE: self.init(try DefaultRouteMessage(message)) { .defaultRoute($0) }
        case RTM_DELROUTE: self.init(try DefaultRouteMessage(message)) { .defaultRouteDeleted($0) }
        case RTM_NEWNEIGH: self = .neighbor(try NeighborMessage(message))
        case RTM_NEWNSID: self = .namespaceID(try NamespaceIDMessage(message))
        case RTM_DELNSID: self = .namespaceIDDeleted(try NamespaceIDMessage(message))
        default: return nil
        }
    }

    private init?<Content>(_ content: Content?, _ make: (Content) -> RouteMessage) {
        guard let content else { return nil }
        self = make(content)
    }
}
