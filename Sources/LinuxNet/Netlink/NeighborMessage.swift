// Neighbors: the hardware addresses behind addresses, and the ports of a bridge behind these; RTM_NEWNEIGH, `linux/neighbour.h`.

internal import CLinux

/// An address of Ethernet: 48 bits.
package struct HardwareAddress: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// In the lower 48 bits.
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Reads an attribute; nil where it has another length.
    init?(_ attribute: borrowing NetlinkAttribute) {
        let octets = attribute.value
        guard octets.count == 6 else { return nil }
        rawValue = octets.indices.reduce(0) { $0 << 8 | UInt64(octets[$1]) }
    }

    /// In network order.
    var octets: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: rawValue >> (40 - 8 * UInt64($0))) } }

    /// As `02:42:ac:11:00:02`.
    package var description: String {
        octets.map { octet in (octet < 16 ? "0" : "") + String(octet, radix: 16) }.joined(separator: ":")
    }
}

/// A message of the kernel about a neighbor, as `ip neighbor show` and `bridge fdb show` print it.
package struct NeighborMessage: Hashable, Sendable {
    /// The link behind which it is; of a bridge's neighbor its port.
    package var link: UInt32
    /// NDA_LLADDR; nil: it is being asked for, or did not answer.
    package var hardwareAddress: HardwareAddress?
}

extension NeighborMessage {
    /// Reads a message with an `ndmsg`: family, padding, link, state, flags, type; then attributes.
    package init(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        var attributes = try NetlinkAttributeReader(message, behind: MemoryLayout<ndmsg>.size)
        self.init(link: message.payload.hostWord32(4))
        while let attribute = try attributes.next() {
            if attribute.isOf(NDA_LLADDR) { hardwareAddress = HardwareAddress(attribute) }
        }
    }
}

extension NetlinkRequest {
    /// The neighbor that has an address, behind a link of the socket's namespace; refused where there is none.
    package static func neighbor(at address: LinkAddress, on link: UInt32) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_GETNEIGH", RTM_GETNEIGH)
        switch address {
        case .v4(let bits):
            request.append(fixed: neighbor(AF_INET, link))
            request.append(attribute: NDA_DST, octets: networkOctets(of: bits))
        case .v6(let bits):
            request.append(fixed: neighbor(AF_INET6, link))
            request.append(
                attribute: NDA_DST, octets: (0..<16).map { UInt8(truncatingIfNeeded: bits >> (120 - 8 * UInt128($0))) })
        }
        return request
    }

    /// The port of a bridge behind which a hardware address was seen; refused where it was not.
    package static func port(of address: HardwareAddress, ofBridge bridge: UInt32) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_GETNEIGH", RTM_GETNEIGH)
        request.append(fixed: neighbor(AF_BRIDGE, 0))
        request.append(attribute: NDA_MASTER, octets: octets(of: bridge))
        request.append(attribute: NDA_LLADDR, octets: address.octets)
        return request
    }

    private static func neighbor(_ family: Int32, _ link: UInt32) -> [UInt8] {
        var fixed = [UInt8](repeating: 0, count: MemoryLayout<ndmsg>.size)
        fixed[0] = UInt8(truncatingIfNeeded: family)
        fixed.replaceSubrange(4..<8, with: octets(of: link))
        return fixed
    }
}
