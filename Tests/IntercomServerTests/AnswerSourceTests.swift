// Sources of answers: each rule has a text for people, and one counter.

import ControlAPI
import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer

@Suite("The rule that gave an answer")
struct AnswerSourceTests {
    /// A rule, a part of its words, and its counter.
    private static let rules: [(AnswerSource, String, any KeyPath<WorkerCounters, UInt64> & Sendable)] = [
        (.link, "link", \.local), (.network(ScopeID(rawValue: 0)), "network frontend", \.local),
        (.reverse(ScopeID(rawValue: 0)), "frontend, by address", \.local), (.specialUse, "RFC 6761", \.local),
        (.deniedSpecialUse, "RFC 6761", \.negative), (.emptyName, "beneath it", \.negative),
        (.underscored, "underscored", \.negative), (.notRecursive, "RD clear", \.failed),
        (.cachedDenial, "cache", \.cached), (.cachedFailure, "cache", \.cached),
        (.record(.everyone), "record", \.local), (.record(ScopeID(rawValue: 0)), "record of network frontend", \.local),
        (.chaos, "identity", \.local), (.subnet, "nobody has this address", \.negative),
        (.notReady, "have not told everything", \.failed),
        (.domain, "never forwarded", \.negative), (.singleLabel, "single labels", \.negative),
        (.multicast, "RFC 6762", \.negative), (.blocked, "not forwarded", \.negative),
        (.policy, "denied by", \.negative), (.cache, "cache", \.cached),
        (.malformed, "cannot be read", \.failed), (.notImplemented, "opcode", \.failed),
        (.badVersion, "EDNS version", \.failed), (.refused, "zone transfer", \.failed),
    ]

    @Test("is told in words, and counted once", arguments: rules.indices)
    func rule(index: Int) throws {
        let (source, words, counter) = Self.rules[index]
        var registry = Registry(domain: try Name("internal"), ttl: 5)
        try registry.createNetwork(NetworkDefinition(name: "frontend", source: .control))
        var responder = Responder(settings: ServerSettings(Configuration(), workers: 1), seed: 7)
        for change in registry.takeChanges() { responder.directory.apply(change) }
        #expect(responder.describe(source).contains(words))

        var counters = WorkerCounters()
        counters.count(source)
        #expect(counters[keyPath: counter] == 1)
        #expect(counters.local + counters.negative + counters.cached + counters.failed == 1)
    }

    @Test("is counted by each worker, and the status shows each; caches are added up")
    func status() {
        var first = WorkerCounters()
        first.worker = 3
        (first.queries, first.answers.records, first.forwarded, first.dropped) = (10, 4, .max, 1)
        (first.cache.hits, first.cache.entries, first.cache.octets) = (7, 2, 300)
        let shown = Status.Worker(first)
        #expect(shown.worker == 3 && shown.queries == 10 && shown.local == 4 && shown.dropped == 1)
        #expect(shown.forwarded == Int.max, "what no program could read is cut")
        var second = WorkerCounters()
        (second.cache.hits, second.cache.stale, second.cache.evictions) = (1, 2, 3)
        let cache = Status.Cache([first, second], limit: 1 << 20)
        #expect(cache.hits == 8 && cache.entries == 2 && cache.octets == 300 && cache.stale == 2)
        #expect(cache.evictions == 3 && cache.limit == 1 << 20)
    }
}
