// The end of an exchange: an answer, a failure, or what was cached in better times.

import DNSWire
import Tables

extension Forwarder {
    /// Gives all who wait for an exchange their answer and ends it. The sockets to upstreams that have still to show that they
    /// live wait on.
    mutating func finish(_ ticket: Ticket, _ body: AnswerBody, from source: Answer.Source, _ now: Moment) {
        guard let exchange = table[ticket] else { return }
        answer(ticket, body, from: source)
        remove(ticket)
        for attempt in exchange.attempts { straggle(attempt, until: exchange.end, now) }
    }

    /// Says that nobody answers (RFC 8914 §4.23), where there is nothing better to say.
    /// - Parameter now: nil where that says nothing about the question.
    mutating func fail(_ ticket: Ticket, _ reason: String, now: Moment?) {
        fail(ticket, ErrorDetail(.noReachableAuthority, text: reason), .silence, now)
    }

    private mutating func fail(_ ticket: Ticket, _ detail: ErrorDetail, _ life: FailureLife, _ now: Moment?) {
        guard let question = table[ticket]?.query.question else { return }
        let body = AnswerBody(failure: .serverFailure, [detail], question: question)
        if let now {
            noteSilence(of: ticket)
            keepFailure(body, of: ticket, life, now)
            serveStale(ticket, now)
        }
        answer(ticket, body, from: .nobody)
        close(ticket)
    }

    /// Has the servers that a view had before us looked for anew, as none has said anything: they may be elsewhere now.
    private mutating func noteSilence(of ticket: Ticket) {
        guard let exchange = table[ticket], groups[exchange.group]?.origin == .former else { return }
        act(.lookForServers(of: exchange.view))
    }

    /// Nothing better can come: passes on what can be read of a damaged reply, an answer that was cut off, or the best of the
    /// failures, in this order.
    mutating func giveUp(_ ticket: Ticket, _ now: Moment) {
        guard let exchange = table[ticket] else { return }
        if let fallback = exchange.fallback {
            // What was cut off is not kept (RFC 2181 §9), and an old answer that is whole is better.
            if fallback.body.isTruncated { serveStale(ticket, now) } else { keep(fallback.body, of: ticket, now) }
            finish(ticket, fallback.body, from: .upstream(fallback.upstream), now)
            return
        }
        guard let complaint = exchange.complaint else {
            guard exchange.hasDamage else { return fail(ticket, "no upstream could be reached", now: now) }
            let detail = ErrorDetail(.networkError, text: "the reply of the upstream cannot be read")
            return fail(ticket, detail, .complaint, now)
        }
        keepFailure(complaint.body, of: ticket, .complaint, now)
        serveStale(ticket, now)
        answer(ticket, complaint.body, from: .upstream(complaint.upstream))
        close(ticket)
    }

    /// Gives those who wait an answer that is past its life, if there is one (RFC 8767 §4). Upstreams are asked on.
    mutating func serveStale(_ ticket: Ticket, _ now: Moment) {
        guard let exchange = table[ticket], exchange.hasStaleAnswer, !exchange.places.isEmpty else { return }
        let key = exchange.key
        // What other upstreams said before does not count once the group has new ones.
        let isCurrent = scopes.scope(of: exchange.group, for: exchange.view) == key.circumstances.scope
        guard isCurrent, let body = cache.staleBody(key.lent, now) else {
            exchange.hasStaleAnswer = false
            return
        }
        cache.counters.stale += UInt64(exchange.places.count)
        answer(ticket, body, from: .staleCache)
        noteUnattended(ticket)
    }

    private mutating func answer(_ ticket: Ticket, _ body: AnswerBody, from source: Answer.Source) {
        for place in takePlaces(of: ticket) {
            act(.answer(place.client, Answer(to: place.query, place.question, body, from: source)))
        }
    }

    /// Ends an exchange and closes its sockets.
    mutating func close(_ ticket: Ticket) {
        guard let exchange = remove(ticket) else { return }
        if exchange.payer == nil {
            let key = exchange.key
            cache.endRefresh(key.lent, exchange.lastAsked)
        }
        for attempt in exchange.attempts {
            release(attempt, attempt.lastSent)
        }
    }

    @discardableResult
    private mutating func remove(_ ticket: Ticket) -> Exchange? {
        guard let exchange = table.remove(ticket) else { return nil }
        if exchangeOf[exchange.key] == ticket { exchangeOf[exchange.key] = nil }
        deadlines.remove(ticket)
        return exchange
    }
}
