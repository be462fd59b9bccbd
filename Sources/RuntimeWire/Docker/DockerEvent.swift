// Events of Docker's Engine API: that something happened to a container or a network. What it is like now is asked then.

/// A line of `/events`.
package enum DockerEvent: Equatable, Sendable {
    /// A container is new, runs, has ended, is called otherwise, or is healthy or not: it is to be looked at again.
    case container(id: String)
    /// A container is gone for good.
    case destroyed(id: String)
    /// A container was put on a network or taken off.
    case connection(container: String, network: String)
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
        case ("container", "start"), ("container", "die"), ("container", "rename"), ("container", "create"),
            ("container", "health_status"), ("container", "pause"), ("container", "unpause"):
            self = .container(id: id)
        case ("container", "destroy"), ("container", "remove"): self = .destroyed(id: id)
        case ("network", "connect"), ("network", "disconnect"):
            guard let container = line.actor?.attributes?["container"] else {
                self = .network(id: id)
                return
            }
            self = .connection(container: container, network: id)
        case ("network", "create"), ("network", "destroy"), ("network", "remove"): self = .network(id: id)
        default: self = .other
        }
    }
}
