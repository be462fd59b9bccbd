// Containers of other hosts come and go, and hosts are lost and found again.

package import DNSWire

extension Registry {
    // MARK: - What is known

    /// Number of containers of other hosts.
    package var remoteCount: Int { elsewhere.count }
    /// Number of other hosts.
    package var remoteHostCount: Int { elsewhere.hosts.count }
    /// Number of other hosts that are lost.
    package var lostHostCount: Int { elsewhere.lostCount }
    /// Other hosts, by name.
    package var remoteHosts: [RemoteHost] { elsewhere.hosts.values.sorted { $0.name < $1.name } }
    /// Any of them; nil: there is none.
    package var anyRemoteHost: RemoteHost? { elsewhere.hosts.values.first }
    /// Above the numbers of all containers of other hosts.
    package var remoteNumbersEnd: UInt32 { elsewhere.numbers.end }

    /// The containers of other hosts whose numbers are in a range: a piece of a list that is made while they come and go.
    package func remotes(numbered numbers: Range<UInt32>) -> [Remote] {
        numbers.clamped(to: 0..<elsewhere.numbers.end).compactMap { elsewhere[RemoteID(rawValue: $0)] }
    }

    /// Name of this host among all; nil: nobody has said so.
    package var ownHost: String? { elsewhere.ownHost }

    /// The container of another host that is called so; of several the one of the first host.
    package func remote(called text: String) -> Remote? {
        let name = text.lowercased()
        return remoteHosts.lazy.compactMap { [self] host in
            host.entries[name].flatMap { elsewhere[$0] }
                ?? host.entries.values.lazy.compactMap { elsewhere[$0] }.first { $0.name.lowercased() == name }
        }.first
    }

    /// The endpoints of a container of another host: by the networks' names here where they are here, else for all hosts.
    package func endpoints(of remote: Remote) -> [EndpointDefinition] {
        remote.places.map { place in
            let here = sharedNetworks[place.network]?.first.flatMap { networkStates[$0]?.name }
            let name = here ?? elsewhere.networkNumbers.first { $0.value == place.network }?.key.description ?? ""
            return EndpointDefinition(network: name, addresses: place.addresses, aliases: place.aliases)
        }
    }

    /// All names of a container of another host on a network where it has these aliases.
    package func names(of remote: Remote, aliases: [String]) -> [String] {
        endpointNames(of: remote, aliases: aliases).map(\.name.description)
    }

    /// The host that a container is on.
    package func host(of remote: Remote) -> RemoteHost? { elsewhere.hosts[remote.host] }

    // MARK: - Hosts

    /// Sets the name of this host among all, of which no other host may tell.
    /// - Throws: ``RegistryError/invalidName(_:reason:)``.
    package mutating func setOwnHost(_ name: String) throws(RegistryError) {
        try Self.checkHost(name)
        elsewhere.ownHost = name
        removeHost(named: name)
    }

    /// Adds another host, or changes its state. For this host itself its state alone counts.
    /// - Throws: ``RegistryError/invalidName(_:reason:)``; ``RegistryError/tooMany(_:count:limit:)``.
    package mutating func putHost(_ name: String, isLost: Bool, address: IPAddress?) throws(RegistryError) {
        try Self.checkHost(name)
        let wasLeavingOut = elsewhere.leavesLostOut
        if name == elsewhere.ownHost {
            elsewhere.isOwnLost = isLost
            return reconsiderLostHosts(wasLeavingOut: wasLeavingOut, changed: nil)
        }
        let known = elsewhere.hostNumbers[name]
        if known == nil {
            try Self.check(elsewhere.hosts.count + 1, Limits.hosts, "hosts")
            elsewhere.lastHost += 1
            elsewhere.hostNumbers[name] = elsewhere.lastHost
            elsewhere.hosts[elsewhere.lastHost] = RemoteHost(name: name)
        }
        guard let number = elsewhere.hostNumbers[name], let old = elsewhere.hosts[number] else { return }
        elsewhere.hosts[number]?.isLost = isLost
        // Of a lost host the last that was known.
        elsewhere.hosts[number]?.address = address ?? (isLost ? old.address : nil)
        elsewhere.hosts[number]?.round = elsewhere.round
        if let new = elsewhere.hosts[number] { record(new, before: known == nil ? nil : old) }
        if old.isLost != isLost { elsewhere.lostCount += isLost ? 1 : -1 }
        // A new host that is alive counts, too: while all are lost, none is left out.
        guard old.isLost != isLost || wasLeavingOut != elsewhere.leavesLostOut else { return }
        reconsiderLostHosts(wasLeavingOut: wasLeavingOut, changed: number)
    }

    private static func checkHost(_ name: String) throws(RegistryError) {
        guard (1...Limits.hostName).contains(name.utf8.count), !name.utf8.contains(where: { $0 < 0x21 || $0 == 0x7F })
        else {
            throw .invalidName(name, reason: "a host's name has 1 to \(Limits.hostName) octets, and no spaces")
        }
    }

    /// Removes another host with all its containers.
    /// - Returns: the number of its containers.
    @discardableResult
    package mutating func removeHost(named name: String) -> Int {
        guard let number = elsewhere.hostNumbers[name], let host = elsewhere.hosts[number] else { return 0 }
        for id in host.entries.values { remove(id) }
        let wasLeavingOut = elsewhere.leavesLostOut
        elsewhere.hosts[number] = nil
        elsewhere.hostNumbers[name] = nil
        if host.isLost { elsewhere.lostCount -= 1 }
        record(nil, before: host)
        reconsiderLostHosts(wasLeavingOut: wasLeavingOut, changed: nil)
        return host.entries.count
    }

    /// Has names compiled again that mean something else because a host was lost or found. Where it counts no more that hosts
    /// are lost, or counts again, these are the names that several have.
    private mutating func reconsiderLostHosts(wasLeavingOut: Bool, changed: Int?) {
        if wasLeavingOut != elsewhere.leavesLostOut {
            for (key, holders) in elsewhere.shares where holders.isShared || shares[key] != nil {
                changedRecords.insert(key)
            }
            for (place, owners) in elsewhere.owners
            where owners.isShared || networkStates[place.network]?.owners[place.address] != nil {
                changedRecords.insert(place.key)
            }
        } else if let changed {
            for id in elsewhere.hosts[changed]?.entries.values ?? [:].values {
                if let remote = elsewhere[id] { touch(remote) }
            }
        }
    }

    // MARK: - Containers

    /// Adds a container of another host, or replaces it.
    /// - Parameters:
    ///   - definition: what its host tells of it.
    ///   - limit: the most containers of other hosts that there may be.
    /// - Returns: false where nothing is new.
    /// - Throws: ``RegistryError``: the host is not known or is this one, a bad name or address, too much of something. What
    ///   was known under its key is removed then: it holds no more.
    @discardableResult
    package mutating func put(_ definition: RemoteDefinition, limit: Int = .max) throws(RegistryError) -> Bool {
        guard definition.host != elsewhere.ownHost else {
            throw .invalidValue(definition.host, of: "host", reason: "it is this host, which speaks for itself")
        }
        guard let host = elsewhere.hostNumbers[definition.host] else {
            throw .invalidValue(definition.host, of: "host", reason: "nobody has told of this host yet")
        }
        let known = elsewhere.hosts[host]?.entries[definition.key]
        do throws(RegistryError) {
            try check(definition)
            if known == nil { try Self.check(elsewhere.count + 1, limit, "containers of other hosts") }
        } catch {
            if let known { remove(known) }
            throw error
        }
        let id = known ?? RemoteID(rawValue: elsewhere.numbers.take())
        let new = remote(definition, host: host, id: id)
        if let known, let old = elsewhere[known], old.isLike(new) {
            elsewhere.entries[Int(id.rawValue)]?.round = elsewhere.round
            return false
        }
        if let known, let old = elsewhere[known] {
            takeOut(old)
        } else {
            elsewhere.count += 1
            elsewhere.hosts[host]?.entries[definition.key] = id
        }
        while elsewhere.entries.count <= Int(id.rawValue) { elsewhere.entries.append(nil) }
        elsewhere.entries[Int(id.rawValue)] = new
        bringIn(new)
        record(new, known == nil ? .added : .changed)
        return true
    }

    /// Removes a container of another host.
    /// - Returns: false where it is not known.
    @discardableResult
    package mutating func removeRemote(host name: String, key: String) -> Bool {
        guard let host = elsewhere.hostNumbers[name], let id = elsewhere.hosts[host]?.entries[key] else {
            return false
        }
        remove(id)
        return true
    }

    private mutating func remove(_ id: RemoteID) {
        guard let remote = elsewhere[id] else { return }
        takeOut(remote)
        elsewhere.entries[Int(id.rawValue)] = nil
        elsewhere.hosts[remote.host]?.entries[remote.key] = nil
        elsewhere.count -= 1
        elsewhere.numbers.give(back: id.rawValue)
        record(remote, .removed)
    }

    private mutating func remote(_ definition: RemoteDefinition, host: Int, id: RemoteID) -> Remote {
        let container = definition.container
        var places: [Remote.Place] = []
        for endpoint in container.endpoints {
            guard let name = Self.lookedUp(endpoint.network) else { continue }
            let number = elsewhere.number(ofNetwork: name)
            places.append(Remote.Place(network: number, addresses: endpoint.addresses, aliases: endpoint.aliases))
        }
        let isPlain = container.hostname == nil && container.id == nil && container.ports.isEmpty
        return Remote(
            id: id, host: host, key: definition.key, name: container.name,
            rest: isPlain ? nil : Remote.Rest(container), places: places, isDraining: container.isDraining,
            isDeclared: definition.isDeclared, round: elsewhere.round)
    }

    private func check(_ definition: RemoteDefinition) throws(RegistryError) {
        guard (1...Limits.remoteKey).contains(definition.key.utf8.count) else {
            throw .invalidValue(definition.key, of: "key", reason: "it has 1 to \(Limits.remoteKey) octets")
        }
        try Self.check(definition.container)
        var networks: Set<Name> = []
        for endpoint in definition.container.endpoints {
            let name = try Self.networkName(endpoint.network)
            guard networks.insert(name).inserted else {
                throw .alreadyConnected(container: definition.container.name, network: endpoint.network)
            }
            if elsewhere.networkNumbers[name] == nil {
                try Self.check(elsewhere.networkNumbers.count + 1, Limits.remoteNetworks, "networks of other hosts")
            }
            for network in networksShared(as: name) {
                guard let definition = network.definition else { continue }
                for address in endpoint.addresses { try Self.check(address, definition) }
            }
        }
    }

    // MARK: - Everything anew

    /// Begins to have everything told anew: what is not told until ``completeTelling(keeping:)`` is removed then.
    package mutating func beginTelling(expected: Int) {
        elsewhere.round += 1
        elsewhere.isTelling = true
        elsewhere.shares.reserveCapacity(min(expected, Limits.reserved))
        elsewhere.owners.reserveCapacity(min(expected, Limits.reserved))
    }

    /// Removes what was not told since ``beginTelling(expected:)``; nothing where that was not called.
    /// - Parameter kept: hosts whose former containers stay.
    /// - Returns: the number of containers that were removed.
    package mutating func completeTelling(keeping kept: Set<String>) -> Int {
        guard elsewhere.isTelling else { return 0 }
        elsewhere.isTelling = false
        var removed = 0
        for host in elsewhere.hosts.values where !kept.contains(host.name) {
            guard host.round == elsewhere.round else {
                removed += removeHost(named: host.name)
                continue
            }
            for id in host.entries.values where elsewhere[id]?.round != elsewhere.round {
                remove(id)
                removed += 1
            }
        }
        return removed
    }

    /// True while everything is told anew.
    package var isTelling: Bool { elsewhere.isTelling }

    /// Leaves what ``beginTelling(expected:)`` began: nothing is removed.
    package mutating func abandonTelling() { elsewhere.isTelling = false }
}
