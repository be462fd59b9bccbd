// Between exchanges and the cache: what is answered from memory, and what is remembered.

package import DNSWire
import Tables

/// The time that a failure is remembered, so that nobody hammers who cannot answer: twice as long each time that the question
/// fails again (RFC 9520 §3.2: at least 1 s, growing, at most 5 min).
struct FailureLife: Sendable {
    /// Seconds, of the first failure.
    let first: UInt32
    /// Seconds, however often it fails.
    let longest: UInt32

    /// Upstreams said that they cannot answer this question. A minute: who mends a zone waits no longer than that.
    static let complaint = FailureLife(first: 5, longest: 60)
    /// Nobody said anything: a network that comes back is not to be waited for.
    static let silence = FailureLife(first: 1, longest: 8)

    /// Seconds, after so many failures in a row before.
    func seconds(after failures: UInt8) -> UInt32 {
        min(longest, first << UInt32(min(failures, Self.maximumDoublings)))
    }

    /// Keeps the shift above within 32 bits; far more than leads to `longest`.
    private static let maximumDoublings: UInt8 = 8
}

/// An answer from the cache that was written into a buffer.
package struct CachedAnswer: Sendable {
    /// Its octets.
    package let length: Int
    /// The code in its header.
    package let responseCode: ResponseCode
    /// See ``Answer/mayLeadElsewhere``.
    package let mayLeadElsewhere: Bool

    /// True when it says that the name of the question does not exist: ``Answer/overruleDenial()`` says when that is not so.
    package var deniesName: Bool { responseCode == .nameError }
}

extension Forwarder {
    /// Changes what is kept, from now on.
    package mutating func setPolicy(_ policy: CachePolicy) {
        cache.setPolicy(policy)
    }

    /// Forgets answers; gives how many.
    package mutating func flush(_ selection: CacheSelection) -> Int { cache.flush(selection) }

    /// Describes kept answers, also those past their life that serve while nobody answers. Takes time in proportion to the cache.
    /// - Parameters:
    ///   - selection: the names that are meant.
    ///   - limit: the most that are described; further ones are counted.
    ///   - now: the time.
    package func keptAnswers(in selection: CacheSelection, limit: Int, now: Moment) -> KeptAnswers {
        cache.keptAnswers(in: selection, limit: limit, now) { scopes.place(of: $0) }
    }

    /// Counters of the cache.
    package var cacheCounters: CacheCounters { cache.counters }

    /// Answers a question from the cache; nil where upstreams must be asked
    /// (``ask(_:_:_:client:namespace:view:group:now:)``).
    ///
    /// Allocates nothing and counts no references. Actions may follow: an answer that is asked for often is renewed.
    /// - Parameters:
    ///   - message: the client's query as it came.
    ///   - query: the same as it was read.
    ///   - name: its name.
    ///   - view: whose namespace it is asked from, where the group says so.
    ///   - group: the upstream group that it would go to.
    ///   - transport: how the answer will go.
    ///   - now: the time.
    ///   - buffer: at least the largest message of the transport.
    package mutating func answer(
        _ message: Span<UInt8>, _ query: Query, _ name: borrowing FoldedName, view: UInt32, group: UInt32,
        over transport: Transport, now: Moment, into buffer: consuming MutableSpan<UInt8>
    ) -> CachedAnswer? {
        guard let scope = scopes.scope(of: group, for: view) else { return nil }
        let client = ClientQuery(query)
        let key = AnswerKey(
            name.span, query.question.type, query.question.recordClass, Circumstances(scope: scope, client))
        let hit = cache.answer(
            key, to: client, question: message.extracting(query.question.nameOffset..<query.question.endOffset), now,
            into: buffer, limit: transport == .datagram ? client.datagramLimit : query.answerLimit(over: transport))
        guard let hit else { return nil }
        if let place = hit.dueAt { prefetch(place, message, query, name, view: view, group: group, now) }
        return CachedAnswer(length: hit.length, responseCode: hit.responseCode, mayLeadElsewhere: hit.mayLeadElsewhere)
    }

    /// Renews an answer that is asked for often, before it expires and somebody has to wait.
    @inline(never)
    private mutating func prefetch(
        _ place: Int, _ message: Span<UInt8>, _ query: Query, _ name: borrowing FoldedName, view: UInt32,
        group: UInt32, _ now: Moment
    ) {
        var client = ClientQuery(query)
        client.flags.rd = true
        guard let scope = scopes.scope(of: group, for: view) else { return }
        let key = QuestionKey(name, query.question, Circumstances(scope: scope, asking: client), cache.hash)
        let asked = UpstreamQuery([UInt8](message, query.question), client)
        cache.noteRefresh(of: place)
        if renew(key, asked, group: group, view: view, now) {
            cache.counters.prefetches += 1
        } else {
            cache.endRefresh(key.lent, now)
        }
    }

    /// Remembers what an upstream said to the question of an exchange.
    mutating func keep(_ body: AnswerBody, of ticket: Ticket, _ now: Moment) {
        guard let exchange = table[ticket], keepsAnswer(of: exchange) else { return }
        let key = exchange.key
        cache.keep(body, under: key.lent, life: body.life, asked: exchange.places.count, now)
    }

    /// Remembers that nobody could answer the question of an exchange.
    mutating func keepFailure(_ body: AnswerBody, of ticket: Ticket, _ life: FailureLife, _ now: Moment) {
        guard let exchange = table[ticket], keepsAnswer(of: exchange) else { return }
        let key = exchange.key
        cache.keepFailure(body, under: key.lent, life, now)
    }

    /// True for the answer to a question with RD set, of a group whose answers are cached.
    private func keepsAnswer(of exchange: Exchange) -> Bool {
        exchange.query.recursionDesired && groups[exchange.group]?.keepsAnswers != false
    }
}
