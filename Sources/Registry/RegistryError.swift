// Why the registry refuses a change. A refused change leaves everything as it was.

/// What is wrong with a change.
package enum RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
    case noSuchNetwork(String)
    case noSuchContainer(String)
    case networkExists(String)
    case containerExists(String)
    /// Several are called so; each has a name of its own beside that.
    case ambiguousName(String, choices: [String])
    case networkInUse(String, containers: [String])
    case interfaceInUse(String, network: String)
    case namespaceInUse(container: String)
    /// Nobody declared this network: the kernel shows it.
    case networkOfTheKernel(String, interface: String)
    /// Nobody declared this container: the kernel shows it.
    case containerOfTheKernel(String, path: String)
    case alreadyConnected(container: String, network: String)
    case notConnected(container: String, network: String)
    case invalidName(String, reason: String)
    case invalidAddress(String, reason: String)
    case addressInUse(String, network: String, container: String)

    package var description: String {
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
        case .alreadyConnected(let container, let network): "container \(container) is on network \(network) already"
        case .notConnected(let container, let network): "container \(container) is not on network \(network)"
        case .invalidName(let name, let reason): "bad name '\(name)': \(reason)"
        case .invalidAddress(let address, let reason): "bad address '\(address)': \(reason)"
        case .addressInUse(let address, let network, let container):
            "address \(address) on network \(network) is that of container \(container) already"
        }
    }
}
