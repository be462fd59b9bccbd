// Replies of upstreams: what each means for its exchange, and what is learnt of the upstream.

import DNSWire
import Tables

extension Forwarder {
    /// After so many datagrams that are no reply to a question it is asked over TCP: somebody may be guessing.
    private static let wrongReplyLimit = 10

    /// Takes a UDP message that came on a socket of the forwarder's.
    /// - Parameters:
    ///   - message: its octets.
    ///   - token: the socket.
    ///   - cameInFragments: the kernel has put it together. Nobody knows who sent the second fragment, which bears neither
    ///     port nor id (RFC 9715 §1): if it is a reply, the question is asked over TCP.
    ///   - now: the time.
    package mutating func receivedDatagram(
        _ message: Span<UInt8>, on token: SocketToken, cameInFragments: Bool = false, now: Moment
    ) {
        switch sockets[token]?.use {
        case .asking(let ticket)?:
            guard let attempt = attempt(of: ticket, on: token, id: nil) else { return }
            received(message, cameInFragments: cameInFragments, attempt, ticket, now)
        case .straggling(let attempt)?:
            receivedLate(message, attempt, now)
        case .stream?, nil:
            break
        }
    }

    /// Takes octets that came over a TCP connection of the forwarder's, cut in any way.
    package mutating func receivedStream(_ bytes: Span<UInt8>, on token: SocketToken, now: Moment) {
        var offset = 0
        while let message = nextMessage(bytes, from: &offset, on: token, now) {
            let ticket = takeExpected(message, on: token)
            guard let ticket, let attempt = attempt(of: ticket, on: token, id: message.span.word16(0)) else {
                guard isPatient(with: token) else { return streamFailed(token, mayRenew: false, .unreachable, now) }
                continue
            }
            received(message.span, attempt, ticket, now)
        }
    }

    private mutating func nextMessage(
        _ bytes: Span<UInt8>, from offset: inout Int, on token: SocketToken, _ now: Moment
    ) -> [UInt8]? {
        guard case .stream(var stream) = sockets[token]?.use else { return nil }
        let message = stream.framing.next(bytes, from: &offset)
        stream.lastReply = now
        sockets[token]?.use = .stream(stream)
        return message
    }

    /// The exchange that waits for a message; nil where none does.
    private mutating func takeExpected(_ message: [UInt8], on token: SocketToken) -> Ticket? {
        guard case .stream(var stream) = sockets[token]?.use else { return nil }
        let ticket = message.count >= Header.length ? stream.pending[message.span.word16(0)] : nil
        stream.strays = ticket == nil ? stream.strays + 1 : 0
        sockets[token]?.use = .stream(stream)
        return ticket
    }

    /// False for a connection over which too much comes that nobody asked for.
    private func isPatient(with token: SocketToken) -> Bool {
        guard case .stream(let stream) = sockets[token]?.use else { return true }
        return stream.strays < UpstreamStream.maximumStrays
    }

    private func attempt(of ticket: Ticket, on token: SocketToken, id: UInt16?) -> Attempt? {
        table[ticket]?.attempts.first { $0.socket == token && $0.id == id ?? $0.id }
    }

    private mutating func received(
        _ message: Span<UInt8>, cameInFragments: Bool = false, _ attempt: Attempt, _ ticket: Ticket, _ now: Moment
    ) {
        let known = upstreams[attempt.upstream]
        var reply = UpstreamReply(
            message, to: attempt, trustsSpelling: attempt.transport == .datagram && known?.respells != true,
            isProven: known?.edns.isProven == true, cache.policy, name: &name)
        if cameInFragments, reply.isOurs { reply = .truncated(nil) }
        switch reply {
        case .unrelated:
            countWrong(attempt, ticket, now)
            return
        case .respelled:
            // Of somebody who guesses, or of an upstream that does so: over TCP that can be told apart.
            followUp(attempt, over: .stream, edns: attempt.hasEDNS, ticket, now)
        case .truncated(let part):
            noteReply(message, attempt, now)
            noteFallback(part, attempt, ticket)
            followUp(attempt, over: .stream, edns: attempt.hasEDNS, ticket, now)
        case .damaged(let part):
            noteReply(message, attempt, now)
            noteFallback(part, attempt, ticket)
            table[ticket]?.hasDamage = true
            if attempt.transport == .datagram {
                followUp(attempt, over: .stream, edns: attempt.hasEDNS, ticket, now)
            } else {
                leave(attempt, ticket, now)
            }
        case .needsPlainQuery:
            noteReply(message, attempt, now)
            followUp(attempt, over: attempt.transport, edns: false, ticket, now)
        case .failure(let body):
            noteReply(message, attempt, now)
            noteAbilities(attempt, ticket, message, body, now)
            noteComplaint(body, attempt, ticket)
            leave(attempt, ticket, now)
        case .answer(let body):
            noteReply(message, attempt, now)
            noteAbilities(attempt, ticket, message, body, now)
            notePreference(attempt, ticket, now)
            take(attempt, out: ticket)
            keep(body, of: ticket, now)
            finish(ticket, body, from: .upstream(attempt.server), now)
            release(attempt, now)
        }
        schedule(ticket)
    }

    private mutating func take(_ attempt: Attempt, out ticket: Ticket) {
        table[ticket]?.attempts.removeAll { $0.socket == attempt.socket && $0.id == attempt.id }
    }

    private mutating func countWrong(_ attempt: Attempt, _ ticket: Ticket, _ now: Moment) {
        guard attempt.transport == .datagram, let exchange = table[ticket] else { return }
        upstreams[attempt.upstream]?.health.sentWrongReply()
        exchange.wrongReplies += 1
        guard exchange.wrongReplies >= Self.wrongReplyLimit else { return }
        followUp(attempt, over: .stream, edns: attempt.hasEDNS, ticket, now)
        schedule(ticket)
    }

    /// Asks the upstream of an attempt in another way, as its reply demands; or no more, where replies have led to enough
    /// questions already, or TCP was tried before.
    private mutating func followUp(
        _ attempt: Attempt, over transport: Transport, edns: Bool, _ ticket: Ticket, _ now: Moment
    ) {
        guard let exchange = table[ticket],
            let contact = exchange.position(of: attempt.upstream).map({ exchange.order[$0] })
        else { return }
        let isNew = transport == attempt.transport || contact.stream == nil
        guard isNew, exchange.mayFollowUp else {
            leave(attempt, ticket, isHopeless: false, now)
            return
        }
        exchange.followUps += 1
        take(attempt, out: ticket)
        release(attempt, now)
        ask(attempt.upstream, over: transport, because: .reply, edns: edns, for: ticket, now)
        if !exchange.isAsking(attempt.upstream) { turnAway(from: attempt.upstream, ticket, now) }
    }

    // MARK: - What is learned of an upstream

    private mutating func noteReply(_ message: Span<UInt8>, _ attempt: Attempt, _ now: Moment) {
        let code = Header(message)?.flags.responseCode ?? .serverFailure
        upstreams.traffic.noteReply(
            code, of: upstreams[attempt.upstream]?.traffic, after: now - attempt.sent)
        upstreams[attempt.upstream]?.health.replied(now)
        switch attempt.transport {
        case .stream: upstreams[attempt.upstream]?.streamHealth.replied(now)
        case .datagram:
            if attempt.repeats == 0 { upstreams[attempt.upstream]?.roundTrip.add(now - attempt.sent) }
        }
    }

    private func noteFallback(_ body: AnswerBody?, _ attempt: Attempt, _ ticket: Ticket) {
        guard let body, let exchange = table[ticket] else { return }
        let saying = Exchange.Saying(body: body, upstream: attempt.server)
        if saying.isBetterFallback(than: exchange.fallback) { exchange.fallback = saying }
    }

    private func noteComplaint(_ body: AnswerBody, _ attempt: Attempt, _ ticket: Ticket) {
        guard let exchange = table[ticket] else { return }
        let saying = Exchange.Saying(body: body, upstream: attempt.server)
        if saying.isBetterComplaint(than: exchange.complaint) { exchange.complaint = saying }
    }

    private mutating func noteAbilities(
        _ attempt: Attempt, _ ticket: Ticket, _ message: Span<UInt8>, _ body: AnswerBody, _ now: Moment
    ) {
        if UpstreamReply.spelling(of: attempt.question, in: message) == .otherCase {
            upstreams[attempt.upstream]?.respells = true
        }
        if body.hasEDNS {
            upstreams[attempt.upstream]?.edns.noteUnderstood()
            return
        }
        guard !attempt.hasEDNS, body.responseCode != .formatError, body.responseCode != .notImplemented,
            let edns = upstreams[attempt.upstream]?.edns, edns.isUsed(now)
        else { return }
        if attempt.hasLeftOutEDNS {
            upstreams[attempt.upstream]?.edns.noteSilence(began: table[ticket]?.began ?? now, now)
        } else if !UpstreamReply.isFailure(body.responseCode) {
            upstreams[attempt.upstream]?.edns.noteComplaint(now)
        }
    }

    /// Learns that an upstream answers over TCP where datagrams bring nothing.
    private mutating func notePreference(_ attempt: Attempt, _ ticket: Ticket, _ now: Moment) {
        guard attempt.transport == .stream, let exchange = table[ticket],
            let position = exchange.position(of: attempt.upstream), case .silence? = exchange.order[position].stream
        else { return }
        upstreams[attempt.upstream]?.preferStream(now)
    }

    private mutating func receivedLate(_ message: Span<UInt8>, _ attempt: Attempt, _ now: Moment) {
        guard let header = Header(message), header.id == attempt.id, header.flags.isResponse,
            UpstreamReply.spelling(of: attempt.question, in: message) == .same
        else { return }
        noteReply(message, attempt, now)
        close(attempt.socket)
    }

    // MARK: - Failures

    /// Takes the news that a socket is of no more use: it could not be opened, an ICMP error came (ECONNREFUSED,
    /// EHOSTUNREACH), the connection was reset, or the peer closed it. A close action follows for it.
    package mutating func failed(_ token: SocketToken, _ trouble: UpstreamTrouble = .unreachable, now: Moment) {
        guard let socket = sockets[token] else { return }
        switch socket.use {
        case .asking(let ticket):
            guard let attempt = attempt(of: ticket, on: token, id: nil) else { return }
            if let exchange = table[ticket] { blame(attempt, exchange, trouble, now) }
            table[ticket]?.note(attempt.upstream) { $0.isDatagramRefused = true }
            leave(attempt, ticket, isHopeless: false, now)
            schedule(ticket)
        case .stream:
            streamFailed(token, mayRenew: true, trouble, now)
        case .straggling:
            close(token)
        }
    }

    /// Closes a connection. Where something had come over it, its questions go over another one, once.
    private mutating func streamFailed(
        _ token: SocketToken, mayRenew: Bool, _ trouble: UpstreamTrouble, _ now: Moment
    ) {
        guard case .stream(let stream) = sockets[token]?.use else { return }
        close(token)
        let wasAlive = stream.lastReply != nil
        for (id, ticket) in stream.pending.sorted(by: { $0.value.slot < $1.value.slot }) {
            guard let attempt = attempt(of: ticket, on: token, id: id), let exchange = table[ticket] else { continue }
            if mayRenew, wasAlive, !attempt.isRenewed, exchange.mayFollowUp {
                exchange.followUps += 1
                take(attempt, out: ticket)
                ask(
                    attempt.upstream, over: .stream, because: nil, edns: attempt.hasEDNS, isRenewed: true, for: ticket,
                    now)
                if !exchange.isAsking(attempt.upstream) { turnAway(from: attempt.upstream, ticket, now) }
            } else {
                failStream(attempt, ticket, trouble, now)
            }
            schedule(ticket)
        }
    }

    private mutating func failStream(
        _ attempt: Attempt, _ ticket: Ticket, _ trouble: UpstreamTrouble, _ now: Moment
    ) {
        if let exchange = table[ticket] {
            blame(attempt, exchange, trouble, now)
            tryDatagrams(attempt.upstream, exchange)
        }
        leave(attempt, ticket, isHopeless: false, now)
    }

    /// Ends an attempt, and asks the next upstream at once unless that has been done already.
    /// - Parameter isHopeless: the upstream will not answer this question, whichever way it is asked.
    private mutating func leave(_ attempt: Attempt, _ ticket: Ticket, isHopeless: Bool = true, _ now: Moment) {
        take(attempt, out: ticket)
        release(attempt, now)
        if isHopeless {
            for other in table[ticket]?.attempts ?? [] where other.upstream == attempt.upstream {
                take(other, out: ticket)
                release(other, now)
            }
        }
        if isHopeless || table[ticket]?.mayStillAsk(attempt.upstream) == false {
            table[ticket]?.note(attempt.upstream) { $0.isSpent = true }
        }
        turnAway(from: attempt.upstream, ticket, now)
    }

    /// Goes on with the next upstream, where this one was the one to wait for.
    private mutating func turnAway(from upstream: Ticket, _ ticket: Ticket, _ now: Moment) {
        guard let exchange = table[ticket], !exchange.isAsking(upstream) else { return }
        if exchange.current == upstream || exchange.attempts.isEmpty { proceed(ticket, now) }
    }
}

extension Exchange {
    /// True when there is another way to ask an upstream, or one is under way.
    fileprivate func mayStillAsk(_ upstream: Ticket) -> Bool {
        guard let position = position(of: upstream) else { return false }
        return isAsking(upstream) || order[position].isFresh || order[position].isLeftToTCP
    }
}
