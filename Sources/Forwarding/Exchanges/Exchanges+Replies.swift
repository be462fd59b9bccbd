// What becomes of that which comes from upstreams.

import DNSWire

extension Exchanges {
    /// After so many datagrams that are no reply to a question it is asked over TCP: somebody may be guessing.
    private static let wrongReplyLimit = 10

    /// See ``Forwarder/receivedDatagram(_:on:now:)``.
    package mutating func receivedDatagram(_ message: Span<UInt8>, on token: SocketToken, now: Moment) {
        switch sockets[token]?.use {
        case .asking(let slot)?:
            guard let attempt = attempt(of: slot, on: token, id: nil) else { return }
            received(message, attempt, slot, now)
        case .straggling(let attempt)?:
            heardStraggler(message, attempt, now)
        case .idle?:
            // Nobody has asked anything here.
            close(token)
        case .stream?, nil:
            break
        }
    }

    /// See ``Forwarder/receivedStream(_:on:now:)``.
    package mutating func receivedStream(_ bytes: Span<UInt8>, on token: SocketToken, now: Moment) {
        var offset = 0
        while let message = nextMessage(bytes, from: &offset, on: token, now) {
            guard message.count >= 2, case .stream(let stream) = sockets[token]?.use else { continue }
            let id = message.span.word16(0)
            guard let slot = stream.pending[id], let attempt = attempt(of: slot, on: token, id: id) else { continue }
            received(message.span, attempt, slot, now)
        }
    }

    private mutating func nextMessage(
        _ bytes: Span<UInt8>, from offset: inout Int, on token: SocketToken, _ now: Moment
    ) -> [UInt8]? {
        guard case .stream(var stream) = sockets[token]?.use else { return nil }
        let message = stream.framing.next(bytes, from: &offset)
        stream.lastHeard = now
        sockets[token]?.use = .stream(stream)
        return message
    }

    private func attempt(of slot: Slot, on token: SocketToken, id: UInt16?) -> Attempt? {
        table[slot]?.attempts.first { $0.socket == token && $0.id == id ?? $0.id }
    }

    private mutating func received(_ message: Span<UInt8>, _ attempt: Attempt, _ slot: Slot, _ now: Moment) {
        let trustsSpelling = attempt.transport == .datagram && upstreams[attempt.upstream]?.respells != true
        let reply = UpstreamReply(message, to: attempt, trustsSpelling: trustsSpelling, cache.policy, name: &name)
        switch reply {
        case .unrelated:
            countWrong(attempt, slot, now)
            return
        case .respelled:
            // Of somebody who guesses, or of an upstream that does so: over TCP that can be told apart.
            askOverStream(attempt, slot, now)
        case .truncated:
            noteHeard(attempt, now)
            askOverStream(attempt, slot, now)
        case .needsPlainQuery:
            noteHeard(attempt, now)
            take(attempt, out: slot)
            release(attempt, mayBeUsedAgain: isClean(slot), now)
            ask(attempt.upstream, over: attempt.transport, edns: false, for: slot, now)
        case .failure(let body):
            noteHeard(attempt, now)
            noteAbilities(attempt, message, body, now)
            let complaint = Exchange.Complaint(body: body, upstream: attempt.server)
            if complaint.isBetter(than: table[slot]?.bestComplaint) { table[slot]?.bestComplaint = complaint }
            leave(attempt, slot, mayBeUsedAgain: isClean(slot), now)
        case .answer(let body):
            noteHeard(attempt, now)
            noteAbilities(attempt, message, body, now)
            let isClean = isClean(slot)
            take(attempt, out: slot)
            keep(body, of: slot, now)
            finish(slot, body, from: .upstream(attempt.server), now)
            release(attempt, mayBeUsedAgain: isClean, now)
        }
        schedule(slot)
    }

    /// Nobody has meddled with the exchange's sockets, as far as one can see.
    private func isClean(_ slot: Slot) -> Bool { table[slot]?.wrongReplies == 0 }

    private mutating func take(_ attempt: Attempt, out slot: Slot) {
        table[slot]?.attempts.removeAll { $0.socket == attempt.socket && $0.id == attempt.id }
    }

    private mutating func countWrong(_ attempt: Attempt, _ slot: Slot, _ now: Moment) {
        guard attempt.transport == .datagram else { return }
        table[slot]?.wrongReplies += 1
        guard let wrong = table[slot]?.wrongReplies, wrong >= Self.wrongReplyLimit else { return }
        askOverStream(attempt, slot, now)
        schedule(slot)
    }

    /// Asks the upstream of an attempt again over TCP.
    private mutating func askOverStream(_ attempt: Attempt, _ slot: Slot, _ now: Moment) {
        let isClean = isClean(slot)
        take(attempt, out: slot)
        release(attempt, mayBeUsedAgain: isClean, now)
        ask(attempt.upstream, over: .stream, edns: attempt.hasEDNS, for: slot, now)
    }

    // MARK: - What is learned of an upstream

    private mutating func noteHeard(_ attempt: Attempt, _ now: Moment) {
        upstreams[attempt.upstream]?.health.heard(now)
        guard attempt.transport == .datagram, attempt.repeats == 0 else { return }
        upstreams[attempt.upstream]?.roundTrip.add(now - attempt.sent)
    }

    private mutating func noteAbilities(
        _ attempt: Attempt, _ message: Span<UInt8>, _ body: AnswerBody, _ now: Moment
    ) {
        if UpstreamReply.spelling(of: attempt.question, in: message) == .otherCase {
            upstreams[attempt.upstream]?.respells = true
        }
        if !attempt.hasEDNS, body.responseCode != .formatError, body.responseCode != .notImplemented,
            upstreams[attempt.upstream]?.understandsEDNS(now) == true
        {
            upstreams[attempt.upstream]?.noteAsPlain(now)
        }
    }

    private mutating func heardStraggler(_ message: Span<UInt8>, _ attempt: Attempt, _ now: Moment) {
        guard let header = Header(message), header.id == attempt.id, header.flags.isResponse,
            UpstreamReply.spelling(of: attempt.question, in: message) == .same
        else { return }
        noteHeard(attempt, now)
        sockets[attempt.socket]?.use = .idle
        release(attempt, mayBeUsedAgain: true, now)
    }

    // MARK: - Failures

    /// See ``Forwarder/failed(_:now:)``.
    package mutating func failed(_ token: SocketToken, now: Moment) {
        guard let socket = sockets[token] else { return }
        switch socket.use {
        case .asking(let slot):
            guard let attempt = attempt(of: slot, on: token, id: nil) else { return }
            fail(attempt, slot, now)
        case .stream(let stream):
            close(token)
            for (id, slot) in stream.pending.sorted(by: { $0.value.index < $1.value.index }) {
                guard let attempt = attempt(of: slot, on: token, id: id) else { continue }
                streamFailed(attempt, slot, wasAlive: stream.lastHeard != nil, now)
            }
        case .idle, .straggling:
            close(token)
        }
    }

    /// A connection over which something had come was closed under us: the question goes over another one, once.
    private mutating func streamFailed(_ attempt: Attempt, _ slot: Slot, wasAlive: Bool, _ now: Moment) {
        guard wasAlive, !attempt.isRenewed else {
            fail(attempt, slot, now)
            return
        }
        take(attempt, out: slot)
        ask(attempt.upstream, over: .stream, edns: attempt.hasEDNS, isRenewed: true, for: slot, now)
        schedule(slot)
    }

    private mutating func fail(_ attempt: Attempt, _ slot: Slot, _ now: Moment) {
        upstreams[attempt.upstream]?.health.failed(sent: attempt.sent, now)
        leave(attempt, slot, mayBeUsedAgain: false, now)
        schedule(slot)
    }

    /// Asks this upstream no more, and the next one at once unless that has been done already.
    private mutating func leave(_ attempt: Attempt, _ slot: Slot, mayBeUsedAgain: Bool, _ now: Moment) {
        take(attempt, out: slot)
        release(attempt, mayBeUsedAgain: mayBeUsedAgain, now)
        table[slot]?.spent.append(attempt.upstream)
        if table[slot]?.current == attempt.upstream || table[slot]?.attempts.isEmpty == true { proceed(slot, now) }
    }
}
