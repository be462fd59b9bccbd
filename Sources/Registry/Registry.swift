// All networks and containers that are known. A plain value, changed by the control plane alone.

package import DNSWire
import OrderedCollections

/// Networks, endpoints, names and links; and what of them the directories do not know yet.
///
/// Names of networks and containers are compared without regard to case (RFC 4343). A change costs time in proportion
/// to the change; one that is refused leaves everything as it was.
package struct Registry: Sendable {
    /// A network and who is on it.
    struct NetworkState: Sendable {
        var definition: NetworkDefinition
        let name: Name
        let scope: ScopeID
        var members: OrderedSet<Name> = []
        /// Whose address it is.
        var owners: [IPAddress: Name] = [:]
        /// Where its questions go: the group of each route's domain, and under the root that of its own upstreams.
        var groups: [Name: UpstreamGroupID] = [:]
    }

    /// A container and its place in the directories.
    struct ContainerState: Sendable {
        var definition: ContainerDefinition
        let name: Name
        let view: ViewID
        /// Its links as a table of names, if it has any.
        var linkScope: ScopeID?
    }

    /// One container's share in the meaning of a name.
    struct Contribution: Hashable, Sendable {
        enum Meaning: Hashable, Sendable {
            /// The name is the container's, or a link to it.
            case host
            /// The name is that of a service of the container.
            case service(port: UInt16)
        }

        var container: Name
        var meaning: Meaning
    }

    var networkStates: [Name: NetworkState] = [:]
    var containerStates: [Name: ContainerState] = [:]
    /// What the kernel shows.
    var heardNetworks: [InterfaceIndex: HeardNetwork] = [:]
    var heardContainers: [NamespaceCookie: HeardContainer] = [:]
    /// Who is behind each name, in the order in which they came.
    var contributions: [RecordKey: OrderedDictionary<Contribution, Int>] = [:]
    /// The network of a scope; nil for links.
    var networkOfScope: [ScopeID: Name] = [:]
    /// The container whose links a scope is.
    var containerOfScope: [ScopeID: Name] = [:]
    /// The names that are in a scope of links now.
    var linkNames: [ScopeID: Set<RecordKey>] = [:]
    /// Containers that have a link to this one, which may not be there itself.
    var linkedBy: [Name: Set<Name>] = [:]
    var scopeNumbers = NumberPool()
    var viewNumbers = NumberPool()
    /// The group that was made last.
    var lastGroup = UpstreamGroupID.default
    /// The routes of all networks, and their groups.
    var routes: [RouteDefinition] = []
    var routeGroups: [Name: UpstreamGroupID] = [:]

    /// The domain behind all names.
    package private(set) var domain: Name
    /// Seconds that answers may be kept where the network does not say.
    package private(set) var ttl: UInt32

    // What the directories do not know yet.
    var changedScopes: Set<ScopeID> = []
    var changedRecords: Set<RecordKey> = []
    var changedViews: [ViewID: Name] = [:]
    var routesChanged = false

    package init(domain: Name, ttl: UInt32) {
        self.domain = domain
        self.ttl = ttl
    }

    /// Sets what holds where a network does not say; all records are compiled again if that is a change.
    package mutating func setDefaults(domain: Name, ttl: UInt32) {
        guard domain.wire != self.domain.wire || ttl != self.ttl else { return }
        self.domain = domain
        self.ttl = ttl
        changedRecords.formUnion(contributions.keys)
        for network in networkStates.values { touchPointers(of: network) }
    }

    // MARK: - Looking

    /// All networks, by name.
    package var networks: [NetworkDefinition] {
        networkStates.values.map(\.definition).sorted { $0.name < $1.name }
    }

    /// All containers, by name.
    package var containers: [ContainerDefinition] {
        containerStates.values.map(\.definition).sorted { $0.name < $1.name }
    }

    package var networkCount: Int { networkStates.count }
    package var containerCount: Int { containerStates.count }

    package func network(named name: String) -> NetworkDefinition? {
        (try? Name(name)).flatMap { networkStates[$0] }?.definition
    }

    package func container(named name: String) -> ContainerDefinition? {
        containerName(name).flatMap { containerStates[$0] }?.definition
    }

    /// What a container sees.
    package func view(of container: String) -> ViewID? {
        containerName(container).flatMap { containerStates[$0] }?.view
    }

    /// The containers on a network, in the order in which they came.
    package func members(of network: String) -> [ContainerDefinition] {
        guard let state = (try? Name(network)).flatMap({ networkStates[$0] }) else { return [] }
        return state.members.compactMap { containerStates[$0]?.definition }
    }

    // MARK: - Networks

    /// Adds a network.
    /// - Throws: ``RegistryError/invalidName(_:reason:)``, ``RegistryError/networkExists(_:)``.
    package mutating func createNetwork(_ definition: NetworkDefinition) throws(RegistryError) {
        let name = try Self.networkName(definition.name)
        guard networkStates[name] == nil else { throw .networkExists(definition.name) }
        let scope = ScopeID(rawValue: scopeNumbers.take())
        networkStates[name] = NetworkState(
            definition: definition, name: name, scope: scope, groups: groups(for: definition, keeping: [:]))
        networkOfScope[scope] = name
        changedScopes.insert(scope)
    }

    /// Changes what is declared of a network that exists, under the containers that are on it.
    /// - Throws: ``RegistryError/noSuchNetwork(_:)``; ``RegistryError/invalidAddress(_:reason:)`` where a container's
    ///   address would be outside the subnets.
    package mutating func updateNetwork(_ definition: NetworkDefinition) throws(RegistryError) {
        guard var state = (try? Name(definition.name)).flatMap({ networkStates[$0] }) else {
            throw .noSuchNetwork(definition.name)
        }
        for address in state.owners.keys.sorted() { try Self.check(address, definition) }
        let text = state.definition.name
        state.definition = definition
        state.definition.name = text
        state.groups = groups(for: definition, keeping: state.groups)
        networkStates[state.name] = state
        changedScopes.insert(state.scope)
        touchPointers(of: state)
        for member in state.members {
            for endpoint in containerStates[member]?.definition.endpoints ?? [] where endpoint.network == text {
                changedRecords.formUnion(shares(of: endpoint, member, in: state.scope).map(\.0))
            }
            touchView(of: member)
            touchLinks(to: member)
            touchLinks(of: member)
        }
    }

    /// Removes a network that nobody is on.
    /// - Throws: ``RegistryError/noSuchNetwork(_:)``, ``RegistryError/networkInUse(_:containers:)``.
    package mutating func removeNetwork(named text: String) throws(RegistryError) {
        guard let state = (try? Name(text)).flatMap({ networkStates[$0] }) else { throw .noSuchNetwork(text) }
        guard state.members.isEmpty else {
            throw .networkInUse(
                state.definition.name, containers: state.members.compactMap { containerStates[$0]?.definition.name })
        }
        networkStates[state.name] = nil
        networkOfScope[state.scope] = nil
        changedScopes.insert(state.scope)
        scopeNumbers.give(back: state.scope.rawValue)
    }

    // MARK: - What has changed

    mutating func touchPointers(of network: NetworkState) {
        for address in network.owners.keys {
            changedRecords.insert(RecordKey(scope: network.scope, kind: .reverse, name: address.reverseName))
        }
    }

    mutating func touchView(of container: Name) {
        guard let state = containerStates[container] else { return }
        changedViews[state.view] = container
    }
}
