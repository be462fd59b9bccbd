// Declarations of networks and containers: the registry's input, which it shows again.

package import DNSWire

/// Source of what is said of networks and containers.
package enum Source: Sendable, Hashable {
    /// A file, or somebody at the control socket: what these say is declared.
    case configuration, control
    /// An adapter that publishes, by its name, as `docker`.
    case publisher(String)
    /// A file in the form of hosts(5), by its path; it tells records alone.
    case hostsFile(String)

    /// Name for people: `configuration`, `control`, that of the adapter, or the path of the file.
    package var name: String {
        switch self {
        case .configuration: "configuration"
        case .control: "control"
        case .publisher(let name): name
        case .hostsFile(let path): path
        }
    }
}

/// The namespace that upstreams are reached from.
package enum ForwardFrom: String, Sendable, CaseIterable {
    /// The daemon's own.
    case host
    /// The namespace of the container that asks.
    case namespace
}

/// Way to listen on port 53 of 127.0.0.11 in a namespace.
package enum ListenMode: String, Sendable, CaseIterable {
    /// As ``direct`` where port 53 is free, else as ``redirect``.
    case auto
    /// Our sockets are bound to port 53 itself.
    case direct
    /// Our sockets are bound to a random port, and port 53 is translated to it in that namespace alone.
    case redirect
}

/// Resolver addresses of a container whose questions are led to its listener. 127.0.0.11 is always one of them.
package enum Interception: Sendable, Equatable {
    /// The servers that its own resolv.conf names.
    case resolverFile
    /// These; at least one and at most ``Registry/Limits/interceptedAddresses``.
    case addresses([IPAddress])

    /// - Parameter addresses: those that were declared; none: the resolv.conf names them.
    package init(_ addresses: [IPAddress]) {
        self = addresses.isEmpty ? .resolverFile : .addresses(addresses)
    }

    /// Declared addresses; empty where the container's resolv.conf names them.
    package var addresses: [IPAddress] {
        switch self {
        case .resolverFile: []
        case .addresses(let addresses): addresses
        }
    }
}

/// Answers of a gateway's listener to a source on its network that no container has.
package enum UnknownSources: String, Sendable, CaseIterable {
    /// Names of outside alone.
    case forward
    /// REFUSED.
    case refuse
}

/// A domain whose names are asked elsewhere.
package struct RouteDefinition: Sendable, Equatable {
    /// Never the root: what is under no route goes to the upstreams of the network, else to those of all.
    package var domain: Name
    /// Asked in this order; at least one.
    package var upstreams: [ServerAddress]

    package init(domain: Name, upstreams: [ServerAddress]) {
        self.domain = domain
        self.upstreams = upstreams
    }
}

/// A network: the segment that containers share.
package struct NetworkDefinition: Sendable, Equatable {
    /// A DNS name; it may have several labels.
    package var name: String
    /// Source of the declaration.
    package var source: Source
    /// The host's interface that is this network.
    package var interface: String?
    /// Empty: any address is of this network.
    package var subnets: [Subnet] = []
    /// True when questions of its containers are never forwarded because of it.
    package var isInternal = false
    /// Empty: those of the configuration.
    package var upstreams: [ServerAddress] = []
    /// Domains that containers on this network ask elsewhere; none twice.
    package var routes: [RouteDefinition] = []
    /// Namespace from which upstreams and routes of this network are asked; nil: the default.
    package var forwardFrom: ForwardFrom?
    /// Seconds that answers may be kept; nil: the registry's default.
    package var ttl: UInt32?
    /// Policy of its containers that have none of their own; nil: that of the next network, else of all.
    package var policy: String?
    /// Name for all hosts; empty: it is not shared with them; nil: the configuration's patterns of shared networks say so.
    package var sharedAs: String?
    /// Domains that its containers' resolver libraries try behind a name, in this order, in place of the host's; empty: the
    /// host's.
    package var search: [Name] = []
    /// True when guests, whose network stack is none of this kernel, are answered at the host's addresses on this network.
    package var hasGatewayListener = false
    /// Answers to sources that no container on this network has.
    package var unknownSources = UnknownSources.forward
    /// Addresses of the host, for containers on this network; empty: it has no name there; nil: those that the kernel shows.
    package var host: [IPAddress]?

    package init(name: String, source: Source) {
        self.name = name
        self.source = source
    }
}

/// One attachment of a container to one network.
package struct EndpointDefinition: Sendable, Equatable {
    /// The network's name; it has to be there.
    package var network: String
    /// Empty: those of its links that are plugged into the network.
    package var addresses: [IPAddress]
    /// Further names; they may have several labels and begin with `*.`.
    package var aliases: [String]

    package init(network: String, addresses: [IPAddress] = [], aliases: [String] = []) {
        self.network = network
        self.addresses = addresses
        self.aliases = aliases
    }
}

/// A private name of another container.
package struct LinkDefinition: Sendable, Equatable {
    /// The target; it may come later than the link, go and return.
    package var container: String
    /// Name of the link, for this container alone.
    package var name: String

    package init(container: String, name: String) {
        self.container = container
        self.name = name
    }
}

/// A name with an address that one container alone knows, as a line of its /etc/hosts (`docker run --add-host`).
package struct ExtraHostDefinition: Sendable, Equatable {
    /// The name; one that cannot be is passed over.
    package var name: String
    /// The address, of whatever kind; nil: those of the host on the container's first network that has one (`host-gateway`).
    package var address: IPAddress?

    package init(name: String, address: IPAddress?) {
        self.name = name
        self.address = address
    }
}

/// A port that SRV answers tell of.
package struct PortDefinition: Sendable, Equatable {
    /// The transport of a port.
    package enum Transport: String, Sendable, CaseIterable {
        /// As in `_tcp` and `_udp` of a service's name (RFC 2782).
        case tcp, udp
    }

    /// 1...65535.
    package var number: UInt16
    /// Transport of the service.
    package var transport: Transport
    /// The service's name without its underscore, as `http`.
    package var service: String?

    package init(number: UInt16, transport: Transport = .tcp, service: String? = nil) {
        self.number = number
        self.transport = transport
        self.service = service
    }
}

/// A container: its identity and where it is attached.
package struct ContainerDefinition: Sendable, Equatable {
    /// Labels of 1 to 63 octets with dots between them, taken as they are: no octet is an escape.
    package var name: String
    /// Source of the declaration.
    package var source: Source
    /// A further name on each of its networks; it may have several labels.
    package var hostname: String?
    /// Id in its runtime. The id is a name, and so are its first 12 characters.
    package var id: String?
    /// In the order in which they answer.
    package var endpoints: [EndpointDefinition] = []
    /// True when it is on its declared networks alone, whatever its links are plugged into; else its links determine
    /// its networks.
    package var namesItsNetworks = false
    /// Nil: as configured for all.
    package var listen: ListenMode?
    /// Resolver addresses that are intercepted; nil: none.
    package var intercept: Interception?
    /// Names that it alone knows others by.
    package var links: [LinkDefinition] = []
    /// Names that it alone knows, with their addresses.
    package var extraHosts: [ExtraHostDefinition] = []
    /// Ports of its SRV answers.
    package var ports: [PortDefinition] = []
    /// DNS servers of this container alone; empty: those of its networks.
    package var upstreams: [ServerAddress] = []
    /// Policy that its questions are judged by; nil: that of its networks, else of all.
    package var policy: String?
    /// True when its source says that names which others serve, too, leave it out.
    package var isDraining = false
    /// True when it shares the namespace of another container, whose names come before its own.
    package var isGuest = false

    package init(name: String, source: Source) {
        self.name = name
        self.source = source
    }
}
