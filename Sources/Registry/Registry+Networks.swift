// Networks come and go: declared, observed, and which one with a definition is which interface.

import DNSWire

extension Registry {
    // MARK: - Declared

    /// Adds a network, or declares one that the kernel shows.
    /// - Throws: ``RegistryError/invalidName(_:reason:)``, ``RegistryError/networkExists(_:)``,
    ///   ``RegistryError/interfaceInUse(_:network:)``.
    package mutating func createNetwork(_ definition: NetworkDefinition) throws(RegistryError) {
        try Self.check(definition)
        let name = try Self.networkName(definition.name)
        guard declaredNetwork(called: name) == nil else { throw .networkExists(definition.name) }
        let claim = definition.claim(named: name)
        try check(claim, for: nil)
        // A network that the kernel shows already, or a source tells of, stays the same one.
        let shown = claims[claim] ?? interface(claimedBy: claim).flatMap { networkOfInterface[$0] }
        let free = shown.flatMap { networkStates[$0] }.flatMap { $0.declared == nil ? $0.id : nil }
        let scope = free ?? publishedNetwork(called: name, fits: claim) ?? ScopeID(rawValue: scopeNumbers.take())
        let affected = change(scope) { $0.declared = definition }
        updateEndpoints(of: affected.union(bindInterfaces(claimedBy: [claim])))
    }

    /// Changes what is declared of a network, under the containers that are on it.
    /// - Throws: ``RegistryError/noSuchNetwork(_:)``; ``RegistryError/invalidAddress(_:reason:)`` where a declared
    ///   address would be outside the subnets; ``RegistryError/interfaceInUse(_:network:)``.
    package mutating func updateNetwork(_ definition: NetworkDefinition) throws(RegistryError) {
        guard let name = Self.lookedUp(definition.name), let network = declaredNetwork(called: name),
            let old = network.declared?.claim(named: name)
        else { throw .noSuchNetwork(definition.name) }
        try Self.check(definition)
        let claim = definition.claim(named: name)
        try check(claim, for: network.id)
        for member in network.members {
            for address in declaredAddresses(of: member, on: network.id) { try Self.check(address, definition) }
        }
        var new = definition
        new.name = network.name
        let affected = change(network.id) { $0.declared = new }
        updateEndpoints(of: old == claim ? affected : affected.union(bindInterfaces(claimedBy: [old, claim])))
    }

    /// Removes the declaration of a network that no container is declared on. An observed network stays.
    /// - Throws: ``RegistryError/noSuchNetwork(_:)``, ``RegistryError/networkInUse(_:containers:)``,
    ///   ``RegistryError/networkOfTheKernel(_:interface:)``.
    package mutating func removeNetwork(named text: String) throws(RegistryError) {
        guard let name = Self.lookedUp(text), let network = declaredNetwork(called: name),
            let claim = network.declared?.claim(named: name)
        else {
            let other = try network(named: text)
            if other.declared == nil, let source = other.source {
                throw .networkOfSource(other.name, source: source.name)
            }
            guard other.declared == nil, let observed = other.observed else { throw .noSuchNetwork(text) }
            throw .networkOfTheKernel(other.name, interface: observed.interfaceName)
        }
        let users = network.members.filter { hasDeclaredEndpoint($0, on: network.id) }
        guard users.isEmpty else {
            throw .networkInUse(network.name, containers: users.compactMap { containerStates[$0]?.name })
        }
        let affected = change(network.id) { $0.declared = nil }
        updateEndpoints(of: affected.union(bindInterfaces(claimedBy: [claim])))
    }

    private func check(_ claim: InterfaceClaim, for network: ScopeID?) throws(RegistryError) {
        guard case .interface(let interface) = claim, let other = claims[claim], other != network,
            network != nil || networkStates[other]?.declared != nil
        else { return }
        throw .interfaceInUse(interface, network: networkStates[other]?.name ?? "")
    }

    /// The network that sources alone call so, where somebody who says its name means it.
    private func publishedNetwork(called name: Name, fits claim: InterfaceClaim) -> ScopeID? {
        guard case .network = claim else { return nil }
        let published = (networksCalled[name] ?? []).compactMap { networkStates[$0] }
            .filter { $0.declared == nil && !$0.published.isEmpty && $0.names.contains(name) }
        return published.count == 1 ? published.first?.id : nil
    }

    // MARK: - Observed

    /// Takes in a network that is new or has changed.
    package mutating func observe(_ network: ObservedNetwork) {
        let old = observedNetworks[network.interface]
        guard old != network else { return }
        observedNetworks[network.interface] = network
        let claims = (old: old?.claims ?? [], new: network.claims)
        for claim in claims.old where !claims.new.contains(claim) { interfacesCalled.remove(network.interface, claim) }
        for claim in claims.new { interfacesCalled[claim, default: []].insert(network.interface) }
        updateEndpoints(of: bindInterfaces(claimedBy: claims.old + claims.new))
    }

    /// Takes out a network that the kernel shows no more. Containers may still be observed on it.
    package mutating func forget(network interface: InterfaceIndex) {
        guard let old = observedNetworks.removeValue(forKey: interface) else { return }
        for claim in old.claims { interfacesCalled.remove(interface, claim) }
        for container in referrers[.interface(interface)] ?? [] {
            change(container) { $0.disconnected.remove(interface) }
        }
        updateEndpoints(of: unbind(interface).union(bindInterfaces(claimedBy: old.claims)))
    }

    /// Sets the interfaces over which the host's default routes lead out (`RTA_OIF` of routes without a destination).
    ///
    /// A network that is one of them is a part of the LAN: of its subnets' reverse names only those of its containers are
    /// answered here.
    package mutating func observeDefaultRoutes(over interfaces: Set<InterfaceIndex>) {
        for interface in interfaces.symmetricDifference(defaultRoutes) {
            if let scope = networkOfInterface[interface] { changedScopes.insert(scope) }
        }
        defaultRoutes = interfaces
    }

    // MARK: - Which is which

    /// Makes the interfaces that these claims are about the networks that claim them, else networks of their own.
    mutating func bindInterfaces(claimedBy claims: [InterfaceClaim]) -> Set<NetworkReference> {
        let named = Set(claims.flatMap { interfacesCalled[$0] ?? [] })
        // One that is taken by its name makes room for others that are called as it is.
        let others = named.flatMap { observedNetworks[$0]?.claims ?? [] }.flatMap { interfacesCalled[$0] ?? [] }
        let interfaces = named.union(others).sorted()
        var affected: Set<NetworkReference> = []
        for interface in interfaces where !isBound(interface) { affected.formUnion(unbind(interface)) }
        for interface in interfaces {
            let present = networkOfInterface[interface]
            let scope = present ?? claimant(of: interface) ?? ScopeID(rawValue: scopeNumbers.take())
            let observed = observedNetworks[interface]
            networkOfInterface[interface] = scope
            if networkStates[scope]?.observed != observed {
                affected.formUnion(change(scope) { $0.observed = observed })
            }
            if present == nil { affected.insert(.interface(interface)) }
        }
        return affected
    }

    /// True when an interface belongs to the network that it should belong to.
    private func isBound(_ interface: InterfaceIndex) -> Bool {
        guard let present = networkOfInterface[interface] else { return false }
        return claimant(of: interface).map { $0 == present } ?? (networkStates[present]?.source == nil)
    }

    /// The declared network that an interface is.
    private func claimant(of interface: InterfaceIndex) -> ScopeID? {
        observedNetworks[interface]?.claims.first { self.interface(claimedBy: $0) == interface && claims[$0] != nil }
            .flatMap { claims[$0] }
    }

    /// The interface that a claim is about. While links change their names two may have one: the newer counts. Of
    /// networks that are called alike the older counts, which is not taken by its interface's name.
    func interface(claimedBy claim: InterfaceClaim) -> InterfaceIndex? {
        switch claim {
        case .interface: interfacesCalled[claim]?.max()
        case .network:
            interfacesCalled[claim]?.filter { interface in
                guard let name = observedNetworks[interface]?.interfaceName else { return false }
                return claims[.interface(name)] == nil || self.interface(claimedBy: .interface(name)) != interface
            }.min()
        }
    }

    private mutating func unbind(_ interface: InterfaceIndex) -> Set<NetworkReference> {
        guard let scope = networkOfInterface.removeValue(forKey: interface) else { return [] }
        return change(scope) { $0.observed = nil }.union([.interface(interface)])
    }

    // MARK: - Changes

    /// Changes what is known of a network, and all that follows but its members.
    /// - Returns: what may mean another network now.
    mutating func change(_ scope: ScopeID, _ body: (inout Network) -> Void) -> Set<NetworkReference> {
        let old = networkStates[scope] ?? Network(id: scope)
        var new = old
        body(&new)
        new.dnsName = try? Self.networkName(new.name)
        new.names = new.dnsName.map { [$0] } ?? []
        for published in new.published {
            if let name = try? Self.networkName(published.name), !new.names.contains(name) { new.names.append(name) }
        }
        // A source's name takes none away.
        if new.declared == nil, !new.published.isEmpty, let observed = new.observed,
            let name = try? Self.networkName(observed.name), !new.names.contains(name)
        {
            new.names.append(name)
        }
        let definitions = (old.definition, new.definition)
        if definitions.0 != definitions.1 {
            new.groups = definitions.1.map { groups(for: $0, keeping: old.groups) } ?? [:]
        }
        new.sharedName = new.isGone ? nil : sharedName(of: new)
        claim(new, before: old)
        let movesElsewhere = Self.changesElsewhere(old, new)
        if movesElsewhere { takeOutElsewhere(of: old) }
        followGateway(new, before: old)
        let hasOtherNames = !old.names.dropFirst().elementsEqual(new.names.dropFirst())
        if hasOtherNames { removeShares(of: old) }
        networkStates[scope] = new.isGone ? nil : new
        if hasOtherNames { bringShares(of: new) }
        if movesElsewhere {
            bringInElsewhere(of: new)
            if isExported { changedExports.formUnion(old.members) }
        }
        changedScopes.insert(scope)
        if old.subnets != new.subnets || old.isInternal != new.isInternal
            || old.definition?.forwardFrom != new.definition?.forwardFrom
        {
            touchGates(of: old)
        }
        if definitions.0?.search ?? [] != definitions.1?.search ?? [] { changedSearches.formUnion(old.members) }
        let hasOtherTTL = definitions.0?.ttl != definitions.1?.ttl
        if old.hostAddresses != new.hostAddresses || hasOtherTTL {
            changedRecords.insert(.host(on: scope))
            touchExtraHosts(on: new)
        }
        let names = (old.isGone ? [] : old.callNames, new.isGone ? [] : new.callNames)
        for name in names.0 where !names.1.contains(name) { networksCalled.remove(scope, from: name) }
        for name in names.1 where !names.0.contains(name) { networksCalled[name, default: []].append(scope) }
        if old.names != new.names || old.isGone != new.isGone || hasOtherTTL {
            touchRecords(of: old)
            touchRecords(of: new)
        }
        for name in names.0 + names.1 { checkNetworks(called: name) }
        checkConcerns(of: new)
        if new.isGone { goneNetworks[scope] = old.name }
        record(new, before: old)
        let wasNamedAlike = old.dnsName?.wire == new.dnsName?.wire && names.0 == names.1
        let wasDeclaredAlike = definitions.0 == definitions.1
        if !new.isGone, !wasDeclaredAlike || !wasNamedAlike { touchMembers(of: new) }
        guard wasNamedAlike, (old.declared == nil) == (new.declared == nil) else {
            return Set((names.0 + names.1).map { .name($0) })
        }
        return []
    }

    /// Has the interfaces that a network claims lead to it. Of two that claim one the first has it, but for one that was
    /// declared.
    private mutating func claim(_ new: Network, before old: Network) {
        let claimed = (Set(old.claims), Set(new.claims))
        guard claimed.0 != claimed.1 || (old.declared == nil) != (new.declared == nil) else { return }
        for claim in claimed.0.subtracting(claimed.1) where claims[claim] == new.id { claims[claim] = nil }
        for claim in claimed.1 {
            let owner = claims[claim].flatMap { networkStates[$0] }
            if owner == nil || new.declared != nil && owner?.declared == nil { claims[claim] = new.id }
        }
    }

    /// Has everything compiled again that a network's name, TTL or upstreams are in.
    private mutating func touchMembers(of network: Network) {
        touchPointers(of: network)
        for member in network.members {
            guard let container = containerStates[member], let endpoint = container.endpoint(on: network.id) else {
                continue
            }
            for (key, _) in shares(of: endpoint, container) { changedRecords.insert(key) }
            changedViews.insert(member)
            updatePolicy(of: member)
            touchLinks(of: member)
            if let name = container.dnsName { touchLinks(to: name) }
        }
    }

    mutating func touchPointers(of network: Network) {
        for address in network.owners.keys {
            changedRecords.insert(RecordKey(scope: network.id, kind: .reverse, name: address.reverseName))
        }
    }

    /// Determines anew the endpoints of containers with these references to networks.
    mutating func updateEndpoints(of references: Set<NetworkReference>) {
        var containers: Set<ContainerID> = []
        for reference in references { containers.formUnion(referrers[reference] ?? []) }
        for container in containers.sorted() { change(container) { _ in } }
        for scope in goneNetworks.keys { scopeNumbers.give(back: scope.rawValue) }
        goneNetworks.removeAll()
    }
}

extension [Name: [ScopeID]] {
    fileprivate mutating func remove(_ scope: ScopeID, from name: Name) {
        self[name]?.removeAll { $0 == scope }
        if self[name]?.isEmpty == true { self[name] = nil }
    }
}

extension [InterfaceClaim: Set<InterfaceIndex>] {
    fileprivate mutating func remove(_ interface: InterfaceIndex, _ claim: InterfaceClaim) {
        self[claim]?.remove(interface)
        if self[claim]?.isEmpty == true { self[claim] = nil }
    }
}
