// Requests to Docker's Engine API: unversioned paths, which every daemon serves at its own newest version.

/// The requests of Docker's adapter.
package enum DockerRequests {
    /// All containers that run.
    package static let containers = HTTPRequest(path: ["containers", "json"])
    /// All networks.
    package static let networks = HTTPRequest(path: ["networks"])
    /// Stream of the events that change names or addresses, from now on; it has no end.
    package static let events = HTTPRequest(
        path: ["events"],
        query: [("filters", #"{"type":["container","network"],"event":[\#(eventNames)]}"#)])

    /// Names of ``DockerEvent``. Without them each health check and each `docker exec` would be an event.
    private static let eventNames = [
        "start", "die", "died", "rename", "create", "destroy", "remove", "connect", "disconnect", "health_status",
    ].map { "\"\($0)\"" }.joined(separator: ",")

    /// One container, by name or id.
    package static func container(_ id: String) -> HTTPRequest {
        HTTPRequest(path: ["containers", id, "json"])
    }
}
