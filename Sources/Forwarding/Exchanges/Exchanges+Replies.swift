// What becomes of that which comes from upstreams.

import DNSWire

extension Exchanges {
    package mutating func receivedDatagram(_ message: Span<UInt8>, on socket: SocketToken, now: Moment) {
        guard attempts[socket.slot]?.transport == .datagram else { return }
        received(message, on: socket, now: now)
    }

    package mutating func receivedStream(_ bytes: Span<UInt8>, on socket: SocketToken, now: Moment) {
        guard attempts[socket.slot]?.transport == .stream else { return }
        var offset = 0
        // The attempt is gone once its reply was found: what stands behind it is dropped.
        while let message = attempts[socket.slot]?.framing.next(bytes, from: &offset) {
            received(message.span, on: socket, now: now)
        }
    }

    package mutating func failed(_ socket: SocketToken, now: Moment) {
        guard let attempt = attempts[socket.slot] else { return }
        leave(attempt, socket, now: now)
    }

    private mutating func received(_ message: Span<UInt8>, on socket: SocketToken, now: Moment) {
        guard let attempt = attempts[socket.slot], let query = table[attempt.exchange]?.query else { return }
        switch UpstreamReply(message, to: query, attempt, cache.policy, name: &name) {
        case .unrelated:
            break
        case .truncated:
            close(socket)
            open(.stream, attempt.upstream, edns: attempt.hasEDNS, for: attempt.exchange, now: now)
        case .needsPlainQuery:
            close(socket)
            open(.datagram, attempt.upstream, edns: false, for: attempt.exchange, now: now)
        case .failure(let code, let body):
            let complaint = Exchange.Complaint(code: code, body: body, upstream: attempt.upstream)
            if complaint.isBetter(than: table[attempt.exchange]?.bestComplaint) {
                table[attempt.exchange]?.bestComplaint = complaint
            }
            leave(attempt, socket, now: now)
        case .answer(let body):
            keep(body, of: attempt.exchange, now)
            finish(attempt.exchange, body, from: attempt.upstream)
        }
    }

    /// Asks this upstream no more, and the next one at once unless that has been done already.
    private mutating func leave(_ attempt: Attempt, _ socket: SocketToken, now: Moment) {
        close(socket)
        table[attempt.exchange]?.spent.append(attempt.upstream)
        if let exchange = table[attempt.exchange], exchange.current == nil {
            proceed(attempt.exchange, now: now)
        }
    }
}
