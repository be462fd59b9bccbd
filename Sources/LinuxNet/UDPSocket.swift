// UDP sockets, udp(7).

internal import CLinux
internal import SystemPackage

/// Makes UDP sockets: non-blocking and close-on-exec.
package enum UDPSocket {
    /// A socket that sends to one address and receives from it alone; the kernel gives it a random port.
    /// - Throws: ``LinuxError``, for example when the network is unreachable.
    package static func connected(to address: SocketAddress) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(address.family, SOCK_DGRAM)
        try connect(socket, to: address)
        return socket
    }

    /// Makes a socket send to one address and receive from it alone; the kernel gives it a random port.
    ///
    /// ICMP messages do not lower the MTU of its path (IP_PMTUDISC_OMIT, ip(7)): forged ones would have replies come in
    /// fragments, of which the second has neither port nor id to guess (CVE-2023-28450 and its kind). Where they do come so
    /// all the same, ``receive(from:into:)`` tells.
    /// - Throws: ``LinuxError``, for example when the network is unreachable.
    package static func connect(_ socket: borrowing Descriptor, to address: SocketAddress) throws(LinuxError) {
        try socket.omitPathMTUDiscovery(address.family)
        try socket.tellOfFragments(address.family)
        try system("connect", address.description) {
            unsafe address.withSockaddr { unsafe CLinux.connect(socket.rawValue, $0, $1) }
        }
    }

    /// A datagram that was received.
    package struct Datagram: Sendable, Equatable {
        /// Its octets, at the beginning of the buffer that it was read into.
        package let count: Int
        /// The kernel has put it together of fragments.
        package let cameInFragments: Bool
    }

    /// Receives one datagram of a connected socket into the beginning of `buffer` (recvmsg(2)); what is longer is cut off.
    /// - Returns: nil when none waits.
    /// - Throws: ``LinuxError``, for example when a datagram sent before was refused.
    package static func receive(
        from socket: borrowing Descriptor, into buffer: inout [UInt8]
    ) throws(LinuxError) -> Datagram? {
        var cameInFragments: Int32 = 0
        let count = try systemUnlessBlocked("recvmsg") {
            // The array's own storage and its count, used only while the closure runs.
            unsafe buffer.withUnsafeMutableBytes {
                unsafe clinux_receive_datagram(socket.rawValue, $0.baseAddress, $0.count, &cameInFragments)
            }
        }
        return count.map { Datagram(count: $0, cameInFragments: cameInFragments != 0) }
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

    /// A socket as ``bound(to:receiveBuffer:)`` makes it, which receives from one interface alone. No ICMP message lowers the
    /// MTU of its paths.
    /// - Parameters:
    ///   - address: an address of the host.
    ///   - interface: `ifi_index`.
    ///   - receiveBuffer: octets of datagrams that may wait.
    static func bound(
        to address: SocketAddress, on interface: UInt32, receiveBuffer: Int32
    ) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(address.family, SOCK_DGRAM)
        try socket.bind(toInterface: interface)
        try socket.setReceiveBuffer(receiveBuffer)
        try socket.omitPathMTUDiscovery(address.family)
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
