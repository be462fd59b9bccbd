// Events of Docker's Engine API: that something happened to a container or a network. What it is like now is asked then.

/// A line of `/events`.
package enum DockerEvent: Equatable, Sendable {
    /// A container has started, is called otherwise, or is healthy or not: it is to be inspected.
    case changed(id: String)
    /// A container has ended, or is gone for good.
    case ended(id: String)
    /// A container was connected to a network; of one that does not run, Docker says so as it starts.
    case connected(container: String, network: String)
    /// A container was disconnected from a network.
    case disconnected(container: String, network: String)
    /// A network is new or gone.
    case network(id: String)
    /// Anything else: commands that are run in containers, copies, attached terminals.
    case other

    private struct Line: Decodable {
        struct Actor: Decodable {
            var id: String?
            var attributes: [String: String]?
            private enum CodingKeys: String, CodingKey { case id = "ID", attributes = "Attributes" }
        }

        var type: String?
        var action: String?
        var actor: Actor?
        private enum CodingKeys: String, CodingKey { case type = "Type", action = "Action", actor = "Actor" }
    }

    /// Reads one line of `/events`.
    package init(_ octets: [UInt8]) throws(RuntimeWireError) {
        let line = try RuntimeWireError.read(Line.self, from: octets, "an event")
        guard let id = line.actor?.id, !id.isEmpty, let action = line.action else {
            self = .other
            return
        }
        // `health_status: healthy`, `exec_start: sh -c …`.
        switch (line.type, action.prefix { $0 != ":" }) {
        case ("container", "start"), ("container", "rename"), ("container", "health_status"): self = .changed(id: id)
        // `died` and `remove` are podman's.
        case ("container", "die"), ("container", "died"), ("container", "destroy"), ("container", "remove"):
            self = .ended(id: id)
        case ("network", "connect"), ("network", "disconnect"):
            guard let container = line.actor?.attributes?["container"] else {
                self = .network(id: id)
                return
            }
            self =
                action == "connect"
                ? .connected(container: container, network: id) : .disconnected(container: container, network: id)
        case ("network", "create"), ("network", "destroy"), ("network", "remove"): self = .network(id: id)
        default: self = .other
        }
    }
}
