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
    /// - Throws: ``LinuxError``, for example `addressInUse`.
    package static func listening(at address: SocketAddress) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(address.family, SOCK_STREAM)
        try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
        // Accepted sockets have it from the one that listens.
        try socket.setNoDelay()
        try socket.setOption(tcpLevel, TCP_DEFER_ACCEPT, 1)
        try socket.bind(to: address, "TCP \(address)")
        try system("listen", "TCP \(address)") { listen(socket.rawValue, SOMAXCONN) }
        return socket
    }

    /// The same; nil where another socket has the address.
    static func listeningUnlessInUse(at address: SocketAddress) throws(LinuxError) -> Descriptor? {
        do throws(LinuxError) {
            return try listening(at: address)
        } catch  where error.errno == .addressInUse {
            return nil
        }
    }

    /// The next connection; nil when none waits.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package static func accept(from listener: borrowing Descriptor) throws(LinuxError) -> Descriptor? {
        try acceptConnection(from: listener)
    }
}

/// The next connection of a TCP or Unix listener, non-blocking and close-on-exec; nil when none waits.
func acceptConnection(from listener: borrowing Descriptor) throws(LinuxError) -> Descriptor? {
    while true {
        do throws(LinuxError) {
            let accepted = try systemUnlessBlocked("accept4") {
                clinux_accept(listener.rawValue, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
            }
            guard let accepted else { return nil }
            return Descriptor(adopting: accepted)
        } catch  where connectionErrors.contains(error.errno) {
            // That connection has ended before it was accepted: accept(2), "Error handling". The next one.
        }
    }
}

private let connectionErrors: [Errno] = [
    .connectionAbort, .protocolError, Errno(rawValue: ENOPROTOOPT), .hostIsDown, .noRouteToHost, .networkDown,
    .networkUnreachable, .notPermitted,
]
