// Other hosts in the control interface, and the state of the bridge to them.

/// Other hosts, and how the bridge is that tells of them.
package enum ListHosts: ControlMethod {
    package static let definition = """
        # Other hosts, by name; cluster: absent where no network is shared with any.
        method ListHosts() -> (cluster: ?Cluster, hosts: []RemoteHost)
        """
    package static let types: [any ControlType.Type] = [Cluster.self, RemoteHost.self]

    /// State of the bridge to other hosts.
    package struct Cluster: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # How the bridge to other hosts is. host: the name of this one, absent until a bridge has attached; agent: the
            # bridge that has; state: "no bridge", "attached" (it has not said how it is), "connecting", "connected" or "away"; synced:
            # whether everything was told once; networks: names for all hosts of the shared networks that are here;
            # lag: milliseconds from the bridge's receipt of the last change to its coming into force.
            type Cluster (
              host: ?string,
              agent: ?string,
              state: string,
              message: ?string,
              synced: bool,
              networks: []string,
              hosts: int,
              lost: int,
              entries: int,
              limit: int,
              refused: int,
              lastRefusal: ?string,
              lag: ?int
            )
            """

        /// Name of this host among all.
        package var host: String?
        /// Program of the bridge, with its version.
        package var agent: String?
        /// `no bridge`, `attached`, `connecting`, `connected` or `away`.
        package var state: String
        /// Sentence of the bridge about it.
        package var message: String?
        /// True when everything was told once.
        package var synced: Bool
        /// Names for all hosts of the shared networks that are here.
        package var networks: [String]
        /// Number of other hosts.
        package var hosts: Int
        /// Number of those that are lost.
        package var lost: Int
        /// Number of their containers.
        package var entries: Int
        /// The most of them that are held.
        package var limit: Int
        /// Number of entries that were refused since the start.
        package var refused: Int
        /// The last one of them, and why.
        package var lastRefusal: String?
        /// Milliseconds.
        package var lag: Int?

        package init(
            host: String?, agent: String?, state: String, message: String?, synced: Bool, networks: [String],
            hosts: Int, lost: Int, entries: Int, limit: Int, refused: Int, lastRefusal: String?, lag: Int?
        ) {
            self.host = host
            self.agent = agent
            self.state = state
            self.message = message
            self.synced = synced
            self.networks = networks
            self.hosts = hosts
            self.lost = lost
            self.entries = entries
            self.limit = limit
            self.refused = refused
            self.lastRefusal = lastRefusal
            self.lag = lag
        }
    }

    /// Another host.
    package struct RemoteHost: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Another host. state: "alive" or "lost"; address: where it is reached, absent where that is not known.
            type RemoteHost (name: string, state: string, address: ?string, containers: int)
            """

        /// Its name.
        package var name: String
        /// `alive` or `lost`.
        package var state: String
        /// Address at which it is reached.
        package var address: String?
        /// Number of its containers on shared networks.
        package var containers: Int

        package init(name: String, state: String, address: String?, containers: Int) {
            self.name = name
            self.state = state
            self.address = address
            self.containers = containers
        }
    }

    package typealias Parameters = Nothing
    package struct Reply: Codable, Equatable, Sendable {
        /// State of the bridge; absent: no network is shared.
        package var cluster: Cluster?
        /// Sorted by name.
        package var hosts: [RemoteHost]

        package init(cluster: Cluster?, hosts: [RemoteHost]) {
            self.cluster = cluster
            self.hosts = hosts
        }
    }
}
