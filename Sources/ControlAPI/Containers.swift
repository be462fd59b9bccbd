// Containers in the control interface: added, removed, listed, inspected.

/// Adds a container: enters its namespace, if it has one here, and makes its names known.
package enum AddContainer: ControlMethod {
    /// One network that the container is on from the start.
    package struct Attachment: Codable, Equatable, Sendable {
        package var name: String
        package var addresses: [String]?
        package var aliases: [String]?

        package init(name: String, addresses: [String]? = nil, aliases: [String]? = nil) {
            self.name = name
            self.addresses = addresses
            self.aliases = aliases
        }
    }

    package struct Parameters: Codable, Equatable, Sendable {
        /// One label of 1 to 63 octets, without dots.
        package var name: String
        /// The path of its network namespace, as `/run/netns/web`. Without this and `pid` it has no listener.
        package var netns: String?
        /// A process in its network namespace; the container ends with it.
        package var pid: Int?
        /// In the order in which they answer; absent: those that its links are plugged into.
        package var networks: [Attachment]?
        package var hostname: String?
        package var id: String?
        package var links: [Link]?
        package var ports: [Port]?
        /// The absolute path of a resolv.conf to write for it.
        package var resolvConf: String?
        /// How port 53 is taken in its namespace, `direct` or `redirect`; absent: as configured.
        package var listen: String?

        package init(
            name: String, netns: String? = nil, pid: Int? = nil, networks: [Attachment]? = nil,
            hostname: String? = nil, id: String? = nil, links: [Link]? = nil, ports: [Port]? = nil,
            resolvConf: String? = nil, listen: String? = nil
        ) {
            self.name = name
            self.netns = netns
            self.pid = pid
            self.networks = networks
            self.hostname = hostname
            self.id = id
            self.links = links
            self.ports = ports
            self.resolvConf = resolvConf
            self.listen = listen
        }
    }
    package typealias Reply = Nothing
}

/// Takes back a container's declaration: unless the kernel shows it, its listener closes and its names go.
package enum RemoveContainer: ControlMethod {
    package typealias Parameters = Named
    package typealias Reply = Nothing
}

/// Leaves a container out of aliases that others serve, too. Its own names stay.
package enum DrainContainer: ControlMethod {
    package typealias Parameters = Named
    package typealias Reply = Nothing
}

/// Takes ``DrainContainer`` back.
package enum ReadyContainer: ControlMethod {
    package typealias Parameters = Named
    package typealias Reply = Nothing
}

/// All containers, by name.
package enum ListContainers: ControlMethod {
    package typealias Parameters = Nothing
    package struct Reply: Codable, Equatable, Sendable {
        package var containers: [Container]

        package init(containers: [Container]) {
            self.containers = containers
        }
    }
}

/// One container.
package enum InspectContainer: ControlMethod {
    package typealias Parameters = Named
    package struct Reply: Codable, Equatable, Sendable {
        package var container: Container

        package init(container: Container) {
            self.container = container
        }
    }
}

/// A private name of another container.
package struct Link: Codable, Equatable, Sendable {
    package var container: String
    /// What it is called by the one that has the link.
    package var name: String

    package init(container: String, name: String) {
        self.container = container
        self.name = name
    }
}

/// A port that SRV answers tell of.
package struct Port: Codable, Equatable, Sendable {
    /// 1...65535.
    package var port: Int
    /// `tcp` or `udp`; absent: `tcp`.
    package var `protocol`: String?
    /// The service's name, as `http`.
    package var service: String?

    package init(port: Int, protocol: String? = nil, service: String? = nil) {
        self.port = port
        self.protocol = `protocol`
        self.service = service
    }
}

/// A container as the daemon knows it.
package struct Container: Codable, Equatable, Sendable {
    /// The container on one network.
    package struct Endpoint: Codable, Equatable, Sendable {
        package var network: String
        package var addresses: [String]
        package var aliases: [String]
        /// All names that it answers to on this network.
        package var names: [String]

        package init(network: String, addresses: [String], aliases: [String], names: [String]) {
            self.network = network
            self.addresses = addresses
            self.aliases = aliases
            self.names = names
        }
    }

    package var name: String
    package var id: String?
    package var hostname: String?
    package var netns: String?
    package var pid: Int?
    /// In the order in which they answer.
    package var networks: [Endpoint]
    package var links: [Link]
    package var ports: [Port]
    package var resolvConf: String?
    /// Where it is answered, `127.0.0.11:53`; absent: it has no namespace here.
    package var listener: String?
    /// `direct` or `redirect`: how port 53 is taken in its namespace.
    package var listen: String
    /// Whether it is left out of aliases that others serve, too.
    package var draining: Bool
    /// `configuration` or `control`: who declared it; `kernel`: nobody did.
    package var source: String
    /// All that is known of it, what is declared first.
    package var facts: [Fact]

    package init(
        name: String, id: String?, hostname: String?, netns: String?, pid: Int?, networks: [Endpoint], links: [Link],
        ports: [Port], resolvConf: String?, listener: String?, listen: String, draining: Bool, source: String,
        facts: [Fact]
    ) {
        self.name = name
        self.id = id
        self.hostname = hostname
        self.netns = netns
        self.pid = pid
        self.networks = networks
        self.links = links
        self.ports = ports
        self.resolvConf = resolvConf
        self.listener = listener
        self.listen = listen
        self.draining = draining
        self.source = source
        self.facts = facts
    }
}
