// The rules of the registry written down plainly: every answer is worked out from all that is known, each time anew.

import DNSWire

@testable import Registry

/// A registry without any table that could be out of date.
struct PlainRegistry {
    static let networkNames = ["n0", "n1", "br1"]
    static let interfaces = ["br0", "br1", "br2"]
    static let indexes: [UInt32] = [3, 4, 5, 6]
    static let names = ["c0", "c1", "c2", "c3"]
    static let cookies: [UInt64] = [1, 2, 3, 4]
    static let addresses = (1...5).compactMap { IPAddress("10.0.0.\($0)") }
    static let questions = (names + ["alias", "other"]).flatMap { name in
        [name] + Set(networkNames + interfaces).sorted().map { "\(name).\($0)" }
    }

    /// A link of the host.
    struct Link {
        var name: String
        var alias: String?
    }

    struct Container {
        var cookie: UInt64?
        var declared: (name: String, endpoints: [EndpointDefinition])?
        var observed: (path: String, links: [ObservedEndpoint])?
        var isExact = false
        var connections: [EndpointDefinition] = []
        var disconnected: Set<UInt32> = []
        var isDraining = false

        var name: String { declared?.name ?? String(observed?.path.dropFirst(7) ?? "") }
    }

    /// A network in force.
    struct Network {
        /// Property that distinguishes it from others.
        var key: String
        var name: String
        var isDeclared: Bool
        var index: UInt32?
        var interface: String?
    }

    var declaredNetworks: [String: String?] = [:]
    var observedNetworks: [UInt32: Link] = [:]
    var containers: [Container] = []

    // MARK: - What is in force

    var networks: [Network] {
        var networks: [Network] = []
        var bound: Set<UInt32> = []
        func declare(_ name: String, _ interface: String?, _ index: UInt32?) {
            if let index { bound.insert(index) }
            networks.append(
                Network(
                    key: name, name: name, isDeclared: true, index: index,
                    interface: index.flatMap { observedNetworks[$0]?.name } ?? interface))
        }
        for case (let name, let interface?) in declaredNetworks {
            declare(name, interface, observedNetworks.filter { $0.value.name == interface }.keys.max())
        }
        for (name, interface) in declaredNetworks where interface == nil {
            let called = observedNetworks.filter { ($0.value.alias ?? $0.value.name) == name }
            declare(name, nil, called.keys.filter { !bound.contains($0) }.min())
        }
        for (index, link) in observedNetworks where !bound.contains(index) {
            networks.append(
                Network(
                    key: "\(index)", name: link.alias ?? link.name, isDeclared: false, index: index,
                    interface: link.name))
        }
        return networks
    }

    /// The network that a name means: a declared one, one that is called so, one whose interface is called so.
    func network(called name: String) -> Network? {
        let networks = networks
        return networks.first { $0.isDeclared && $0.name == name }
            ?? networks.filter { $0.name == name }.min { ($0.index ?? 0) < ($1.index ?? 0) }
            ?? networks.filter { $0.interface == name }.min { ($0.index ?? 0) < ($1.index ?? 0) }
    }

    struct Endpoint {
        var network: Network
        var declaredAddresses: [IPAddress] = []
        var observedAddresses: [IPAddress] = []
        var aliases: [String] = []
        var addresses: [IPAddress] { declaredAddresses.isEmpty ? observedAddresses : declaredAddresses }
    }

    func endpoints(of container: Container) -> [Endpoint] {
        var endpoints: [Endpoint] = []
        func add(_ network: Network?, _ body: (inout Endpoint) -> Void) {
            guard let network else { return }
            let position = endpoints.firstIndex { $0.network.key == network.key } ?? endpoints.count
            if position == endpoints.count { endpoints.append(Endpoint(network: network)) }
            body(&endpoints[position])
        }
        func declare(_ definitions: [EndpointDefinition]) {
            for definition in definitions {
                add(network(called: definition.network)) {
                    for address in definition.addresses where !$0.declaredAddresses.contains(address) {
                        $0.declaredAddresses.append(address)
                    }
                    for alias in definition.aliases where !$0.aliases.contains(alias) { $0.aliases.append(alias) }
                }
            }
        }
        declare(container.declared?.endpoints ?? [])
        if container.isExact { declare(container.connections) }
        for link in container.observed?.links ?? [] {
            guard let network = networks.first(where: { $0.index == link.network.rawValue }) else { continue }
            let isOn = endpoints.contains { $0.network.key == network.key }
            if container.isExact ? isOn : !container.disconnected.contains(link.network.rawValue) {
                add(network) { $0.observedAddresses += link.addresses }
            }
        }
        if !container.isExact { declare(container.connections) }
        return endpoints
    }

    // MARK: - Answers

    /// Sorted addresses as text; nil where the name does not exist for this container.
    func answer(_ asker: Container, _ question: String) -> [String]? {
        let labels = question.split(separator: ".").map(String.init)
        for endpoint in endpoints(of: asker) where labels.count == 1 || endpoint.network.name == labels[1] {
            if let answer = answer(labels[0], on: endpoint.network) { return answer }
        }
        return nil
    }

    private func answer(_ name: String, on network: Network) -> [String]? {
        let members = containers.flatMap { container in
            endpoints(of: container).filter { $0.network.key == network.key }.map { (container, $0) }
        }.filter { $0.0.name == name || $0.1.aliases.contains(name) }
        guard !members.isEmpty else { return nil }
        let serving = members.filter { $0.0.name == name || !$0.0.isDraining }
        return (serving.isEmpty ? members : serving).flatMap { Set($0.1.addresses) }.map(\.description).sorted()
    }

    /// The names that the reverse lookup of an address may give: those of the containers that are declared with it, else
    /// those of all that have it, of which the model does not know who came first. Empty: nobody has it.
    func pointers(_ asker: Container, _ address: IPAddress) -> Set<String> {
        for endpoint in endpoints(of: asker) {
            let owners = containers.compactMap { container in
                endpoints(of: container).first {
                    $0.network.key == endpoint.network.key && $0.addresses.contains(address)
                }.map { (name: container.name, isDeclared: $0.declaredAddresses.contains(address)) }
            }
            let declared = owners.filter(\.isDeclared)
            let names = (declared.isEmpty ? owners : declared).map { "\($0.name).\(endpoint.network.name).internal." }
            if !names.isEmpty { return Set(names) }
        }
        return []
    }

    // MARK: - Changes

    /// Changes the container of a namespace, or a new one.
    mutating func change(_ cookie: UInt64?, _ body: (inout Container) -> Void) {
        let position = containers.firstIndex { cookie != nil && $0.cookie == cookie } ?? containers.count
        if position == containers.count { containers.append(Container(cookie: cookie)) }
        change(at: position, body)
    }

    /// Changes the container that a name means: a declared one, else the only one.
    mutating func change(named name: String, _ body: (inout Container) -> Void) {
        let position =
            containers.firstIndex { $0.declared?.name == name } ?? containers.firstIndex { $0.name == name }
        if let position { change(at: position, body) }
    }

    private mutating func change(at position: Int, _ body: (inout Container) -> Void) {
        body(&containers[position])
        if containers[position].declared == nil, containers[position].observed == nil {
            containers.remove(at: position)
        }
    }
}
