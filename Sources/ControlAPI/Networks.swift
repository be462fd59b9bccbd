// Networks in the control interface: declared, listed, inspected, and who is on them.

/// Declares a network.
package enum CreateNetwork: ControlMethod {
    package static let definition = """
        # Declares a network. policy: that of its containers which have none of their own; search: the search domains of
        # its containers, in place of the host's; gatewayListener: whether guests are answered at the host's addresses on
        # it; gatewayUnknown: answers to sources there that no container has, "forward" or "refuse".
        method CreateNetwork(
          name: string,
          interface: ?string,
          subnets: ?[]string,
          internal: ?bool,
          upstreams: ?[]string,
          ttl: ?int,
          routes: ?[]Route,
          forwardFrom: ?string,
          policy: ?string,
          search: ?[]string,
          gatewayListener: ?bool,
          gatewayUnknown: ?string
        ) -> ()
        """
    package static let types: [any ControlType.Type] = [Route.self]
    package static let isPersisted = true

    package struct Parameters: Codable, Equatable, Sendable {
        /// A DNS name; it may have several labels.
        package var name: String
        /// The host's bridge or parent interface that is this network.
        package var interface: String?
        /// Blocks of addresses, as `10.1.0.0/24`; absent or empty: any address is allowed.
        package var subnets: [String]?
        /// True: questions from here are never forwarded; absent: false.
        package var `internal`: Bool?
        /// DNS servers of this network alone, ADDRESS[:PORT]; absent or empty: those of the configuration.
        package var upstreams: [String]?
        /// Domains that are asked elsewhere from this network; no domain twice.
        package var routes: [Route]?
        /// Namespace from which all of them are asked, `host` or `namespace`; absent: as configured.
        package var forwardFrom: String?
        /// Seconds that answers may be kept, 0...2147483647; absent: as configured.
        package var ttl: Int?
        /// Policy of its containers that have none of their own; absent: that of their next network, else of all.
        package var policy: String?
        /// Domains for the search lists of its containers, as `corp.example`; absent or empty: those of the host.
        package var search: [String]?
        /// True: guests, whose network stack is none of this kernel, are answered at the host's addresses on it; absent: false.
        package var gatewayListener: Bool?
        /// Answers to sources there that no container has, `forward` or `refuse`; absent: `forward`.
        package var gatewayUnknown: String?

        package init(
            name: String, interface: String? = nil, subnets: [String]? = nil, internal: Bool? = nil,
            upstreams: [String]? = nil, routes: [Route]? = nil, forwardFrom: String? = nil, ttl: Int? = nil,
            policy: String? = nil, search: [String]? = nil, gatewayListener: Bool? = nil,
            gatewayUnknown: String? = nil
        ) {
            self.gatewayListener = gatewayListener
            self.gatewayUnknown = gatewayUnknown
            self.policy = policy
            self.search = search
            self.name = name
            self.interface = interface
            self.subnets = subnets
            self.internal = `internal`
            self.upstreams = upstreams
            self.routes = routes
            self.forwardFrom = forwardFrom
            self.ttl = ttl
        }
    }
    package typealias Reply = Nothing
}

/// Removes a network that no container is on.
package enum RemoveNetwork: ControlMethod {
    package static let definition = """
        # Removes a network's declaration, if no container was declared to be on it. A network that was found stays.
        method RemoveNetwork(name: string) -> ()
        """
    package static let isPersisted = true

    package typealias Parameters = Named
    package typealias Reply = Nothing
}

/// All networks, by name.
package enum ListNetworks: ControlMethod {
    package static let definition = """
        # All networks, by name. With "more": in several replies, in no order, the last without "continues"; a network of
        # many containers comes in parts. What comes or goes meanwhile may be missing. Without it a list may be too large.
        method ListNetworks() -> (networks: []Network)
        """
    package static let types: [any ControlType.Type] = [
        Network.Member.self, Network.GatewayListener.self, Fact.self, Route.self, Network.self,
    ]

    package typealias Parameters = Nothing
    package struct Reply: Codable, Equatable, Sendable {
        /// Sorted by name.
        package var networks: [Network]

        package init(networks: [Network]) {
            self.networks = networks
        }
    }
}

/// One network.
package enum InspectNetwork: ControlMethod {
    package static let definition = """
        # One network; with "more" in several replies, if it has many containers.
        method InspectNetwork(name: string) -> (network: Network)
        """
    package static let types: [any ControlType.Type] = [
        Network.Member.self, Network.GatewayListener.self, Fact.self, Route.self, Network.self,
    ]

    package typealias Parameters = Named
    package struct Reply: Codable, Equatable, Sendable {
        /// The one that was asked for.
        package var network: Network

        package init(network: Network) {
            self.network = network
        }
    }
}

/// Puts a container on a network, while it runs.
package enum Connect: ControlMethod {
    package static let definition = """
        # Puts a container on a network, while it runs; one whose link is plugged into it gains addresses and aliases.
        method Connect(network: string, container: string, addresses: ?[]string, aliases: ?[]string) -> ()
        """
    package static let isPersisted = true

    package struct Parameters: Codable, Equatable, Sendable {
        /// The network's name.
        package var network: String
        /// The container's name.
        package var container: String
        /// The container's addresses on this network.
        package var addresses: [String]?
        /// Further names of the container on this network; `*.NAME` stands for all names under NAME.
        package var aliases: [String]?

        package init(network: String, container: String, addresses: [String]? = nil, aliases: [String]? = nil) {
            self.network = network
            self.container = container
            self.addresses = addresses
            self.aliases = aliases
        }
    }
    package typealias Reply = Nothing
}

/// Takes a container off a network, while it runs.
package enum Disconnect: ControlMethod {
    package static let definition = """
        # Takes a container off a network, while it runs. A link that is plugged into it counts no more until Connect.
        method Disconnect(network: string, container: string) -> ()
        """
    package static let isPersisted = true

    package struct Parameters: Codable, Equatable, Sendable {
        /// The network's name.
        package var network: String
        /// The container's name.
        package var container: String

        package init(network: String, container: String) {
            self.network = network
            self.container = container
        }
    }
    package typealias Reply = Nothing
}

/// A domain whose names are asked elsewhere.
package struct Route: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A domain that is asked elsewhere: of DNS servers, ADDRESS[:PORT]. The longest that a name is under counts.
        type Route (domain: string, upstreams: []string)
        """

    /// Domain, as `corp.example`, or `10.in-addr.arpa` for addresses; `.` for all names that are under no other.
    package var domain: String
    /// DNS servers, ADDRESS[:PORT], asked in this order; at least one.
    package var upstreams: [String]

    package init(domain: String, upstreams: [String]) {
        self.domain = domain
        self.upstreams = upstreams
    }
}

/// A network as the daemon knows it.
package struct Network: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A network: the segment that containers share. forwardFrom: from where its upstreams and routes are asked, "host"
        # or "namespace" (that of the container); ttl: seconds; source: "configuration", "control" or "kernel";
        # continued: true where the containers are further ones of the network before, whose facts it told; gatewayUnknown
        # and gatewayListeners: absent where guests are not answered at the host's addresses on it.
        type Network (
          name: string,
          interface: ?string,
          subnets: []string,
          internal: bool,
          upstreams: []string,
          routes: []Route,
          forwardFrom: string,
          ttl: int,
          policy: ?string,
          search: ?[]string,
          gatewayUnknown: ?string,
          gatewayListeners: ?[]GatewayListener,
          source: string,
          containers: []Member,
          facts: []Fact,
          continued: ?bool
        )
        """

    /// A listener at an address of the host on a network, for guests.
    package struct GatewayListener: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A listener for guests at an address of the host on a network; address: empty where there is none to listen
            # at; state: "listening", "starting" or "no listener".
            type GatewayListener (address: string, state: string, reason: ?string)
            """

        /// The host's address; empty where there is none to listen at.
        package var address: String
        /// `listening`, `starting` or `no listener`.
        package var state: String
        /// Why there is no listener, and what to do.
        package var reason: String?

        package init(address: String, state: String, reason: String?) {
            self.address = address
            self.state = state
            self.reason = reason
        }
    }

    /// A container on a network.
    package struct Member: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A container on a network.
            type Member (container: string, addresses: []string, aliases: []string)
            """

        /// The container's name.
        package var container: String
        /// Addresses in force.
        package var addresses: [String]
        /// Further names, as declared.
        package var aliases: [String]

        package init(container: String, addresses: [String], aliases: [String]) {
            self.container = container
            self.addresses = addresses
            self.aliases = aliases
        }
    }

    /// Name: as declared, else its interface's alias, else its interface's name.
    package var name: String
    /// The host's interface that it is, or that it is declared to be.
    package var interface: String?
    /// Subnets in force; empty: any address is allowed.
    package var subnets: [String]
    /// True when questions from here are never forwarded.
    package var `internal`: Bool
    /// Empty: those of the configuration.
    package var upstreams: [String]
    /// Domains that are asked elsewhere.
    package var routes: [Route]
    /// `host` or `namespace`, as in force.
    package var forwardFrom: String
    /// Seconds, as in force.
    package var ttl: Int
    /// Policy of its containers that have none of their own.
    package var policy: String?
    /// Domains for the search lists of its containers; nil: those of the host.
    package var search: [String]?
    /// Answers to sources that no container has, where guests are answered: `forward` or `refuse`.
    package var gatewayUnknown: String?
    /// Listeners for guests at the host's addresses on it; nil: it has none.
    package var gatewayListeners: [GatewayListener]?
    /// `configuration` or `control`: who declared it; `kernel`: nobody did.
    package var source: String
    /// By name; in a list that comes in parts each part by itself.
    package var containers: [Member]
    /// Facts about it, declared ones first.
    package var facts: [Fact]
    /// True where ``containers`` are further ones of the network that came before it in a list.
    package var continued: Bool?

    package init(
        name: String, interface: String?, subnets: [String], internal: Bool, upstreams: [String],
        routes: [Route], forwardFrom: String, ttl: Int, source: String, containers: [Member], facts: [Fact],
        continued: Bool? = nil, policy: String? = nil, search: [String]? = nil, gatewayUnknown: String? = nil,
        gatewayListeners: [GatewayListener]? = nil
    ) {
        self.gatewayUnknown = gatewayUnknown
        self.gatewayListeners = gatewayListeners
        self.policy = policy
        self.search = search
        self.name = name
        self.interface = interface
        self.subnets = subnets
        self.internal = `internal`
        self.upstreams = upstreams
        self.routes = routes
        self.forwardFrom = forwardFrom
        self.ttl = ttl
        self.source = source
        self.containers = containers
        self.facts = facts
        self.continued = continued
    }
}
