// How an exchange ends: with an answer, with a failure, or with what was kept from better times.

import DNSWire

extension Forwarder {
    /// Gives all who wait for an exchange their answer and ends it. The sockets to upstreams that have still to show that they
    /// live wait on.
    mutating func finish(_ slot: Slot, _ body: AnswerBody, from source: Answer.Source, _ now: Moment) {
        guard let exchange = table[slot] else { return }
        answer(slot, body, from: source)
        remove(slot)
        for attempt in exchange.attempts { straggle(attempt, until: exchange.end, now) }
    }

    /// Says that nobody answers (RFC 8914 §4.23), where there is nothing better to say.
    /// - Parameter now: nil where that says nothing about the question.
    mutating func fail(_ slot: Slot, _ reason: String, now: Moment?) {
        fail(slot, ErrorDetail(.noReachableAuthority, text: reason), .silence, now)
    }

    private mutating func fail(_ slot: Slot, _ detail: ErrorDetail, _ life: FailureLife, _ now: Moment?) {
        guard let question = table[slot]?.query.question else { return }
        let body = AnswerBody(failure: .serverFailure, [detail], question: question)
        if let now {
            keepFailure(body, of: slot, life, now)
            serveStale(slot, now)
        }
        answer(slot, body, from: .nobody)
        close(slot)
    }

    /// Nothing better can come: passes on what can be read of a damaged reply, an answer that was cut off, or the best of the
    /// failures, in this order.
    mutating func giveUp(_ slot: Slot, _ now: Moment) {
        guard let exchange = table[slot] else { return }
        if let fallback = exchange.fallback {
            // What was cut off is not kept (RFC 2181 §9), and an old answer that is whole is better.
            if fallback.body.isTruncated { serveStale(slot, now) } else { keep(fallback.body, of: slot, now) }
            finish(slot, fallback.body, from: .upstream(fallback.upstream), now)
            return
        }
        guard let complaint = exchange.complaint else {
            guard exchange.hasDamage else { return fail(slot, "no upstream could be reached", now: now) }
            let detail = ErrorDetail(.networkError, text: "the reply of the upstream cannot be read")
            return fail(slot, detail, .complaint, now)
        }
        keepFailure(complaint.body, of: slot, .complaint, now)
        serveStale(slot, now)
        answer(slot, complaint.body, from: .upstream(complaint.upstream))
        close(slot)
    }

    /// Gives those who wait an answer that is past its life, if there is one (RFC 8767 §4). Upstreams are asked on.
    mutating func serveStale(_ slot: Slot, _ now: Moment) {
        guard let exchange = table[slot], exchange.hasStaleAnswer, !exchange.places.isEmpty else { return }
        let key = exchange.key
        // What other upstreams said before does not count once the group has new ones.
        let isCurrent = scopes.scope(of: exchange.group, for: exchange.view) == key.circumstances.scope
        guard isCurrent, let body = cache.staleBody(key.lent, now) else {
            exchange.hasStaleAnswer = false
            return
        }
        cache.counters.stale += UInt64(exchange.places.count)
        answer(slot, body, from: .staleCache)
        noteUnattended(slot)
    }

    private mutating func answer(_ slot: Slot, _ body: AnswerBody, from source: Answer.Source) {
        for place in takePlaces(of: slot) {
            act(.answer(place.client, Answer(to: place.query, place.question, body, from: source)))
        }
    }

    /// Ends an exchange and closes its sockets.
    mutating func close(_ slot: Slot) {
        guard let exchange = remove(slot) else { return }
        if exchange.payer == nil {
            let key = exchange.key
            cache.endRefresh(key.lent, exchange.lastAsked)
        }
        for attempt in exchange.attempts {
            release(attempt, attempt.lastSent)
        }
    }

    @discardableResult
    private mutating func remove(_ slot: Slot) -> Exchange? {
        guard let exchange = table.remove(slot) else { return nil }
        if exchangeOf[exchange.key] == slot { exchangeOf[exchange.key] = nil }
        deadlines.remove(slot)
        return exchange
    }
}
