// On which socket a question goes out, and what becomes of sockets.

import DNSWire
import Tables

extension Forwarder {
    /// Puts the question of an exchange to an upstream, under a new id. An upstream that cannot be asked is noted as spent.
    /// - Parameters:
    ///   - reason: why it is asked over TCP.
    ///   - edns: nil: if the upstream understands it.
    mutating func ask(
        _ upstream: Ticket, over transport: Transport, because reason: Contact.StreamReason? = nil, edns: Bool? = nil,
        isRenewed: Bool = false, for ticket: Ticket, _ now: Moment
    ) {
        guard let exchange = table[ticket] else { return }
        if transport == .stream, let reason { exchange.note(upstream) { $0.stream = reason } }
        guard let known = upstreams[upstream], transport == .datagram || mayUseStream(upstream, known, reason, now)
        else {
            // It is in no list any more, or nothing is to be expected of it.
            if !exchange.isAsking(upstream) { exchange.note(upstream) { $0.isSpent = true } }
            return
        }
        if transport == .datagram {
            makeSocketRoom(for: exchange.payer)
            // It may be this one that has given way.
            guard table[ticket] != nil else { return }
            exchange.note(upstream) { $0.datagrams += 1 }
        }
        let (socket, isOpen) = socket(to: upstream, known, over: transport, for: ticket, exchange.payer)
        var attempt = Attempt(
            upstream, known, over: transport, socket, id: id(on: socket), question: spelling(exchange, known),
            edns: edns ?? known.edns.isUsed(now), sent: now)
        attempt.isRenewed = isRenewed
        exchange.attempts.append(attempt)
        upstreams.traffic.noteQuestion(to: known.traffic)
        exchange.lastAsked = now
        if transport == .stream { expect(attempt, ticket) }
        let message = exchange.query.message(attempt)
        switch (isOpen, transport) {
        case (true, _): act(.send(socket, message: message))
        case (false, .datagram):
            act(.openDatagram(socket, known.server, from: known.vantage, message: message))
        case (false, .stream):
            act(.openStream(socket, known.server, from: known.vantage, message: message))
        }
    }

    /// True when TCP may be tried: where it fails persistently, only now and then. Who has nothing but TCP tries always.
    private mutating func mayUseStream(
        _ upstream: Ticket, _ known: Upstream, _ reason: Contact.StreamReason?, _ now: Moment
    ) -> Bool {
        if case .preference? = reason { return true }
        guard known.streamHealth.isUsable(now) else { return false }
        if known.streamHealth.isDue(now) { upstreams[upstream]?.streamHealth.beginTrial(now) }
        return true
    }

    /// The question in the spelling in which an upstream is asked.
    private mutating func spelling(_ exchange: Exchange, _ upstream: Upstream) -> [UInt8] {
        var question = exchange.query.question
        if randomizesCase, !upstream.respells { question.randomizeCase(&random) }
        return question
    }

    /// An id that no other question on the socket has.
    private mutating func id(on socket: SocketToken) -> UInt16 {
        while true {
            let id = random.word16()
            guard case .stream(let stream) = sockets[socket]?.use, stream.pending[id] != nil else { return id }
        }
    }

    /// A socket for a question: a new one for each datagram; the connection that is open, or a new one.
    private mutating func socket(
        to upstream: Ticket, _ known: Upstream, over transport: Transport, for ticket: Ticket, _ payer: UInt32?
    ) -> (SocketToken, isOpen: Bool) {
        if transport == .datagram {
            let socket = UpstreamSocket(upstream: upstream, vantage: known.vantage, payer: payer, use: .asking(ticket))
            return (sockets.insert(socket), false)
        }
        if let stream = known.stream { return (stream, true) }
        let socket = sockets.insert(
            UpstreamSocket(upstream: upstream, vantage: known.vantage, payer: nil, use: .stream(UpstreamStream())))
        upstreams[upstream]?.stream = socket
        return (socket, false)
    }

    /// Notes that a reply is to come over a connection.
    private mutating func expect(_ attempt: Attempt, _ ticket: Ticket) {
        sockets.setDeadline(attempt.socket, nil)
        guard case .stream(var stream) = sockets[attempt.socket]?.use else { return }
        stream.pending[attempt.id] = ticket
        sockets[attempt.socket]?.use = .stream(stream)
    }

    // MARK: - Limits

    /// Makes room for one more socket: past the limits of a namespace its stragglers go first, then its oldest exchange;
    /// past those of the worker any straggler, then the oldest exchange of the namespace that has the most.
    private mutating func makeSocketRoom(for payer: UInt32?) {
        if let payer, sockets.count(of: payer) >= limits.namespaceSockets {
            if let straggler = sockets.oldestStraggler(of: payer) { close(straggler) } else { giveWay(in: payer) }
        }
        guard sockets.count >= limits.sockets else { return }
        if let straggler = sockets.oldestStraggler(of: nil) {
            close(straggler)
        } else {
            giveWayAnywhere()
        }
    }

    // MARK: - Afterwards

    /// Nothing more is to come on a socket for an attempt. A datagram socket is closed: its port is used for no other
    /// question.
    mutating func release(_ attempt: Attempt, _ now: Moment) {
        guard attempt.transport == .stream else {
            close(attempt.socket)
            return
        }
        guard case .stream(var stream) = sockets[attempt.socket]?.use else { return }
        stream.pending[attempt.id] = nil
        sockets[attempt.socket]?.use = .stream(stream)
        guard stream.pending.isEmpty else { return }
        if upstreams[attempt.upstream]?.stream == attempt.socket {
            sockets.setDeadline(attempt.socket, now + UpstreamStream.idleTime)
        } else {
            close(attempt.socket)
        }
    }

    /// The question of an attempt is answered: its socket waits for a reply a while longer, where the upstream has still to show
    /// that it lives. A few suffice for that; the first of them are the ones to hear a slow upstream.
    mutating func straggle(_ attempt: Attempt, until end: Moment, _ now: Moment) {
        guard case .asking? = sockets[attempt.socket]?.use,
            sockets.stragglers(of: sockets[attempt.socket]?.payer) < limits.stragglers
        else {
            release(attempt, now)
            return
        }
        sockets.straggle(attempt.socket, attempt, until: end)
    }

    /// Closes a socket. Who waits on it is not looked at.
    mutating func close(_ token: SocketToken) {
        guard let socket = sockets.remove(token) else { return }
        act(.close(token))
        if case .stream = socket.use, upstreams[socket.upstream]?.stream == token {
            upstreams[socket.upstream]?.stream = nil
        }
    }

    /// Closes the connection to an upstream that is asked no more, unless somebody waits on it.
    mutating func closeSockets(of upstream: Upstream) {
        guard let token = upstream.stream, case .stream(let stream) = sockets[token]?.use, stream.pending.isEmpty
        else { return }
        close(token)
    }
}
