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
            return Diagnosis.Holder(
                member(container), on: holder.network.flatMap { self[$0]?.name }, isVisible: isVisible,
                isAlias: holder.isAlias, isDraining: container.isDraining, isService: holder.isService,
                addresses: endpoint?.addresses.map(\.description) ?? [])
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
        let known = names(seenBy: asker, limit: limit).map { $0.hasSuffix(".") ? String($0.dropLast()) : $0 }
        // Nobody looks up a wildcard itself.
        return Spelling.suggestion(
            for: bare, among: known.filter { $0.lowercased() != bare.lowercased() && !$0.hasPrefix("*.") })
    }
}

extension Name {
    /// Presentation form without the dot at its end.
    var textWithoutDot: String {
        let text = description
        return text.hasSuffix(".") && text.utf8.count > 1 ? String(text.dropLast()) : text
    }
}
