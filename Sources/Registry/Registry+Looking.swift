// Looking up networks and containers by what people call them.

package import DNSWire

extension Registry {
    /// All networks, by name.
    package var networks: [Network] {
        networkStates.values.sorted { ($0.name, $0.id.rawValue) < ($1.name, $1.id.rawValue) }
    }

    /// All containers, by name.
    package var containers: [Container] {
        containerStates.values.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }

    /// The networks whose numbers are in a range, in the order of their numbers: a piece of a list that is made while
    /// networks come and go.
    package func networks(numbered numbers: Range<UInt32>) -> [Network] {
        numbers.clamped(to: 0..<scopeNumbers.end).compactMap { networkStates[ScopeID(rawValue: $0)] }
    }

    /// The containers whose numbers are in a range, likewise.
    package func containers(numbered numbers: Range<UInt32>) -> [Container] {
        numbers.clamped(to: 0..<containerNumbers.end).compactMap { containerStates[ContainerID(rawValue: $0)] }
    }

    /// Above the numbers of all networks.
    package var networkNumbersEnd: UInt32 { scopeNumbers.end }
    /// Above the numbers of all containers.
    package var containerNumbersEnd: UInt32 { containerNumbers.end }

    /// Some of the containers on a network: those at these places, in the order in which they came.
    package func members(of network: ScopeID, at places: Range<Int>) -> [Container] {
        guard let members = networkStates[network]?.members else { return [] }
        return members[places.clamped(to: 0..<members.count)].compactMap { containerStates[$0] }
    }

    /// Number of networks.
    package var networkCount: Int { networkStates.count }
    /// Number of containers.
    package var containerCount: Int { containerStates.count }

    /// The network of a number.
    package subscript(network: ScopeID) -> Network? { networkStates[network] }
    /// The container of a number.
    package subscript(container: ContainerID) -> Container? { containerStates[container] }

    /// The container whose namespace this is.
    package func container(of cookie: NamespaceCookie) -> Container? {
        containerOfCookie[cookie].flatMap { containerStates[$0] }
    }

    /// The containers on a network, in the order in which they came.
    package func members(of network: ScopeID) -> [Container] {
        networkStates[network]?.members.compactMap { containerStates[$0] } ?? []
    }

    /// The network of a container's that has an address in one of its subnets, where neither another container nor the host is
    /// known to have it.
    package func overlap(
        of address: IPAddress, seenBy viewer: Container
    ) -> (network: String, subnet: String, gateway: String?)? {
        for endpoint in viewer.endpoints {
            guard let network = networkStates[endpoint.network],
                let subnet = network.subnets.first(where: { $0.contains(address) })
            else { continue }
            let isKnown =
                network.hostAddresses.contains(address)
                || members(of: endpoint.network).contains { member in
                    member.endpoint(on: endpoint.network)?.addresses.contains(address) ?? false
                }
            let gateway = network.hostAddresses.first { subnet.contains($0) }
            return isKnown ? nil : (network.name, "\(subnet)", gateway.map { "\($0)" })
        }
        return nil
    }

    /// The network of this name. Several may have it: a declared one comes first, and each is found by its interface.
    /// - Throws: ``RegistryError/noSuchNetwork(_:)``, ``RegistryError/ambiguousName(_:choices:)``.
    package func network(named text: String) throws(RegistryError) -> Network {
        let name = Self.lookedUp(text)
        let candidates =
            name.flatMap { networksCalled[$0] }?.compactMap { networkStates[$0] }
            ?? networkStates.values.filter { $0.name == text || $0.interface == text }
        let best = candidates.map { rank(of: $0, called: name) }.min()
        let found = candidates.filter { rank(of: $0, called: name) == best }
        guard let first = found.first else { throw .noSuchNetwork(text) }
        guard found.count == 1 else {
            throw .ambiguousName(text, choices: found.map { $0.interface ?? $0.name }.sorted())
        }
        return first
    }

    /// Declaration of the network of this name.
    package func declaredNetwork(named text: String) -> NetworkDefinition? {
        Self.lookedUp(text).flatMap { declaredNetwork(called: $0) }?.declared
    }

    func declaredNetwork(called name: Name) -> Network? {
        networksCalled[name]?.lazy.compactMap { networkStates[$0] }.first { $0.declared != nil && $0.dnsName == name }
    }

    /// The network that a name means where it has to mean one: of several that are observed the one that came first.
    func network(called name: Name) -> ScopeID? {
        guard let called = networksCalled[name] else { return nil }
        // Nearly every name is of one network.
        if called.count == 1, let only = called.first { return networkStates[only]?.id }
        return called.compactMap { networkStates[$0] }.min {
            (rank(of: $0, called: name), $0.observed?.interface ?? .lowest)
                < (rank(of: $1, called: name), $1.observed?.interface ?? .lowest)
        }?.id
    }

    /// Rank of a network among several that fit a name: 0 for one that is declared by this name, then published, then found
    /// by it; last those whose interface is called so.
    private func rank(of network: Network, called name: Name?) -> Int {
        guard let name, network.names.contains(name) else { return 3 }
        guard network.declared == nil || network.dnsName != name else { return 0 }
        return network.published.isEmpty ? 2 : 1
    }

    /// The container of this name. Several may have it: a declared one comes first, and each is found by its path or id.
    /// - Throws: ``RegistryError/noSuchContainer(_:)``, ``RegistryError/ambiguousName(_:choices:)``.
    package func container(named text: String) throws(RegistryError) -> Container {
        if let declared = declaredContainer(named: text) { return declared }
        let found =
            containersCalled(text).nonEmpty
            ?? containerStates.values.filter {
                $0.name == text || $0.observed?.path == text || $0.isIdentified(by: text)
            }
        guard let first = found.first else { throw .noSuchContainer(text) }
        guard found.count == 1 else {
            throw .ambiguousName(text, choices: found.compactMap { $0.observed?.path ?? $0.runtimeID }.sorted())
        }
        return first
    }

    /// The container that is declared under a name.
    package func declaredContainer(named text: String) -> Container? {
        guard let name = try? Self.containerName(text) else { return nil }
        return containersCalled(text).first { container in
            container.declared.flatMap { try? Self.containerName($0.name) } == name
        }
    }

    /// True when a container is found by this name.
    package func hasContainer(named text: String) -> Bool { !containersCalled(text).isEmpty }

    /// The containers that are found by this name.
    func containersCalled(_ text: String) -> [Container] {
        guard let name = try? Self.containerName(text) else { return [] }
        return (containersCalled[name] ?? []).compactMap { containerStates[$0] }
    }
}

extension InterfaceIndex {
    /// Before all others: numbers of links begin with 1.
    fileprivate static let lowest = InterfaceIndex(rawValue: 0)
}
