// Watching the registry: every change as it happens.

/// Changes of the registry, each in a reply of its own; the call needs `more`. It ends with the connection, or with the daemon.
package enum Monitor: ControlMethod {
    package static let definition = """
        # Every change of the registry as it happens; needs "more". The first reply is ready: what changes from then on is told.
        # Who does not read misses changes, and is told how many. What is there already is told by the other methods.
        method Monitor() -> (ready: ?bool, missed: ?int, change: ?Change)
        """
    package static let types: [any ControlType.Type] = [Change.self]

    package typealias Parameters = Nothing

    /// One of the three.
    package struct Reply: Codable, Equatable, Sendable {
        /// The first reply: what changes from now on will be told.
        package var ready: Bool?
        /// Number of changes that were dropped, because the client did not read.
        package var missed: Int?
        /// Change of the registry.
        package var change: Change?

        package init(ready: Bool? = nil, missed: Int? = nil, change: Change? = nil) {
            self.ready = ready
            self.missed = missed
            self.change = change
        }
    }

    /// A network, a container, or a container's endpoint on a network: as it is now; if it was removed, as it was.
    package struct Change: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A change. kind: "network", "container" or "endpoint" (of a container on a network); action: "added",
            # "changed" or "removed"; formerName: what a network or container was called before. interface, subnets and internal
            # are a network's, netns and draining a container's, addresses and aliases an endpoint's: as they are now, and of
            # what was removed as they were. state and reason alone: a container's state is another.
            type Change (
              kind: string,
              action: string,
              network: ?string,
              container: ?string,
              formerName: ?string,
              interface: ?string,
              subnets: ?[]string,
              internal: ?bool,
              netns: ?string,
              draining: ?bool,
              state: ?string,
              reason: ?string,
              addresses: ?[]string,
              aliases: ?[]string
            )
            """

        /// `network`, `container` or `endpoint`.
        package var kind: String
        /// `added`, `changed` or `removed`.
        package var action: String
        /// Name of a network, or of an endpoint's network.
        package var network: String?
        /// Name of a container, or of an endpoint's container.
        package var container: String?
        /// Former name of a network or a container that has another now.
        package var formerName: String?
        /// Name of the host's link that is a network.
        package var interface: String?
        /// Blocks of addresses of a network.
        package var subnets: [String]?
        /// True where questions from a network are never forwarded.
        package var `internal`: Bool?
        /// Path of a container's namespace that was found.
        package var netns: String?
        /// True where a container is left out of aliases that others serve, too.
        package var draining: Bool?
        /// State of a container, where that is what has changed.
        package var state: String?
        /// Reason why a container is not ready.
        package var reason: String?
        /// Of an endpoint.
        package var addresses: [String]?
        /// Of an endpoint: further names.
        package var aliases: [String]?

        package init(kind: String, action: String, network: String? = nil, container: String? = nil) {
            self.kind = kind
            self.action = action
            self.network = network
            self.container = container
        }
    }
}
