// Socket options, socket(7) and tcp(7).

internal import CLinux

extension Descriptor {
    /// Sends small segments at once (tcp(7) TCP_NODELAY).
    package func setNoDelay() throws(LinuxError) {
        try setOption(tcpLevel, TCP_NODELAY, 1)
    }

    /// Identifies the network namespace of a socket for as long as the host runs (SO_NETNS_COOKIE, Linux 5.14).
    package func networkNamespaceCookie() throws(LinuxError) -> UInt64 {
        var cookie: UInt64 = 0
        var length = socklen_t(MemoryLayout<UInt64>.size)
        // The kernel writes at most `length` octets, which is what `cookie` has.
        try system("getsockopt SO_NETNS_COOKIE") {
            unsafe getsockopt(rawValue, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length)
        }
        return cookie
    }

    /// The address that a socket is bound to (getsockname(2)).
    package func localAddress() throws(LinuxError) -> SocketAddress {
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        try system("getsockname") {
            // The kernel writes at most `length` octets, which is what `storage` has.
            unsafe withUnsafeMutablePointer(to: &storage) { storage in
                unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe getsockname(rawValue, $0, &length)
                }
            }
        }
        return SocketAddress(storage)
    }

    /// The address of the other end of a connection (getpeername(2)).
    package func peerAddress() throws(LinuxError) -> SocketAddress {
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        try system("getpeername") {
            // The kernel writes at most `length` octets, which is what `storage` has.
            unsafe withUnsafeMutablePointer(to: &storage) { storage in
                unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe getpeername(rawValue, $0, &length)
                }
            }
        }
        return SocketAddress(storage)
    }

    /// Has a socket take what comes in through one interface alone, and send through it alone (socket(7) SO_BINDTOIFINDEX): a
    /// packet for the same address that comes in elsewhere is not for this socket. Needs no capability on a new socket.
    /// - Parameter interface: `ifi_index`.
    func bind(toInterface interface: UInt32) throws(LinuxError) {
        try setOption(SOL_SOCKET, SO_BINDTOIFINDEX, Int32(truncatingIfNeeded: interface))
    }

    /// The interface that this socket is bound to (socket(7) SO_BINDTOIFINDEX); 0: none.
    package var boundInterface: UInt32 {
        UInt32(truncatingIfNeeded: (try? option(SOL_SOCKET, SO_BINDTOIFINDEX)) ?? 0)
    }

    /// Has a UDP socket ignore what routers say of path MTU, which anybody can forge, and send whole datagrams, which are
    /// fragmented at the interface's MTU (ip(7) and ipv6(7) IP_PMTUDISC_OMIT).
    func omitPathMTUDiscovery(_ family: Int32) throws(LinuxError) {
        if family == AF_INET6 {
            try setOption(Int32(IPPROTO_IPV6), IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT)
        } else {
            try setOption(Int32(IPPROTO_IP), IP_MTU_DISCOVER, IP_PMTUDISC_OMIT)
        }
    }

    /// Has the kernel tell of each datagram that it has put together of fragments (IP_RECVFRAGSIZE, IPV6_RECVFRAGSIZE).
    func tellOfFragments(_ family: Int32) throws(LinuxError) {
        if family == AF_INET6 {
            try setOption(Int32(IPPROTO_IPV6), IPV6_RECVFRAGSIZE, 1)
        } else {
            try setOption(Int32(IPPROTO_IP), IP_RECVFRAGSIZE, 1)
        }
    }

    /// Sets how many octets may wait to be received (socket(7) SO_RCVBUF).
    ///
    /// The limit of net.core.rmem_max holds for who has no CAP_NET_ADMIN over the host.
    package func setReceiveBuffer(_ octets: Int32) throws(LinuxError) {
        do throws(LinuxError) {
            try setOption(SOL_SOCKET, SO_RCVBUFFORCE, octets)
        } catch {
            try setOption(SOL_SOCKET, SO_RCVBUF, octets)
        }
    }

    /// Transport of a socket.
    package enum Transport: Sendable {
        /// SOCK_DGRAM: UDP.
        case datagram
        /// SOCK_STREAM: TCP.
        case stream
    }

    /// nil where it is no socket, or of another kind (SO_TYPE).
    package var transport: Transport? {
        switch try? option(SOL_SOCKET, SO_TYPE) {
        case Int32(SOCK_DGRAM.rawValue)?: .datagram
        case Int32(SOCK_STREAM.rawValue)?: .stream
        default: nil
        }
    }

    /// True for a socket of IPv6 (SO_DOMAIN).
    package var isV6: Bool { (try? option(SOL_SOCKET, SO_DOMAIN)) == AF_INET6 }

    func setOption(_ level: Int32, _ name: Int32, _ value: Int32) throws(LinuxError) {
        var value = value
        let length = socklen_t(MemoryLayout<Int32>.size)
        // The kernel reads `length` octets, which is what `value` has.
        try system("setsockopt") { unsafe setsockopt(rawValue, level, name, &value, length) }
    }

    func option(_ level: Int32, _ name: Int32) throws(LinuxError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        // The kernel writes at most `length` octets, which is what `value` has.
        try system("getsockopt") { unsafe getsockopt(rawValue, level, name, &value, &length) }
        return value
    }

    /// Time for which a blocking socket waits to send, and to receive (SO_SNDTIMEO, SO_RCVTIMEO).
    func setTimeouts(_ timeout: Duration) throws(LinuxError) {
        let (seconds, attoseconds) = timeout.components
        var time = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            // The kernel reads one record.
            try system("setsockopt") {
                unsafe setsockopt(rawValue, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
            }
        }
    }

    /// A non-blocking, close-on-exec socket for an address family (socket(2)).
    static func socket(_ family: Int32, _ type: __socket_type, isBlocking: Bool = false) throws(LinuxError)
        -> Descriptor
    {
        let flags = SOCK_CLOEXEC.rawValue | (isBlocking ? 0 : SOCK_NONBLOCK.rawValue)
        return Descriptor(adopting: try system("socket") { CLinux.socket(family, Int32(type.rawValue | flags), 0) })
    }

    /// bind(2).
    func bind(to address: SocketAddress, _ subject: String) throws(LinuxError) {
        try system("bind", subject) {
            unsafe address.withSockaddr { unsafe CLinux.bind(rawValue, $0, $1) }
        }
    }
}

/// IPPROTO_TCP as the socket option calls take it.
let tcpLevel = Int32(IPPROTO_TCP)
