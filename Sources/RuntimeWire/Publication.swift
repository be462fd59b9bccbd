// Networks and containers of a runtime at one moment.

/// Networks and containers that a runtime's adapter publishes.
package struct Publication: Equatable, Sendable {
    /// No two with the same name.
    package var networks: [RuntimeNetwork]
    /// No two with the same id; ``RuntimeContainer/Namespace/container(_:)`` has an id of another one here.
    package var containers: [RuntimeContainer]

    package init(networks: [RuntimeNetwork] = [], containers: [RuntimeContainer] = []) {
        self.networks = networks
        self.containers = containers
    }

    /// True when a container, or an endpoint of one, is in another publication and not in this one.
    ///
    /// Runtimes write files in place: one that was just emptied looks so, and the whole of it comes a moment later.
    package func lacks(of other: Publication) -> Bool { !other.memberships.isSubset(of: memberships) }

    private struct Membership: Hashable {
        var container: String
        /// Nil for the container itself.
        var network: String?
    }

    private var memberships: Set<Membership> {
        Set(
            containers.flatMap { container in
                [Membership(container: container.id)]
                    + container.endpoints.map { Membership(container: container.id, network: $0.network) }
            })
    }
}
