// The sockets to upstreams: made, written to, read from and closed as the forwarder says.

import DNSWire
import Forwarding
import LinuxNet
import Registry
import Tables

/// The open sockets of a worker, found by the forwarder's token or by the loop's ticket.
///
/// A method that throws leaves it to its caller to tell the forwarder that the socket has failed.
struct UpstreamSockets: ~Copyable {
    private var sockets = SlotTable<OpenSocket>()
    private var tickets: [SocketToken: Ticket] = [:]
    /// Questions that wait for a socket of their namespace.
    private var orders: [SocketOrder] = []

    // MARK: - From the namespace of the daemon

    /// Opens a socket to a server and sends a first message.
    mutating func open(
        _ token: SocketToken, to server: ServerAddress, isStream: Bool, _ message: [UInt8], by epoll: borrowing Epoll
    ) throws(LinuxError) {
        let address = try SocketAddress(server, over: isStream ? .stream : .datagram)
        let socket = isStream ? try TCPSocket.connecting(to: address) : try UDPSocket.connected(to: address)
        try begin(socket, token, isStream: isStream, message, by: epoll)
    }

    /// Sends the first message on a socket that is connected, or that will be, and has the loop tell of it.
    private mutating func begin(
        _ socket: consuming Descriptor, _ token: SocketToken, isStream: Bool, _ message: [UInt8],
        by epoll: borrowing Epoll
    ) throws(LinuxError) {
        if isStream {
            let stream = OpenSocket(socket, token, isStream: true, unsent: message)
            try add(stream, interest: [.readable, .writable], by: epoll)
        } else {
            _ = try socket.send(message.span)
            try add(OpenSocket(socket, token, isStream: false), interest: .readable, by: epoll)
        }
    }

    private mutating func add(
        _ socket: consuming OpenSocket, interest: Epoll.Events, by epoll: borrowing Epoll
    ) throws(LinuxError) {
        let token = socket.token
        let ticket = sockets.insert(socket)
        tickets[token] = ticket
        guard let position = sockets.position(of: ticket) else { return }
        do throws(LinuxError) {
            try epoll.add(sockets[position].descriptor, token: Token(.upstream, ticket).word, interest: interest)
        } catch {
            close(token)
            throw error
        }
    }

    // MARK: - From a container's namespace

    /// Sockets that are made at once, more where more questions wait: entering a namespace costs more than a socket.
    private static var batch: ClosedRange<Int> { 4...32 }

    /// Opens a socket in a container's namespace: at once where one is ready, else when one is made.
    /// - Returns: how many sockets of the kind are to be requested; nil: none, or they are already.
    mutating func open(
        _ order: SocketOrder, at listener: inout Listener, by epoll: borrowing Epoll
    ) throws(LinuxError) -> Int? {
        var failure: LinuxError?
        if let socket = listener.spare.take(order.kind) {
            do throws(LinuxError) {
                try connect(socket, order, by: epoll)
            } catch {
                failure = error
            }
        } else {
            orders.append(order)
        }
        var wanted: Int?
        if listener.spare.count(of: order.kind) == 0, listener.requested.insert(order.kind).inserted {
            let waiting = orders.count { $0.view == order.view && $0.kind == order.kind }
            let least = order.kind.isStream ? 1 : Self.batch.lowerBound
            wanted = min(max(waiting, least), Self.batch.upperBound)
        }
        if let failure { throw failure }
        return wanted
    }

    private mutating func connect(
        _ socket: consuming Descriptor, _ order: SocketOrder, by epoll: borrowing Epoll
    ) throws(LinuxError) {
        let address = try SocketAddress(
            order.server, over: order.kind.isStream ? .stream : .datagram, on: socket)
        if order.kind.isStream {
            try TCPSocket.connect(socket, to: address)
        } else {
            try UDPSocket.connect(socket, to: address)
        }
        try begin(socket, order.token, isStream: order.kind.isStream, order.message, by: epoll)
    }

    /// Takes the orders that wait for a socket of this kind in this namespace.
    mutating func takeOrders(of view: ViewID, _ kind: SocketKind) -> [SocketOrder] {
        let waiting = orders.filter { $0.view == view && $0.kind == kind }
        orders.removeAll { $0.view == view && $0.kind == kind }
        return waiting
    }

    // MARK: - Sending and closing

    /// Sends a message on a socket. One that is waited for sends it behind its first; a datagram is sent again later.
    mutating func send(_ message: [UInt8], on token: SocketToken, by epoll: borrowing Epoll) throws(LinuxError) {
        guard let ticket = tickets[token], let position = sockets.position(of: ticket) else {
            if let index = orders.firstIndex(where: { $0.token == token && $0.kind.isStream }) {
                orders[index].message += message
            }
            return
        }
        guard sockets[position].isStream else {
            _ = try sockets[position].descriptor.send(message.span)
            return
        }
        sockets[position].unsent += message
        try flush(ticket, position, by: epoll)
    }

    private mutating func flush(_ ticket: Ticket, _ position: Int, by epoll: borrowing Epoll) throws(LinuxError) {
        if let failure = TCPSocket.connectionResult(of: sockets[position].descriptor) { throw failure }
        let isDone = try sockets[position].flush()
        try epoll.modify(
            sockets[position].descriptor, token: Token(.upstream, ticket).word,
            interest: isDone ? .readable : [.readable, .writable])
    }

    /// Closes a socket, or forgets that it is waited for.
    mutating func close(_ token: SocketToken) {
        if !orders.isEmpty { orders.removeAll { $0.token == token } }
        guard let ticket = tickets.removeValue(forKey: token) else { return }
        sockets.remove(ticket)
    }

    // MARK: - Receiving

    /// Octets that a socket has received, in the buffer that they were read into.
    enum Received: Equatable {
        case nothing
        /// A UDP message of so many octets.
        case datagram(Int, cameInFragments: Bool)
        /// So many octets of a stream.
        case octets(Int)
        /// The upstream has closed the connection.
        case end
    }

    /// The forwarder's token of a ticket; nil once the socket is closed.
    func token(of ticket: Ticket) -> SocketToken? { sockets.position(of: ticket).map { sockets[$0].token } }

    /// Does what a socket is ready for: sends what is left of a stream, and receives.
    ///
    /// One datagram: more than that is rare, and epoll tells again; so who floods the socket does not keep the loop.
    mutating func serve(
        _ ticket: Ticket, _ events: Epoll.Events, into buffer: inout [UInt8], by epoll: borrowing Epoll
    ) throws(LinuxError) -> Received {
        guard let position = sockets.position(of: ticket) else { return .nothing }
        guard sockets[position].isStream else {
            guard let datagram = try UDPSocket.receive(from: sockets[position].descriptor, into: &buffer) else {
                return .nothing
            }
            return .datagram(datagram.count, cameInFragments: datagram.cameInFragments)
        }
        if events.contains(.writable) { try flush(ticket, position, by: epoll) }
        guard !events.isDisjoint(with: [.readable, .hangUp, .error]),
            let count = try sockets[position].descriptor.receive(into: &buffer)
        else { return .nothing }
        return count == 0 ? .end : .octets(count)
    }
}
