// Requests of the watch: what each asks Docker for.

extension DockerWatch {
    /// A request with one reply.
    package enum Question: Hashable, Sendable {
        /// All networks.
        case networks
        /// All containers that run.
        case containers
        /// One container, by its id.
        case container(String)
        /// One container that is about to start, by its id: the reply comes when it has, or could not.
        case starting(String)

        /// The request on the wire.
        package var request: HTTPRequest {
            switch self {
            case .networks: DockerRequests.networks
            case .containers: DockerRequests.containers
            case .container(let id), .starting(let id): DockerRequests.container(id)
            }
        }
    }
}
