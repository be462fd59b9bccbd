// Names that one container alone knows: links, which hold while both containers are there, here or on other hosts, and share a
// network; and hosts with addresses of their own.

import DNSWire

extension Registry {
    /// The table of names that a container needs for its links and extra hosts; nil where it has none.
    mutating func takeLinkScope(of new: Container, before old: Container) -> ScopeID? {
        guard !new.links.isEmpty || !new.extraHosts.isEmpty else { return nil }
        if let present = old.linkScope { return present }
        let scope = ScopeID(rawValue: scopeNumbers.take())
        containerOfScope[scope] = new.id
        changedScopes.insert(scope)
        return scope
    }

    /// Has the links of a container and those to it follow a change.
    mutating func updateLinks(of new: Container, before old: Container) {
        if !old.links.isEmpty || !new.links.isEmpty { updateTargets(of: new, before: old) }
        if let scope = old.linkScope, new.linkScope == nil {
            clearLinks(scope)
            containerOfScope[scope] = nil
            changedScopes.insert(scope)
            scopeNumbers.give(back: scope.rawValue)
        }
        if new.linkScope != nil { touchLinks(of: new.id) }
        guard !linkedBy.isEmpty else { return }
        for name in Set(old.dnsNames + new.dnsNames) { touchLinks(to: name) }
    }

    private mutating func updateTargets(of new: Container, before old: Container) {
        let targets = [old, new].map {
            Set($0.links.compactMap { try? Self.containerName($0.container) })
        }
        for target in targets[0].subtracting(targets[1]) {
            linkedBy[target]?.remove(new.id)
            if linkedBy[target]?.isEmpty == true { linkedBy[target] = nil }
        }
        for target in targets[1].subtracting(targets[0]) { linkedBy[target, default: []].insert(new.id) }
    }

    /// Finds out anew which links of a container hold, and which addresses they and its extra hosts have.
    mutating func touchLinks(of container: ContainerID) {
        guard let owner = containerStates[container], let scope = owner.linkScope else { return }
        clearLinks(scope)
        for host in owner.extraHosts {
            // A runtime may write down what no DNS name is, as Docker does.
            guard let name = try? Self.hostName(host.name) else { continue }
            // Its address leads back to it, for this container alone; the loopback interface's are localhost's.
            let reverse = host.address.flatMap { $0.isLoopback ? nil : $0.reverseName }
            for name in [name] + [reverse].compactMap(\.self) {
                let key = RecordKey(scope: scope, kind: .exact, name: name)
                extraHosts[key, default: []].append(host)
                linkNames[scope, default: []].insert(key)
                changedRecords.insert(key)
            }
        }
        for link in owner.links {
            guard let name = Self.lookedUp(link.name) else { continue }
            let key = RecordKey(scope: scope, kind: .exact, name: name)
            for target in containersCalled(link.container) where sharesNetwork(owner, with: target) {
                let share = Share(container: target.id, port: nil, isAlias: true)
                for (key, share) in [(key, share)] + services(of: target, under: name, in: scope, isAlias: true)
                where shares[key]?.contains(share) != true {
                    shares[key, default: []].append(share)
                    linkNames[scope, default: []].insert(key)
                    changedRecords.insert(key)
                }
            }
            for target in remotesCalled(link.container, seenBy: owner) {
                let share = RemoteShare(id: target.id, port: 0, isAlias: true)
                let services = services(at: target.ports, under: name, in: scope) {
                    RemoteShare(id: target.id, port: $0, isAlias: true)
                }
                for (key, share) in [(key, share)] + services {
                    elsewhere.shares.add(share, to: key)
                    linkNames[scope, default: []].insert(key)
                    changedRecords.insert(key)
                }
            }
        }
    }

    /// Containers of other hosts that are called so, on networks of a container here; each once.
    private func remotesCalled(_ text: String, seenBy owner: Container) -> [Remote] {
        guard elsewhere.count > 0, let name = try? Self.containerName(text) else { return [] }
        var seen: Set<RemoteID> = []
        return owner.endpoints.flatMap { endpoint in
            let key = RecordKey(scope: endpoint.network, kind: .exact, name: name)
            return elsewhere.shares[key]?.elements ?? []
        }.compactMap { elsewhere[$0.id] }.filter {
            (try? Self.containerName($0.name)) == name && seen.insert($0.id).inserted
        }
    }

    /// Finds out anew which links to a container of another host hold.
    mutating func touchLinks(to remote: Remote) {
        guard !linkedBy.isEmpty, let name = try? Self.containerName(remote.name) else { return }
        touchLinks(to: name)
    }

    /// The same for all links to a container of this name.
    mutating func touchLinks(to name: Name) {
        for container in linkedBy[name] ?? [] { touchLinks(of: container) }
    }

    private mutating func clearLinks(_ scope: ScopeID) {
        for key in linkNames.removeValue(forKey: scope) ?? [] {
            shares[key] = nil
            elsewhere.shares[key] = nil
            extraHosts[key] = nil
            changedRecords.insert(key)
        }
    }

    /// Has the extra hosts of containers follow the host's addresses on their networks.
    mutating func touchExtraHosts(on network: Network) {
        for member in network.members
        where containerStates[member]?.extraHosts.contains(where: { $0.address == nil }) == true {
            touchLinks(of: member)
        }
    }

    /// Adds the addresses that a container's extra hosts have under a name; or the name of the first that has an address, under
    /// the address's reverse name, as gethostbyaddr(3) finds it in a file.
    func addExtraHosts(_ key: RecordKey, of owner: Container, to records: inout RecordSet) {
        let networks = owner.endpoints.compactMap { networkStates[$0.network] }
        let ttl = networks.map { $0.definition?.ttl ?? self.ttl }.min() ?? self.ttl
        var seen: Set<IPAddress> = []
        for host in extraHosts[key] ?? [] {
            if let address = host.address, address.reverseName == key.name {
                guard let name = try? Self.hostName(host.name), records.runs.isEmpty else { continue }
                records.append(.ptr, ttl: ttl, name.wire)
                continue
            }
            let own = networks.lazy.map(\.hostAddresses).first { !$0.isEmpty } ?? []
            for address in host.address.map({ [$0] }) ?? own where seen.insert(address).inserted {
                records.append(address, ttl: ttl)
            }
        }
    }

    private func sharesNetwork(_ one: Container, with other: Container) -> Bool {
        one.endpoints.contains { other.endpoint(on: $0.network) != nil }
    }
}
