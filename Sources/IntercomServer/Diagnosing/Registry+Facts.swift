// Facts about a name that the registry alone knows.

import DNSWire
import Diagnosis
import Registry

extension Registry {
    /// Containers behind a name: those that a container is answered with first.
    /// - Parameters:
    ///   - name: the name in question.
    ///   - asker: the container that asks.
    ///   - member: describes a container.
    func holderFacts(
        of name: Name, for asker: Container, _ member: (Container) -> Member
    ) -> [Diagnosis.Holder] {
        func facts(_ holder: Holder, isVisible: Bool) -> Diagnosis.Holder? {
            guard let container = self[holder.container] else { return nil }
            let endpoint = holder.network.flatMap { container.endpoint(on: $0) }
            var facts = Diagnosis.Holder(
                member(container), on: holder.network.flatMap { self[$0]?.name }, isVisible: isVisible,
                isAlias: holder.isAlias, isDraining: container.isDraining, isService: holder.isService,
                addresses: endpoint?.addresses.map(\.description) ?? [])
            guard isVisible, let endpoint else { return facts }
            for address in endpoint.addresses where facts.shared == nil {
                let others = claimants(of: address, on: endpoint.network).filter { $0.id != container.id }.map(member)
                // Two names of one namespace have one address.
                let apart = others.filter { $0.place != facts.member.place || $0.place == nil }
                if !apart.isEmpty { facts.shared = .init(address.description, others: apart) }
            }
            return facts
        }
        return holders(of: name, seenBy: asker).compactMap { facts($0, isVisible: true) }
            + holders(of: name, hiddenFrom: asker).compactMap { facts($0, isVisible: false) }
    }

    /// True when the policy of a container denies names of its own networks that have no rule, or everything, as nobody has
    /// declared it.
    func isPolicyStrict(of asker: Container) -> Bool {
        guard let name = asker.policy else { return false }
        guard let policy = try? policy(named: name) else { return true }
        return !policy.allowsOwnNames && !policy.isAudit
    }

    /// A name that a container sees and that is spelled nearly as this one; nil: there is none.
    /// - Parameters:
    ///   - name: the name that nobody has.
    ///   - asker: the container that asks.
    ///   - limit: the most names that are compared.
    func nearName(_ name: Name, seenBy asker: Container, limit: Int) -> String? {
        let bare = bareName(of: name, seenBy: asker).textWithoutDot
        // Every letter is near every other one.
        guard bare.utf8.count > 1 else { return nil }
        var known = names(seenBy: asker, limit: limit).map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
        if let host = Self.host(ofPasted: bare) {
            let inside = (try? Name(host)).map { bareName(of: $0, seenBy: asker).textWithoutDot } ?? host
            if known.contains(where: { $0.lowercased() == inside.lowercased() }) { return host }
        }
        // The network's name may be the one that is misspelled.
        if bare.utf8.contains(UInt8(ascii: ".")) {
            let networks = asker.endpoints.compactMap { self[$0.network]?.name }
            known += known.flatMap { name in networks.map { "\(name).\($0)" } }
            // A name that is on one of its networks alone is none on the others.
            let near = Spelling.suggestion(for: bare, among: known.filter { $0.lowercased() != bare.lowercased() })
            guard let near, let name = try? Name(near), !holders(of: name, seenBy: asker).isEmpty else { return nil }
            return near.hasPrefix("*.") ? nil : near
        }
        // Nobody looks up a wildcard itself.
        return Spelling.suggestion(
            for: bare, among: known.filter { $0.lowercased() != bare.lowercased() && !$0.hasPrefix("*.") })
    }
}

extension Registry {
    /// The host in a URL, or before a port; nil where the text is neither.
    static func host(ofPasted text: String) -> String? {
        var rest = text[...]
        if let scheme = rest.firstRange(of: "://") { rest = rest[scheme.upperBound...] }
        rest = rest.prefix { $0 != "/" }
        if let colon = rest.lastIndex(of: ":"), rest[rest.index(after: colon)...].allSatisfy(\.isNumber) {
            rest = rest[..<colon]
        }
        return rest.isEmpty || rest.count == text.count ? nil : String(rest)
    }
}

extension Name {
    /// Presentation form without the dot at its end.
    var textWithoutDot: String {
        let text = description
        return text.hasSuffix(".") && text.utf8.count > 1 ? String(text.dropLast()) : text
    }
}
