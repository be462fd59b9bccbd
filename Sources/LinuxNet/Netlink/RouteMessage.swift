// What rtnetlink(7) says of links, addresses and namespaces.

internal import CLinux

/// A message of rtnetlink that somebody here wants to know.
package enum RouteMessage: Hashable, Sendable {
    /// There is such a link: it is new, or changed, or was asked for.
    case link(LinkMessage)
    /// There is no such link any more.
    case linkDeleted(LinkMessage)
    /// A link has such an address: it is new, or changed, or was asked for.
    case address(AddressMessage)
    /// No link has this address any more.
    case addressDeleted(AddressMessage)
    /// The number by which another namespace goes in this one.
    case namespaceID(NamespaceIDMessage)
    /// The namespace of this number has ended.
    case namespaceIDDeleted(NamespaceIDMessage)

    /// Reads a message.
    /// - Returns: nil for one of another type or family.
    package init?(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        switch Int(message.type.rawValue) {
        case RTM_NEWLINK: self.init(try LinkMessage(message)) { .link($0) }
        case RTM_DELLINK: self.init(try LinkMessage(message)) { .linkDeleted($0) }
        case RTM_NEWADDR: self.init(try AddressMessage(message)) { .address($0) }
        case RTM_DELADDR: self.init(try AddressMessage(message)) { .addressDeleted($0) }
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
