// A link that leads nowhere, and has an address: programs attach settings to it, as systemd-resolved its servers of one domain.

internal import CLinux
internal import SystemPackage

/// Links of the host that carry no packet (`ip link add type dummy`).
package enum DummyLink {
    /// Name of the far end where the kernel has no dummy links.
    private static func peer(of name: String) -> String { "\(name)p" }

    /// Makes a link, brings it up, and gives it an IPv4 address: systemd-resolved passes over links without one. A kernel
    /// without dummy links gets a pair that is joined to itself, veth(4).
    /// - Parameters:
    ///   - name: its name, 14 octets at most.
    ///   - address: four octets.
    /// - Throws: ``LinuxError``: `fileExists` where there is a link of that name; `notPermitted` without CAP_NET_ADMIN.
    package static func make(_ name: String, address: [UInt8]) throws(LinuxError) {
        var netlink = try RouteNetlink()
        var buffer = RouteNetlink.makeBuffer()
        do throws(LinuxError) {
            try netlink.ask(.makeLink(name, .dummy), using: &buffer)
        } catch  where error.errno == .notSupportedOnSocket {
            try netlink.ask(.makeLink(name, .veth, peer: peer(of: name)), using: &buffer)
        }
        do throws(LinuxError) {
            // An end of a pair cannot be brought up before there is the other one.
            for name in [name, peer(of: name)] {
                guard let index = try? InterfaceName.index(of: name) else { continue }
                try netlink.ask(.bringUp(index), using: &buffer)
            }
            try netlink.ask(.addAddress(address, to: try InterfaceName.index(of: name)), using: &buffer)
        } catch {
            try? remove(name)
            throw error
        }
    }

    /// Removes a link.
    /// - Throws: ``LinuxError``, for example when there is none.
    package static func remove(_ name: String) throws(LinuxError) {
        var netlink = try RouteNetlink()
        var buffer = RouteNetlink.makeBuffer()
        try netlink.ask(.removeLink(try InterfaceName.index(of: name)), using: &buffer)
    }
}

extension LinkKind {
    /// A link that drops whatever is sent over it.
    static let dummy = Self(rawValue: "dummy")
}

extension NetlinkRequest {
    /// Makes a link, which is down.
    /// - Parameter peer: name of the other end, of a pair.
    static func makeLink(_ name: String, _ kind: LinkKind, peer: String? = nil) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_NEWLINK", RTM_NEWLINK, flags: [.create, .exclusive])
        request.append(fixed: link())
        request.append(attribute: IFLA_IFNAME, text: name)
        request.nest(IFLA_LINKINFO) { information in
            information.append(attribute: IFLA_INFO_KIND, text: kind.rawValue)
            guard let peer else { return }
            information.nest(IFLA_INFO_DATA) { data in
                data.nest(VETH_INFO_PEER) { end in
                    end.append(fixed: link())
                    end.append(attribute: IFLA_IFNAME, text: peer)
                }
            }
        }
        return request
    }

    /// Brings a link up.
    static func bringUp(_ index: UInt32) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_NEWLINK", RTM_NEWLINK)
        request.append(fixed: link(index, up: true))
        return request
    }

    /// `struct ifinfomsg`: family, type, index, flags, and which of these change.
    private static func link(_ index: UInt32 = 0, up isUp: Bool = false) -> [UInt8] {
        let flags = octets(of: isUp ? UInt32(IFF_UP) : 0)
        return [UInt8](repeating: 0, count: 4) + octets(of: index) + flags + flags
    }

    /// Removes a link.
    static func removeLink(_ index: UInt32) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_DELLINK", RTM_DELLINK)
        request.append(fixed: [UInt8](repeating: 0, count: 4) + octets(of: index) + [UInt8](repeating: 0, count: 8))
        return request
    }

    /// Gives a link an IPv4 address with no others beside it in its subnet.
    static func addAddress(_ address: [UInt8], to index: UInt32) -> NetlinkRequest {
        var request = NetlinkRequest("RTM_NEWADDR", RTM_NEWADDR, flags: [.create, .exclusive])
        // struct ifaddrmsg: family, length of the prefix, flags, scope, index.
        request.append(fixed: [UInt8(truncatingIfNeeded: AF_INET), 32, 0, 0] + octets(of: index))
        request.append(attribute: IFA_LOCAL, octets: address)
        request.append(attribute: IFA_ADDRESS, octets: address)
        return request
    }
}
