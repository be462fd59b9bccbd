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
    /// NOERROR, NXDOMAIN, any other code.
    case cache, cachedDenial, cachedFailure
}

extension AnswerSource {
    /// The source of an answer from the cache that is not NOERROR.
    init(ofCached code: ResponseCode) { self = code == .nameError ? .cachedDenial : .cachedFailure }
}

extension Responder {
    /// An answer's source in the words of the README's table.
    func describe(_ source: AnswerSource) -> String {
        switch source {
        case .malformed: "refused: the query cannot be read"
        case .notImplemented: "refused: an opcode other than QUERY"
        case .badVersion: "refused: an EDNS version above 0"
        case .refused: "refused: a class other than IN, or a zone transfer"
        case .notRecursive: "refused: a name of outside, asked without recursion (RD clear)"
        case .chaos: "the server's identity"
        case .specialUse, .deniedSpecialUse: "special-use name (RFC 6761)"
        case .link: "link"
        case .network(let scope): "network \(directory.networkName(of: scope))"
        case .reverse(let scope): "network \(directory.networkName(of: scope)), by address"
        case .host(let scope): "the host, on network \(directory.networkName(of: scope))"
        case .record(.everyone): "record"
        case .record(let scope): "record of network \(directory.networkName(of: scope))"
        case .notReady: "other hosts have not told everything yet: the name may be on one of them"
        case .subnet: "nobody has this address on the container's networks"
        case .underscored: "no such underscored name under a name on the container's networks"
        case .emptyName: "a name without records, which has names on the container's networks beneath it"
        case .domain: "no such name on the container's networks; the domain is never forwarded"
        case .singleLabel: "no such name on the container's networks; single labels are not forwarded"
        case .multicast: "names under local are asked by multicast (RFC 6762); they are not forwarded"
        case .cache, .cachedDenial, .cachedFailure: "cache"
        case .policy: "denied by \(String(decoding: explanation, as: UTF8.self))"
        case .blocked: "not forwarded: no network of the container may reach upstreams"
        }
    }
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
        case .notReady: answers.unanswered &+= 1
        case .malformed: answers.malformed &+= 1
        case .notImplemented: answers.notImplemented &+= 1
        case .badVersion: answers.badVersion &+= 1
        case .refused, .notRecursive: answers.refused &+= 1
        }
    }
}
