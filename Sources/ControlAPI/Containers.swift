// Containers in the control interface: added, removed, listed, inspected.

/// Adds a container: enters its namespace, if it has one here, and makes its names known.
package enum AddContainer: ControlMethod {
    package static let definition = """
        # Adds a container: by the path of its namespace, by a process in it, or by addresses alone. It is on the networks
        # that are named; if none are (networks is absent), on those that its links are plugged into. listen: "auto",
        # "direct" or "redirect"; intercept: addresses of servers that it asks, whose questions are led to its listener;
        # empty: those of its own resolv.conf; replace: it takes the place of a declaration of the same name, and has the
        # same namespace if none is named; policy: says which names it may ask for; wait: for a container without a
        # namespace, the reply comes when its first question at a gateway was answered. The reply tells the state of one
        # with a namespace, once it is proved that its questions arrive, or a second later.
        method AddContainer(
          name: string,
          netns: ?string,
          pid: ?int,
          networks: ?[]Attachment,
          hostname: ?string,
          id: ?string,
          links: ?[]Link,
          ports: ?[]Port,
          resolvConf: ?string,
          listen: ?string,
          intercept: ?[]string,
          replace: ?bool,
          policy: ?string,
          wait: ?bool
        ) -> (state: ?string, reason: ?string, cure: ?string)
        """
    package static let types: [any ControlType.Type] = [Attachment.self, Link.self, Port.self]
    package static let isPersisted = true

    /// One network that the container is on from the start.
    package struct Attachment: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A network that a new container is on, with its addresses and further names there.
            type Attachment (name: string, addresses: ?[]string, aliases: ?[]string)
            """

        /// The network's name.
        package var name: String
        /// The container's addresses on it; absent: those of its links.
        package var addresses: [String]?
        /// Further names of the container on it; `*.NAME` stands for all names under NAME.
        package var aliases: [String]?

        package init(name: String, addresses: [String]? = nil, aliases: [String]? = nil) {
            self.name = name
            self.addresses = addresses
            self.aliases = aliases
        }
    }

    package struct Parameters: Codable, Equatable, Sendable {
        /// Labels of 1 to 63 octets with dots between them, as `web` or `db.1`.
        package var name: String
        /// The path of its network namespace, as `/run/netns/web`. Without this and `pid` it has no listener.
        package var netns: String?
        /// A process in its network namespace; the container ends with it.
        package var pid: Int?
        /// In the order in which they answer; absent: those that its links are plugged into.
        package var networks: [Attachment]?
        /// A further name of its own; it may have several labels.
        package var hostname: String?
        /// Id that its runtime gave it; its first 12 characters are a name, too.
        package var id: String?
        /// Private names of other containers.
        package var links: [Link]?
        /// Ports that SRV answers tell of.
        package var ports: [Port]?
        /// The absolute path of a resolv.conf to write for it.
        package var resolvConf: String?
        /// Way to take port 53 in its namespace, `auto`, `direct` or `redirect`; absent: as configured.
        package var listen: String?
        /// Addresses of servers whose questions are led to its listener; empty: those that its own resolv.conf names;
        /// absent: 127.0.0.11 alone is asked.
        package var intercept: [String]?
        /// True: it takes the place of a declaration of the same name, and of its namespace where none is named here.
        package var replace: Bool?
        /// Policy that its questions are judged by; absent: that of its networks, else of all.
        package var policy: String?
        /// True: the reply waits for the first question of a container without a namespace at a gateway.
        package var wait: Bool?

        package init(
            name: String, netns: String? = nil, pid: Int? = nil, networks: [Attachment]? = nil,
            hostname: String? = nil, id: String? = nil, links: [Link]? = nil, ports: [Port]? = nil,
            resolvConf: String? = nil, listen: String? = nil, intercept: [String]? = nil, replace: Bool? = nil,
            policy: String? = nil, wait: Bool? = nil
        ) {
            self.policy = policy
            self.wait = wait
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
            self.intercept = intercept
            self.replace = replace
        }
    }

    /// State of a container that is in force; empty for one without a namespace here.
    package struct Reply: Codable, Equatable, Sendable {
        /// As ``Container/state``.
        package var state: String?
        /// Why it is not ready.
        package var reason: String?
        /// Remedy; absent where nothing has to be done.
        package var cure: String?

        package init(state: String? = nil, reason: String? = nil, cure: String? = nil) {
            self.state = state
            self.reason = reason
            self.cure = cure
        }
    }
}

/// Removes a container's declaration. Unless it was found, too, its listener closes and its names are removed.
package enum RemoveContainer: ControlMethod {
    package static let definition = """
        # Removes a container's declaration. Unless it was found, too, its listener closes and its names are removed.
        method RemoveContainer(name: string) -> ()
        """
    package static let isPersisted = true

    package typealias Parameters = Named
    package typealias Reply = Nothing
}

/// Leaves a container out of aliases that others serve, too. Its own names stay.
package enum DrainContainer: ControlMethod {
    package static let definition = """
        # Leaves a container out of aliases that others serve, too. Its own names stay.
        method DrainContainer(name: string) -> ()
        """
    package static let isPersisted = true

    package typealias Parameters = Named
    package typealias Reply = Nothing
}

/// Takes ``DrainContainer`` back.
package enum ReadyContainer: ControlMethod {
    package static let definition = """
        # Takes that back.
        method ReadyContainer(name: string) -> ()
        """
    package static let isPersisted = true

    package typealias Parameters = Named
    package typealias Reply = Nothing
}

/// All containers, by name.
package enum ListContainers: ControlMethod {
    package static let definition = """
        # All containers, by name; with all, also those that are waited for, and those that ended within ten minutes. With
        # "more": in several replies, in no order, the last without "continues". What comes or goes meanwhile may be
        # missing. Without it a list may be too large. remote: those of other hosts instead. brief: without links, ports
        # and the names of endpoints, and with one fact of each source.
        method ListContainers(all: ?bool, remote: ?bool, brief: ?bool) -> (containers: []Container)
        """
    package static let types: [any ControlType.Type] = [
        Container.Endpoint.self, Link.self, Port.self, Fact.self, Gate.self, Container.self,
    ]

    package struct Parameters: Codable, Equatable, Sendable {
        /// True: also those that are waited for, and those that ended; absent: false.
        package var all: Bool?
        /// True: those of other hosts instead; absent: false.
        package var remote: Bool?
        /// True: without links, ports and the names of endpoints, and with one fact of each source: what a table shows, in
        /// half of the time; absent: false.
        package var brief: Bool?

        package init(all: Bool? = nil, remote: Bool? = nil, brief: Bool? = nil) {
            self.all = all
            self.remote = remote
            self.brief = brief
        }
    }

    package struct Reply: Codable, Equatable, Sendable {
        /// Sorted by name.
        package var containers: [Container]

        package init(containers: [Container]) {
            self.containers = containers
        }
    }
}

/// One container: of those that have a name alike the one that is there, then one that is waited for, then one that ended.
package enum InspectContainer: ControlMethod {
    package static let definition = """
        # One container, also one that is waited for or that ended within ten minutes.
        method InspectContainer(name: string) -> (container: Container)
        """
    package static let types: [any ControlType.Type] = [
        Container.Endpoint.self, Link.self, Port.self, Fact.self, Gate.self, Container.self,
    ]

    package typealias Parameters = Named
    package struct Reply: Codable, Equatable, Sendable {
        /// The one that was asked for.
        package var container: Container

        package init(container: Container) {
            self.container = container
        }
    }
}

/// A private name of another container.
package struct Link: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A private name of another container.
        type Link (container: string, name: string)
        """

    /// The other one's name; it need not be there yet.
    package var container: String
    /// Name that the container with the link uses.
    package var name: String

    package init(container: String, name: String) {
        self.container = container
        self.name = name
    }
}

/// A port that SRV answers tell of.
package struct Port: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A port that SRV answers tell of; protocol: "tcp" (if absent) or "udp".
        type Port (port: int, protocol: ?string, service: ?string)
        """

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
package struct Container: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A container; listener: where it is answered, absent where nothing listens; listen: how port 53 is taken there,
        # "direct" or "redirect", or "auto" where it is not taken yet; intercept: as it was declared;
        # resolvConf: its resolv.conf, as far as known; resolvConfWriter: "intercom", or "other" where that file was there before;
        # resolvers: servers that it asks, as far as known; intercepted: addresses whose questions are led to its listener; draining: whether it is left out of aliases that others serve, too; state: "ready",
        # "draining", "no listener", "unheard", "not asked", "starting" or "ended"; reason: why it is not ready; cure: what
        # to do, absent where nothing has to be done; ended: seconds since it ended. host: the other host that it is on, absent
        # where it is here; hostAddress: where that host is reached; state is "elsewhere" then, or "lost" as its host is. gate: in InspectContainer alone, absent where it
        # may reach all.
        type Container (
          name: string,
          id: ?string,
          hostname: ?string,
          netns: ?string,
          pid: ?int,
          networks: []Endpoint,
          links: []Link,
          ports: []Port,
          resolvConf: ?string,
          resolvConfWriter: ?string,
          listener: ?string,
          listen: string,
          intercept: ?[]string,
          resolvers: ?[]string,
          intercepted: ?[]string,
          draining: bool,
          policy: ?string,
          state: string,
          reason: ?string,
          cure: ?string,
          ended: ?int,
          source: string,
          facts: []Fact,
          host: ?string,
          hostAddress: ?string,
          gate: ?Gate
        )
        """

    /// The container on one network.
    package struct Endpoint: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A container on one network, with all names that it answers to there.
            type Endpoint (network: string, addresses: []string, aliases: []string, names: []string)
            """

        /// The network's name.
        package var network: String
        /// Addresses in force.
        package var addresses: [String]
        /// Further names, as declared.
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

    /// Name: as declared, else that of its namespace.
    package var name: String
    /// Id that its runtime gave it.
    package var id: String?
    /// A further name of its own.
    package var hostname: String?
    /// The path of its namespace; absent: it came by pid, or has none here.
    package var netns: String?
    /// The process that it ends with, if it came by pid.
    package var pid: Int?
    /// In the order in which they answer.
    package var networks: [Endpoint]
    /// Private names that it has for others.
    package var links: [Link]
    /// Ports that SRV answers tell of.
    package var ports: [Port]
    /// Its resolv.conf, as far as known.
    package var resolvConf: String?
    /// `intercom`, or `other` where somebody else wrote that file, which stays as it is; absent: there is none.
    package var resolvConfWriter: String?
    /// Address that it asks, `127.0.0.11:53`; absent: nothing listens.
    package var listener: String?
    /// `direct` or `redirect`: how port 53 is taken in its namespace; `auto` while that is open.
    package var listen: String
    /// Declared resolver addresses that are intercepted; empty: those of its own resolv.conf; absent: none.
    package var intercept: [String]?
    /// Servers that its resolv.conf names, or that were declared, at most 8; absent: not known.
    package var resolvers: [String]?
    /// Addresses whose questions rules in its namespace lead to its listener; absent: there are no rules.
    package var intercepted: [String]?
    /// True when it is left out of aliases that others serve, too.
    package var draining: Bool
    /// Policy in force, that its questions are judged by; absent: it may ask for everything.
    package var policy: String?
    /// `ready`, `draining`, `no listener`, `unheard`, `not asked`, `starting` or `ended`.
    package var state: String
    /// Why it is not ready.
    package var reason: String?
    /// Remedy; absent where nothing has to be done.
    package var cure: String?
    /// Seconds since it ended.
    package var ended: Int?
    /// `configuration` or `control`: who declared it; `kernel`: nobody did.
    package var source: String
    /// Facts about it, declared ones first.
    package var facts: [Fact]

    /// The other host that it is on; absent: it is here.
    package var host: String?
    /// Address at which that host is reached.
    package var hostAddress: String?
    /// Its gate for addresses; absent: it may reach all, or another method asked.
    package var gate: Gate?

    package init(
        name: String, id: String?, hostname: String?, netns: String?, pid: Int?, networks: [Endpoint], links: [Link],
        ports: [Port], resolvConf: String?, resolvConfWriter: String? = nil, listener: String?, listen: String,
        intercept: [String]? = nil,
        resolvers: [String]? = nil, intercepted: [String]? = nil,
        draining: Bool, state: String, reason: String?, cure: String?, ended: Int? = nil, source: String, facts: [Fact],
        policy: String? = nil
    ) {
        self.policy = policy
        self.name = name
        self.id = id
        self.hostname = hostname
        self.netns = netns
        self.pid = pid
        self.networks = networks
        self.links = links
        self.ports = ports
        self.resolvConf = resolvConf
        self.resolvConfWriter = resolvConfWriter
        self.listener = listener
        self.listen = listen
        self.intercept = intercept
        self.resolvers = resolvers
        self.intercepted = intercepted
        self.draining = draining
        self.state = state
        self.reason = reason
        self.cure = cure
        self.ended = ended
        self.source = source
        self.facts = facts
    }
}
