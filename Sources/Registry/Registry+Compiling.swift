// From what is declared to what is answered: records compiled for the directories, where something has changed.

import DNSWire
import OrderedCollections

extension Registry {
    /// What changed since the last call, compiled. Costs time in proportion to that, never to the registry.
    package mutating func takeChanges() -> [DirectoryChange] {
        var changes: [DirectoryChange] = []
        changes.reserveCapacity(changedScopes.count + changedRecords.count + changedViews.count)
        for scope in changedScopes { changes.append(.scope(scope, compiled(scope))) }
        for key in changedRecords { changes.append(.records(key, compiled(key))) }
        for (view, container) in changedViews { changes.append(.view(view, compiled(view, of: container))) }
        if routesChanged { changes.append(.routes(compiledRoutes)) }
        routesChanged = false
        changedScopes.removeAll()
        changedRecords.removeAll()
        changedViews.removeAll()
        return changes
    }

    private func compiled(_ scope: ScopeID) -> Scope? {
        if let network = networkOfScope[scope].flatMap({ networkStates[$0] }) {
            return Scope(
                name: network.name, text: network.definition.name, subnets: network.definition.subnets,
                routes: compiledRoutes(of: network))
        }
        guard let container = containerOfScope[scope].flatMap({ containerStates[$0] }) else { return nil }
        return Scope(name: nil, text: "links of \(container.definition.name)", subnets: [])
    }

    private func compiled(_ view: ViewID, of name: Name) -> View? {
        guard let container = containerStates[name], container.view == view else { return nil }
        let networks = container.definition.endpoints.compactMap { endpoint in
            (try? Name(endpoint.network)).flatMap { networkStates[$0] }
        }
        // The first network that may forward says where to.
        let upstreams = networks.first { !$0.definition.isInternal }.map { network in
            network.groups[.root] ?? .default
        }
        return View(links: container.linkScope, networks: networks.map(\.scope), upstreams: upstreams)
    }

    private func compiled(_ key: RecordKey) -> RecordSet? {
        if key.kind == .reverse { return pointer(key) }
        guard let shares = contributions[key] else { return nil }
        var records = RecordSet()
        if let network = networkOfScope[key.scope].flatMap({ networkStates[$0] }) {
            for share in shares.keys { add(share, on: [network], to: &records) }
        } else if let owner = containerOfScope[key.scope].flatMap({ containerStates[$0] }) {
            for share in shares.keys { add(share, on: sharedNetworks(owner, share.container), to: &records) }
        }
        return records
    }

    private func add(_ share: Contribution, on networks: [NetworkState], to records: inout RecordSet) {
        guard let container = containerStates[share.container] else { return }
        // One RRset has one TTL (RFC 2181 §5.2): the shortest.
        let ttl = networks.map { $0.definition.ttl ?? self.ttl }.min() ?? self.ttl
        for network in networks {
            switch share.meaning {
            case .host:
                for address in endpoint(of: container, on: network)?.addresses ?? [] {
                    records.append(address, ttl: ttl)
                }
            case .service(let port):
                guard let target = fullName(of: container, on: network) else { continue }
                records.append(serviceAt: target, port: port, ttl: ttl)
                return
            }
        }
    }

    private func pointer(_ key: RecordKey) -> RecordSet? {
        guard let network = networkOfScope[key.scope].flatMap({ networkStates[$0] }),
            let address = Self.address(ofReverseName: key.name), let owner = network.owners[address],
            let container = containerStates[owner], let target = fullName(of: container, on: network)
        else { return nil }
        var records = RecordSet()
        records.append(pointerTo: target, ttl: network.definition.ttl ?? ttl)
        return records
    }

    private static func address(ofReverseName name: Name) -> IPAddress? {
        var folded = FoldedName()
        folded.set(name)
        return folded.reverseAddress
    }

    private func sharedNetworks(_ owner: ContainerState, _ target: Name) -> [NetworkState] {
        owner.definition.endpoints.compactMap { endpoint in
            (try? Name(endpoint.network)).flatMap { networkStates[$0] }
        }.filter { $0.members.contains(target) }
    }

    private func endpoint(of container: ContainerState, on network: NetworkState) -> EndpointDefinition? {
        container.definition.endpoints.first { $0.network == network.definition.name }
    }

    /// `name.network.domain`; `name.network` where that is too long for a name; else the name alone.
    private func fullName(of container: ContainerState, on network: NetworkState) -> Name? {
        let short = try? container.name.appending(network.name)
        return short.flatMap { try? $0.appending(domain) } ?? short ?? container.name
    }
}
