// The host's own view: containers of all networks by whole names alone, so that none of them shadows a name of outside.

package import DNSWire

extension Directory {
    /// Finding of a name under the domain, as the host asks for it.
    package enum HostMatch {
        /// One network alone has the name.
        case found(Match)
        /// NAME.DOMAIN where containers of several networks have that name.
        case onSeveral([ScopeID])
        /// The domain, a network, or another name that has names beneath it (RFC 8020 §2).
        case empty
        /// Nobody has the name, and nothing is beneath it.
        case none
    }

    /// Finds `NAME.NETWORK.DOMAIN` on any network, then `NAME.DOMAIN` where one network alone has the name; exact names before
    /// wildcards. It takes time in proportion to the networks: nobody but the host asks so.
    ///
    /// With the network's name first, so that no alias of several labels takes a name of another network's container.
    /// - Parameter name: a name under the domain, folded.
    package mutating func findForHost(_ name: borrowing FoldedName) -> HostMatch {
        let bare = name.labelCount - domainLabels
        guard bare > 0 else { return .empty }
        for kind in [RecordKey.Kind.exact, .wildcard] {
            if kind == .wildcard, wildcardCount == 0 { break }
            let match = searchAll(name, bare, kind)
            if case .none = match { continue }
            return match
        }
        for scope in scopeNames.runs.indices where Self.isEnd(name.labels(0, bare), of: scopeNames.lent(scope)) {
            return .empty
        }
        if index.emptyCount > 0 {
            if case .none = searchAll(name, bare, .empty) { return .none }
            return .empty
        }
        return .none
    }

    /// The container of an address on any network, by its reverse name: that of the network that was there first.
    package mutating func findReverseForHost(_ name: borrowing FoldedName) -> Match? {
        for scope in scopeNames.runs.indices where !scopeNames.run(of: scope).isEmpty {
            if let match = lookUp(name, name.labelCount, scope, .reverse) { return match }
        }
        return nil
    }

    private mutating func searchAll(
        _ name: borrowing FoldedName, _ end: Int, _ kind: RecordKey.Kind
    ) -> HostMatch {
        var labels = 1
        while labels < end, labels <= maximumScopeLabels {
            for scope in scopeNames.runs.indices
            where name.labels(end - labels, end).isEqual(to: scopeNames.lent(scope)) {
                if let match = lookUp(name, end - labels, scope, kind) { return .found(match) }
            }
            labels += 1
        }
        var matches: [Match] = []
        // Links have no name here: they are a container's own.
        for scope in scopeNames.runs.indices where !scopeNames.run(of: scope).isEmpty {
            if let match = lookUp(name, end, scope, kind) { matches.append(match) }
        }
        guard let first = matches.first else { return .none }
        return matches.count == 1 ? .found(first) : .onSeveral(matches.map(\.scope))
    }

    /// The labels `0..<end` on one network, or the longest wildcard there that they are under.
    private mutating func lookUp(
        _ name: borrowing FoldedName, _ end: Int, _ scope: Int, _ kind: RecordKey.Kind
    ) -> Match? {
        let scope = UInt32(truncatingIfNeeded: scope)
        let first = kind == .wildcard ? 1 : 0
        for label in first..<max(first, kind == .wildcard ? end : 1) {
            let octets = name.labels(label, end)
            if let number = index.find(octets, index.hash(octets), scope: scope, kind: kind) {
                return Match(scope: ScopeID(rawValue: scope), isLink: false, number: number)
            }
        }
        return nil
    }
}
