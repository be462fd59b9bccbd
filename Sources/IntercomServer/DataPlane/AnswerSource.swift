// The rule that decided about a query: `intercomctl resolve` shows it, the counters count it.

import DNSWire
import Registry

/// The rule that gave an answer.
enum AnswerSource: Sendable, Equatable {
    case malformed, notImplemented, badVersion, refused, notRecursive, chaos
    case specialUse, deniedSpecialUse
    case link
    case network(ScopeID)
    case reverse(ScopeID)
    /// The host, on a network.
    case host(ScopeID)
    case record(ScopeID)
    /// Other hosts have not told everything yet.
    case notReady
    case subnet, underscored, emptyName, domain, singleLabel, multicast, blocked
    /// A policy denies the question.
    case policy
    /// A gate is not there, or cannot be changed.
    case gate
    /// NOERROR, NXDOMAIN, any other code.
    case cache, cachedDenial, cachedFailure
}

extension AnswerSource {
    /// The source of an answer from the cache that is not NOERROR.
    init(ofCached code: ResponseCode) { self = code == .nameError ? .cachedDenial : .cachedFailure }
}

extension WorkerCounters {
    /// Counts an answer that was given here.
    mutating func count(_ source: AnswerSource) {
        switch source {
        case .link, .network, .reverse, .host, .record, .specialUse, .chaos: answers.records &+= 1
        case .emptyName: answers.empty &+= 1
        case .subnet, .underscored, .domain, .singleLabel, .multicast, .blocked, .policy, .deniedSpecialUse:
            answers.denied &+= 1
        case .cache: answers.cached &+= 1
        case .cachedDenial: answers.cachedDenials &+= 1
        case .cachedFailure: answers.cachedFailures &+= 1
        case .notReady, .gate: answers.unanswered &+= 1
        case .malformed: answers.malformed &+= 1
        case .notImplemented: answers.notImplemented &+= 1
        case .badVersion: answers.badVersion &+= 1
        case .refused, .notRecursive: answers.refused &+= 1
        }
    }
}
