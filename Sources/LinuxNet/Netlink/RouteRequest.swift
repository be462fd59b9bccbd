// The questions that we ask rtnetlink(7). They are of the strict form: the kernel refuses what it does not know instead
// of passing over it (NETLINK_GET_STRICT_CHK).

internal import CLinux

extension NetlinkRequest {
    /// All links of this namespace, or of the one with a number here.
    package static func links(of namespace: NamespaceID? = nil) -> NetlinkRequest {
        link(0, flags: .dump, of: namespace)
    }

    /// One link of this namespace, or of the one with a number here.
    package static func link(_ index: UInt32, of namespace: NamespaceID? = nil) -> NetlinkRequest {
        link(index, flags: [], of: namespace)
    }

    private static func link(_ index: UInt32, flags: NetlinkFlags, of namespace: NamespaceID?) -> NetlinkRequest {
        var request = NetlinkRequest(RTM_GETLINK, flags: flags)
        var fixed = [UInt8](repeating: 0, count: MemoryLayout<ifinfomsg>.size)
        fixed.replaceSubrange(4..<8, with: octets(of: index))
        request.append(fixed: fixed)
        if let namespace { request.append(attribute: IFLA_TARGET_NETNSID, namespace.rawValue) }
        return request
    }

    /// All addresses of this namespace, or of the one with a number here.
    package static func addresses(of namespace: NamespaceID? = nil) -> NetlinkRequest {
        var request = NetlinkRequest(RTM_GETADDR, flags: .dump)
        request.append(fixed: [UInt8](repeating: 0, count: MemoryLayout<ifaddrmsg>.size))
        if let namespace { request.append(attribute: IFA_TARGET_NETNSID, namespace.rawValue) }
        return request
    }

    /// The number of a namespace, given as an open nsfs file; ``NamespaceID/notAssigned`` where it has none.
    package static func id(of namespace: borrowing NetworkNamespace) -> NetlinkRequest {
        var request = NetlinkRequest(RTM_GETNSID)
        request.append(fixed: [UInt8](repeating: 0, count: MemoryLayout<rtgenmsg>.size))
        request.append(attribute: NETNSA_FD, namespace.descriptor.rawValue)
        return request
    }

    /// Gives a namespace a number, the smallest that is free; refused where it has one.
    package static func assignID(to namespace: borrowing NetworkNamespace) -> NetlinkRequest {
        var request = NetlinkRequest(RTM_NEWNSID)
        request.append(fixed: [UInt8](repeating: 0, count: MemoryLayout<rtgenmsg>.size))
        request.append(attribute: NETNSA_FD, namespace.descriptor.rawValue)
        request.append(attribute: NETNSA_NSID, NamespaceID.notAssigned.rawValue)
        return request
    }
}
