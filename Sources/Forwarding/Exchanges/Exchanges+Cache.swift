// Between exchanges and the cache: what is answered from memory, and what is remembered.

package import DNSWire

/// Seconds that a failure is remembered, so that nobody hammers who cannot answer (RFC 9520 §3.2: 1 s at least).
enum FailureLife {
    /// Upstreams said that they cannot answer this question.
    static let complaint: UInt32 = 5
    /// Nobody said anything: a network that comes back is not to be waited for.
    static let silence: UInt32 = 1
}

extension Exchanges {
    package mutating func setPolicy(_ policy: CachePolicy) {
        cache.setPolicy(policy)
    }

    package mutating func flush(_ flush: Flush) -> Int { cache.flush(flush) }

    package var cacheCounters: CacheCounters { cache.counters }

    package mutating func answer(
        _ message: Span<UInt8>, _ query: Query, _ name: borrowing FoldedName, view: UInt32, group: UInt32,
        over transport: Transport, now: Moment, into buffer: consuming MutableSpan<UInt8>
    ) -> Int? {
        guard let scope = scopes.scope(of: group, for: view) else { return nil }
        let client = ClientQuery(query)
        let key = AnswerKey(
            name.span, query.question.type, query.question.recordClass, Circumstances(scope: scope, client))
        guard case .fresh(let place, let age, _) = cache.find(key, now) else { return nil }
        cache.counters.hits += 1
        return cache.write(
            place, .age(age), nil, to: client,
            question: message.extracting(query.question.nameOffset..<query.question.endOffset), into: buffer,
            limit: query.answerLimit(over: transport))
    }

    /// Remembers what an upstream said to the question of an exchange.
    mutating func keep(_ body: AnswerBody, of slot: Slot, _ now: Moment) {
        guard let exchange = table[slot], exchange.query.recursionDesired else { return }
        cache.keep(body, under: exchange.key.lent, life: body.life, now)
    }

    /// Remembers that nobody could answer the question of an exchange.
    mutating func keepFailure(_ body: AnswerBody, of slot: Slot, seconds: UInt32, _ now: Moment) {
        guard let exchange = table[slot], exchange.query.recursionDesired else { return }
        cache.keepFailure(body, under: exchange.key.lent, seconds: seconds, now)
    }
}
