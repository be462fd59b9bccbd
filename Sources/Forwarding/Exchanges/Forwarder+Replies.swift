// Replies of upstreams: what each means for its exchange, and what is learnt of the upstream.

import DNSWire

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
        case .asking(let slot)?:
            guard let attempt = attempt(of: slot, on: token, id: nil) else { return }
            received(message, cameInFragments: cameInFragments, attempt, slot, now)
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
            let slot = takeExpected(message, on: token)
            guard let slot, let attempt = attempt(of: slot, on: token, id: message.span.word16(0)) else {
                guard isPatient(with: token) else { return streamFailed(token, mayRenew: false, now) }
                continue
            }
            received(message.span, attempt, slot, now)
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
    private mutating func takeExpected(_ message: [UInt8], on token: SocketToken) -> Slot? {
        guard case .stream(var stream) = sockets[token]?.use else { return nil }
        let slot = message.count >= Header.length ? stream.pending[message.span.word16(0)] : nil
        stream.strays = slot == nil ? stream.strays + 1 : 0
        sockets[token]?.use = .stream(stream)
        return slot
    }

    /// False for a connection over which too much comes that nobody asked for.
    private func isPatient(with token: SocketToken) -> Bool {
        guard case .stream(let stream) = sockets[token]?.use else { return true }
        return stream.strays < UpstreamStream.maximumStrays
    }

    private func attempt(of slot: Slot, on token: SocketToken, id: UInt16?) -> Attempt? {
        table[slot]?.attempts.first { $0.socket == token && $0.id == id ?? $0.id }
    }

    private mutating func received(
        _ message: Span<UInt8>, cameInFragments: Bool = false, _ attempt: Attempt, _ slot: Slot, _ now: Moment
    ) {
        let known = upstreams[attempt.upstream]
        var reply = UpstreamReply(
            message, to: attempt, trustsSpelling: attempt.transport == .datagram && known?.respells != true,
            isProven: known?.edns.isProven == true, cache.policy, name: &name)
        if cameInFragments, reply.isOurs { reply = .truncated(nil) }
        switch reply {
        case .unrelated:
            countWrong(attempt, slot, now)
            return
        case .respelled:
            // Of somebody who guesses, or of an upstream that does so: over TCP that can be told apart.
            followUp(attempt, over: .stream, edns: attempt.hasEDNS, slot, now)
        case .truncated(let part):
            noteReply(attempt, now)
            noteFallback(part, attempt, slot)
            followUp(attempt, over: .stream, edns: attempt.hasEDNS, slot, now)
        case .damaged(let part):
            noteReply(attempt, now)
            noteFallback(part, attempt, slot)
            table[slot]?.hasDamage = true
            if attempt.transport == .datagram {
                followUp(attempt, over: .stream, edns: attempt.hasEDNS, slot, now)
            } else {
                leave(attempt, slot, now)
            }
        case .needsPlainQuery:
            noteReply(attempt, now)
            followUp(attempt, over: attempt.transport, edns: false, slot, now)
        case .failure(let body):
            noteReply(attempt, now)
            noteAbilities(attempt, slot, message, body, now)
            noteComplaint(body, attempt, slot)
            leave(attempt, slot, now)
        case .answer(let body):
            noteReply(attempt, now)
            noteAbilities(attempt, slot, message, body, now)
            notePreference(attempt, slot, now)
            take(attempt, out: slot)
            keep(body, of: slot, now)
            finish(slot, body, from: .upstream(attempt.server), now)
            release(attempt, now)
        }
        schedule(slot)
    }

    private mutating func take(_ attempt: Attempt, out slot: Slot) {
        table[slot]?.attempts.removeAll { $0.socket == attempt.socket && $0.id == attempt.id }
    }

    private mutating func countWrong(_ attempt: Attempt, _ slot: Slot, _ now: Moment) {
        guard attempt.transport == .datagram, let exchange = table[slot] else { return }
        exchange.wrongReplies += 1
        guard exchange.wrongReplies >= Self.wrongReplyLimit else { return }
        followUp(attempt, over: .stream, edns: attempt.hasEDNS, slot, now)
        schedule(slot)
    }

    /// Asks the upstream of an attempt in another way, as its reply demands; or no more, where replies have led to enough
    /// questions already, or TCP was tried before.
    private mutating func followUp(
        _ attempt: Attempt, over transport: Transport, edns: Bool, _ slot: Slot, _ now: Moment
    ) {
        guard let exchange = table[slot],
            let contact = exchange.position(of: attempt.upstream).map({ exchange.order[$0] })
        else { return }
        let isNew = transport == attempt.transport || contact.stream == nil
        guard isNew, exchange.mayFollowUp else {
            leave(attempt, slot, isHopeless: false, now)
            return
        }
        exchange.followUps += 1
        take(attempt, out: slot)
        release(attempt, now)
        ask(attempt.upstream, over: transport, because: .reply, edns: edns, for: slot, now)
        if !exchange.isAsking(attempt.upstream) { turnAway(from: attempt.upstream, slot, now) }
    }

    // MARK: - What is learned of an upstream

    private mutating func noteReply(_ attempt: Attempt, _ now: Moment) {
        upstreams[attempt.upstream]?.health.replied(now)
        switch attempt.transport {
        case .stream: upstreams[attempt.upstream]?.streamHealth.replied(now)
        case .datagram:
            if attempt.repeats == 0 { upstreams[attempt.upstream]?.roundTrip.add(now - attempt.sent) }
        }
    }

    private func noteFallback(_ body: AnswerBody?, _ attempt: Attempt, _ slot: Slot) {
        guard let body, let exchange = table[slot] else { return }
        let saying = Exchange.Saying(body: body, upstream: attempt.server)
        if saying.isBetterFallback(than: exchange.fallback) { exchange.fallback = saying }
    }

    private func noteComplaint(_ body: AnswerBody, _ attempt: Attempt, _ slot: Slot) {
        guard let exchange = table[slot] else { return }
        let saying = Exchange.Saying(body: body, upstream: attempt.server)
        if saying.isBetterComplaint(than: exchange.complaint) { exchange.complaint = saying }
    }

    private mutating func noteAbilities(
        _ attempt: Attempt, _ slot: Slot, _ message: Span<UInt8>, _ body: AnswerBody, _ now: Moment
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
            upstreams[attempt.upstream]?.edns.noteSilence(began: table[slot]?.began ?? now, now)
        } else if !UpstreamReply.isFailure(body.responseCode) {
            upstreams[attempt.upstream]?.edns.noteComplaint(now)
        }
    }

    /// Learns that an upstream answers over TCP where datagrams bring nothing.
    private mutating func notePreference(_ attempt: Attempt, _ slot: Slot, _ now: Moment) {
        guard attempt.transport == .stream, let exchange = table[slot],
            let position = exchange.position(of: attempt.upstream), case .silence? = exchange.order[position].stream
        else { return }
        upstreams[attempt.upstream]?.preferStream(now)
    }

    private mutating func receivedLate(_ message: Span<UInt8>, _ attempt: Attempt, _ now: Moment) {
        guard let header = Header(message), header.id == attempt.id, header.flags.isResponse,
            UpstreamReply.spelling(of: attempt.question, in: message) == .same
        else { return }
        noteReply(attempt, now)
        close(attempt.socket)
    }

    // MARK: - Failures

    /// Takes the news that a socket is of no more use: it could not be opened, an ICMP error came (ECONNREFUSED,
    /// EHOSTUNREACH), the connection was reset, or the peer closed it. A close action follows for it.
    package mutating func failed(_ token: SocketToken, now: Moment) {
        guard let socket = sockets[token] else { return }
        switch socket.use {
        case .asking(let slot):
            guard let attempt = attempt(of: slot, on: token, id: nil) else { return }
            if let exchange = table[slot] { blame(attempt, exchange, now) }
            table[slot]?.note(attempt.upstream) { $0.isDatagramRefused = true }
            leave(attempt, slot, isHopeless: false, now)
            schedule(slot)
        case .stream:
            streamFailed(token, mayRenew: true, now)
        case .straggling:
            close(token)
        }
    }

    /// Closes a connection. Where something had come over it, its questions go over another one, once.
    private mutating func streamFailed(_ token: SocketToken, mayRenew: Bool, _ now: Moment) {
        guard case .stream(let stream) = sockets[token]?.use else { return }
        close(token)
        let wasAlive = stream.lastReply != nil
        for (id, slot) in stream.pending.sorted(by: { $0.value.index < $1.value.index }) {
            guard let attempt = attempt(of: slot, on: token, id: id), let exchange = table[slot] else { continue }
            if mayRenew, wasAlive, !attempt.isRenewed, exchange.mayFollowUp {
                exchange.followUps += 1
                take(attempt, out: slot)
                ask(
                    attempt.upstream, over: .stream, because: nil, edns: attempt.hasEDNS, isRenewed: true, for: slot,
                    now)
                if !exchange.isAsking(attempt.upstream) { turnAway(from: attempt.upstream, slot, now) }
            } else {
                failStream(attempt, slot, now)
            }
            schedule(slot)
        }
    }

    private mutating func failStream(_ attempt: Attempt, _ slot: Slot, _ now: Moment) {
        if let exchange = table[slot] {
            blame(attempt, exchange, now)
            tryDatagrams(attempt.upstream, exchange)
        }
        leave(attempt, slot, isHopeless: false, now)
    }

    /// Ends an attempt, and asks the next upstream at once unless that has been done already.
    /// - Parameter isHopeless: the upstream will not answer this question, whichever way it is asked.
    private mutating func leave(_ attempt: Attempt, _ slot: Slot, isHopeless: Bool = true, _ now: Moment) {
        take(attempt, out: slot)
        release(attempt, now)
        if isHopeless {
            for other in table[slot]?.attempts ?? [] where other.upstream == attempt.upstream {
                take(other, out: slot)
                release(other, now)
            }
        }
        if isHopeless || table[slot]?.mayStillAsk(attempt.upstream) == false {
            table[slot]?.note(attempt.upstream) { $0.isSpent = true }
        }
        turnAway(from: attempt.upstream, slot, now)
    }

    /// Goes on with the next upstream, where this one was the one to wait for.
    private mutating func turnAway(from upstream: Slot, _ slot: Slot, _ now: Moment) {
        guard let exchange = table[slot], !exchange.isAsking(upstream) else { return }
        if exchange.current == upstream || exchange.attempts.isEmpty { proceed(slot, now) }
    }
}

extension Exchange {
    /// Whether there is another way to ask an upstream, or one is under way.
    fileprivate func mayStillAsk(_ upstream: Slot) -> Bool {
        guard let position = position(of: upstream) else { return false }
        return isAsking(upstream) || order[position].isFresh || order[position].isLeftToTCP
    }
}
