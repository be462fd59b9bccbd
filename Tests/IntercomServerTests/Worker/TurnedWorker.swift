// A worker that a test turns by hand, over sockets of the loopback interface: nothing happens between two turns.

import DNSWire
import Forwarding
import Foundation
import Registry
import Tables
import Testing

@testable import IntercomServer
@testable import LinuxNet

/// A worker on the thread of the test, which sees its state between turns and sets its limits and its time.
final class TurnedWorker {
    var worker: Worker
    let town: CompiledTown
    let log = LogRecord()
    /// Replies to nobody's question, in their order.
    private(set) var reports: [WorkerReply] = []
    /// Answers to questions of the control plane, by their tokens.
    private(set) var resolved: [UInt64: Resolution] = [:]
    private let inbox: Mailbox<WorkerMessage>
    private let control: Mailbox<WorkerReply>

    /// - Parameters:
    ///   - text: the configuration, with its containers.
    ///   - upstreams: for questions of no other group.
    init(_ text: String, upstreams: [ServerAddress] = []) throws {
        var town = try CompiledTown(text)
        let changes = town.registry.takeChanges()
        self.town = town
        (inbox, control) = (try Mailbox(), try Mailbox())
        let epoll = try Epoll()
        try epoll.add(inbox.descriptor, token: Token(.inbox).word, interest: [.readable])
        worker = Worker(
            index: 0, settings: ServerSettings(town.configuration, workers: 1), inbox: inbox, control: control,
            epoll: epoll, logger: log.logger)
        post(.directory(changes))
        post(.upstreams(group: UpstreamGroupID.default.rawValue, UpstreamList(servers: upstreams, origin: .host)))
    }

    func view(of container: String) throws -> ViewID { try town.registry.container(named: container).id.view }

    func post(_ message: WorkerMessage) { inbox.post(message) }

    // MARK: - Turns

    /// Takes one turn, which ends at once where nothing has come.
    func turn() throws {
        post(.fence(token: 0))
        try worker.turn()
        for reply in control.takeAll() {
            switch reply {
            case .reached: break
            case .resolved(let token, let resolution): resolved[token] = resolution
            default: reports.append(reply)
            }
        }
    }

    /// Turns until something is so; a fault where that is not within ten seconds.
    func turn(sourceLocation: SourceLocation = #_sourceLocation, until isDone: () throws -> Bool) throws {
        let end = ContinuousClock.now + .seconds(10)
        while try !isDone() {
            guard ContinuousClock.now < end else {
                Issue.record("it is not so after ten seconds", sourceLocation: sourceLocation)
                return
            }
            try turn()
        }
    }

    // MARK: - Listeners and connections

    /// Sockets of a listener, before it has them.
    struct Sockets {
        let address: SocketAddress
        /// Numbers of its descriptors, good as long as the worker has them.
        let udp: Int32
        let tcp: Int32
    }

    /// Gives the worker a listener of a container.
    func listen(as container: String, _ prepare: (borrowing ListenerSockets) throws -> Void = { _ in }) throws
        -> Sockets
    {
        let sockets = try ListenerSockets.atLoopback()
        try prepare(sockets)
        let known = Sockets(
            address: try sockets.tcp.localAddress(), udp: sockets.udp.rawValue, tcp: sockets.tcp.rawValue)
        post(.listen(try view(of: container), Handover(sockets)))
        try turn()
        return known
    }

    /// The ticket of a container's listener.
    func ticket(of container: String) throws -> Ticket {
        try #require(worker.listeners.ticket(of: try view(of: container)))
    }

    /// True where a container's listener leaves connections in the kernel's queue.
    func isPaused(_ container: String) throws -> Bool {
        let position = try #require(worker.listeners.position(of: try view(of: container)))
        return worker.listeners[position].pause != nil
    }

    /// The ticket of the listener of gateway 1.
    var gatewayTicket: Ticket? { worker.listeners.ticket(ofGateway: 1) }

    var connections: Int { worker.streams.count }
    var nextIdleCheck: Moment? { worker.streams.nextDeadline }
    var retryTime: Moment? { worker.streams.retryTime }

    /// The ticket of the connection that came last.
    func lastConnection() -> Ticket { worker.streams.ticket(at: worker.streams.count - 1) }

    // MARK: - Clients

    /// Asks for a name over a connection, of which the worker knows when this returns.
    func connect(to address: SocketAddress, asking names: String...) throws -> TurnedClient {
        let before = connections
        let client = try TurnedClient(address)
        for name in names { try client.ask(name) }
        try turn { connections > before }
        return client
    }

    /// The next answer on a connection, as ``WorkerTown/text(_:)`` has it; `end` where it has ended.
    func answer(on client: TurnedClient) throws -> String {
        var answer: String?
        try turn {
            answer = try client.next()
            return answer != nil
        }
        return answer ?? "nothing"
    }

    /// The answer to a datagram.
    func ask(_ query: [UInt8], at address: SocketAddress) throws -> [UInt8] {
        let socket = try UDPSocket.connected(to: address)
        _ = try socket.send(query.span)
        var buffer = [UInt8](repeating: 0, count: 65_535)
        var count: Int?
        try turn {
            count = try socket.receive(into: &buffer)
            return count != nil
        }
        return Array(buffer[..<(count ?? 0)])
    }

    func ask(_ name: String, at address: SocketAddress) throws -> String {
        WorkerTown.text(try ask(try WorkerTown.query(name), at: address))
    }

    /// The answer that the control plane gets for a container.
    func resolve(_ name: String, for container: String) throws -> Resolution? {
        try resolve(name, .a, in: try view(of: container))
    }

    func resolve(_ name: String, _ type: RecordType, in view: ViewID) throws -> Resolution? {
        let token = UInt64(resolved.count) + 1
        post(.resolve(token: token, view: view, query: try WorkerTown.query(name, type)))
        try turn { resolved[token] != nil }
        return resolved[token]
    }
}

/// A client's end of a connection.
final class TurnedClient {
    private(set) var socket: Descriptor
    private var input: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 65_537)

    init(_ address: SocketAddress) throws {
        socket = try TCPSocket.connecting(to: address)
        let isConnected = TCPSocket.waitForConnection(of: socket, milliseconds: 5000)
        #expect(isConnected)
    }

    func ask(_ name: String) throws { try send(framed: try WorkerTown.query(name)) }

    func send(framed message: [UInt8]) throws {
        try send([UInt8(message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message)
    }

    func send(_ octets: [UInt8]) throws {
        let count = try socket.send(octets.span)
        #expect(count == octets.count)
    }

    /// The next whole answer; `end` where the connection has ended, nil where neither has come.
    func next() throws -> String? {
        while true {
            if input.count >= 2 {
                let end = 2 + (Int(input[0]) << 8 | Int(input[1]))
                if input.count >= end {
                    defer { input.removeFirst(end) }
                    return WorkerTown.text(Array(input[2..<end]))
                }
            }
            guard let count = try socket.receive(into: &buffer) else { return nil }
            if count == 0 { return "end" }
            input += buffer[..<count]
        }
    }

    /// Ends the connection with a reset, as a program does that dies before it has read everything.
    func reset() throws {
        var now = linger(l_onoff: 1, l_linger: 0)
        #expect(
            unsafe setsockopt(socket.rawValue, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size)) == 0)
        // Another in its place closes it.
        socket = try SocketKind(isStream: true, isV6: false).makeSocket()
    }
}
