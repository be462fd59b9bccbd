// Endpoints in force: networks, addresses and names that follow from all facts about a container; and their
// differences.

import DNSWire
import OrderedCollections

extension Registry {
    /// Changes what is known of a container, and has everything follow from it. One of which nothing is left is gone.
    mutating func change(_ id: ContainerID, _ body: (inout Container) -> Void) {
        let old = containerStates[id] ?? Container(id: id)
        var new = old
        body(&new)
        if new.isGone { new = Container(id: id) }
        new.dnsNames = new.isGone ? [] : Self.dnsNames(of: new)
        new.endpoints = endpoints(of: new)
        let isNamedAlike = old.isNamed(as: new)
        for position in new.endpoints.indices {
            let endpoint = new.endpoints[position]
            let last = isNamedAlike ? old.endpoint(on: endpoint.network) : nil
            new.endpoints[position].names =
                if let last, last.aliases == endpoint.aliases { last.names } else { Self.names(of: endpoint, new) }
        }
        new.group = ownGroup(of: new, before: old)
        new.policy = new.isGone ? nil : policy(for: new)
        new.linkScope = takeLinkScope(of: new, before: old)
        containerStates[id] = new.isGone ? nil : new
        index(new, before: old)
        takePolicy(of: new, before: old)
        checkConcerns(of: new)
        if new.policy != nil, old.endpoints != new.endpoints || old.observed != new.observed { changedGates.insert(id) }

        for endpoint in old.endpoints { remove(endpoint, of: old, unless: isNamedAlike, new) }
        for endpoint in new.endpoints { bring(endpoint, of: new, unless: isNamedAlike, old) }
        if isNamedAlike, old.isDraining != new.isDraining { touchAliases(of: new) }
        if old.isGone || new.isGone || old.linkScope != new.linkScope || old.group != new.group
            || old.policy != new.policy
            || !hasSameNetworks(old, new)
        {
            changedViews.insert(id)
            noteSearch(of: new, before: old)
        }
        if !isNamedAlike || old.endpoints != new.endpoints || old.links != new.links
            || old.extraHosts != new.extraHosts
        {
            updateLinks(of: new, before: old)
        }
        record(new, before: old)
        if isExported { changedExports.insert(id) }
        if new.isGone { containerNumbers.give(back: id.rawValue) }
    }

    /// A container's names as they are found, each once; none where it is not found by its name.
    private static func dnsNames(of container: Container) -> [Name] {
        guard container.declared != nil || !container.published.isEmpty else {
            // A backslash in what is observed stands for octets that are no text.
            guard let observed = container.observed, observed.isNamed, !observed.name.utf8.contains(UInt8(ascii: "\\"))
            else { return [] }
            return [try? containerName(observed.name)].compactMap(\.self)
        }
        var names: [Name] = []
        for definition in container.definitions {
            if let name = try? containerName(definition.name), !names.contains(name) { names.append(name) }
        }
        return names
    }

    // MARK: - What is in force

    /// First the networks that it was declared on, then those that sources say, then those of its links by their numbers,
    /// then those that it was connected to; if it was declared on some, all else gives it addresses and aliases there and no
    /// further networks. Declared addresses win over published ones on the same network, and these over observed ones.
    private func endpoints(of container: Container) -> [Endpoint] {
        var endpoints: [Endpoint] = []
        var published: [ScopeID: [IPAddress]] = [:]
        var observed: [ScopeID: [IPAddress]] = [:]
        func position(of network: ScopeID) -> Int {
            if let position = endpoints.firstIndex(where: { $0.network == network }) { return position }
            endpoints.append(Endpoint(network: network, addresses: [], aliases: []))
            return endpoints.count - 1
        }
        func declare(_ definitions: [EndpointDefinition]) {
            for definition in definitions {
                guard let network = network(of: definition) else { continue }
                let position = position(of: network)
                endpoints[position].addresses.add(definition.addresses)
                endpoints[position].aliases.add(definition.aliases)
            }
        }
        declare(container.declared?.endpoints ?? [])
        if container.namesItsNetworks { declare(container.connections) }
        for definition in container.published {
            for endpoint in definition.endpoints {
                guard let network = network(of: endpoint, by: definition.source),
                    !isDisconnected(container, from: network),
                    !container.namesItsNetworks || endpoints.contains(where: { $0.network == network })
                else { continue }
                published[network, default: []].add(endpoint.addresses)
                endpoints[position(of: network)].aliases.add(endpoint.aliases)
            }
        }
        for link in container.observed?.endpoints ?? [] {
            guard let network = networkOfInterface[link.network] else { continue }
            if !container.namesLinksNetworks, !container.disconnected.contains(link.network) {
                _ = position(of: network)
            }
            observed[network, default: []].add(link.addresses)
        }
        declare(container.connections)
        for position in endpoints.indices where endpoints[position].addresses.isEmpty {
            let network = endpoints[position].network
            endpoints[position].addresses = published[network]?.nonEmpty ?? observed[network] ?? []
        }
        return endpoints
    }

    /// True when an operator took a container off a network that sources, or its links, have it on.
    private func isDisconnected(_ container: Container, from network: ScopeID) -> Bool {
        guard !container.disconnected.isEmpty, let interface = networkStates[network]?.observed?.interface else {
            return false
        }
        return container.disconnected.contains(interface)
    }

    private func hasSameNetworks(_ one: Container, _ other: Container) -> Bool {
        one.endpoints.lazy.map(\.network).elementsEqual(other.endpoints.lazy.map(\.network))
    }

    // MARK: - Where to find it

    private mutating func index(_ new: Container, before old: Container) {
        if old.dnsNames != new.dnsNames {
            for name in old.dnsNames where !new.dnsNames.contains(name) { containersCalled.remove(new.id, from: name) }
            for name in new.dnsNames where !old.dnsNames.contains(name) {
                containersCalled[name, default: []].append(new.id)
            }
            for name in old.dnsNames + new.dnsNames { checkContainers(called: name) }
        }
        if old.cookie != new.cookie {
            if let cookie = old.cookie { containerOfCookie[cookie] = nil }
            if let cookie = new.cookie { containerOfCookie[cookie] = new.id }
        }
        let references = (old.references, new.references)
        for reference in references.0.subtracting(references.1) {
            referrers[reference]?.remove(new.id)
            if referrers[reference]?.isEmpty == true { referrers[reference] = nil }
        }
        for reference in references.1.subtracting(references.0) { referrers[reference, default: []].insert(new.id) }
    }

    // MARK: - Names and addresses

    /// Removes an endpoint, but for the parts that it shares with the next one.
    private mutating func remove(
        _ endpoint: Endpoint, of old: Container, unless isNamedAlike: Bool, _ new: Container
    ) {
        let next = new.endpoint(on: endpoint.network)
        let kept = Set(next?.addresses ?? [])
        if !isNamedAlike || next?.aliases != endpoint.aliases {
            for (key, share) in shares(of: endpoint, old) { remove(share, from: key) }
        }
        for address in endpoint.addresses where !kept.contains(address) {
            let key = RecordKey(scope: endpoint.network, kind: .reverse, name: address.reverseName)
            changedRecords.insert(key)
            networkStates[endpoint.network]?.owners[address]?.removeAll { $0 == old.id }
            if networkStates[endpoint.network]?.owners[address]?.isEmpty == true {
                networkStates[endpoint.network]?.owners[address] = nil
            }
            checkOwners(of: address, on: endpoint.network)
        }
        if next == nil { networkStates[endpoint.network]?.members.remove(old.id) }
    }

    /// Brings an endpoint in, but what it has in common with the one that was there.
    private mutating func bring(
        _ endpoint: Endpoint, of new: Container, unless isNamedAlike: Bool, _ old: Container
    ) {
        let last = old.endpoint(on: endpoint.network)
        let known = Set(last?.addresses ?? [])
        if last == nil { networkStates[endpoint.network]?.members.append(new.id) }
        let keepsNames = isNamedAlike && last?.aliases == endpoint.aliases
        if !keepsNames || last?.addresses != endpoint.addresses {
            for (key, share) in shares(of: endpoint, new) {
                changedRecords.insert(key)
                if !keepsNames { shares[key, default: []].append(share) }
            }
        }
        for address in endpoint.addresses {
            let isNew = !known.contains(address)
            if isNew {
                networkStates[endpoint.network]?.owners[address, default: []].append(new.id)
                checkOwners(of: address, on: endpoint.network)
            }
            if isNew || !isNamedAlike {
                changedRecords.insert(
                    RecordKey(scope: endpoint.network, kind: .reverse, name: address.reverseName))
            }
        }
    }

    private mutating func touchAliases(of container: Container) {
        for endpoint in container.endpoints {
            for (key, share) in shares(of: endpoint, container) where share.isAlias { changedRecords.insert(key) }
        }
    }
}

extension [Name: [ContainerID]] {
    fileprivate mutating func remove(_ container: ContainerID, from name: Name) {
        self[name]?.removeAll { $0 == container }
        if self[name]?.isEmpty == true { self[name] = nil }
    }
}

extension Array where Element: Hashable {
    /// Appends what is not there yet.
    fileprivate mutating func add(_ elements: [Element]) {
        guard !elements.isEmpty else { return }
        // A handful is compared faster than it is hashed.
        guard count + elements.count > 16 else {
            for element in elements where !contains(element) { append(element) }
            return
        }
        var known = Set(self)
        for element in elements where known.insert(element).inserted { append(element) }
    }
}
