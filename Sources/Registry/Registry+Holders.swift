// Containers behind a name, also on networks that the asker is not on: for the operator, never for an answer.

package import DNSWire
import OrderedCollections

extension Registry {
    /// A container behind a name.
    package struct Holder: Sendable, Equatable {
        /// The container.
        package let container: ContainerID
        /// The network on which it has the name; nil: it is called so, and is on no network.
        package let network: ScopeID?
        /// True when others may stand in for it while it is draining.
        package let isAlias: Bool
        /// True where the name is that of a service of its, as `_http._tcp.web`.
        package let isService: Bool
    }

    /// The most containers that are given for one name.
    private static var holderLimit: Int { 64 }

    /// The containers that a question of a container's is answered with: those on the first of its networks that has the
    /// name, as ``Directory/find(_:from:view:)`` finds it, but for links.
    package func holders(of name: Name, seenBy asker: Container) -> [Holder] {
        holders(of: name, on: asker.endpoints.map(\.network))
    }

    /// The other hosts whose containers answer for a name, by name; at most so many as holders.
    package func hosts(of name: Name, seenBy asker: Container) -> [RemoteHost] {
        let networks = asker.endpoints.map(\.network)
        let found: [RemoteID]
        if let address = Self.address(ofReverseName: name) {
            found =
                networks.lazy.compactMap { [self] in
                    elsewhere.owners[PlacedAddress(network: $0, address: address)]?.elements
                }.first ?? []
        } else {
            let link = asker.linkScope.map { RecordKey(scope: $0, kind: .exact, name: name) }
            let isLink = link.map { shares[$0] != nil || elsewhere.shares[$0] != nil } ?? false
            found =
                (isLink ? link : key(of: name, on: networks)).map { [self] key in
                    remotesServing(key, besideOthers: shares[key] != nil).map(\.id)
                } ?? []
        }
        let hosts = Set(found.prefix(Self.holderLimit).compactMap { elsewhere[$0]?.host })
        return hosts.compactMap { elsewhere.hosts[$0] }.sorted { $0.name < $1.name }
    }

    /// Containers that have the name on other networks, then those that are called so and are on none.
    package func holders(of name: Name, hiddenFrom asker: Container) -> [Holder] {
        var holders: [Holder] = []
        var called = Set(bareNames(of: name))
        for network in networkStates.values.sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
            for suffix in network.names { called.formUnion(bareNames(of: name).compactMap { $0.removing(suffix) }) }
            guard asker.endpoint(on: network.id) == nil, holders.count < Self.holderLimit else { continue }
            holders += self.holders(of: name, on: [network.id])
        }
        let idle = called.sorted().flatMap { containersCalled[$0] ?? [] }
            .filter { id in containerStates[id]?.endpoints.isEmpty ?? false }
        holders += Set(idle).sorted().map { Holder(container: $0, network: nil, isAlias: false, isService: false) }
        return Array(holders.prefix(Self.holderLimit))
    }

    /// Names that a container sees, at most so many: those of the containers on its networks.
    package func names(seenBy asker: Container, limit: Int) -> [String] {
        var names: [String] = []
        for endpoint in asker.endpoints {
            for id in networkStates[endpoint.network]?.members ?? [] {
                guard names.count < limit else { return names }
                guard let member = containerStates[id], let there = member.endpoint(on: endpoint.network) else {
                    continue
                }
                names += self.names(of: there)
            }
        }
        return names
    }

    /// The containers that have an address on a network, the one that answers for it first.
    package func claimants(of address: IPAddress, on network: ScopeID) -> [Container] {
        networkStates[network].map { claimants(of: address, on: $0) } ?? []
    }

    /// A name without the domain and without the name of one of a container's networks behind it.
    package func bareName(of name: Name, seenBy asker: Container) -> Name {
        let bare = bareNames(of: name).last ?? name
        for endpoint in asker.endpoints {
            for suffix in networkStates[endpoint.network]?.names ?? [] {
                if let rest = bare.removing(suffix) { return rest }
            }
        }
        return bare
    }

    /// Containers that have a record's name where the record is seen, at most so many: they answer in its place. A record of
    /// a type that no container has is answered beside them.
    package func holders(shadowing record: RecordDefinition, limit: Int) -> [Holder] {
        guard [.a, .aaaa, .cname].contains(record.type) else { return [] }
        var found: [Holder] = []
        for network in networkStates.values.sorted(by: { $0.id.rawValue < $1.id.rawValue }) {
            guard found.count < limit else { break }
            if let place = record.network, !network.names.contains(place) { continue }
            found += holders(of: record.name, on: [network.id]).filter { !$0.isService }.prefix(limit - found.count)
        }
        return found
    }

    /// A record that a question of a container's would find, if no container had the name.
    package func record(shadowedAt name: Name, _ type: RecordType, seenBy asker: Container) -> RecordDefinition? {
        let networks = asker.endpoints.flatMap { networkStates[$0.network]?.names.map { Name?.some($0) } ?? [] }
        for name in bareNames(of: name) {
            for network in networks + [nil] {
                let found = records.records(of: name, on: network).first {
                    $0.type == type || $0.type == .cname && [.a, .aaaa].contains(type)
                }
                if let found { return found }
            }
        }
        return nil
    }

    /// Networks that an operator took a container off, though its links are plugged into them.
    package func networksLeft(by container: Container) -> [String] {
        container.disconnected.sorted().compactMap { networkOfInterface[$0] }.compactMap { networkStates[$0]?.name }
    }

    /// The network that an interface is.
    package func network(ofInterface name: String) -> Network? {
        networkStates.values.first { $0.observed?.interfaceName == name }
    }

    // MARK: - The order of the directory

    /// The name as it is; and without the domain, where it is under the domain.
    private func bareNames(of name: Name) -> [Name] { [name] + [name.removing(domain)].compactMap(\.self) }

    private func holders(of name: Name, on networks: [ScopeID]) -> [Holder] {
        guard let key = key(of: name, on: networks) else { return [] }
        return (shares[key] ?? []).prefix(Self.holderLimit).map {
            Holder(container: $0.container, network: key.scope, isAlias: $0.isAlias, isService: $0.port != nil)
        }
    }

    /// The key under which a name is found, without links.
    private func key(of name: Name, on networks: [ScopeID]) -> RecordKey? {
        for kind in [RecordKey.Kind.exact, .wildcard] {
            for name in bareNames(of: name) {
                if let key = key(of: name, on: networks, kind) ?? qualifiedKey(of: name, on: networks, kind) {
                    return key
                }
            }
        }
        return nil
    }

    /// The name as it is, or the longest wildcard that it is under, on the first network that has it.
    private func key(of name: Name, on networks: [ScopeID], _ kind: RecordKey.Kind) -> RecordKey? {
        let labels = name.labels
        let starts = kind == .exact ? 0..<1 : 1..<max(1, labels.count)
        for start in starts {
            guard let end = try? Name(labels: Array(labels.dropFirst(start))) else { continue }
            for network in networks {
                let key = RecordKey(scope: network, kind: kind, name: end)
                if shares[key] != nil || elsewhere.shares[key] != nil { return key }
            }
        }
        return nil
    }

    /// The same with a network's name behind it; the shortest network's first.
    private func qualifiedKey(of name: Name, on networks: [ScopeID], _ kind: RecordKey.Kind) -> RecordKey? {
        let named = networks.enumerated().compactMap { place, id in
            networkStates[id]?.dnsName.map { (place: place, id: id, suffix: $0) }
        }
        for network in named.sorted(by: { ($0.suffix.labelCount, $0.place) < ($1.suffix.labelCount, $1.place) }) {
            guard let rest = name.removing(network.suffix) else { continue }
            if let key = key(of: rest, on: [network.id], kind) { return key }
        }
        return nil
    }
}

extension Name {
    /// The labels before a suffix; nil where it is not there, or there are none.
    fileprivate func removing(_ suffix: Name) -> Name? {
        let count = labelCount - suffix.labelCount
        guard count > 0, isSubdomain(of: suffix) else { return nil }
        return try? Name(labels: Array(labels.prefix(count)))
    }
}
