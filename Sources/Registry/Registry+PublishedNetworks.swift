// Networks that sources tell of: each is the network of its interface, whoever else knows that.

import DNSWire

extension Registry {
    /// Takes in what a source tells of a network, in the place of what it told of that name before. One whose interface is a
    /// network already is that one.
    /// - Throws: ``RegistryError/invalidName(_:reason:)`` and others for a definition that cannot be.
    package mutating func publish(_ definition: NetworkDefinition) throws(RegistryError) {
        try Self.check(definition)
        let name = try Self.networkName(definition.name)
        let key = NetworkPublication(source: definition.source, name: name)
        let claim = definition.claim(named: name)
        let present = networkOfPublication[key]
        let scope = scope(for: claim, of: key, present) ?? ScopeID(rawValue: scopeNumbers.take())
        var affected: Set<NetworkReference> = [.published(key.source, name)]
        var changed = [claim]
        if let present, present != scope { affected.formUnion(remove(key, from: present, &changed)) }
        if present == scope, let old = networkStates[scope]?.published.first(where: { $0.isSame(as: definition) }) {
            changed.append(old.claim(named: name))
        }
        networkOfPublication[key] = scope
        affected.formUnion(
            change(scope) { network in
                network.published.removeAll { $0.isSame(as: definition) }
                let place = network.published.firstIndex { definition.source.name < $0.source.name }
                network.published.insert(definition, at: place ?? network.published.endIndex)
            })
        updateEndpoints(of: affected.union(bindInterfaces(claimedBy: changed)))
    }

    /// Takes back what a source told of a network. Containers on it are on it no more, unless others say so.
    package mutating func unpublish(network text: String, of source: Source) {
        guard let name = Self.lookedUp(text),
            let scope = networkOfPublication.removeValue(forKey: NetworkPublication(source: source, name: name))
        else { return }
        var claims: [InterfaceClaim] = []
        let affected = remove(NetworkPublication(source: source, name: name), from: scope, &claims)
        updateEndpoints(of: affected.union([.published(source, name)]).union(bindInterfaces(claimedBy: claims)))
    }

    /// The network that one of a source is already; nil: it is a new one.
    private func scope(for claim: InterfaceClaim, of key: NetworkPublication, _ present: ScopeID?) -> ScopeID? {
        if let claimed = claims[claim], claimed != present, let network = networkStates[claimed] {
            // Networks of two sources that are called alike may be two, unless both name the interface.
            if case .interface = claim { return claimed }
            if network.declared != nil { return claimed }
        }
        if let shown = interface(claimedBy: claim).flatMap({ networkOfInterface[$0] }) {
            if case .interface = claim { return shown }
            if networkStates[shown]?.published.isEmpty == true { return shown }
        }
        // One that others know, too, is left to them where its interface is another now.
        guard let present, let network = networkStates[present] else { return nil }
        let isAlone = network.declared == nil && network.published.count == 1
        let isSame = network.published.contains { $0.source == key.source && $0.claim(named: key.name) == claim }
        return isAlone && network.observed == nil || isSame ? present : nil
    }

    private mutating func remove(
        _ key: NetworkPublication, from scope: ScopeID, _ claims: inout [InterfaceClaim]
    ) -> Set<NetworkReference> {
        let isIt = { (definition: NetworkDefinition) in
            definition.source == key.source && Self.lookedUp(definition.name) == key.name
        }
        claims += networkStates[scope]?.published.filter(isIt).map { $0.claim(named: key.name) } ?? []
        return change(scope) { $0.published.removeAll(where: isIt) }
    }
}

extension NetworkDefinition {
    /// True when both are what one source tells of one network.
    fileprivate func isSame(as other: NetworkDefinition) -> Bool {
        source == other.source && Registry.lookedUp(name) == Registry.lookedUp(other.name)
    }
}

extension Registry.Network {
    /// Properties in force: the declared ones; where they say nothing, the published ones. Nil where it was only found.
    package var definition: NetworkDefinition? {
        guard var definition = declared ?? published.first else { return nil }
        for other in published {
            definition.interface = definition.interface ?? other.interface
            if definition.subnets.isEmpty { definition.subnets = other.subnets }
            // What somebody declared says all about where questions go.
            guard declared == nil else { continue }
            definition.isInternal = definition.isInternal || other.isInternal
            if definition.upstreams.isEmpty { definition.upstreams = other.upstreams }
        }
        return definition
    }
}
