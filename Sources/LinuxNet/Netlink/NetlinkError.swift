// Faults in the octets of a netlink message.

/// Why octets are no message that we can use. The kernel sends none such; this is for who is not the kernel.
package enum NetlinkError: Error, Hashable, Sendable {
    /// Fewer octets than a header has.
    case truncatedMessage(octets: Int)
    /// A message that is shorter than its header, or longer than the octets that there are.
    case badMessageLength(Int, octets: Int)
    /// A message of the protocol that is shorter than its fixed part.
    case truncatedPayload(NetlinkMessageType, octets: Int)
    /// An attribute that is shorter than its header, or longer than the octets that there are.
    case badAttributeLength(Int, octets: Int)
    /// An attribute whose value has too few octets for what it is.
    case badAttributeValue(type: UInt16, octets: Int)
    /// A message without an attribute that each of its type has.
    case missingAttribute(NetlinkMessageType, attribute: UInt16)
}

extension NetlinkError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .truncatedMessage(let octets):
            "a netlink message of \(octets) octets, less than a header"
        case .badMessageLength(let length, let octets):
            "a netlink message that says it has \(length) octets, of \(octets)"
        case .truncatedPayload(let type, let octets):
            "a netlink message of type \(type.rawValue) with \(octets) octets, too few for it"
        case .badAttributeLength(let length, let octets):
            "a netlink attribute that says it has \(length) octets, of \(octets)"
        case .badAttributeValue(let type, let octets):
            "a netlink attribute of type \(type) with a value of \(octets) octets, too few for it"
        case .missingAttribute(let type, let attribute):
            "a netlink message of type \(type.rawValue) without attribute \(attribute)"
        }
    }
}
