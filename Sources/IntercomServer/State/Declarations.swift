// What the control socket has declared and nobody has taken back.

import ControlAPI
import DNSWire

/// All declarations in force: changes go in, and what would declare the same anew comes out.
struct Declarations: Sendable {
    /// A container and where it is attached.
    struct DeclaredContainer: Equatable, Sendable {
        var parameters: AddContainer.Parameters
        /// Nil where it has no namespace here.
        var namespace: AttachedNamespace?
    }

    /// An endpoint of a container whose networks are known elsewhere: by the configuration, or by the kernel.
    private struct Endpoint: Hashable {
        var container: Name
        var network: Name
    }

    /// Something with its place among the others: they are declared anew in the order in which they came.
    private struct Placed<Value: Sendable>: Sendable {
        let place: UInt64
        var value: Value
    }

    private var placedNetworks: [Name: Placed<CreateNetwork.Parameters>] = [:]
    private var placedContainers: [Name: Placed<DeclaredContainer>] = [:]
    /// What was said last of an endpoint of a container that does not name its networks here: that it is, or is not.
    private var endpoints: [Endpoint: Placed<Declaration>] = [:]
    private var draining: [Name: Placed<String>] = [:]
    private var lastPlace: UInt64 = 0

    var networks: [CreateNetwork.Parameters] { Self.ordered(placedNetworks.values) }
    var containers: [DeclaredContainer] { Self.ordered(placedContainers.values) }
    /// What holds beside ``networks`` and ``containers``: connections, disconnections, and who is draining.
    var others: [Declaration] {
        Self.ordered(endpoints.values) + Self.ordered(draining.values).map { .drainContainer($0) }
    }

    /// How many declarations ``all`` has at least.
    var count: Int { placedNetworks.count + placedContainers.count + endpoints.count + draining.count }

    /// The fewest declarations that make these.
    var all: [Declaration] {
        networks.map { .createNetwork($0) }
            + containers.flatMap { container in
                [.addContainer(container.parameters)] + (container.namespace.map { [.attach($0)] } ?? [])
            } + others
    }

    /// Takes in a change that was carried out. One that makes no sense here changes nothing.
    mutating func apply(_ declaration: Declaration) {
        switch declaration {
        case .createNetwork(let parameters):
            guard let name = Self.network(parameters.name) else { return }
            placedNetworks[name] = placed(parameters)
        case .removeNetwork(let text):
            guard let name = Self.network(text) else { return }
            placedNetworks[name] = nil
        case .addContainer(let parameters): add(parameters)
        case .attach(let namespace):
            guard let name = Self.container(namespace.container) else { return }
            placedContainers[name]?.value.namespace = namespace
        case .removeContainer(let text):
            guard let name = Self.container(text) else { return }
            placedContainers[name] = nil
            draining[name] = nil
            for endpoint in endpoints.keys where endpoint.container == name { endpoints[endpoint] = nil }
        case .connect(let parameters): connect(parameters)
        case .disconnect(let parameters): disconnect(parameters)
        case .drainContainer(let text):
            guard let name = Self.container(text), draining[name] == nil else { return }
            draining[name] = placed(text)
        case .readyContainer(let text):
            guard let name = Self.container(text) else { return }
            draining[name] = nil
        }
    }

    /// A container that names its networks here takes in those that it was connected to while the kernel alone showed it.
    private mutating func add(_ parameters: AddContainer.Parameters) {
        guard let name = Self.container(parameters.name) else { return }
        var container = DeclaredContainer(parameters: parameters)
        if let networks = parameters.networks {
            let known = endpoints.filter { $0.key.container == name }
            container.parameters.networks = Self.ordered(known.values).reduce(into: networks) { networks, endpoint in
                if case .connect(let connection) = endpoint { Self.join(&networks, connection) }
            }
            for endpoint in known.keys { endpoints[endpoint] = nil }
        }
        placedContainers[name] = placed(container)
    }

    private mutating func connect(_ parameters: Connect.Parameters) {
        guard let container = Self.container(parameters.container), let network = Self.network(parameters.network)
        else { return }
        guard var networks = placedContainers[container]?.value.parameters.networks else {
            let endpoint = Endpoint(container: container, network: network)
            // One that was connected before gains what is new.
            var joined = [AddContainer.Attachment(name: parameters.network)]
            if case .connect(let before)? = endpoints[endpoint]?.value { Self.join(&joined, before) }
            Self.join(&joined, parameters)
            var connection = parameters
            connection.addresses = joined[0].addresses
            connection.aliases = joined[0].aliases
            endpoints[endpoint] = placed(.connect(connection))
            return
        }
        Self.join(&networks, parameters)
        placedContainers[container]?.value.parameters.networks = networks
    }

    /// Adds a network to those of a container; what is said of one twice holds together.
    private static func join(_ networks: inout [AddContainer.Attachment], _ connection: Connect.Parameters) {
        func join(_ first: [String]?, _ second: [String]?) -> [String]? {
            guard let first, let second else { return first ?? second }
            return first + second.filter { !first.contains($0) }
        }
        let name = network(connection.network)
        guard let position = networks.firstIndex(where: { network($0.name) == name }) else {
            networks.append(
                .init(name: connection.network, addresses: connection.addresses, aliases: connection.aliases))
            return
        }
        networks[position].addresses = join(networks[position].addresses, connection.addresses)
        networks[position].aliases = join(networks[position].aliases, connection.aliases)
    }

    private mutating func disconnect(_ parameters: Disconnect.Parameters) {
        guard let container = Self.container(parameters.container), let network = Self.network(parameters.network)
        else { return }
        guard placedContainers[container]?.value.parameters.networks == nil else {
            placedContainers[container]?.value.parameters.networks?.removeAll { Self.network($0.name) == network }
            return
        }
        endpoints[Endpoint(container: container, network: network)] = placed(.disconnect(parameters))
    }

    // MARK: - Order and names

    private mutating func placed<Value>(_ value: Value) -> Placed<Value> {
        lastPlace += 1
        return Placed(place: lastPlace, value: value)
    }

    private static func ordered<Value>(_ values: some Collection<Placed<Value>>) -> [Value] {
        values.sorted { $0.place < $1.place }.map(\.value)
    }

    private static func network(_ text: String) -> Name? { try? Name(text) }

    /// A container's name is one label, taken as it is.
    private static func container(_ text: String) -> Name? { try? Name(labels: [Array(text.utf8)]) }
}
