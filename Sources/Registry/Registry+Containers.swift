// Containers come and go, and are put on networks and taken off while they run.

import DNSWire
import OrderedCollections

extension Registry {
    /// Adds a container.
    /// - Returns: the number by which directories and workers know what it sees.
    /// - Throws: ``RegistryError``: a bad or taken name, a network that is not there, an address that cannot be its own.
    @discardableResult
    package mutating func addContainer(_ definition: ContainerDefinition) throws(RegistryError) -> ViewID {
        let name = try Self.checkedContainerName(definition.name)
        guard containerStates[name] == nil else { throw .containerExists(definition.name) }
        if let hostname = definition.hostname { _ = try Self.hostName(hostname) }
        for link in definition.links {
            _ = try Self.checkedContainerName(link.container)
            _ = try Self.hostName(link.name)
        }
        for port in definition.ports { if let service = port.service { try Self.checkService(service) } }
        var networks: Set<Name> = []
        for endpoint in definition.endpoints {
            let network = try check(endpoint, of: definition.name)
            guard networks.insert(network.name).inserted else {
                throw .alreadyConnected(container: definition.name, network: endpoint.network)
            }
        }

        var bare = definition
        bare.endpoints = []
        var state = ContainerState(definition: bare, name: name, view: ViewID(rawValue: viewNumbers.take()))
        if !definition.links.isEmpty {
            let scope = ScopeID(rawValue: scopeNumbers.take())
            state.linkScope = scope
            containerOfScope[scope] = name
            changedScopes.insert(scope)
        }
        containerStates[name] = state
        for link in definition.links {
            if let target = containerName(link.container) { linkedBy[target, default: []].insert(name) }
        }
        for endpoint in definition.endpoints { attach(endpoint, to: name) }
        touchView(of: name)
        touchLinks(of: name)
        touchLinks(to: name)
        return state.view
    }

    /// Removes a container and all its names.
    /// - Throws: ``RegistryError/noSuchContainer(_:)``.
    package mutating func removeContainer(named text: String) throws(RegistryError) {
        guard let state = containerName(text).flatMap({ containerStates[$0] }) else { throw .noSuchContainer(text) }
        touchLinks(of: state.name)
        for endpoint in state.definition.endpoints { detach(endpoint, from: state.name) }
        touchLinks(to: state.name)
        for link in state.definition.links {
            guard let target = containerName(link.container) else { continue }
            linkedBy[target]?.remove(state.name)
            if linkedBy[target]?.isEmpty == true { linkedBy[target] = nil }
        }
        if let scope = state.linkScope {
            for key in linkKeys(of: state) { contributions[key] = nil }
            linkNames[scope] = nil
            containerOfScope[scope] = nil
            changedScopes.insert(scope)
            scopeNumbers.give(back: scope.rawValue)
        }
        containerStates[state.name] = nil
        changedViews[state.view] = state.name
        viewNumbers.give(back: state.view.rawValue)
    }

    /// Puts a container on a network.
    /// - Throws: ``RegistryError``, as ``addContainer(_:)``, and ``RegistryError/alreadyConnected(container:network:)``.
    package mutating func connect(container text: String, _ endpoint: EndpointDefinition) throws(RegistryError) {
        guard let state = containerName(text).flatMap({ containerStates[$0] }) else { throw .noSuchContainer(text) }
        let network = try check(endpoint, of: text)
        guard !network.members.contains(state.name) else {
            throw .alreadyConnected(container: state.definition.name, network: network.definition.name)
        }
        attach(endpoint, to: state.name)
        touchView(of: state.name)
        touchLinks(of: state.name)
        touchLinks(to: state.name)
    }

    /// Takes a container off a network.
    /// - Throws: ``RegistryError/noSuchNetwork(_:)``, ``RegistryError/noSuchContainer(_:)``,
    ///   ``RegistryError/notConnected(container:network:)``.
    package mutating func disconnect(container text: String, network: String) throws(RegistryError) {
        guard let name = try? Name(network), let state = networkStates[name] else { throw .noSuchNetwork(network) }
        guard let container = containerName(text), let definition = containerStates[container]?.definition else {
            throw .noSuchContainer(text)
        }
        guard let endpoint = definition.endpoints.first(where: { (try? Name($0.network)) == name }) else {
            throw .notConnected(container: definition.name, network: state.definition.name)
        }
        detach(endpoint, from: container)
        touchView(of: container)
        touchLinks(of: container)
        touchLinks(to: container)
    }

    // MARK: - Endpoints

    /// The network of an endpoint that may be added.
    private func check(_ endpoint: EndpointDefinition, of container: String) throws(RegistryError) -> NetworkState {
        guard let network = (try? Name(endpoint.network)).flatMap({ networkStates[$0] }) else {
            throw .noSuchNetwork(endpoint.network)
        }
        for address in endpoint.addresses {
            try Self.check(address, network.definition)
            if let owner = network.owners[address] {
                throw .addressInUse(
                    address.description, network: network.definition.name,
                    container: containerStates[owner]?.definition.name ?? owner.description)
            }
        }
        for alias in endpoint.aliases { _ = try Self.alias(alias) }
        return network
    }

    private mutating func attach(_ new: EndpointDefinition, to container: Name) {
        guard let name = try? Name(new.network), let network = networkStates[name] else { return }
        var endpoint = new
        endpoint.network = network.definition.name
        var seen: Set<IPAddress> = []
        endpoint.addresses = new.addresses.filter { seen.insert($0).inserted }
        containerStates[container]?.definition.endpoints.append(endpoint)
        networkStates[name]?.members.append(container)
        for address in endpoint.addresses {
            networkStates[name]?.owners[address] = container
            changedRecords.insert(RecordKey(scope: network.scope, kind: .reverse, name: address.reverseName))
        }
        for (key, contribution) in shares(of: endpoint, container, in: network.scope) {
            contributions[key, default: [:]][contribution, default: 0] += 1
            changedRecords.insert(key)
        }
    }

    private mutating func detach(_ endpoint: EndpointDefinition, from container: Name) {
        guard let name = try? Name(endpoint.network), let network = networkStates[name] else { return }
        for (key, contribution) in shares(of: endpoint, container, in: network.scope) {
            withdraw(contribution, from: key)
        }
        for address in endpoint.addresses {
            networkStates[name]?.owners[address] = nil
            changedRecords.insert(RecordKey(scope: network.scope, kind: .reverse, name: address.reverseName))
        }
        networkStates[name]?.members.remove(container)
        containerStates[container]?.definition.endpoints.removeAll { $0.network == endpoint.network }
    }

    /// Takes back one share in a name; a name without shares is gone.
    mutating func withdraw(_ contribution: Contribution, from key: RecordKey) {
        changedRecords.insert(key)
        guard let count = contributions[key]?[contribution] else { return }
        if count > 1 {
            contributions[key]?[contribution] = count - 1
        } else if contributions[key]?.count == 1 {
            contributions[key] = nil
        } else {
            contributions[key]?.removeValue(forKey: contribution)
        }
    }

    /// The names that an endpoint has a share in.
    func shares(
        of endpoint: EndpointDefinition, _ container: Name, in scope: ScopeID
    ) -> [(RecordKey, Contribution)] {
        guard let definition = containerStates[container]?.definition else { return [] }
        var shares: [(RecordKey, Contribution)] = []
        for name in Self.names(of: endpoint, definition) {
            if let suffix = Self.wildcardSuffix(of: name) {
                shares.append(
                    (
                        RecordKey(scope: scope, kind: .wildcard, name: suffix),
                        Contribution(container: container, meaning: .host)
                    ))
                continue
            }
            shares.append(
                (
                    RecordKey(scope: scope, kind: .exact, name: name),
                    Contribution(container: container, meaning: .host)
                ))
            shares += services(of: definition, container, under: name, in: scope)
        }
        return shares
    }

    /// `_service._proto.NAME` and `_port._proto.NAME` for each port of a container.
    func services(
        of definition: ContainerDefinition, _ container: Name, under name: Name, in scope: ScopeID
    ) -> [(RecordKey, Contribution)] {
        definition.ports.flatMap { port in
            let transport = [UInt8(ascii: "_")] + Array(port.transport.rawValue.utf8)
            let labels = Set(["\(port.number)", port.service].compactMap { $0.map { Array("_\($0)".utf8) } })
            return labels.compactMap { label -> (RecordKey, Contribution)? in
                guard let service = try? Name(labels: [label, transport]), let full = try? service.appending(name)
                else {
                    return nil
                }
                return (
                    RecordKey(scope: scope, kind: .exact, name: full),
                    Contribution(container: container, meaning: .service(port: port.number))
                )
            }
        }
    }
}
