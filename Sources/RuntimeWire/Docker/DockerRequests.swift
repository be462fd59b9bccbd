// Requests to Docker's Engine API: unversioned paths, which every daemon serves at its own newest version.

/// The requests of Docker's adapter.
package enum DockerRequests {
    /// All containers that run.
    package static let containers = HTTPRequest(path: ["containers", "json"])
    /// All networks.
    package static let networks = HTTPRequest(path: ["networks"])
    /// Stream of all events of containers and networks from now on; it has no end.
    package static let events = HTTPRequest(
        path: ["events"], query: [("filters", #"{"type":["container","network"]}"#)])

    /// One container, by name or id.
    package static func container(_ id: String) -> HTTPRequest {
        HTTPRequest(path: ["containers", id, "json"])
    }
}
