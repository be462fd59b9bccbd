// Default routes: RTM_NEWROUTE and RTM_DELROUTE, rtnetlink(7) and `linux/rtnetlink.h`.

internal import CLinux

/// A route of the main table for all destinations that have none of their own, as `ip route show default` prints it.
package struct DefaultRouteMessage: Hashable, Sendable {
    /// One way out.
    package struct NextHop: Hashable, Sendable {
        /// The number of the link that it leads over.
        package var link: UInt32
        /// RTNH_F_DEAD: its link is down. It counts again when that is up.
        package var isDead: Bool
    }

    /// RTA_OIF, or those of RTA_MULTIPATH; none of a route that rejects packets, such as `blackhole default`.
    package var nextHops: [NextHop] = []
}

extension DefaultRouteMessage {
    /// Reads a message with an `rtmsg`: family, lengths of destination and source, TOS, table, protocol, scope, type, four
    /// octets of flags; then attributes.
    /// - Returns: nil for routes of other families, tables and destinations, and for copies of the cache (RTM_F_CLONED).
    package init?(_ message: borrowing NetlinkMessage) throws(NetlinkError) {
        var attributes = try NetlinkAttributeReader(message, behind: MemoryLayout<rtmsg>.size)
        let fixed = message.payload
        let family = Int32(fixed[0])
        guard family == AF_INET || family == AF_INET6, fixed[1] == 0,
            fixed.hostWord32(8) & UInt32(truncatingIfNeeded: RTM_F_CLONED) == 0
        else { return nil }
        var table = UInt32(fixed[4])
        let isDead = Self.isDead(fixed.hostWord32(8))
        var nextHops: [NextHop] = []
        while let attribute = try attributes.next() {
            switch UInt32(attribute.type) {
            // The whole number, of which the fixed part has room for eight bits.
            case RTA_TABLE.rawValue: table = try attribute.word32()
            case RTA_OIF.rawValue: nextHops.append(NextHop(link: try attribute.word32(), isDead: isDead))
            case RTA_MULTIPATH.rawValue: nextHops += try Self.nextHops(attribute)
            default: continue
            }
        }
        guard table == RT_TABLE_MAIN.rawValue else { return nil }
        self.init(nextHops: Int(fixed[7]) == RTN_UNICAST ? nextHops : [])
    }

    /// Reads RTA_MULTIPATH: `struct rtnexthop` (length, flags, weight, link) and its attributes, one behind the other.
    private static func nextHops(_ attribute: borrowing NetlinkAttribute) throws(NetlinkError) -> [NextHop] {
        var nextHops: [NextHop] = []
        var rest = attribute.value
        while rest.count >= MemoryLayout<rtnexthop>.size {
            let length = Int(rest.hostWord16(0))
            guard length >= MemoryLayout<rtnexthop>.size, length <= rest.count else {
                throw .badAttributeLength(length, octets: rest.count)
            }
            nextHops.append(NextHop(link: rest.hostWord32(4), isDead: Self.isDead(UInt32(rest[2]))))
            rest = rest.extracting(droppingFirst: min(netlinkAligned(length), rest.count))
        }
        return nextHops
    }

    /// Flags of a next hop, or of a route that has only one: the lowest bits of its flags. A link without a carrier
    /// (RTNH_F_LINKDOWN) is used all the same, unless a sysctl says otherwise.
    private static func isDead(_ flags: UInt32) -> Bool { flags & UInt32(truncatingIfNeeded: RTNH_F_DEAD) != 0 }
}
