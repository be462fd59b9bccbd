// The host: its own questions, and its names where containers cannot reach it.

import DNSWire
import Registry

extension Responder {
    /// 10. No network of the view may forward. A name with names of mine beneath it exists (RFC 8020 §2); the host's are denied
    /// with the reason.
    @inline(never)
    mutating func rulingWithoutUpstreams(_ view: ViewID) -> Ruling {
        if directory.isHostName(name) {
            explanation = Self.hostIsElsewhere
            return .explained(.blocked, .blocked)
        }
        return directory.hasNamesBeneath(name, view: view)
            ? .answer(.noData, .emptyName) : .answer(.blocked, .blocked)
    }

    private static let hostIsElsewhere = Array(
        "the host has no address on the networks of this container; none of them may use upstreams".utf8)

    /// Octets of a text in an answer: it has to fit beside the question in 512.
    static let maximumExplanation = 160

    /// Answers names of containers under the domain, and their addresses. Single labels, and whatever else is not ours, go
    /// where they went before us: we add names and take none away.
    @inline(never)
    mutating func ruleForHost() -> Ruling {
        if name.isReverse {
            if let match = directory.findReverseForHost(name) { return .answer(.records(match), .reverse(match.scope)) }
        } else if isContainersForHost {
            switch directory.findForHost(name) {
            case .found(let match): return .answer(.records(match), .network(match.scope))
            case .onSeveral(let networks):
                explain(networks)
                return .explained(.noName, .domain)
            case .empty:
                let isApex = name.labelCount == directory.domainLabels
                return .answer(isApex && query.question.type == .soa ? .authority : .noData, .emptyName)
            case .none: return .answer(.noName, .domain)
            }
        }
        if !probes.isEmpty, let token = LoopProbe.token(in: name), probes.contains(token) { return .loop(token: token) }
        return forward(to: UpstreamGroupID.host.rawValue)
    }

    /// True for names under the domain, but for those of a longer domain that the host's own servers know: its search domains
    /// and those of clouds. No container takes a name there.
    private var isContainersForHost: Bool {
        mutating get {
            let labels = directory.domainLabels
            return labels > 0 && directory.isUnderDomain(name)
                && !directory.isUnderHostDomain(name, longerThan: labels)
        }
    }

    /// Says on which networks a name is, as many of them as fit.
    private mutating func explain(_ networks: [ScopeID]) {
        var text = "on several networks; ask NAME.NETWORK:"
        for network in networks {
            let word = " \(directory.networkName(of: network))"
            if text.utf8.count + word.utf8.count > Self.maximumExplanation { break }
            text += word
        }
        explanation = Array(text.utf8)
    }
}
