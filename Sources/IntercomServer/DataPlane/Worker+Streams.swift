// A worker's TCP side: accepting, reading, answering, and the bounds that keep one client from hurting others.

import DNSWire
import DequeModule
import Forwarding
import LinuxNet
import Logging
import Registry

extension Worker {
    /// RFC 7766 §6.2.3: an idle connection is closed after this long.
    static var idleTimeout: Lapse { .seconds(10) }
    static var maximumConnectionsPerNamespace: Int { 64 }
    static var maximumConnections: Int { 1024 }
    /// Messages of one connection that are answered before others have their turn.
    static var turn: Int { 16 }
    /// One that is forwarded takes as long as so many that are answered here.
    static var forwardingCost: Int { 8 }
    /// Octets read from one connection before others have their turn.
    static var portion: Int { 16 * 1024 }

    /// Takes one connection and serves it: the kernel hands it over when something has come on it
    /// (``TCPSocket/listening(at:)``). Where more wait, epoll tells again, and others have their turn before.
    mutating func acceptStream(_ ticket: Ticket) {
        guard let position = listeners.position(of: ticket) else { return }
        do throws(LinuxError) {
            guard let accepted = try TCPSocket.accept(from: listeners[position].sockets.tcp) else { return }
            admit(accepted, to: ticket, at: position)
        } catch {
            logger.warning("a TCP connection cannot be accepted: \(error)", metadata: .about(limitedAs: "accept"))
            // It waits and would wake the loop again at once; room is what it most likely lacks.
            if streams.isEmpty {
                spare.turnAwayNext(of: listeners[position].sockets.tcp)
            } else {
                makeRoom { _ in true }
            }
        }
    }

    private mutating func admit(_ accepted: consuming Descriptor, to listener: Ticket, at position: Int) {
        if listeners[position].connections >= Self.maximumConnectionsPerNamespace {
            makeRoom { $0 == listener }
        } else if streams.count >= Self.maximumConnections {
            makeRoom { _ in true }
        }
        let now = Moment.now
        let ticket = streams.insert(StreamConnection(descriptor: accepted, listener: listener, now: now))
        listeners[position].connections += 1
        if nextStreamDeadline == nil { nextStreamDeadline = now + Self.idleTimeout }
        serveStream(ticket)
    }

    /// Closes the connection that has been idle longest among those of some listeners; if none is idle, the one that
    /// was active longest ago.
    private mutating func makeRoom(among eligible: (Ticket) -> Bool) {
        var victim: (position: Int, isIdle: Bool, lastActive: Moment)?
        for position in 0..<streams.count where eligible(streams[position].listener) {
            let candidate = (position, streams[position].isIdle, streams[position].lastActive)
            guard let best = victim else {
                victim = candidate
                continue
            }
            if candidate.1 != best.isIdle ? candidate.1 : candidate.2 < best.lastActive { victim = candidate }
        }
        if let victim { close(streams.ticket(at: victim.position)) }
    }

    /// Notes what a connection has become ready for; it has its turn behind those that wait already.
    mutating func wakeStream(_ ticket: Ticket, _ events: Epoll.Events) {
        guard let position = streams.position(of: ticket) else { return }
        if events.contains(.error) || events.contains(.hangUp) {
            close(ticket)
            return
        }
        streams[position].observe(events)
        enqueue(ticket, position)
    }

    private mutating func enqueue(_ ticket: Ticket, _ position: Int) {
        guard !streams[position].isEnqueued else { return }
        streams[position].isEnqueued = true
        readyStreams.append(ticket)
    }

    /// Gives connections their turns, until their share of the loop's turn is over.
    mutating func serveStreams() {
        guard !readyStreams.isEmpty else { return }
        let end = Moment.now + Self.share
        repeat {
            guard let ticket = readyStreams.popFirst() else { return }
            serveStream(ticket)
        } while Moment.now < end
    }

    /// One turn of a connection.
    mutating func serveStream(_ ticket: Ticket) {
        guard let position = streams.position(of: ticket) else { return }
        streams[position].isEnqueued = false
        do throws(LinuxError) {
            try streams[position].flush()
            try streams[position].read(into: &readBuffer, atMost: Self.portion)
        } catch {
            logger.debug("a TCP connection ended: \(error)")
            close(ticket)
            return
        }
        serveMessages(ticket)
        settle(ticket)
    }

    /// Answers the whole messages that are there: as many as have their turn, and while the client takes answers.
    private mutating func serveMessages(_ ticket: Ticket) {
        guard let position = streams.position(of: ticket),
            let listener = listeners.position(of: streams[position].listener)
        else { return }
        let view = listeners[listener].view
        var now: Moment?
        var left = Self.turn
        while left > 0, !streams[position].isCongested, let bounds = streams[position].nextMessage() {
            left -= 1
            counters.queries &+= 1
            var outcome = responder.respond(to: bounds, of: streams[position], view: view, into: &answerBuffer)
            let errand = Errand(outcome, view, now)
            if let errand {
                now = errand.now
                outcome = forwarder.respond(
                    to: bounds, of: streams[position], &responder, errand, into: &answerBuffer)
            }
            switch outcome {
            case .answered(let length, let source):
                counters.count(source)
                streams[position].send(answerBuffer, length)
            case .forward:
                left -= Self.forwardingCost
                if let errand { forwardMessage(bounds, of: position, Asking(.stream(ticket), errand)) }
            case .loop(let token):
                control.post(.looped(token: token))
                counters.dropped &+= 1
            case .drop:
                counters.dropped &+= 1
            }
        }
        if let now { act(now) }
    }

    /// Sends what can be sent, sees to it that what is left has its turn, closes what is over.
    mutating func settle(_ ticket: Ticket) {
        guard let position = streams.position(of: ticket) else { return }
        do throws(LinuxError) {
            try streams[position].flush()
            if streams[position].isFinished {
                close(ticket)
                return
            }
            try watch(ticket, position)
            if streams[position].isReady { enqueue(ticket, position) }
        } catch {
            logger.debug("a TCP connection ended: \(error)")
            close(ticket)
        }
    }

    /// Has the loop tell of what a connection waits for.
    private mutating func watch(_ ticket: Ticket, _ position: Int) throws(LinuxError) {
        let wanted = streams[position].wanted
        guard wanted != streams[position].watched else { return }
        let token = Token(.stream, ticket).word
        if streams[position].watched.isEmpty {
            try epoll.add(streams[position].descriptor, token: token, interest: wanted)
        } else {
            try epoll.modify(streams[position].descriptor, token: token, interest: wanted)
        }
        streams[position].watched = wanted
    }

    mutating func close(_ ticket: Ticket) {
        guard let position = streams.position(of: ticket) else { return }
        if let listener = listeners.position(of: streams[position].listener) { listeners[listener].connections -= 1 }
        streams.remove(ticket)
    }

    /// Closes what has been idle too long: also a client that sends half a query, or takes no answers.
    mutating func closeIdleStreams(_ now: Moment) {
        var next: Moment?
        for position in stride(from: streams.count - 1, through: 0, by: -1) {
            let deadline = streams[position].lastActive + Self.idleTimeout
            if deadline <= now && streams[position].inFlight == 0 {
                close(streams.ticket(at: position))
            } else {
                let due = max(deadline, now + .milliseconds(100))
                next = min(next ?? due, due)
            }
        }
        nextStreamDeadline = next
    }
}
