// A worker's TCP side: accepting, reading, answering, and the bounds that keep one client from hurting others.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

extension Worker {
    /// RFC 7766 §6.2.3: an idle connection is closed after this long.
    static var idleTimeout: Lapse { .seconds(10) }
    static var maximumConnectionsPerNamespace: Int { 64 }
    static var maximumConnections: Int { 1024 }
    /// Connections accepted from one listener, and messages of one connection answered, before others have their turn.
    static var turn: Int { 32 }

    mutating func acceptStreams(_ ticket: Ticket) {
        for _ in 0..<Self.turn {
            guard let position = listeners.position(of: ticket) else { return }
            do throws(LinuxError) {
                guard let accepted = try TCPSocket.accept(from: listeners[position].sockets.tcp) else { return }
                try admit(accepted, to: ticket, at: position)
            } catch {
                logger.warning("a TCP connection cannot be accepted: \(error)", metadata: .about(limitedAs: "accept"))
                // It waits and would wake the loop again at once; room is what it most likely lacks.
                if streams.isEmpty {
                    spare.turnAwayNext(of: listeners[position].sockets.tcp)
                } else {
                    makeRoom { _ in true }
                }
                return
            }
        }
    }

    private mutating func admit(
        _ accepted: consuming Descriptor, to listener: Ticket, at position: Int
    ) throws(LinuxError) {
        if listeners[position].connections >= Self.maximumConnectionsPerNamespace {
            makeRoom { $0 == listener }
        } else if streams.count >= Self.maximumConnections {
            makeRoom { _ in true }
        }
        let now = Moment.now
        let ticket = streams.insert(StreamConnection(descriptor: accepted, listener: listener, now: now))
        listeners[position].connections += 1
        guard let stream = streams.position(of: ticket) else { return }
        do throws(LinuxError) {
            try epoll.add(
                streams[stream].descriptor, token: Token(.stream, ticket).word, interest: streams[stream].interest)
        } catch {
            close(ticket)
            throw error
        }
        if nextStreamDeadline == nil { nextStreamDeadline = now + Self.idleTimeout }
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

    mutating func serveStream(_ ticket: Ticket, _ events: Epoll.Events) {
        guard let position = streams.position(of: ticket) else { return }
        if events.contains(.error) || events.contains(.hangUp) {
            close(ticket)
            return
        }
        do throws(LinuxError) {
            if events.contains(.writable) { try streams[position].flush() }
            if events.contains(.readable) || events.contains(.readHangUp) { try read(ticket, position) }
        } catch {
            logger.debug("a TCP connection ended: \(error)")
            close(ticket)
            return
        }
        serveMessages(ticket)
        act(Moment.now)
        settle(ticket)
    }

    /// Takes in what has arrived, one buffer at most: the others have their turn, and epoll tells again.
    private mutating func read(_ ticket: Ticket, _ position: Int) throws(LinuxError) {
        guard !streams[position].isCongested, !streams[position].hasMessage,
            let count = try streams[position].descriptor.read(into: &readBuffer)
        else { return }
        if count == 0 {
            streams[position].hasEnded = true
        } else {
            streams[position].lastActive = Moment.now
            streams[position].received(readBuffer, count)
        }
    }

    /// Answers the whole messages that are there: as many as have their turn, and while the client takes answers.
    private mutating func serveMessages(_ ticket: Ticket) {
        guard let position = streams.position(of: ticket),
            let listener = listeners.position(of: streams[position].listener)
        else { return }
        let view = listeners[listener].view
        for _ in 0..<Self.turn {
            guard !streams[position].isCongested, let bounds = streams[position].nextMessage() else { return }
            counters.queries &+= 1
            var outcome = responder.respond(to: bounds, of: streams[position], view: view, into: &answerBuffer)
            let errand = Errand(outcome, view)
            if let errand {
                outcome = forwarder.respond(
                    to: bounds, of: streams[position], responder, errand, into: &answerBuffer)
            }
            switch outcome {
            case .answered(let length, let source):
                counters.count(source)
                streams[position].send(answerBuffer, length)
            case .forward:
                if let errand { forwardMessage(bounds, of: position, Asking(.stream(ticket), errand)) }
            case .loop(let token):
                control.post(.looped(token: token))
                counters.dropped &+= 1
            case .drop:
                counters.dropped &+= 1
            }
        }
    }

    /// Sends what can be sent, waits for what has to be waited for, closes what is over.
    mutating func settle(_ ticket: Ticket) {
        guard let position = streams.position(of: ticket) else { return }
        do throws(LinuxError) {
            try streams[position].flush()
            if streams[position].isFinished {
                close(ticket)
                return
            }
            let wanted = streams[position].wanted
            if wanted != streams[position].interest {
                streams[position].interest = wanted
                try epoll.modify(streams[position].descriptor, token: Token(.stream, ticket).word, interest: wanted)
            }
        } catch {
            logger.debug("a TCP connection ended: \(error)")
            close(ticket)
        }
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
