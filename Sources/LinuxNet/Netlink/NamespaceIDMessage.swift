// Numbers of namespaces: RTM_NEWNSID and RTM_DELNSID, `linux/net_namespace.h`.

internal import CLinux

/// The number by which one namespace knows another (`ip netns list-id`). When a namespace has ended, another may get it.
package struct NamespaceID: Hashable, Sendable, CustomStringConvertible {
    /// From 0 on; -1: none (NETNSA_NSID_NOT_ASSIGNED).
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// NETNSA_NSID_NOT_ASSIGNED: it has no number.
    package static let notAssigned = Self(rawValue: NETNSA_NSID_NOT_ASSIGNED)

    package var description: String { "nsid \(rawValue)" }
}

/// A message of the kernel about the number of a namespace.
package struct NamespaceIDMessage: Hashable, Sendable {
    /// NETNSA_NSID.
    package var id: NamespaceID

    /// Reads a message with an `rtgenmsg`: a family that means nothing here; then attributes.
    package init(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        var attributes = try NetlinkAttributeReader(message, behind: MemoryLayout<rtgenmsg>.size)
        var id: NamespaceID?
        while let attribute = try attributes.next() {
            if attribute.isOf(NETNSA_NSID) { id = NamespaceID(rawValue: try attribute.number32()) }
        }
        guard let id else {
            throw .missingAttribute(message.type, attribute: UInt16(truncatingIfNeeded: NETNSA_NSID))
        }
        self.id = id
    }
}
