// Containers come and go: declared, observed, and put on networks and taken off while they run.

import DNSWire

extension Registry {
    // MARK: - Declared

    /// Adds a container, or declares one that the kernel shows: it keeps its listener then, and gains what is declared.
    /// The cookie is that of its namespace; nil where it has none here.
    /// - Returns: its number.
    /// - Throws: ``RegistryError``: a bad or taken name, a network that is not there, an address that cannot be its own.
    @discardableResult
    package mutating func addContainer(
        _ definition: ContainerDefinition, cookie: NamespaceCookie? = nil
    ) throws(RegistryError) -> ContainerID {
        try checkNames(of: definition)
        let present = cookie.flatMap { container(of: $0) }
        if let present, present.declared != nil { throw .namespaceInUse(container: present.name) }
        var networks: Set<ScopeID> = []
        for endpoint in definition.endpoints {
            let network = try check(endpoint)
            guard networks.insert(network.id).inserted else {
                throw .alreadyConnected(container: definition.name, network: endpoint.network)
            }
        }
        var declared = definition
        declared.endpoints = definition.endpoints.map { spelled($0) }
        let id = present?.id ?? ContainerID(rawValue: containerNumbers.take())
        change(id) {
            $0.declared = declared
            $0.cookie = cookie
        }
        return id
    }

    /// Removes the declaration of a container. An observed container stays.
    /// - Throws: ``RegistryError/noSuchContainer(_:)``, ``RegistryError/containerOfTheKernel(_:path:)``.
    package mutating func removeContainer(_ id: ContainerID) throws(RegistryError) {
        guard let container = containerStates[id] else { throw .noSuchContainer("\(id.rawValue)") }
        guard container.declared != nil else {
            if let source = container.source { throw .containerOfSource(container.name, source: source.name) }
            throw .containerOfTheKernel(container.name, path: container.observed?.path ?? "")
        }
        change(id) {
            $0.declared = nil
            $0.connections = []
        }
    }

    // MARK: - Observed

    /// Takes in a container that is new or has changed. Its networks may be observed later.
    /// - Returns: its number.
    @discardableResult
    package mutating func observe(_ container: ObservedContainer) -> ContainerID {
        let present = self.container(of: container.cookie)
        let (kept, leftOut) = container.bounded()
        if let present, present.observed == kept, present.leftOut == leftOut { return present.id }
        let id = present?.id ?? ContainerID(rawValue: containerNumbers.take())
        observedLeftOut += leftOut - (present?.leftOut ?? 0)
        change(id) {
            $0.observed = kept
            $0.leftOut = leftOut
            $0.cookie = container.cookie
        }
        return id
    }

    /// Takes out a container that the kernel shows no more. What is declared of it stays.
    package mutating func forget(container cookie: NamespaceCookie) {
        guard let container = container(of: cookie), container.observed != nil else { return }
        observedLeftOut -= container.leftOut
        change(container.id) {
            $0.observed = nil
            $0.leftOut = 0
            $0.disconnected = []
        }
    }

    // MARK: - On networks

    /// Puts a container on a network, or gives it further addresses and aliases on one that it is on already: what is
    /// there stays, and nothing new is no error.
    /// - Returns: false where nothing is new.
    /// - Throws: ``RegistryError``, as ``addContainer(_:cookie:)``.
    @discardableResult
    package mutating func connect(
        container text: String, _ endpoint: EndpointDefinition
    ) throws(RegistryError) -> Bool {
        let container = try container(named: text)
        var new = endpoint
        let known = self.network(of: endpoint).map { declaredAddresses(of: container.id, on: $0) } ?? []
        new.addresses.removeAll { known.contains($0) }
        try Self.check(new)
        let network = try check(new)
        let present = declaredEndpoints(of: container.id, on: network.id)
        new.aliases.removeAll { alias in present.contains { $0.aliases.contains(alias) } }
        let isBare = new.addresses.isEmpty && new.aliases.isEmpty
        if isBare, container.endpoint(on: network.id) != nil { return false }
        if var definition = container.declared {
            definition.endpoints += container.connections + [spelled(new)]
            try Self.checkSize(of: definition)
        } else {
            try Self.checkSize(of: container.connections + [new])
        }
        let connection = spelled(new)
        let interface = network.observed?.interface
        change(container.id) {
            let returns = $0.disconnected.contains { $0 == interface }
            if let interface { $0.disconnected.remove(interface) }
            if !returns || !isBare { $0.connections.append(connection) }
        }
        return true
    }

    /// Takes a container off a network. A link that is plugged into it counts no more, until it is connected again.
    /// - Throws: ``RegistryError/noSuchNetwork(_:)``, ``RegistryError/noSuchContainer(_:)``,
    ///   ``RegistryError/notConnected(container:network:)``, ``RegistryError/ambiguousName(_:choices:)``.
    package mutating func disconnect(container text: String, network name: String) throws(RegistryError) {
        let network = try network(named: name)
        let container = try container(named: text)
        guard container.endpoint(on: network.id) != nil else {
            throw .notConnected(container: container.name, network: network.name)
        }
        let isDeclared = { [self] (endpoint: EndpointDefinition) in self.network(of: endpoint) == network.id }
        let interface = network.observed?.interface
        let publisher = container.published.first { published in
            published.endpoints.contains { self.network(of: $0, by: published.source) == network.id }
        }
        if let publisher, interface == nil {
            throw .endpointOfSource(network: network.name, container: container.name, source: publisher.source.name)
        }
        let isPlugged =
            publisher != nil
            || !container.namesItsNetworks
                && container.observed?.endpoints.contains { $0.network == interface } ?? false
        change(container.id) {
            $0.declared?.endpoints.removeAll(where: isDeclared)
            $0.connections.removeAll(where: isDeclared)
            if isPlugged, let interface { $0.disconnected.insert(interface) }
        }
    }

    /// Sets whether a container is left out of names that others serve, too. Its own names stay.
    /// - Returns: false where it is so already.
    /// - Throws: ``RegistryError/noSuchContainer(_:)``, ``RegistryError/ambiguousName(_:choices:)``.
    @discardableResult
    package mutating func setDraining(_ isDraining: Bool, container text: String) throws(RegistryError) -> Bool {
        let container = try container(named: text)
        guard container.isDrained != isDraining else { return false }
        change(container.id) { $0.isDrained = isDraining }
        return true
    }

    // MARK: - Checks

    private func checkNames(of definition: ContainerDefinition) throws(RegistryError) {
        try Self.check(definition)
        guard declaredContainer(named: definition.name) == nil else { throw .containerExists(definition.name) }
    }

    /// The network of an endpoint that may be declared. Its addresses and aliases were checked before.
    private func check(_ endpoint: EndpointDefinition) throws(RegistryError) -> Network {
        let network = try network(named: endpoint.network)
        for address in endpoint.addresses {
            if let declared = network.declared { try Self.check(address, declared) }
            for owner in network.owners[address] ?? []
            where declaredAddresses(of: owner, on: network.id).contains(address) {
                throw .addressInUse(
                    address.description, network: network.name, container: containerStates[owner]?.name ?? "")
            }
        }
        return network
    }

    /// An endpoint with its network's own spelling, where that is what it names it by.
    private func spelled(_ endpoint: EndpointDefinition) -> EndpointDefinition {
        guard let network = network(of: endpoint).flatMap({ networkStates[$0] }),
            Self.lookedUp(endpoint.network) == network.dnsName
        else { return endpoint }
        var spelled = endpoint
        spelled.network = network.name
        return spelled
    }

    // MARK: - Declared endpoints

    /// The network that an endpoint is on now.
    func network(of endpoint: EndpointDefinition) -> ScopeID? {
        Self.lookedUp(endpoint.network).flatMap { network(called: $0) }
    }

    /// The network that an endpoint is on which a source tells of: the source's own network of that name before others.
    func network(of endpoint: EndpointDefinition, by source: Source) -> ScopeID? {
        guard let name = Self.lookedUp(endpoint.network) else { return nil }
        return networkOfPublication[NetworkPublication(source: source, name: name)] ?? network(called: name)
    }

    func hasDeclaredEndpoint(_ container: ContainerID, on network: ScopeID) -> Bool {
        containerStates[container]?.declaredEndpoints.contains { self.network(of: $0) == network } ?? false
    }

    private func declaredEndpoints(of container: ContainerID, on network: ScopeID) -> [EndpointDefinition] {
        containerStates[container]?.declaredEndpoints.filter { self.network(of: $0) == network } ?? []
    }

    func declaredAddresses(of container: ContainerID, on network: ScopeID) -> [IPAddress] {
        containerStates[container]?.declaredEndpoints.filter { self.network(of: $0) == network }.flatMap(\.addresses)
            ?? []
    }
}
