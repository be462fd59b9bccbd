// Who is asked when.

import DNSWire

extension Exchanges {
    /// Asks for the first time: the first upstream that does not rest, and beside it those whose rest is over. Where all
    /// rest, all are asked at once.
    mutating func start(_ slot: Slot, _ now: Moment) {
        let isAnyWell = makeOrder(slot)
        guard let order = table[slot]?.order, let first = order.first else {
            giveUp(slot, now)
            return
        }
        ask(first, over: .datagram, for: slot, now)
        table[slot]?.current = first
        for upstream in order.dropFirst() where upstreams[upstream]?.health.isResting == true {
            let isDue = upstreams[upstream]?.health.isDue(now) == true
            if isDue { upstreams[upstream]?.health.beginTrial(now) }
            if isDue || !isAnyWell { ask(upstream, over: .datagram, for: slot, now) }
        }
        schedule(slot)
    }

    /// Puts the upstreams of an exchange into their order, those that rest behind the others; gives whether any does not
    /// rest.
    private mutating func makeOrder(_ slot: Slot) -> Bool {
        guard let exchange = table[slot], let scope = scopes.scope(of: exchange.group, for: exchange.view) else {
            return false
        }
        let turn = upstreams.takeTurn(of: scope)
        let well = turn.filter { upstreams[$0]?.health.isResting == false }
        table[slot]?.order = well + turn.filter { !well.contains($0) }
        table[slot]?.scope = scope
        if let destination = upstreams.destination(of: scope) {
            table[slot]?.vantage = destination.vantage
            table[slot]?.patience = destination.patience
        }
        return !well.isEmpty
    }

    /// Sets when an exchange is looked at next.
    mutating func schedule(_ slot: Slot) {
        if let deadline = table[slot]?.deadline { deadlines.set(slot, deadline) }
    }

    /// Does what the time has come for.
    package mutating func expire(now: Moment) {
        while let slot = deadlines.takeDue(now) { look(at: slot, now) }
        while let token = sockets.takeDue(now) { close(token) }
    }

    private mutating func look(at slot: Slot, _ now: Moment) {
        blameLate(slot, now)
        guard let exchange = table[slot] else { return }
        guard exchange.end > now else {
            fail(slot, "no upstream answered in time", now: now)
            return
        }
        if let time = exchange.staleTime, time <= now { serveStale(slot, now) }
        if let step = exchange.nextStep, step <= now { proceed(slot, now) }
        schedule(slot)
    }

    /// Asks the next upstream; where all have been asked, the one that has been silent longest once more.
    mutating func proceed(_ slot: Slot, _ now: Moment) {
        if let exchange = table[slot], let scope = scopes.scope(of: exchange.group, for: exchange.view),
            scope != exchange.scope
        {
            // Another list since: who was asked already is still listened to.
            _ = makeOrder(slot)
        }
        while let candidate = table[slot]?.candidate {
            ask(candidate, over: .datagram, for: slot, now)
            table[slot]?.current = candidate
            if table[slot]?.spent.contains(candidate) == false { return }
        }
        guard let exchange = table[slot] else { return }
        if let position = exchange.repetition {
            if exchange.attempts[position].repetition <= now { repeatAttempt(position, of: slot, now) }
        } else if exchange.attempts.isEmpty {
            giveUp(slot, now)
        }
    }

    private mutating func repeatAttempt(_ position: Int, of slot: Slot, _ now: Moment) {
        guard let exchange = table[slot] else { return }
        let attempt = exchange.attempts[position]
        act(.send(attempt.socket, message: exchange.query.message(attempt)))
        table[slot]?.attempts[position].noteRepetition(now)
        table[slot]?.lastAsked = now
    }

    /// Holds it against upstreams that their replies are late.
    private mutating func blameLate(_ slot: Slot, _ now: Moment) {
        for position in (table[slot]?.attempts ?? []).indices {
            guard let attempt = table[slot]?.attempts[position], !attempt.isLate, attempt.due <= now else { continue }
            table[slot]?.attempts[position].isLate = true
            upstreams[attempt.upstream]?.health.failed(sent: attempt.sent, now)
            if attempt.transport == .stream { distrust(attempt) }
        }
    }

    /// A connection over which nothing comes takes no further questions.
    private mutating func distrust(_ attempt: Attempt) {
        guard case .stream(let stream) = sockets[attempt.socket]?.use,
            stream.lastHeard.map({ $0 < attempt.sent }) ?? true,
            upstreams[attempt.upstream]?.stream == attempt.socket
        else { return }
        upstreams[attempt.upstream]?.stream = nil
    }
}
