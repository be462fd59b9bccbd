// UDP sockets, udp(7).

internal import CLinux
internal import SystemPackage

/// Makes UDP sockets: non-blocking and close-on-exec.
package enum UDPSocket {
    /// A socket that sends to one address and receives from it alone; the kernel gives it a random port.
    /// - Throws: ``LinuxError``, for example when the network is unreachable.
    package static func connected(to address: SocketAddress) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(address.family, SOCK_DGRAM)
        try socket.omitPathMTUDiscovery(address.family)
        try connect(socket, to: address)
        return socket
    }

    /// Makes a socket send to one address and receive from it alone; the kernel gives it a random port.
    ///
    /// ICMP messages do not lower the MTU of its path (IP_PMTUDISC_OMIT, ip(7)): forged ones would have replies come in
    /// fragments, of which the second has neither port nor id to guess (CVE-2023-28450 and its kind).
    /// - Throws: ``LinuxError``, for example when the network is unreachable.
    package static func connect(_ socket: borrowing Descriptor, to address: SocketAddress) throws(LinuxError) {
        if address.family == AF_INET6 {
            try socket.setOption(Int32(IPPROTO_IPV6), IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT)
        } else {
            try socket.setOption(Int32(IPPROTO_IP), IP_MTU_DISCOVER, IP_PMTUDISC_OMIT)
        }
        try system("connect", address.description) {
            unsafe address.withSockaddr { unsafe CLinux.connect(socket.rawValue, $0, $1) }
        }
    }

    /// True for a socket whose path MTU no ICMP message lowers, as ``connect(_:to:)`` makes it.
    package static func ignoresPathMTU(_ socket: borrowing Descriptor, isV6: Bool) -> Bool {
        let mode =
            isV6
            ? try? socket.option(Int32(IPPROTO_IPV6), IPV6_MTU_DISCOVER)
            : try? socket.option(Int32(IPPROTO_IP), IP_MTU_DISCOVER)
        return mode == (isV6 ? IPV6_PMTUDISC_OMIT : IP_PMTUDISC_OMIT)
    }

    /// A socket that receives at an address, and shares it with no other: it has neither SO_REUSEADDR nor SO_REUSEPORT.
    /// So many octets of datagrams may wait in it as `receiveBuffer` says and the kernel allows; nil: its default.
    /// - Throws: ``LinuxError``, for example `addressInUse`.
    package static func bound(to address: SocketAddress, receiveBuffer: Int32? = nil) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(address.family, SOCK_DGRAM)
        if let receiveBuffer { try socket.setReceiveBuffer(receiveBuffer) }
        try socket.bind(to: address, "UDP \(address)")
        return socket
    }
}

extension LinuxError {
    /// True when a receive that failed so will fail again for ever: the descriptor is no socket that receives (recv(2)).
    /// Other errors are of one datagram, of a shortage, or of SOCK_DESTROY, and are told once.
    package var endsReceiving: Bool {
        [.badFileDescriptor, .notSocket, .invalidArgument, .socketNotConnected, .notSupportedOnSocket].contains(errno)
    }
}
