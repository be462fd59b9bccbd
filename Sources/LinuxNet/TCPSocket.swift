// TCP sockets, tcp(7).

internal import CLinux
internal import SystemPackage

/// Makes TCP sockets: non-blocking, close-on-exec, and without delay for small segments.
package enum TCPSocket {
    /// A socket whose connection is under way: it becomes writable when that has succeeded or failed, and
    /// ``connectionResult(of:)`` says which.
    /// - Throws: ``LinuxError``, for example when the network is unreachable.
    package static func connecting(to address: SocketAddress) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(address.family, SOCK_STREAM)
        try socket.setNoDelay()
        try connect(socket, to: address)
        return socket
    }

    /// Begins a connection, as ``connecting(to:)`` does.
    /// - Throws: ``LinuxError``, for example when the network is unreachable.
    package static func connect(_ socket: borrowing Descriptor, to address: SocketAddress) throws(LinuxError) {
        do throws(LinuxError) {
            try system("connect", address.description) {
                unsafe address.withSockaddr { unsafe CLinux.connect(socket.rawValue, $0, $1) }
            }
        } catch  where error.errno == .nowInProgress {}
    }

    /// Waits until a connection that is under way has succeeded or failed, at most so long (poll(2)).
    /// - Returns: false where it is still under way.
    package static func waitForConnection(of socket: borrowing Descriptor, milliseconds: Int32) -> Bool {
        var poll = pollfd(fd: socket.rawValue, events: Int16(POLLOUT), revents: 0)
        // The kernel reads and writes one record, which lives while the call runs.
        let ready = try? uninterrupted { unsafe CLinux.poll(&poll, 1, milliseconds) }
        return (ready ?? 0) > 0
    }

    /// Why a connection failed (SO_ERROR); nil when it has not, or is still under way.
    package static func connectionResult(of socket: borrowing Descriptor) -> LinuxError? {
        do throws(LinuxError) {
            let error = try socket.option(SOL_SOCKET, SO_ERROR)
            return error == 0 ? nil : LinuxError(call: "connect", errno: Errno(rawValue: error))
        } catch {
            return error
        }
    }

    /// A socket that connections come to. SO_REUSEADDR lets it be made while old connections linger; the kernel still
    /// allows but one that listens.
    ///
    /// A connection comes when its first octets have come, or its end; one that says nothing, after about a second
    /// (tcp(7) TCP_DEFER_ACCEPT): so who asks is read at once, and who never asks takes up the kernel's time alone.
    /// - Parameters:
    ///   - address: where connections come to.
    ///   - interface: the interface that they have to come in through, as `ifi_index`; nil: any.
    /// - Throws: ``LinuxError``, for example `addressInUse`.
    package static func listening(
        at address: SocketAddress, on interface: UInt32? = nil
    ) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(address.family, SOCK_STREAM)
        if let interface { try socket.bind(toInterface: interface) }
        try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
        // Accepted sockets have it from the one that listens.
        try socket.setNoDelay()
        try socket.setOption(tcpLevel, TCP_DEFER_ACCEPT, 1)
        try socket.bind(to: address, "TCP \(address)")
        try listen(socket, at: address)
        return socket
    }

    /// listen(2), with as many connections waiting as the kernel allows (net.core.somaxconn).
    private static func listen(_ socket: borrowing Descriptor, at address: SocketAddress) throws(LinuxError) {
        try system("listen", "TCP \(address)") { CLinux.listen(socket.rawValue, SOMAXCONN) }
    }

    /// Makes a listener that was destroyed listen again, at the address that it still has.
    ///
    /// Dissolved first (connect(2) to AF_UNSPEC): the kernel has shut it down in both directions (`tcp_done`), and what it
    /// accepts would be shut down from the beginning.
    static func listenAgain(_ socket: borrowing Descriptor, at address: SocketAddress) throws(LinuxError) {
        var nobody = sockaddr()
        nobody.sa_family = sa_family_t(AF_UNSPEC)
        // The kernel reads the family of this one record.
        try system("connect", "TCP \(address)") {
            unsafe CLinux.connect(socket.rawValue, &nobody, socklen_t(MemoryLayout<sockaddr>.size))
        }
        try listen(socket, at: address)
    }

    /// A socket as ``listening(at:)`` makes it; nil where another socket has the address.
    static func listeningUnlessInUse(at address: SocketAddress) throws(LinuxError) -> Descriptor? {
        do throws(LinuxError) {
            return try listening(at: address)
        } catch  where error.errno == .addressInUse {
            return nil
        }
    }

    /// The next connection; nil when none waits.
    /// - Throws: ``LinuxError``; its ``LinuxError/acceptFailure`` says what can be done.
    package static func accept(from listener: borrowing Descriptor) throws(LinuxError) -> Descriptor? {
        try acceptConnection(from: listener)
    }
}
