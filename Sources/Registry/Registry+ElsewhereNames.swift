// Names and addresses of containers of other hosts, on the shared networks that are here.

package import DNSWire

extension Registry.PlacedAddress {
    /// The reverse name, as directories find it.
    var key: RecordKey { RecordKey(scope: network, kind: .reverse, name: address.reverseName) }
}

extension Registry {
    // MARK: - Shared networks

    /// Sets which networks are shared with other hosts, unless their declaration says so.
    /// - Parameter isShared: true for the names of networks that are.
    package mutating func setShared(_ isShared: @escaping @Sendable (String) -> Bool) {
        isNetworkShared = isShared
        for network in networks { _ = change(network.id) { _ in } }
    }

    /// The name of a network for all hosts; nil: it is not shared.
    func sharedName(of network: Network) -> Name? {
        if let declared = network.definition?.sharedAs { return declared.isEmpty ? nil : Self.lookedUp(declared) }
        return isNetworkShared(network.name) ? network.dnsName : nil
    }

    /// The networks here that have a name for all hosts.
    func networksShared(as name: Name) -> [Network] {
        elsewhere.networkNumbers[name].flatMap { sharedNetworks[$0] }?.compactMap { networkStates[$0] } ?? []
    }

    /// Names for all hosts of the shared networks that are here, sorted.
    package var sharedNetworkNames: [Name] { Set(networkStates.values.compactMap(\.sharedName)).sorted() }

    /// The name for all hosts of a network that is here; nil: it is not shared.
    package func sharedName(of network: ScopeID) -> Name? { networkStates[network]?.sharedName }

    /// True when a network's containers elsewhere have other names or addresses here now.
    static func changesElsewhere(_ old: Network, _ new: Network) -> Bool {
        old.sharedName != new.sharedName || old.isGone != new.isGone || old.names != new.names
            || old.definition?.subnets != new.definition?.subnets || old.definition?.ttl != new.definition?.ttl
    }

    /// Takes the containers of other hosts off a network that is to change.
    mutating func takeOutElsewhere(of network: Network) {
        if network.sharedName != nil { sharedNetworksVersion &+= 1 }
        guard let number = network.sharedName.flatMap({ elsewhere.networkNumbers[$0] }) else { return }
        sharedNetworks[number]?.removeAll { $0 == network.id }
        if sharedNetworks[number]?.isEmpty == true { sharedNetworks[number] = nil }
        for (remote, place) in remotes(on: number) { takeOut(remote, place, on: network) }
    }

    /// Puts the containers of other hosts on a network that has changed.
    mutating func bringInElsewhere(of network: Network) {
        guard let shared = network.sharedName, !network.isGone else { return }
        sharedNetworksVersion &+= 1
        let number = elsewhere.number(ofNetwork: shared)
        sharedNetworks[number, default: []].append(network.id)
        for (remote, place) in remotes(on: number) { bringIn(remote, place, on: network) }
    }

    private func remotes(on number: Int) -> [(Remote, Remote.Place)] {
        (elsewhere.onNetwork[number] ?? []).sorted().compactMap { id in
            elsewhere[id].flatMap { remote in remote.places.first { $0.network == number }.map { (remote, $0) } }
        }
    }

    /// Has the properties of shared networks compiled again.
    mutating func touchSharedScopes() {
        for network in networkStates.values where network.sharedName != nil { changedScopes.insert(network.id) }
    }

    /// Has everything about containers elsewhere compiled again.
    mutating func touchElsewhere() {
        changedRecords.formUnion(elsewhere.shares.keys)
        for place in elsewhere.owners.keys { changedRecords.insert(place.key) }
    }

    // MARK: - One container

    mutating func bringIn(_ remote: Remote) {
        for place in remote.places {
            elsewhere.onNetwork[place.network, default: []].insert(remote.id)
            for network in networks(of: place) { bringIn(remote, place, on: network) }
        }
    }

    mutating func takeOut(_ remote: Remote) {
        for place in remote.places {
            elsewhere.onNetwork[place.network]?.remove(remote.id)
            for network in networks(of: place) { takeOut(remote, place, on: network) }
        }
    }

    /// Has the names and addresses of a container compiled again.
    mutating func touch(_ remote: Remote) {
        for place in remote.places {
            for network in networks(of: place) {
                for (key, _) in shares(of: remote, place, on: network) { changedRecords.insert(key) }
                for address in Self.addresses(of: place, on: network) { changedRecords.insert(address.key) }
            }
        }
        touchLinks(to: remote)
    }

    private mutating func bringIn(_ remote: Remote, _ place: Remote.Place, on network: Network) {
        for (key, share) in shares(of: remote, place, on: network) {
            elsewhere.shares.add(share, to: key)
            changedRecords.insert(key)
        }
        for address in Self.addresses(of: place, on: network) {
            elsewhere.owners.add(remote.id, to: address)
            changedRecords.insert(address.key)
        }
        touchLinks(to: remote)
    }

    private mutating func takeOut(_ remote: Remote, _ place: Remote.Place, on network: Network) {
        for (key, share) in shares(of: remote, place, on: network) {
            elsewhere.shares.remove(share, from: key)
            changedRecords.insert(key)
        }
        for address in Self.addresses(of: place, on: network) {
            elsewhere.owners.remove(remote.id, from: address)
            changedRecords.insert(address.key)
        }
        touchLinks(to: remote)
    }

    private func networks(of place: Remote.Place) -> [Network] {
        sharedNetworks[place.network]?.compactMap { networkStates[$0] } ?? []
    }

    /// The addresses of a place that are within the network's declared subnets; others are not believed.
    private static func addresses(of place: Remote.Place, on network: Network) -> [PlacedAddress] {
        addresses(of: place, within: network.definition?.subnets ?? [])
            .map { PlacedAddress(network: network.id, address: $0) }
    }

    private static func addresses(of place: Remote.Place, within subnets: [Subnet]) -> [IPAddress] {
        guard !subnets.isEmpty else { return place.addresses }
        return place.addresses.filter { address in subnets.contains { $0.contains(address) } }
    }

    private func shares(of remote: Remote, _ place: Remote.Place, on network: Network) -> [(RecordKey, RemoteShare)] {
        shares(of: endpointNames(of: remote, aliases: place.aliases), remote.ports, on: network.id) { port, isAlias in
            RemoteShare(id: remote.id, port: port ?? 0, isAlias: isAlias)
        }
    }

    func endpointNames(of remote: Remote, aliases: [String]) -> [EndpointName] {
        Self.names(
            dnsNames: [try? Self.containerName(remote.name)].compactMap(\.self), aliases: aliases,
            [IdentifyingTexts(name: remote.name, hostname: remote.hostname, id: remote.runtimeID)])
    }

    // MARK: - Records

    /// The containers of other hosts behind a name that answer: those of lost hosts only where nobody else has the name.
    func remotesServing(_ key: RecordKey, besideOthers: Bool) -> [RemoteShare] {
        guard let all = elsewhere.shares[key]?.elements else { return [] }
        guard elsewhere.leavesLostOut else { return all }
        let alive = all.filter { !elsewhere.isLeftOut($0.id) }
        return alive.isEmpty && !besideOthers ? all : alive
    }

    /// Adds the records of a container of another host on those of the networks that it is on.
    func add(_ share: RemoteShare, on networks: [RecordFacts.Network], to records: inout RecordSet) {
        guard let remote = elsewhere[share.id] else { return }
        let placed = networks.compactMap { network -> (network: RecordFacts.Network, place: Remote.Place)? in
            guard let number = network.numberElsewhere else { return nil }
            return remote.places.first { $0.network == number }.map { (network, $0) }
        }
        // One RRset has one TTL (RFC 2181 §5.2): the shortest.
        let ttl = placed.map(\.network.ttl).min() ?? self.ttl
        for (network, place) in placed {
            if share.port != 0 {
                guard let name = try? Self.containerName(remote.name) else { continue }
                return records.append(
                    .srv, ttl: ttl, RecordBuilder.service(at: network.fullName(of: name), port: share.port))
            }
            for address in Self.addresses(of: place, within: network.believed) { records.append(address, ttl: ttl) }
        }
    }

    /// Rank of a claim to an address among those of all hosts; the lowest one answers. All hosts rank alike, as far as they
    /// know the same.
    struct ClaimRank: Comparable {
        let isLost: Bool
        let isFound: Bool
        let host: String

        static func < (left: ClaimRank, right: ClaimRank) -> Bool {
            if left.isLost != right.isLost { return right.isLost }
            if left.isFound != right.isFound { return right.isFound }
            return left.host < right.host
        }
    }

    /// The name of the container elsewhere that answers for an address; nil where none has it, or one here ranks before it.
    /// - Parameters:
    ///   - address: the address.
    ///   - network: the network here.
    ///   - isFoundHere: the claim of a container here, if there is one: true where the address was just found.
    func remoteOwner(of address: IPAddress, on network: Network, isFoundHere: Bool?) -> Name? {
        guard let owners = elsewhere.owners[PlacedAddress(network: network.id, address: address)]?.elements else {
            return nil
        }
        let ranked = owners.compactMap { elsewhere[$0] }.compactMap { remote -> (ClaimRank, Remote)? in
            guard let host = elsewhere.hosts[remote.host] else { return nil }
            return (
                ClaimRank(isLost: elsewhere.isLeftOut(remote.id), isFound: !remote.isDeclared, host: host.name), remote
            )
        }
        guard let best = ranked.min(by: { ($0.0, $0.1.key) < ($1.0, $1.1.key) }) else { return nil }
        if let isFoundHere {
            let here = ClaimRank(isLost: false, isFound: isFoundHere, host: elsewhere.ownHost ?? "")
            if here < best.0 || here == best.0 { return nil }
        }
        return try? Self.containerName(best.1.name)
    }
}
