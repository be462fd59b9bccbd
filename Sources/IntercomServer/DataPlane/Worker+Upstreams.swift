// A worker's upstream side: it carries out what the forwarder decides, and tells it what came back.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

/// One socket to an upstream: a question on it at a time, or a connection.
struct UpstreamSocket: ~Copyable {
    let descriptor: Descriptor
    let token: SocketToken
    let isStream: Bool
    /// What a stream has not taken yet.
    var unsent: [UInt8] = []

    /// Writes as much as the upstream takes.
    /// - Returns: whether that was all.
    mutating func flush() throws(LinuxError) -> Bool {
        while !unsent.isEmpty {
            guard let written = try descriptor.send(unsent.span) else { return false }
            unsent.removeFirst(written)
        }
        return true
    }
}

/// The sockets to upstreams, found by the forwarder's token or by the loop's ticket.
struct UpstreamSockets: ~Copyable {
    var sockets = SlotTable<UpstreamSocket>()
    /// Questions that wait for a socket of their namespace.
    var orders: [SocketOrder] = []
    /// When the control plane may be told again that no upstream answers.
    var nextComplaint = Moment.now
    private var tickets: [SocketToken: Ticket] = [:]

    mutating func insert(_ socket: consuming UpstreamSocket) -> Ticket {
        let token = socket.token
        let ticket = sockets.insert(socket)
        tickets[token] = ticket
        return ticket
    }

    func ticket(of token: SocketToken) -> Ticket? { tickets[token] }

    /// Closes a socket.
    mutating func remove(_ token: SocketToken) {
        guard let ticket = tickets.removeValue(forKey: token) else { return }
        sockets.remove(ticket)
    }
}

extension Worker {
    // MARK: - Questions

    /// Puts a datagram's question to the upstreams.
    mutating func forwardDatagram(_ packet: Int, _ asking: Asking) {
        switch forwarder.ask(packet, of: datagrams.receiver, &responder, asking) {
        case .accepted: counters.forwarded &+= 1
        case .refused(let refusal): deliver(failure(refusal, datagrams.receiver.packet(packet)), to: asking.client)
        }
    }

    /// Puts the question of a connection's message to the upstreams.
    mutating func forwardMessage(_ bounds: Range<Int>, of position: Int, _ asking: Asking) {
        switch forwarder.ask(bounds, of: streams[position], &responder, asking) {
        case .accepted:
            streams[position].inFlight += 1
            counters.forwarded &+= 1
        case .refused(let refusal):
            counters.failed &+= 1
            send(failure(refusal, bounds, of: streams[position]), on: position)
        }
    }

    /// Puts a question of the control plane to the upstreams.
    mutating func forward(_ query: Span<UInt8>, _ asking: Asking) {
        if case .refused(let refusal) = forwarder.ask(query, &responder, asking) {
            deliver(failure(refusal, query), to: asking.client)
        }
        act(asking.errand.now)
    }

    private func failure(
        _ refusal: Forwarding.Refusal, _ bounds: Range<Int>, of stream: borrowing StreamConnection
    ) -> Answer {
        failure(refusal, stream.inputSpan.extracting(bounds))
    }

    private func failure(_ refusal: Forwarding.Refusal, _ query: Span<UInt8>) -> Answer {
        Answer.serverFailure(to: query, responder.query, because: refusal.detail)
    }

    // MARK: - Actions

    /// Does what the forwarder wants done, until it wants nothing.
    mutating func act(_ now: Moment) {
        while let action = forwarder.nextAction() {
            switch action {
            case .openDatagram(let token, let server, .host, let message): openDatagram(token, server, message, now)
            case .openStream(let token, let server, .host, let message): openStream(token, server, message, now)
            case .openDatagram(let token, let server, .namespace(let view), let message):
                open(SocketOrder(token, server, isStream: false, from: view, message: message), now)
            case .openStream(let token, let server, .namespace(let view), let message):
                open(SocketOrder(token, server, isStream: true, from: view, message: message), now)
            case .send(let token, let message): send(token, message, now)
            case .close(let token):
                cancel(token)
                upstreams.remove(token)
            case .answer(let client, let answer):
                complain(of: answer, to: client, now)
                deliver(answer, to: client)
            }
        }
    }

    /// Says that no upstream had an answer, now and then.
    private mutating func complain(of answer: Answer, to client: Client, _ now: Moment) {
        guard answer.responseCode == .serverFailure || answer.responseCode == .refused, now >= upstreams.nextComplaint
        else {
            return
        }
        upstreams.nextComplaint = now + .seconds(5)
        let view = view(of: client)
        let servers = forwarder.upstreamReports.filter { $0.vantage == view.map { .namespace($0.rawValue) } }
        control.post(.unanswered(view, servers.map(\.server)))
    }

    /// The view of a client's container.
    private func view(of client: Client) -> ViewID? {
        let ticket: Ticket?
        switch client {
        case .datagram(let listener, _): ticket = listener
        case .stream(let stream): ticket = streams.position(of: stream).map { streams[$0].listener }
        case .control: ticket = nil
        }
        return ticket.flatMap { listeners.position(of: $0) }.map { listeners[$0].view }
    }

    private mutating func openDatagram(
        _ token: SocketToken, _ server: ServerAddress, _ message: [UInt8], _ now: Moment
    ) {
        do throws(LinuxError) {
            let socket = try UDPSocket.connected(to: try SocketAddress(server))
            _ = try socket.send(message.span)
            try add(UpstreamSocket(descriptor: socket, token: token, isStream: false), interest: .readable)
        } catch {
            logger.debug("upstream \(server): \(error)")
            forwarder.failed(token, now: now)
        }
    }

    private mutating func openStream(
        _ token: SocketToken, _ server: ServerAddress, _ message: [UInt8], _ now: Moment
    ) {
        do throws(LinuxError) {
            let socket = try TCPSocket.connecting(to: try SocketAddress(server))
            try add(
                UpstreamSocket(descriptor: socket, token: token, isStream: true, unsent: message),
                interest: [.readable, .writable])
        } catch {
            logger.debug("upstream \(server) over TCP: \(error)")
            forwarder.failed(token, now: now)
        }
    }

    mutating func add(_ socket: consuming UpstreamSocket, interest: Epoll.Events) throws(LinuxError) {
        let token = socket.token
        let ticket = upstreams.insert(socket)
        guard let position = upstreams.sockets.position(of: ticket) else { return }
        do throws(LinuxError) {
            try epoll.add(
                upstreams.sockets[position].descriptor, token: Token(.upstream, ticket).word, interest: interest)
        } catch {
            upstreams.remove(token)
            throw error
        }
    }

    private mutating func send(_ token: SocketToken, _ message: [UInt8], _ now: Moment) {
        guard let ticket = upstreams.ticket(of: token), let position = upstreams.sockets.position(of: ticket) else {
            add(message, toOrder: token)
            return
        }
        do throws(LinuxError) {
            if upstreams.sockets[position].isStream {
                upstreams.sockets[position].unsent += message
                try flushUpstream(ticket, position)
            } else {
                _ = try upstreams.sockets[position].descriptor.send(message.span)
            }
        } catch {
            forwarder.failed(token, now: now)
        }
    }

    /// Gives a client its answer, if it is still there.
    private mutating func deliver(_ answer: Answer, to client: Client) {
        if answer.source == .nobody { counters.failed &+= 1 }
        switch client {
        case .datagram(let listener, let address):
            guard let position = listeners.position(of: listener) else { return }
            let length = answer.write(into: answerBuffer.mutableSpan, limit: answer.datagramLimit)
            do throws(LinuxError) {
                try listeners[position].sockets.udp.send(answerBuffer.span.extracting(first: length), to: address)
            } catch {
                counters.dropped &+= 1
                listeners.doubtful.append(listener)
            }
        case .stream(let ticket):
            guard let position = streams.position(of: ticket) else { return }
            streams[position].inFlight -= 1
            send(answer, on: position)
            settle(ticket)
        case .control(let token, let route):
            let resolution = Resolution(
                message: answer.message(limit: 65_535), source: "\(answer.source)", route: route)
            control.post(.resolved(token: token, resolution))
        }
    }

    /// Adds an answer to what a connection is owed.
    private mutating func send(_ answer: Answer, on position: Int) {
        let length = answer.write(into: answerBuffer.mutableSpan, limit: 65_535)
        streams[position].lastActive = Moment.now
        streams[position].send(answerBuffer, length)
    }

    // MARK: - Replies

    mutating func serveUpstream(_ ticket: Ticket, _ events: Epoll.Events, _ now: Moment) {
        guard let position = upstreams.sockets.position(of: ticket) else { return }
        let token = upstreams.sockets[position].token
        do throws(LinuxError) {
            if upstreams.sockets[position].isStream {
                if events.contains(.writable) { try flushUpstream(ticket, position) }
                if !events.isDisjoint(with: [.readable, .hangUp, .error]) { try readStream(position, token, now) }
            } else {
                try readDatagram(ticket, token, now)
            }
        } catch {
            logger.debug("an upstream socket failed: \(error)")
            forwarder.failed(token, now: now)
        }
        act(now)
    }

    private mutating func readDatagram(
        _ ticket: Ticket, _ token: SocketToken, _ now: Moment
    ) throws(LinuxError) {
        // One: more than that is rare, and epoll tells again; so who floods the socket does not keep the loop.
        guard let position = upstreams.sockets.position(of: ticket),
            let count = try upstreams.sockets[position].descriptor.receive(into: &readBuffer)
        else { return }
        forwarder.receivedDatagram(readBuffer, count, on: token, now: now)
    }

    private mutating func readStream(
        _ position: Int, _ token: SocketToken, _ now: Moment
    ) throws(LinuxError) {
        guard let count = try upstreams.sockets[position].descriptor.receive(into: &readBuffer) else { return }
        if count == 0 {
            forwarder.failed(token, now: now)
        } else {
            forwarder.receivedStream(readBuffer, count, on: token, now: now)
        }
    }

    private mutating func flushUpstream(_ ticket: Ticket, _ position: Int) throws(LinuxError) {
        if let failure = TCPSocket.connectionResult(of: upstreams.sockets[position].descriptor) { throw failure }
        let isDone = try upstreams.sockets[position].flush()
        try epoll.modify(
            upstreams.sockets[position].descriptor, token: Token(.upstream, ticket).word,
            interest: isDone ? .readable : [.readable, .writable])
    }
}

extension Forwarding.Refusal {
    /// What an EDNS client is told (RFC 8914).
    fileprivate var detail: ErrorDetail {
        switch self {
        case .tooMany: ErrorDetail(.networkError)
        case .noUpstreams: ErrorDetail(.noReachableAuthority, text: "no upstream may be asked")
        }
    }
}

extension SocketAddress {
    /// The address of an upstream, for the kernel.
    init(_ server: ServerAddress) throws(LinuxError) {
        switch server.address {
        case .v4(let address):
            self.init(v4: address.bits, port: server.port)
        case .v6(let address):
            let scope = try server.scope.map { scope throws(LinuxError) in try InterfaceName.index(of: scope) } ?? 0
            self.init(v6: address.bits, port: server.port, scope: scope)
        }
    }
}
