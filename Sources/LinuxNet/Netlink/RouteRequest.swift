// Requests to rtnetlink(7). They are of the strict form: the kernel refuses what it does not know instead
// of passing over it (NETLINK_GET_STRICT_CHK).

internal import CLinux

extension NetlinkRequest {
    /// All links of the socket's namespace.
    package static func links() -> NetlinkRequest {
        link(0, flags: .dump)
    }

    /// One link of the socket's namespace.
    package static func link(_ index: UInt32) -> NetlinkRequest {
        link(index, flags: [])
    }

    private static func link(_ index: UInt32, flags: NetlinkFlags) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_GETLINK", RTM_GETLINK, flags: flags)
        var fixed = [UInt8](repeating: 0, count: MemoryLayout<ifinfomsg>.size)
        fixed.replaceSubrange(4..<8, with: octets(of: index))
        request.append(fixed: fixed)
        // Otherwise the kernel adds up IPv6's counters of all processors for each link.
        if flags.contains(.dump) { request.append(attribute: IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) }
        return request
    }

    /// All addresses of the socket's namespace.
    package static func addresses() -> NetlinkRequest {
        var request = NetlinkRequest("RTM_GETADDR", RTM_GETADDR, flags: .dump)
        request.append(fixed: [UInt8](repeating: 0, count: MemoryLayout<ifaddrmsg>.size))
        return request
    }

    /// All unicast routes of the main table; the kernel has no filter for default routes.
    /// - Parameter family: that of the destinations. Where it never had a route, there is no table: ENOENT.
    package static func routes(_ family: RouteFamily) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_GETROUTE", RTM_GETROUTE, flags: .dump)
        var fixed = [UInt8](repeating: 0, count: MemoryLayout<rtmsg>.size)
        fixed[0] = family.number
        fixed[4] = UInt8(truncatingIfNeeded: RT_TABLE_MAIN.rawValue)
        fixed[7] = UInt8(truncatingIfNeeded: RTN_UNICAST)
        request.append(fixed: fixed)
        return request
    }

    /// The number of a namespace, given as an open nsfs file; ``NamespaceID/notAssigned`` where it has none.
    package static func id(of namespace: borrowing NetworkNamespace) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_GETNSID", RTM_GETNSID)
        request.append(fixed: [UInt8](repeating: 0, count: MemoryLayout<rtgenmsg>.size))
        request.append(attribute: NETNSA_FD, namespace.descriptor.rawValue)
        return request
    }

    /// The number of the namespace of a process; ``NamespaceID/notAssigned`` where it has none. It takes no privilege.
    static func id(ofNamespaceOf pid: Int32) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_GETNSID", RTM_GETNSID)
        request.append(fixed: [UInt8](repeating: 0, count: MemoryLayout<rtgenmsg>.size))
        request.append(attribute: NETNSA_PID, pid)
        return request
    }

    /// Gives a namespace a number, the smallest that is free; refused where it has one.
    package static func assignID(to namespace: borrowing NetworkNamespace) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_NEWNSID", RTM_NEWNSID)
        request.append(fixed: [UInt8](repeating: 0, count: MemoryLayout<rtgenmsg>.size))
        request.append(attribute: NETNSA_FD, namespace.descriptor.rawValue)
        request.append(attribute: NETNSA_NSID, NamespaceID.notAssigned.rawValue)
        return request
    }
}

/// The families of addresses that have a main table each.
package enum RouteFamily: CaseIterable, Sendable {
    /// AF_INET.
    case v4
    /// AF_INET6.
    case v6

    fileprivate var number: UInt8 {
        switch self {
        case .v4: UInt8(truncatingIfNeeded: AF_INET)
        case .v6: UInt8(truncatingIfNeeded: AF_INET6)
        }
    }
}
