// Asking upstreams from a container's own namespace: who may enter it makes the sockets, and they are used here.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

/// A question that waits for a socket of its namespace.
struct SocketOrder {
    let token: SocketToken
    let view: ViewID
    let server: ServerAddress
    let kind: SocketKind
    /// What is to be sent first.
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
    /// What reaches a server.
    init(to server: ServerAddress, isStream: Bool) {
        if case .v6 = server.address {
            self.init(isStream: isStream, isV6: true)
        } else {
            self.init(isStream: isStream, isV6: false)
        }
    }
}

extension Worker {
    /// Sockets that are made at once, more where more questions wait: entering a namespace costs more than a socket.
    private static var batch: ClosedRange<Int> { 4...32 }

    /// Asks from a container's namespace: at once where a socket is ready, else when one is made.
    mutating func open(_ order: SocketOrder, _ now: Moment) {
        guard let position = listeners.position(of: order.view) else {
            forwarder.failed(order.token, now: now)
            return
        }
        if let socket = listeners[position].spare.take(order.kind) {
            connect(socket, order, now)
        } else {
            upstreams.orders.append(order)
        }
        guard listeners[position].spare.count(of: order.kind) == 0,
            listeners[position].requested.insert(order.kind).inserted
        else { return }
        let waiting = upstreams.orders.count { $0.view == order.view && $0.kind == order.kind }
        let least = order.kind.isStream ? 1 : Self.batch.lowerBound
        control.post(
            .needsSockets(order.view, order.kind, count: min(max(waiting, least), Self.batch.upperBound)))
    }

    private mutating func connect(
        _ socket: consuming Descriptor, _ order: SocketOrder, _ now: Moment
    ) {
        do throws(LinuxError) {
            let address = try SocketAddress(order.server, on: socket)
            if order.kind.isStream {
                try TCPSocket.connect(socket, to: address)
                try add(
                    UpstreamSocket(descriptor: socket, token: order.token, isStream: true, unsent: order.message),
                    interest: [.readable, .writable])
            } else {
                try UDPSocket.connect(socket, to: address)
                _ = try socket.send(order.message.span)
                try add(UpstreamSocket(descriptor: socket, token: order.token, isStream: false), interest: [.readable])
            }
        } catch {
            logger.debug("upstream \(order.server) from a container's namespace: \(error)")
            forwarder.failed(order.token, now: now)
        }
    }

    /// Takes sockets that were made in a container's namespace; none: it cannot be entered.
    mutating func takeSockets(_ view: ViewID, _ kind: SocketKind, _ handover: Handover<SocketBatch>) {
        guard let position = listeners.position(of: view), let batch = handover.take() else { return }
        let now = Moment.now
        let isFailure = batch.isEmpty
        listeners[position].requested.remove(kind)
        listeners[position].spare.add(batch)
        let waiting = upstreams.orders.filter { $0.view == view && $0.kind == kind }
        upstreams.orders.removeAll { $0.view == view && $0.kind == kind }
        for order in waiting {
            if isFailure { forwarder.failed(order.token, now: now) } else { open(order, now) }
        }
        act(now)
    }

    /// Adds a message to what a connection that is waited for is to send; a datagram is sent again later.
    mutating func add(_ message: [UInt8], toOrder token: SocketToken) {
        guard let index = upstreams.orders.firstIndex(where: { $0.token == token && $0.kind.isStream }) else { return }
        upstreams.orders[index].message += message
    }

    /// Forgets a socket that is waited for, if it is.
    mutating func cancel(_ token: SocketToken) {
        if !upstreams.orders.isEmpty { upstreams.orders.removeAll { $0.token == token } }
    }
}

extension SocketAddress {
    /// The address of an upstream as a socket is to be connected to it: its scope is one of the socket's namespace.
    init(_ server: ServerAddress, on socket: borrowing Descriptor) throws(LinuxError) {
        switch server.address {
        case .v4(let address):
            self.init(v4: address.bits, port: server.port)
        case .v6(let address):
            guard let scope = server.scope else {
                self.init(v6: address.bits, port: server.port)
                return
            }
            self.init(v6: address.bits, port: server.port, scope: try InterfaceName.index(of: scope, on: socket))
        }
    }
}
