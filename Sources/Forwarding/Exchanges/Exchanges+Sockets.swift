// On which socket a question goes out, and what becomes of sockets.

import DNSWire

extension Exchanges {
    /// Puts the question of an exchange to an upstream, under a new id.
    /// - Parameter edns: nil: if the upstream understands it.
    mutating func ask(
        _ upstream: Slot, over transport: Transport, edns: Bool? = nil, isRenewed: Bool = false, for slot: Slot,
        _ now: Moment
    ) {
        guard let exchange = table[slot] else { return }
        guard let known = upstreams[upstream] else {
            // It is in no list any more.
            table[slot]?.spent.append(upstream)
            return
        }
        let (socket, isOpen) = socket(to: upstream, known, over: transport, now)
        var attempt = Attempt(
            upstream, known, over: transport, socket, id: id(on: socket), question: spelling(exchange, known),
            edns: edns ?? known.understandsEDNS(now), sent: now)
        attempt.isRenewed = isRenewed
        table[slot]?.attempts.append(attempt)
        table[slot]?.lastAsked = now
        occupy(socket, attempt, slot)
        let message = exchange.query.message(attempt)
        switch (isOpen, transport) {
        case (true, _): act(.send(socket, message: message))
        case (false, .datagram):
            act(.openDatagram(socket, known.server, from: known.vantage, message: message))
        case (false, .stream):
            act(.openStream(socket, known.server, from: known.vantage, message: message))
        }
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

    /// A socket for a question: one that is open, or a new one.
    private mutating func socket(
        to upstream: Slot, _ known: Upstream, over transport: Transport, _ now: Moment
    ) -> (SocketToken, isOpen: Bool) {
        switch transport {
        case .datagram:
            if let socket = takeIdleSocket(of: upstream, now) { return (socket, true) }
            return (insertSocket(to: upstream, known, .idle, now), false)
        case .stream:
            if let stream = known.stream { return (stream, true) }
            let socket = insertSocket(to: upstream, known, .stream(UpstreamStream()), now)
            upstreams[upstream]?.stream = socket
            return (socket, false)
        }
    }

    private mutating func insertSocket(
        to upstream: Slot, _ known: Upstream, _ use: UpstreamSocket.Use, _ now: Moment
    ) -> SocketToken {
        sockets.insert(UpstreamSocket(upstream: upstream, vantage: known.vantage, opened: now, use: use))
    }

    /// One of the idle sockets of an upstream; which one, nobody can guess.
    private mutating func takeIdleSocket(of upstream: Slot, _ now: Moment) -> SocketToken? {
        guard let idle = upstreams[upstream]?.idleSockets, !idle.isEmpty else { return nil }
        let position = random.number(below: idle.count)
        upstreams[upstream]?.idleSockets.swapAt(position, idle.count - 1)
        upstreams[upstream]?.idleSockets.removeLast()
        return idle[position]
    }

    /// Notes what a socket is used for now.
    private mutating func occupy(_ socket: SocketToken, _ attempt: Attempt, _ slot: Slot) {
        sockets.setDeadline(socket, nil)
        switch sockets[socket]?.use {
        case .stream(var stream):
            stream.pending[attempt.id] = slot
            sockets[socket]?.use = .stream(stream)
        default:
            sockets[socket]?.use = .asking(slot)
        }
    }

    // MARK: - Afterwards

    /// A question on a socket has got its reply, and the socket can take another one; unless more may come on it that nobody
    /// has asked for.
    mutating func release(_ attempt: Attempt, mayBeUsedAgain: Bool, _ now: Moment) {
        if attempt.transport == .stream {
            releaseStream(attempt, now)
            return
        }
        guard mayBeUsedAgain, attempt.repeats == 0, let opened = sockets[attempt.socket]?.opened,
            now < opened + UpstreamSocket.lifetime,
            let count = upstreams[attempt.upstream]?.idleSockets.count, count < limits.idleSockets
        else {
            close(attempt.socket)
            return
        }
        sockets[attempt.socket]?.use = .idle
        sockets.setDeadline(attempt.socket, opened + UpstreamSocket.lifetime)
        upstreams[attempt.upstream]?.idleSockets.append(attempt.socket)
    }

    private mutating func releaseStream(_ attempt: Attempt, _ now: Moment) {
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

    /// The question of an attempt is answered: its socket is listened to for a while, where the upstream has still to show
    /// that it lives.
    mutating func straggle(_ attempt: Attempt, until end: Moment, _ now: Moment) {
        switch sockets[attempt.socket]?.use {
        case .asking?:
            sockets[attempt.socket]?.use = .straggling(attempt)
            sockets.setDeadline(attempt.socket, end)
        default:
            release(attempt, mayBeUsedAgain: false, now)
        }
    }

    /// Closes a socket. Who waits on it is not looked at.
    mutating func close(_ token: SocketToken) {
        guard let socket = sockets.remove(token) else { return }
        act(.close(token))
        switch socket.use {
        case .idle: upstreams[socket.upstream]?.idleSockets.removeAll { $0 == token }
        case .stream:
            if upstreams[socket.upstream]?.stream == token { upstreams[socket.upstream]?.stream = nil }
        case .asking, .straggling: break
        }
    }

    /// Closes the sockets of an upstream that is asked no more, but for those on which somebody waits.
    mutating func closeSockets(of upstream: Upstream) {
        for token in upstream.idleSockets { close(token) }
        guard let token = upstream.stream, case .stream(let stream) = sockets[token]?.use, stream.pending.isEmpty
        else { return }
        close(token)
    }
}
