// Workers that serve a town over sockets of the loopback interface, with upstreams of the tests' own: no namespace is entered.

import ControlAPI
import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer
@testable import LinuxNet

/// Two workers with the containers of a configuration; each that asks has a listener.
final class WorkerTown {
    let parts: OpenerParts
    /// Reports of workers that nobody asked for.
    private(set) var reports: [WorkerReply] = []
    /// Number of reports that ``takeNeeds()`` has looked at.
    private var seen = 0
    private var listeners: [String: SocketAddress] = [:]

    /// - Parameters:
    ///   - town: names and settings.
    ///   - upstreams: for questions of no other group.
    init(_ town: CompiledTown, upstreams: [ServerAddress] = []) throws {
        parts = try OpenerParts(StandInOpener(), town.configuration, town.registry)
        parts.workers.post(.directory(town.changes))
        setUpstreams(.default, upstreams)
    }

    convenience init(_ text: String, upstreams: [ServerAddress] = []) throws {
        try self.init(CompiledTown(text), upstreams: upstreams)
    }

    func stop() { parts.workers.stop() }

    func setUpstreams(_ group: UpstreamGroupID, _ servers: [ServerAddress], origin: UpstreamList.Origin = .host) {
        parts.workers.post(.upstreams(group: group.rawValue, UpstreamList(servers: servers, origin: origin)))
    }

    // MARK: - The control plane's side

    func view(of container: String) throws -> ViewID {
        try parts.publisher.registry.container(named: container).id.view
    }

    /// Sockets at a port of the loopback interface.
    static func sockets(_ address: SocketAddress = SocketAddress(v4: 0x7F00_0001, port: 0)) throws -> ListenerSockets {
        try .atLoopback(address)
    }

    /// The address at which the questions of a container are answered.
    func listener(of container: String) throws -> SocketAddress {
        if let known = listeners[container] { return known }
        let sockets = try Self.sockets()
        let address = try sockets.udp.localAddress()
        parts.publisher.open(sockets, of: try view(of: container))
        try settle()
        listeners[container] = address
        return address
    }

    /// Turns until all that was posted is in force.
    func settle() throws {
        var isInForce = false
        parts.publisher.whenInForce { isInForce = true }
        let isDone = try parts.turn({ reports.append($0) }, until: { isInForce })
        #expect(isDone)
    }

    /// Turns until workers have said something; a fault where they have not within ten seconds.
    func wait(until isDone: ([WorkerReply]) -> Bool) throws {
        let isSo = try parts.turn({ reports.append($0) }, until: { isDone(reports) })
        #expect(isSo)
    }

    /// Sockets that workers have asked for since the last call.
    func takeNeeds() -> [(view: ViewID, kind: SocketKind, count: Int)] {
        defer { seen = reports.count }
        return reports.dropFirst(seen).compactMap {
            if case .needsSockets(let view, let kind, let count) = $0 { (view, kind, count) } else { nil }
        }
    }

    /// Replies of both workers to a question.
    func replies(to message: (UInt64) -> WorkerMessage) throws -> [WorkerReply] {
        var found: [WorkerReply]?
        parts.workers.ask(parts.workers.indices, message) { found = $0 }
        let isDone = try parts.turn({ reports.append($0) }, until: { found != nil })
        #expect(isDone)
        return found ?? []
    }

    /// The sum of a count of all workers.
    func count(_ counter: (WorkerCounters) -> UInt64) throws -> UInt64 {
        try replies { .counters(token: $0) }.reduce(0) { sum, reply in
            if case .counters(_, let counters) = reply { sum + counter(counters) } else { sum }
        }
    }

    // MARK: - The clients' side

    /// The first answers to messages that are sent to a container's listener one behind another; none after five seconds.
    func ask(
        _ queries: [[UInt8]], from container: String, over transport: Transport, answers: Int = 1
    ) throws -> [[UInt8]] {
        try Self.ask(queries, at: try listener(of: container), over: transport, answers: answers)
    }

    static func ask(
        _ queries: [[UInt8]], at address: SocketAddress, over transport: Transport, answers: Int = 1
    ) throws -> [[UInt8]] {
        switch transport {
        case .datagram:
            let socket = try UDPSocket.connected(to: address)
            for query in queries { _ = try socket.send(query.span) }
            return try receive(from: socket, count: answers)
        case .stream:
            let socket = try TCPSocket.connecting(to: address)
            let isConnected = TCPSocket.waitForConnection(of: socket, milliseconds: 5000)
            #expect(isConnected)
            let framed = queries.flatMap { [UInt8($0.count >> 8), UInt8(truncatingIfNeeded: $0.count)] + $0 }
            _ = try socket.send(framed.span)
            return try receiveFramed(from: socket, count: answers)
        }
    }

    static func isReadable(_ socket: borrowing Descriptor, within milliseconds: Int) throws -> Bool {
        var epoll = try Epoll()
        try epoll.add(socket, token: 0, interest: .readable)
        return try epoll.wait(timeoutMilliseconds: milliseconds) > 0
    }

    static func receive(from socket: borrowing Descriptor, count: Int) throws -> [[UInt8]] {
        var epoll = try Epoll()
        try epoll.add(socket, token: 0, interest: .readable)
        var buffer = [UInt8](repeating: 0, count: 65_535)
        var answers: [[UInt8]] = []
        while answers.count < count, try epoll.wait(timeoutMilliseconds: 5000) > 0 {
            guard let length = try socket.receive(into: &buffer) else { continue }
            answers.append(Array(buffer[..<length]))
        }
        return answers
    }

    private static func receiveFramed(from socket: borrowing Descriptor, count: Int) throws -> [[UInt8]] {
        var epoll = try Epoll()
        try epoll.add(socket, token: 0, interest: .readable)
        var (buffer, input): ([UInt8], [UInt8]) = ([UInt8](repeating: 0, count: 65_537), [])
        var answers: [[UInt8]] = []
        while answers.count < count, try epoll.wait(timeoutMilliseconds: 5000) > 0 {
            guard let length = try socket.receive(into: &buffer), length > 0 else { break }
            input += buffer[..<length]
            while input.count >= 2, input.count >= 2 + (Int(input[0]) << 8 | Int(input[1])) {
                let end = 2 + (Int(input[0]) << 8 | Int(input[1]))
                answers.append(Array(input[2..<end]))
                input.removeFirst(end)
            }
        }
        return answers
    }

    /// Data of the answer's records in their order, or the response code where there are none; `nothing` without an answer.
    func resolve(
        _ name: String, _ type: RecordType = .a, from container: String, over transport: Transport = .datagram
    ) throws -> String {
        let answers = try ask([try Self.query(name, type)], from: container, over: transport)
        return Self.text(answers.first)
    }

    static func query(_ name: String, _ type: RecordType = .a, id: UInt16 = 0x1D1D) throws -> [UInt8] {
        OwnQuery.octets(of: try Name(name), type, id: id)
    }

    static func text(_ message: [UInt8]?) -> String {
        guard let message else { return "nothing" }
        let question = ExplainedMessage(message)
        return question.data.isEmpty ? question.code : question.data.joined(separator: " ")
    }
}

/// The parts of an answer that a test looks at.
private struct ExplainedMessage {
    var code = "unreadable"
    var data: [String] = []

    init(_ message: [UInt8]) {
        guard
            let answer = try? Resolve.Answer(
                Resolution(message: message, source: "", .dropped), asked: "", .a)
        else { return }
        code = answer.rcode
        data = answer.answers.map(\.data)
    }
}
