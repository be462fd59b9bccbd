// Calls about networks, and which containers are on them, as they are kept.

import ControlAPI
import DNSWire

extension Declarations.Subject {
    static func network(_ text: String) -> Self { Self("network", networkName(text)) }
    /// A policy, for networks and containers; case matters.
    static func policy(_ name: String) -> Self { Self("policy", Array(name.utf8)) }

    /// An endpoint of a container whose networks are known elsewhere: by the configuration, or by the kernel.
    static func endpoint(of container: String, on network: String) -> Self {
        Self(endpoint, containerName(container), networkName(network))
    }

    static let endpoint = "endpoint"

    /// A network's name without regard to case; of a link that has no name of the DNS the text.
    static func networkName(_ text: String) -> [UInt8] { (try? Name(text))?.folded ?? containerName(text) }
}

extension CreateNetwork: PersistedMethod {
    static var turn: RestoreTurn { .networks }

    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        declarations.put(call, about: .network(parameters.name))
    }

    static func restore(_ parameters: Parameters, by plane: ControlPlane) throws(ControlError) {
        var parameters = parameters
        // 0.1.0 took upstreams of an internal network, which it never asked.
        if parameters.internal == true { (parameters.upstreams, parameters.routes) = (nil, nil) }
        try create(plane, parameters)
    }

    static func words(for parameters: Parameters) -> String { "network \(parameters.name)" }
}

extension RemoveNetwork: PersistedMethod {
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        declarations.remove(.network(parameters.name))
    }
}

extension Connect: PersistedMethod {
    /// A container that names its networks in its own declaration has one more there; of another the connection is kept.
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        let declared = Declarations.Subject.container(parameters.container)
        if var whole = declarations[declared]?.parameters(of: AddContainer.self), var networks = whole.networks {
            networks.join(parameters)
            whole.networks = networks
            return declarations.replace(declared, by: Declaration(AddContainer.self, whole))
        }
        let subject = Declarations.Subject.endpoint(of: parameters.container, on: parameters.network)
        // One that was connected before gains what is new.
        var joined = [AddContainer.Attachment(name: parameters.network)]
        if let before = declarations[subject]?.parameters(of: Connect.self) { joined.join(before) }
        joined.join(parameters)
        var connection = parameters
        connection.addresses = joined[0].addresses
        connection.aliases = joined[0].aliases
        declarations.put(Declaration(Self.self, connection), about: subject)
    }

    static func restore(_ parameters: Parameters, by plane: ControlPlane) throws(ControlError) {
        try change(plane, parameters)
    }

    static func container(of parameters: Parameters) -> String? { parameters.container }

    static func words(for parameters: Parameters) -> String {
        "container \(parameters.container) on network \(parameters.network)"
    }
}

extension Disconnect: PersistedMethod {
    /// Leaves a network out of those that a container names; of another it is kept that it is not there.
    static func apply(_ parameters: Parameters, as call: Declaration, to declarations: inout Declarations) {
        let declared = Declarations.Subject.container(parameters.container)
        if var whole = declarations[declared]?.parameters(of: AddContainer.self), whole.networks != nil {
            let network = Declarations.Subject.networkName(parameters.network)
            whole.networks?.removeAll { Declarations.Subject.networkName($0.name) == network }
            return declarations.replace(declared, by: Declaration(AddContainer.self, whole))
        }
        declarations.put(
            call,
            about: .endpoint(of: parameters.container, on: parameters.network))
    }

    static func restore(_ parameters: Parameters, by plane: ControlPlane) throws(ControlError) {
        try change(plane, parameters)
    }

    static func container(of parameters: Parameters) -> String? { parameters.container }

    static func words(for parameters: Parameters) -> String {
        "container \(parameters.container) off network \(parameters.network)"
    }
}

extension [AddContainer.Attachment] {
    /// Adds a network; what is said of one twice holds together.
    mutating func join(_ connection: Connect.Parameters) {
        func join(_ first: [String]?, _ second: [String]?) -> [String]? {
            guard let first, let second else { return first ?? second }
            return first + second.filter { !first.contains($0) }
        }
        let name = Declarations.Subject.networkName(connection.network)
        guard let position = firstIndex(where: { Declarations.Subject.networkName($0.name) == name }) else {
            return append(
                .init(name: connection.network, addresses: connection.addresses, aliases: connection.aliases))
        }
        self[position].addresses = join(self[position].addresses, connection.addresses)
        self[position].aliases = join(self[position].aliases, connection.aliases)
    }
}
