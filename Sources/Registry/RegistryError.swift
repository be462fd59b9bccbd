// Why the registry refuses a change. A refused change leaves everything as it was.

/// What is wrong with a change.
package enum RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
    case noSuchNetwork(String)
    case noSuchContainer(String)
    case networkExists(String)
    case containerExists(String)
    case networkInUse(String, containers: [String])
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
        case .networkInUse(let name, let containers):
            "network \(name) is in use by \(containers.joined(separator: ", "))"
        case .alreadyConnected(let container, let network): "container \(container) is on network \(network) already"
        case .notConnected(let container, let network): "container \(container) is not on network \(network)"
        case .invalidName(let name, let reason): "bad name '\(name)': \(reason)"
        case .invalidAddress(let address, let reason): "bad address '\(address)': \(reason)"
        case .addressInUse(let address, let network, let container):
            "address \(address) on network \(network) is that of container \(container) already"
        }
    }
}
