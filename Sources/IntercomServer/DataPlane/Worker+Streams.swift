// A worker's TCP side: accepting, reading, answering, and the bounds that keep one client from hurting others.

import DNSWire
import DequeModule
import Forwarding
import LinuxNet
import Logging
import Registry
import Tables

extension Worker {
    /// RFC 7766 §6.2.3: an idle connection is closed after this long.
    static var idleTimeout: Lapse { .seconds(10) }
    /// Messages of one connection that are answered before others have their turn.
    static var turn: Int { 16 }
    /// Messages that are answered here in the time that forwarding one takes.
    static var forwardingCost: Int { 8 }
    /// Octets read from one connection before others have their turn.
    static var portion: Int { 16 * 1024 }

    // MARK: - Accepting

    /// Accepts one connection and serves it: the kernel hands it over when something has come on it
    /// (``TCPSocket/listening(at:)``). Where more wait, epoll tells again, and others have their turn before.
    mutating func acceptStream(_ ticket: Ticket, _ events: Epoll.Events) {
        guard let position = listeners.position(of: ticket) else { return }
        let room = streams.room(for: ticket, listeners)
        // A listener that was destroyed hangs up; accept says so, with room or without.
        if case .none(let pause) = room, !events.contains(.hangUp) { return self.pause(ticket, pause) }
        do throws(LinuxError) {
            guard let accepted = try TCPSocket.accept(from: listeners[position].sockets.tcp) else { return }
            if case .inPlaceOf(let other) = room { close(other) }
            admit(accepted, to: ticket, at: position)
        } catch {
            takeAcceptFailure(error, of: ticket)
        }
    }

    /// Repairs a listener that accepts nothing any more; where descriptors or memory are short, makes room or waits.
    mutating func takeAcceptFailure(_ error: LinuxError, of ticket: Ticket) {
        switch error.acceptFailure {
        case .listener: return repair(ticket, error)
        case .shortage, .connection: break
        }
        logger.warning("a TCP connection cannot be accepted yet: \(error)", metadata: .about(limitedAs: "accept"))
        // Others pay nothing for a shortage: the namespace gives up a connection of its own, or waits.
        if error.acceptFailure == .shortage, let other = streams.leastNeeded(of: ticket, listeners) {
            close(other)
        } else {
            pause(ticket, .workerIsFull)
            streams.retryTime = streams.retryTime ?? Moment.now + StreamConnections.retryInterval
        }
    }

    private mutating func admit(_ accepted: consuming Descriptor, to listener: Ticket, at position: Int) {
        let now = Moment.now
        var source: UInt128?
        if listeners[position].gateway != nil {
            // Without the other end's address nobody knows who asks: it has gone already.
            guard let peer = try? accepted.peerAddress() else { return }
            source = peer.number
        }
        let ticket = streams.insert(
            StreamConnection(descriptor: accepted, listener: listener, source: source, now: now))
        listeners[position].connections += 1
        if streams.nextDeadline == nil { streams.nextDeadline = now + Self.idleTimeout }
        serveStream(ticket)
    }

    // MARK: - Waiting for room

    /// Leaves connections in the kernel's queue until there is room.
    private mutating func pause(_ ticket: Ticket, _ reason: Listener.Pause) {
        guard let position = listeners.position(of: ticket), listeners[position].pause == nil else { return }
        do throws(LinuxError) {
            // That it hangs up is told all the same.
            let token = Token(.streamListener, ticket).word
            try epoll.modify(listeners[position].sockets.tcp, token: token, interest: [])
        } catch {
            return fail(ticket, error)
        }
        listeners[position].pause = reason
        streams.pausedListeners += 1
        if reason == .workerIsFull { streams.waitingListeners.append(ticket) }
    }

    private mutating func resume(_ ticket: Ticket) {
        guard let position = listeners.position(of: ticket), listeners[position].pause != nil else { return }
        listeners[position].pause = nil
        streams.pausedListeners -= 1
        do throws(LinuxError) {
            let token = Token(.streamListener, ticket).word
            try epoll.modify(listeners[position].sockets.tcp, token: token, interest: .readable)
        } catch {
            fail(ticket, error)
        }
    }

    /// A connection of a listener has ended, or is owed nothing any more: it can make room.
    private mutating func noteRoom(of ticket: Ticket) {
        guard streams.pausedListeners > 0, drainDeadline == nil else { return }
        if let position = listeners.position(of: ticket), listeners[position].pause == .namespaceIsFull {
            resume(ticket)
        }
        streams.noteRoom()
    }

    /// Lets some of the listeners that wait try again, and looks after those that could not send.
    mutating func resumeListeners() {
        if !listeners.doubtful.isEmpty {
            let doubtful = listeners.doubtful
            listeners.doubtful = []
            for ticket in doubtful { repair(ticket, nil) }
        }
        guard streams.triesDue > 0 else { return }
        for _ in 0..<min(streams.triesDue, StreamConnections.triesInTurn) {
            streams.triesDue -= 1
            guard let ticket = streams.waitingListeners.popFirst() else { break }
            resume(ticket)
        }
        if streams.waitingListeners.isEmpty { streams.triesDue = 0 }
    }

    // MARK: - Turns

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
        streams.ready.append(ticket)
    }

    /// Gives connections their turns, until their share of the loop's turn is over.
    mutating func serveStreams() {
        guard !streams.ready.isEmpty else { return }
        let end = Moment.now + Self.share
        repeat {
            guard let ticket = streams.ready.popFirst() else { return }
            serveStream(ticket)
        } while Moment.now < end
    }

    /// One turn of a connection.
    mutating func serveStream(_ ticket: Ticket) {
        guard let position = streams.position(of: ticket) else { return }
        streams[position].isEnqueued = false
        do throws(LinuxError) {
            try streams[position].flush()
            try streams[position].read(into: &buffers.received, atMost: Self.portion)
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
        guard let view = viewOfStream(position, at: listener) else { return close(ticket) }
        let isGateway = listeners[listener].gateway != nil
        var now: Moment?
        let observed = observedSince
        var left = Self.turn
        while left > 0, !streams[position].isCongested, let bounds = streams[position].nextMessage() {
            left -= 1
            counters.queries &+= 1
            if isGateway { countGuest(isStranger: view == listeners[listener].view) }
            var outcome = responder.respond(to: bounds, of: streams[position], view: view, into: &buffers.answer)
            // A question of a proof is none of the container's.
            if !outcome.isHeard { listeners[listener].questions.messages.count(responder.query.question.type) }
            let errand = Errand(outcome, view, now)
            if let errand {
                now = errand.now
            }
            if let errand, case .forward = outcome {
                outcome = forwarder.respond(
                    to: bounds, of: streams[position], &responder, errand, into: &buffers.answer)
            }
            if let observed { outcome = lookAtMessage(outcome, of: position, ticket, view, since: observed) }
            switch outcome {
            case .answered(let length, let source):
                counters.count(source)
                streams[position].send(buffers.answer, length)
            case .forward:
                left -= Self.forwardingCost
                if let errand { forwardMessage(bounds, of: position, .stream(ticket), errand) }
            case .follow:
                left -= Self.forwardingCost
                if let errand { followMessage(bounds, of: position, ticket, errand) }
            case .loop(let token):
                control.post(.looped(token: token))
                counters.dropped &+= 1
            case .heard(let length):
                if !isGateway { reportHeard() }
                streams[position].send(buffers.answer, length)
            case .held(let source): counters.count(source)
            case .drop:
                counters.dropped &+= 1
            }
        }
        if let now { act(now) }
    }

    /// Counts a message that has come to a gateway over TCP.
    @inline(never)
    private mutating func countGuest(isStranger: Bool) {
        if isStranger { counters.guests.ofStrangers &+= 1 } else { counters.guests.ofContainers &+= 1 }
    }

    /// The view of a connection's client; nil where nobody answers it.
    private func viewOfStream(_ position: Int, at listener: Int) -> ViewID? {
        guard let gateway = listeners[listener].gateway, let source = streams[position].source else {
            return listeners[listener].view
        }
        switch gateway.source(source, in: responder.directory) {
        case .container(let view): return view
        case .stranger: return gateway.unknownSources == .refuse ? nil : listeners[listener].view
        case .offLink: return nil
        }
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
            return
        }
        if streams.pausedListeners > 0, streams[position].need < .owedAnswer {
            noteRoom(of: streams[position].listener)
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
        let owner = streams[position].listener
        if let listener = listeners.position(of: owner) { listeners[listener].connections -= 1 }
        streams.remove(ticket)
        noteRoom(of: owner)
    }

    /// Closes connections that have been idle too long: also of a client that sends half a query, or takes no answers.
    mutating func closeIdleStreams(_ now: Moment) {
        var next: Moment?
        for position in stride(from: streams.count - 1, through: 0, by: -1) {
            let deadline = streams[position].lastActive + Self.idleTimeout
            if deadline <= now && streams[position].inFlight == 0 {
                close(streams.ticket(at: position))
            } else {
                let due = max(deadline, now + Self.idleCheckInterval)
                next = min(next ?? due, due)
            }
        }
        streams.nextDeadline = next
    }

    /// The time after which connections that wait for an upstream are looked at again: late by so much at most.
    private static var idleCheckInterval: Lapse { .milliseconds(100) }
}
