// From what is in force to what is answered: records compiled for the directories, where something has changed.

import DNSWire

extension Registry {
    /// Compiled changes since the last call. Costs time in proportion to the changes, never to the registry.
    package mutating func takeChanges() -> [DirectoryChange] { takeChanges {} }

    /// Compiled changes as of ``takeChanges()``, with a pause after each few records: after a publication there are thousands.
    /// - Parameter pause: lets others go on who wait for the same core.
    package mutating func takeChanges(_ pause: () -> Void) -> [DirectoryChange] {
        var changes: [DirectoryChange] = []
        changes.reserveCapacity(changedScopes.count + changedRecords.count + changedViews.count)
        for scope in changedScopes { changes.append(.scope(scope, compiled(scope))) }
        var facts = RecordFacts()
        for (number, key) in changedRecords.enumerated() {
            changes.append(.records(key, compiled(key, &facts)))
            if number % Self.recordsBetweenPauses == Self.recordsBetweenPauses - 1 { pause() }
        }
        changes += takeGatewayChanges()
        for container in changedViews { changes.append(.view(container.view, compiledView(of: container))) }
        changes += takePolicyChanges()
        if routesChanged { changes.append(.routes(compiledRoutes)) }
        if hostDomainsChanged { changes.append(.hostDomains(hostDomains, forContainers: containersFollowHost)) }
        routesChanged = false
        hostDomainsChanged = false
        changedScopes.removeAll()
        changedRecords.removeAll()
        changedViews.removeAll()
        return changes
    }

    /// Some hundred microseconds' work.
    private static var recordsBetweenPauses: Int { 64 }

    private func compiled(_ scope: ScopeID) -> Scope? {
        if let network = networkStates[scope] {
            // A bridge into the LAN: others there have addresses that the LAN's own server knows.
            let isLAN = network.observed.map { defaultRoutes.contains($0.interface) } ?? false
            return Scope(
                name: network.dnsName, text: network.name, subnets: isLAN ? [] : network.subnets,
                routes: compiledRoutes(of: network),
                isUnready: network.sharedName != nil && !isClusterKnown && !deniesUnready)
        }
        guard let container = containerOfScope[scope].flatMap({ containerStates[$0] }) else { return nil }
        return Scope(name: nil, text: "links of \(container.name)", subnets: [])
    }

    private func compiledView(of id: ContainerID) -> View? {
        guard let container = containerStates[id] else { return nil }
        var networks: [ScopeID] = []
        // The first network that may forward says where to.
        var forwarding: Network?
        for endpoint in container.endpoints {
            guard let network = networkStates[endpoint.network] else { continue }
            networks.append(network.id)
            if forwarding == nil, !network.isInternal { forwarding = network }
        }
        let hasOwn = forwarding?.definition?.upstreams.isEmpty == false
        let policy = container.policy.flatMap { policies.definition(of: $0) }
        // A container's root can answer what is asked from its namespace: behind a gate it would let itself out. A lock refuses
        // what a former server asks from there in its turn, but not what that server knows.
        let isGated = policy?.isGate == true
        let group = isGated ? nil : container.group
        let asksFormer = container.hasFormerServers && !isGated && policy?.isLocked != true
        return View(
            links: container.linkScope, networks: networks,
            upstreams: forwarding.map { network in
                group ?? (asksFormer && !hasOwn ? .former : network.groups[.root] ?? .default)
            },
            followsHost: forwarding != nil && !hasOwn && group == nil,
            hasFormerServers: container.hasFormerServers && !isGated,
            policy: container.policy.flatMap { policies.number(of: $0) })
    }

    private func compiled(_ key: RecordKey, _ facts: inout RecordFacts) -> RecordSet? {
        switch key.kind {
        case .reverse: return key.name.labelCount == 0 ? host(key) : pointer(key, &facts)
        case .record, .recordWildcard: return compiledRecords(key)
        case .exact, .wildcard, .empty: break
        }
        let here = shares[key] ?? []
        let there = remotesServing(key, besideOthers: !here.isEmpty)
        var records = RecordSet()
        let network = facts.network(key.scope, of: self)
        // A scope is a network, or the links of a container.
        let owner = network == nil ? containerOfScope[key.scope].flatMap { containerStates[$0] } : nil
        if let owner { addExtraHosts(key, of: owner, to: &records) }
        guard !here.isEmpty || !there.isEmpty || !records.runs.isEmpty else { return nil }
        let serving = serving(here, there)
        for share in serving.here {
            guard let container = facts.container(share.container, of: self) else { continue }
            if let network {
                add(share, of: container, on: [network], to: &records)
            } else if let owner {
                let shared = owner.endpoints.compactMap { endpoint in
                    container.endpoint(on: endpoint.network).flatMap { facts.network($0.network, of: self) }
                }
                add(share, of: container, on: shared, to: &records)
            }
        }
        guard !serving.there.isEmpty else { return records }
        let networks =
            network.map { [$0] } ?? owner?.endpoints.compactMap { facts.network($0.network, of: self) } ?? []
        for share in serving.there { add(share, on: networks, to: &records) }
        return records
    }

    /// Those who answer: without the ones that are draining, if an alias has others, on whatever host.
    private func serving(_ here: [Share], _ there: [RemoteShare]) -> (here: [Share], there: [RemoteShare]) {
        // Nearly every name has one container behind it, and that answers in any case.
        if here.count + there.count == 1 { return (here, there) }
        let servingHere = here.filter { !$0.isAlias || containerStates[$0.container]?.isDraining != true }
        let servingThere = there.filter { !$0.isAlias || elsewhere[$0.id]?.isDraining != true }
        return servingHere.isEmpty && servingThere.isEmpty ? (here, there) : (servingHere, servingThere)
    }

    private func add(
        _ share: Share, of container: RecordFacts.Container, on networks: [RecordFacts.Network],
        to records: inout RecordSet
    ) {
        // One RRset has one TTL (RFC 2181 §5.2): the shortest.
        var ttl = networks.first?.ttl ?? self.ttl
        for network in networks.dropFirst() { ttl = min(ttl, network.ttl) }
        for network in networks {
            if let port = share.port {
                guard let name = container.name else { continue }
                records.append(
                    .srv, ttl: ttl, RecordBuilder.service(at: network.fullName(of: name), port: port))
                return
            }
            for address in container.endpoint(on: network.id)?.addresses ?? [] { records.append(address, ttl: ttl) }
        }
    }

    /// The name of the container that has an address. Of several it is one that is declared with it, else the one that has
    /// had it the longest: nobody takes a neighbour's reverse name by claiming its address.
    private func pointer(_ key: RecordKey, _ facts: inout RecordFacts) -> RecordSet? {
        guard let network = facts.network(key.scope, of: self), let address = Self.address(ofReverseName: key.name),
            let name = ownerName(of: address, on: key.scope, &facts)
        else { return nil }
        var records = RecordSet()
        records.append(.ptr, ttl: network.ttl, network.fullName(of: name).wire)
        return records
    }

    private func ownerName(of address: IPAddress, on scope: ScopeID, _ facts: inout RecordFacts) -> Name? {
        // Nearly every address has one owner, and most machines know of no other host.
        if elsewhere.count == 0 {
            let owners = networkStates[scope]?.owners[address] ?? []
            if owners.count < 2 { return owners.first.flatMap { facts.container($0, of: self)?.name } }
        }
        guard let network = networkStates[scope] else { return nil }
        let first = claimants(of: address, on: network).first { $0.dnsName != nil }
        let isFound = first.map { weight(of: address, of: $0, on: network.id) == 2 }
        return remoteOwner(of: address, on: network, isFoundHere: isFound) ?? first?.dnsName
    }

    /// The containers that have an address, the one that answers for it first.
    func claimants(of address: IPAddress, on network: Network) -> [Container] {
        let owners = (network.owners[address] ?? []).compactMap { containerStates[$0] }
        guard owners.count > 1 else { return owners }
        let ranks = owners.map { weight(of: address, of: $0, on: network.id) }
        return (0...2).flatMap { rank in zip(owners, ranks).filter { $0.1 == rank }.map(\.0) }
    }

    /// Weight of a container's claim to an address: 0 where it was declared, 1 where a source says so, 2 where it was found.
    private func weight(of address: IPAddress, of owner: Container, on network: ScopeID) -> Int {
        if declaredAddresses(of: owner.id, on: network).contains(address) { return 0 }
        let isPublished = owner.published.contains { published in
            published.endpoints.contains {
                $0.addresses.contains(address) && self.network(of: $0, by: published.source) == network
            }
        }
        return isPublished ? 1 : 2
    }

    /// The addresses of the host on a network; nil where it has none.
    private func host(_ key: RecordKey) -> RecordSet? {
        guard let network = networkStates[key.scope], !network.hostAddresses.isEmpty else { return nil }
        var records = RecordSet()
        for address in network.hostAddresses { records.append(address, ttl: network.definition?.ttl ?? ttl) }
        return records
    }

    static func address(ofReverseName name: Name) -> IPAddress? {
        var folded = FoldedName()
        folded.set(name)
        return folded.reverseAddress
    }

    /// `name.network.domain`; `name.network` where that is too long for a name; else the name alone.
    func fullName(of name: Name?, on network: Network) -> Name? {
        guard let name else { return nil }
        guard let behind = network.dnsName else { return (try? name.appending(domain)) ?? name }
        let short = try? name.appending(behind)
        return short.flatMap { try? $0.appending(domain) } ?? short ?? name
    }
}
