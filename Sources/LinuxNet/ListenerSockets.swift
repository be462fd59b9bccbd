// The sockets of a listener, and what root in their namespace can do to them.

internal import CLinux

/// The UDP and TCP sockets that answer inside one namespace. They work there whatever thread uses them.
///
/// They keep the namespace alive: their owner closes them when its container ends.
package struct ListenerSockets: ~Copyable, Sendable {
    /// Bound, and shared with no other socket.
    package let udp: Descriptor
    /// Listening.
    package let tcp: Descriptor
    /// The namespace's SO_NETNS_COOKIE.
    package let cookie: UInt64

    /// Takes over sockets that were made in one namespace.
    package init(udp: consuming Descriptor, tcp: consuming Descriptor, cookie: UInt64) {
        self.udp = udp
        self.tcp = tcp
        self.cookie = cookie
    }

    /// Makes both sockets serve again after root in their namespace destroyed one (`ss -K`).
    ///
    /// SOCK_DESTROY (sock_diag(7)) closes a TCP listener for good: accept4(2) fails with EINVAL. It takes the port away from a
    /// UDP socket that was bound to any port. The descriptors stay good all the same: the TCP socket can listen again, and
    /// the UDP socket can be bound again, to the port that the TCP socket still has.
    /// - Returns: false when both served already.
    /// - Throws: ``LinuxError``: `addressInUse` when another socket has taken the port meanwhile.
    package func repair() throws(LinuxError) -> Bool {
        let address = try tcp.localAddress()
        let isBound = try udp.localAddress() == address
        if !isBound { try udp.bind(to: address, "UDP \(address)") }
        let isListening = try tcp.option(SOL_SOCKET, SO_ACCEPTCONN) != 0
        if !isListening { try TCPSocket.listenAgain(tcp, at: address) }
        return !isBound || !isListening
    }
}
