// The steps of an exchange: which upstream is asked when.

import DNSWire
import Tables

extension Forwarder {
    /// Asks for the first time: the first upstream that does not rest, and beside it those whose rest is over. Where all
    /// rest, all are asked at once.
    mutating func start(_ ticket: Ticket, _ now: Moment) {
        let isAnyWell = makeOrder(ticket)
        guard let order = table[ticket]?.order, !order.isEmpty else {
            giveUp(ticket, now)
            return
        }
        proceed(ticket, now)
        for upstream in order.dropFirst().map(\.upstream) where upstreams[upstream]?.health.isResting == true {
            let isDue = upstreams[upstream]?.health.isDue(now) == true
            guard isDue || !isAnyWell, table[ticket]?.candidates(include: upstream) == true else { continue }
            if isDue { upstreams[upstream]?.health.beginTrial(now) }
            askFirst(upstream, for: ticket, now)
        }
        schedule(ticket)
    }

    /// Puts the upstreams of an exchange into their order, those that rest behind the others; gives whether any does not
    /// rest.
    private mutating func makeOrder(_ ticket: Ticket) -> Bool {
        guard let exchange = table[ticket], let scope = scopes.scope(of: exchange.group, for: exchange.view) else {
            return false
        }
        var (order, isAnyWell) = takeTurn(of: scope)
        if !isAnyWell, let others = standIn(for: exchange) {
            order = others.order + order
            isAnyWell = others.isAnyWell
        }
        exchange.setOrder(order)
        exchange.scope = scope
        if let list = upstreams.list(of: scope) {
            exchange.vantage = list.vantage
            exchange.usesStreams = list.usesStreams
            exchange.patience = list.patience
        }
        return isAnyWell
    }

    /// The upstreams of a scope in their order, and whether any does not rest.
    private mutating func takeTurn(of scope: UInt32) -> (order: [Ticket], isAnyWell: Bool) {
        let turn = upstreams.takeTurn(of: scope)
        let well = turn.filter { upstreams[$0]?.health.isResting == false }
        return (well.count == turn.count ? turn : well + turn.filter { !well.contains($0) }, !well.isEmpty)
    }

    /// The upstreams of the group that stands in for the servers of an exchange; nil where there is none, or it does already.
    private mutating func standIn(for exchange: Exchange) -> (order: [Ticket], isAnyWell: Bool)? {
        guard !exchange.hasStandIn, let group = groups[exchange.group]?.standIn,
            let scope = scope(of: group, for: exchange.view)
        else { return nil }
        exchange.hasStandIn = true
        act(.lookForServers(of: exchange.view))
        return takeTurn(of: scope)
    }

    /// Turns to the group that stands in, where no upstream could be reached and so none has said anything.
    /// - Returns: false where there is nobody to turn to.
    private mutating func turnToStandIn(_ exchange: Exchange) -> Bool {
        guard exchange.complaint == nil, exchange.fallback == nil, !exchange.hasDamage,
            let others = standIn(for: exchange)
        else { return false }
        let new = others.order.filter { exchange.position(of: $0) == nil }
        exchange.order += new.map { Contact(upstream: $0) }
        return !new.isEmpty
    }

    /// Sets when an exchange is looked at next.
    mutating func schedule(_ ticket: Ticket) {
        if let deadline = table[ticket]?.deadline { deadlines.set(ticket, deadline) }
    }

    /// Turns to the next upstream where one has been silent for too long, and gives up where all have.
    package mutating func expire(now: Moment) {
        while let ticket = deadlines.takeDue(now) { look(at: ticket, now) }
        while let token = sockets.takeDue(now) { close(token) }
    }

    private mutating func look(at ticket: Ticket, _ now: Moment) {
        blameLate(ticket, now)
        guard let exchange = table[ticket] else { return }
        guard exchange.end > now else {
            if exchange.fallback != nil {
                giveUp(ticket, now)
            } else {
                fail(ticket, "no upstream answered in time", now: now)
            }
            return
        }
        if let time = exchange.staleTime, time <= now { serveStale(ticket, now) }
        if let step = exchange.nextStep, step <= now { proceed(ticket, now) }
        schedule(ticket)
    }

    /// Asks the next upstream; then over TCP those that datagrams do not reach; then again, over UDP and in the end over TCP,
    /// the one that has been silent longest. Gives up where there is nobody left.
    mutating func proceed(_ ticket: Ticket, _ now: Moment) {
        if let exchange = table[ticket], let scope = scopes.scope(of: exchange.group, for: exchange.view),
            scope != exchange.scope
        {
            // Another list since: a reply of who was asked already still counts.
            _ = makeOrder(ticket)
        }
        while let candidate = table[ticket]?.candidate {
            askFirst(candidate, for: ticket, now)
            if begin(with: candidate, ticket) { return }
        }
        while let candidate = table[ticket]?.streamCandidate {
            ask(candidate, over: .stream, because: .silence, for: ticket, now)
            if begin(with: candidate, ticket) { return }
        }
        guard let exchange = table[ticket] else { return }
        if exchange.attempts.isEmpty {
            if turnToStandIn(exchange) { proceed(ticket, now) } else { giveUp(ticket, now) }
        } else if let time = exchange.fallbackTime, time <= now {
            giveUp(ticket, now)
        } else if let position = exchange.repetition, exchange.attempts[position].repetition <= now {
            insist(position, ticket, now)
        }
    }

    /// Makes an upstream the current one, if it could be asked.
    private mutating func begin(with upstream: Ticket, _ ticket: Ticket) -> Bool {
        guard let exchange = table[ticket], exchange.isAsking(upstream) else { return table[ticket] == nil }
        exchange.current = upstream
        return true
    }

    /// Asks an upstream that this exchange has not asked yet: over UDP, unless TCP is known to be better.
    private mutating func askFirst(_ upstream: Ticket, for ticket: Ticket, _ now: Moment) {
        if table[ticket]?.usesStreams == true || upstreams[upstream]?.prefersStream(now) == true {
            ask(upstream, over: .stream, because: .preference, for: ticket, now)
        } else {
            ask(upstream, over: .datagram, for: ticket, now)
        }
    }

    /// Asks an upstream once more that is silent: over UDP as often as may be, then over TCP. What it may still say to the
    /// datagrams counts.
    private mutating func insist(_ position: Int, _ ticket: Ticket, _ now: Moment) {
        guard let exchange = table[ticket] else { return }
        let attempt = exchange.attempts[position]
        guard let contact = exchange.position(of: attempt.upstream).map({ exchange.order[$0] }) else { return }
        if exchange.mayRepeat(contact) {
            repeatAttempt(position, contact, of: ticket, now)
        } else {
            ask(attempt.upstream, over: .stream, because: .silence, for: ticket, now)
            exchange.lastAsked = now
        }
    }

    private mutating func repeatAttempt(_ position: Int, _ contact: Contact, of ticket: Ticket, _ now: Moment) {
        guard let exchange = table[ticket] else { return }
        let isLast = contact.datagrams == Contact.maximumDatagrams - 1
        let edns = upstreams[contact.upstream]?.edns
        // Some servers drop what carries EDNS. An answer without signatures is of no use to who asks for them.
        if isLast, edns?.isProven == false, !exchange.query.dnssecOK { exchange.attempts[position].leaveOutEDNS() }
        act(.send(exchange.attempts[position].socket, message: exchange.query.message(exchange.attempts[position])))
        exchange.attempts[position].noteRepetition(now)
        exchange.note(contact.upstream) { $0.datagrams += 1 }
        exchange.lastAsked = now
    }

    /// Holds it against upstreams that their replies are late.
    private mutating func blameLate(_ ticket: Ticket, _ now: Moment) {
        guard let exchange = table[ticket] else { return }
        for position in exchange.attempts.indices {
            let attempt = exchange.attempts[position]
            guard !attempt.isLate, attempt.due <= now else { continue }
            exchange.attempts[position].isLate = true
            blame(attempt, exchange, .silent, now)
            if attempt.transport == .stream {
                distrust(attempt)
                tryDatagrams(attempt.upstream, exchange)
            }
        }
    }

    /// Holds a failure against an upstream: where it was asked over TCP after UDP, against its TCP alone.
    mutating func blame(_ attempt: Attempt, _ exchange: Exchange, _ trouble: UpstreamTrouble, _ now: Moment) {
        upstreams[attempt.upstream]?.lastTrouble = trouble
        if upstreams[attempt.upstream]?.health.failures == 0 { upstreams[attempt.upstream]?.failingSince = now }
        upstreams[attempt.upstream]?.lastFailure = now
        let contact = exchange.position(of: attempt.upstream).map { exchange.order[$0] }
        if attempt.transport == .datagram || contact?.datagrams == 0 {
            upstreams[attempt.upstream]?.health.failed(sent: attempt.sent, now)
        }
        if attempt.transport == .stream {
            upstreams[attempt.upstream]?.streamHealth.failed(sent: attempt.sent, now)
        }
    }

    /// Lets an upstream be asked over UDP again that was thought to answer over TCP alone.
    mutating func tryDatagrams(_ upstream: Ticket, _ exchange: Exchange) {
        guard !exchange.usesStreams, upstreams[upstream]?.forgetStreamPreference() == true else { return }
        exchange.note(upstream) { if $0.datagrams == 0 { $0.stream = nil } }
    }

    /// A connection over which nothing comes takes no further questions.
    private mutating func distrust(_ attempt: Attempt) {
        guard case .stream(let stream) = sockets[attempt.socket]?.use,
            stream.lastReply.map({ $0 < attempt.sent }) ?? true,
            upstreams[attempt.upstream]?.stream == attempt.socket
        else { return }
        upstreams[attempt.upstream]?.stream = nil
    }
}

extension Exchange {
    /// True for an upstream that was not asked yet.
    fileprivate func candidates(include upstream: Ticket) -> Bool {
        order.contains { $0.upstream == upstream && $0.isListed && $0.isFresh }
    }

    /// Puts upstreams into an order. Those that were asked already and are in it no more stay behind it, for their replies.
    fileprivate func setOrder(_ upstreams: [Ticket]) {
        guard !order.isEmpty else {
            order = upstreams.map { Contact(upstream: $0) }
            return
        }
        var unlisted = order.filter { !upstreams.contains($0.upstream) && isAsking($0.upstream) }
        for position in unlisted.indices { unlisted[position].isListed = false }
        order = upstreams.map { upstream in order.first { $0.upstream == upstream } ?? Contact(upstream: upstream) }
        for position in order.indices { order[position].isListed = true }
        order += unlisted
    }
}
