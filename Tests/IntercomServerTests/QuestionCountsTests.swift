// Counts of workers for metrics: questions by type and network, answers by code.

import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer

@Suite("What a worker counts")
struct QuestionCountsTests {
    @Test("has each of its types under the name of that type, and all others together")
    func types() {
        for type in QuestionCounts.types {
            var counts = QuestionCounts()
            counts.count(type)
            #expect(counts.rows.map(\.type) == ["\(type)"] && counts.total == 1)
        }
        var others = QuestionCounts()
        for type in [RecordType.caa, .tlsa, .sshfp, RecordType(rawValue: 0), RecordType(rawValue: 65_535)] {
            others.count(type)
        }
        #expect(others.rows.map(\.type) == ["other"] && others.rows.first?.count == 5)
        others.add(a: 2, aaaa: 3)
        #expect(others.rows.map(\.type) == ["A", "AAAA", "other"] && others.total == 10)
    }

    @Test("keeps questions of a network apart from those of another, until the network is removed")
    func ledger() {
        var questions = ListenerQuestions()
        questions.datagrams.add(a: 3, aaaa: 0)
        questions.messages.count(.mx)
        var ledger = QuestionLedger()
        let (front, back) = (ScopeID(rawValue: 1), ScopeID(rawValue: 2))
        ledger.add(questions, of: front, isV6: false)
        ledger.add(questions, of: front, isV6: false)
        ledger.add(questions, of: back, isV6: true)
        ledger.add(ListenerQuestions(), of: nil, isV6: false)
        #expect(ledger.counts.count == 4, "nothing is kept of who has asked nothing")
        #expect(ledger.counts[.init(network: front, isV6: false, isStream: false)]?.total == 6)
        ledger.forget(front)
        #expect(ledger.counts.keys.allSatisfy { $0.network == back })
    }

    @Test("gives every answer one code and one source; what workers count adds up")
    func answers() {
        let sources: [AnswerSource] = [
            .malformed, .notImplemented, .badVersion, .refused, .notRecursive, .chaos, .specialUse, .deniedSpecialUse,
            .link, .network(ScopeID(rawValue: 0)), .reverse(ScopeID(rawValue: 0)), .subnet, .underscored, .emptyName,
            .domain, .singleLabel, .multicast, .blocked, .cache, .cachedDenial, .cachedFailure,
        ]
        var counters = WorkerCounters()
        for source in sources { counters.count(source) }
        #expect(counters.answers.rows.map(\.count).reduce(0, +) == UInt64(sources.count))
        let names = counters.answers.rows.map { "\($0.code) \($0.source)" }
        #expect(Set(names).count == names.count)
        var both = counters.answers
        both.add(counters.answers)
        #expect(both.rows.map(\.count) == counters.answers.rows.map { 2 * $0.count })
    }

    @Test("times the first batch, and then one of sixteen")
    func sampling() {
        var latency = Latency()
        let due = (0..<48).filter { _ in latency.isDue() }
        #expect(due == [0, 16, 32])
        latency = Latency()
        let first = latency.isDue()
        latency.putOff()
        let second = latency.isDue()
        #expect(first && second, "nothing was answered in the first one")
    }
}
