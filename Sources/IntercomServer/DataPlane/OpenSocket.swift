// One open socket to an upstream, and one that its namespace has still to give.

import DNSWire
import Forwarding
import LinuxNet
import Registry

/// An open socket to an upstream: a question on it at a time, or a connection.
struct OpenSocket: ~Copyable {
    let descriptor: Descriptor
    let token: SocketToken
    let isStream: Bool
    /// Octets that a stream has not taken yet.
    var unsent: [UInt8] = []

    init(_ descriptor: consuming Descriptor, _ token: SocketToken, isStream: Bool, unsent: [UInt8] = []) {
        self.descriptor = descriptor
        self.token = token
        self.isStream = isStream
        self.unsent = unsent
    }

    /// Writes as much as the upstream takes.
    /// - Returns: true when that was all.
    mutating func flush() throws(LinuxError) -> Bool {
        while !unsent.isEmpty {
            guard let written = try descriptor.send(unsent.span) else { return false }
            unsent.removeFirst(written)
        }
        return true
    }
}

/// A question that waits for a socket of its namespace: who may enter that makes the sockets, and they are used here.
struct SocketOrder {
    let token: SocketToken
    let view: ViewID
    let server: ServerAddress
    let kind: SocketKind
    /// The message that is to be sent first.
    var message: [UInt8]

    /// - Parameter namespace: the number of the view whose namespace it is.
    init(_ token: SocketToken, _ server: ServerAddress, isStream: Bool, from namespace: UInt32, message: [UInt8]) {
        self.token = token
        self.view = ViewID(rawValue: namespace)
        self.server = server
        kind = SocketKind(to: server, isStream: isStream)
        self.message = message
    }
}

extension SocketKind {
    /// The kind that reaches a server.
    init(to server: ServerAddress, isStream: Bool) {
        if case .v6 = server.address {
            self.init(isStream: isStream, isV6: true)
        } else {
            self.init(isStream: isStream, isV6: false)
        }
    }
}

extension SocketAddress {
    /// The address of an upstream over UDP or TCP, for the kernel.
    init(_ server: ServerAddress, over transport: Transport = .datagram) throws(LinuxError) {
        let port = server.port(over: transport)
        switch server.address {
        case .v4(let address):
            self.init(v4: address.bits, port: port)
        case .v6(let address):
            let scope = try server.scope.map { scope throws(LinuxError) in try InterfaceName.index(of: scope) } ?? 0
            self.init(v6: address.bits, port: port, scope: scope)
        }
    }

    /// The address of an upstream as a socket is to be connected to it: its scope is one of the socket's namespace.
    init(_ server: ServerAddress, over transport: Transport = .datagram, on socket: borrowing Descriptor)
        throws(LinuxError)
    {
        let port = server.port(over: transport)
        switch server.address {
        case .v4(let address):
            self.init(v4: address.bits, port: port)
        case .v6(let address):
            guard let scope = server.scope else {
                self.init(v6: address.bits, port: port)
                return
            }
            self.init(v6: address.bits, port: port, scope: try InterfaceName.index(of: scope, on: socket))
        }
    }
}
