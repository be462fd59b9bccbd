// Why the registry refuses a change. A refused change leaves everything as it was.

import DNSWire

/// Reason for which a change is refused.
package enum RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No network is called so.
    case noSuchNetwork(String)
    /// No container is called so.
    case noSuchContainer(String)
    /// A network is called so already.
    case networkExists(String)
    /// A container is called so already.
    case containerExists(String)
    /// Several are called so; each has a name of its own beside that.
    case ambiguousName(String, choices: [String])
    /// A network that is to go has containers on it.
    case networkInUse(String, containers: [String])
    /// The interface is that of another network.
    case interfaceInUse(String, network: String)
    /// The namespace is that of another container.
    case namespaceInUse(container: String)
    /// Nobody declared this network: the kernel shows it.
    case networkOfTheKernel(String, interface: String)
    /// Nobody declared this container: the kernel shows it.
    case containerOfTheKernel(String, path: String)
    /// Nobody declared this network: a source tells of it.
    case networkOfSource(String, source: String)
    /// Nobody declared this container: a source tells of it.
    case containerOfSource(String, source: String)
    /// A source has the container on this network, which is no interface of the host.
    case endpointOfSource(network: String, container: String, source: String)
    /// The container is on the network already.
    case alreadyConnected(container: String, network: String)
    /// The container is not on the network.
    case notConnected(container: String, network: String)
    /// The operator has no such record.
    case noSuchRecord(String)
    /// The configuration has the record.
    case recordOfConfiguration(String)
    /// The record cannot stand beside those that its name has.
    case recordConflict(String, reason: String)
    /// No policy is called so.
    case noSuchPolicy(String)
    /// A policy that is to go holds for containers or networks.
    case policyInUse(String, by: [String])
    /// The configuration has the policy.
    case policyOfConfiguration(String)
    /// It cannot be a name.
    case invalidName(String, reason: String)
    /// It cannot be an address on this network.
    case invalidAddress(String, reason: String)
    /// It is no subnet that a network can have.
    case invalidSubnet(String, reason: String)
    /// It is no DNS server that can be asked.
    case invalidUpstream(String, reason: String)
    /// Something else cannot be what it is.
    case invalidValue(String, of: String, reason: String)
    /// A definition has more of something than it may have; see ``Registry/Limits``.
    case tooMany(String, count: Int, limit: Int)
    /// Another container has the address on this network.
    case addressInUse(String, network: String, container: String)

    /// The message, without characters that would steer a terminal: names are whoever's who declared them.
    package var description: String { DisplayText.escaped(message) }

    /// Value that cannot be, and why, for a message that says itself of what the value is; nil where no value is refused.
    package var refusedValue: (value: String, reason: String)? {
        switch self {
        case .invalidName(let value, let reason), .invalidAddress(let value, let reason),
            .invalidSubnet(let value, let reason), .invalidUpstream(let value, let reason),
            .invalidValue(let value, _, let reason):
            (DisplayText.escaped(value), DisplayText.escaped(reason))
        default: nil
        }
    }

    private var message: String {
        switch self {
        case .noSuchNetwork(let name): "no network \(name)"
        case .noSuchContainer(let name): "no container \(name)"
        case .networkExists(let name): "network \(name) exists already"
        case .containerExists(let name): "container \(name) exists already"
        case .ambiguousName(let name, let choices): "several are called \(name): \(choices.joined(separator: ", "))"
        case .networkInUse(let name, let containers):
            "network \(name) is in use by \(containers.joined(separator: ", "))"
        case .interfaceInUse(let interface, let network): "interface \(interface) is that of network \(network) already"
        case .namespaceInUse(let container): "the namespace is that of container \(container) already"
        case .networkOfTheKernel(let name, let interface):
            "network \(name) is not declared: it is interface \(interface)"
        case .containerOfTheKernel(let name, let path): "container \(name) is not declared: it is namespace \(path)"
        case .networkOfSource(let name, let source): "network \(name) is not declared: source \(source) tells of it"
        case .containerOfSource(let name, let source): "container \(name) is not declared: source \(source) tells of it"
        case .endpointOfSource(let network, let container, let source):
            "source \(source) has container \(container) on network \(network): disconnect it there"
        case .alreadyConnected(let container, let network): "container \(container) is on network \(network) already"
        case .notConnected(let container, let network): "container \(container) is not on network \(network)"
        case .noSuchRecord(let record): "no record \(record)"
        case .recordOfConfiguration(let record):
            "record \(record) is of the configuration or a hosts file: remove it there"
        case .recordConflict(let name, let reason): "\(name) cannot have this record: \(reason)"
        case .noSuchPolicy(let policy): "no policy \(policy)"
        case .policyInUse(let policy, let users): "policy \(policy) is in use by \(users.joined(separator: ", "))"
        case .policyOfConfiguration(let policy): "policy \(policy) is of the configuration"
        case .invalidName(let name, let reason): "bad name '\(name)': \(reason)"
        case .invalidAddress(let address, let reason): "bad address '\(address)': \(reason)"
        case .invalidSubnet(let subnet, let reason): "bad subnet '\(subnet)': \(reason)"
        case .invalidUpstream(let upstream, let reason): "bad upstream '\(upstream)': \(reason)"
        case .invalidValue(let value, let what, let reason): "bad \(what) '\(value)': \(reason)"
        case .tooMany(let what, let count, let limit): "\(count) \(what) are too many; at most \(limit) can be declared"
        case .addressInUse(let address, let network, let container):
            "address \(address) on network \(network) is that of container \(container) already"
        }
    }
}
