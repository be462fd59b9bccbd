// Sources in the control interface: adapters of runtimes publish networks and containers, each under a name of its own.

/// Replaces all that a source said before, at once or not at all.
package enum Publish: ControlMethod {
    package static let definition = """
        # Replaces all networks and containers of a source: at once, or not at all. What is the same goes on without an
        # outage. More than one message holds comes in parts, on one connection: first, middle …, last; the last one brings
        # all parts into force, and a connection that ends before it changes nothing. Absent part: the whole.
        # The reply comes when the names are known; namespaces are entered after it.
        method Publish(
          source: string,
          networks: ?[]PublishedNetwork,
          containers: ?[]PublishedContainer,
          part: ?Part
        ) -> ()
        """
    package static let types: [any ControlType.Type] = [
        Part.self, AddContainer.Attachment.self, Link.self, Port.self, ExtraHost.self, PublishedNetwork.self,
        PublishedContainer.self,
    ]
    package static let isPersisted = true

    /// Place of a message among those of one publication.
    package enum Part: String, ControlType, Codable, Sendable {
        package static let definition = """
            # The place of a message among those of one publication.
            type Part (first, middle, last)
            """

        /// The beginning of a publication; what an earlier one has begun is dropped.
        case first
        /// Neither the beginning nor the end.
        case middle
        /// The end: all parts come into force.
        case last
    }

    package struct Parameters: Codable, Equatable, Sendable {
        /// 1 to 32 of `a`…`z`, `0`…`9` and `-`, as `docker`; not `kernel`, `configuration`, `control` or `cluster`.
        package var source: String
        /// Absent: none.
        package var networks: [PublishedNetwork]?
        /// Absent: none. No two with the same id.
        package var containers: [PublishedContainer]?
        /// Absent: this message is all of it.
        package var part: Part?

        package init(
            source: String, networks: [PublishedNetwork]? = nil, containers: [PublishedContainer]? = nil,
            part: Part? = nil
        ) {
            self.source = source
            self.networks = networks
            self.containers = containers
            self.part = part
        }
    }
    package typealias Reply = Nothing
}

/// Changes some of what a source said, and leaves the rest.
package enum Update: ControlMethod {
    package static let definition = """
        # Changes some of what a source said: put adds containers or replaces those with the same ids, gone takes containers
        # back by their ids. Likewise networks, by their names. All at once, or nothing. With wait the reply comes when the
        # containers that were put have been attached, or after 100 ms at the latest.
        method Update(
          source: string,
          networks: ?[]PublishedNetwork,
          goneNetworks: ?[]string,
          put: ?[]PublishedContainer,
          gone: ?[]string,
          wait: ?bool
        ) -> ()
        """
    package static let types: [any ControlType.Type] = [
        AddContainer.Attachment.self, Link.self, Port.self, ExtraHost.self, PublishedNetwork.self,
        PublishedContainer.self,
    ]
    package static let isPersisted = true

    package struct Parameters: Codable, Equatable, Sendable {
        /// Name of the source, as of ``Publish``.
        package var source: String
        /// Networks that are new or different.
        package var networks: [PublishedNetwork]?
        /// Names of networks that are gone; those that are not known are passed over.
        package var goneNetworks: [String]?
        /// Containers that are new or different.
        package var put: [PublishedContainer]?
        /// Ids of containers that are gone; those that are not known are passed over.
        package var gone: [String]?
        /// True: reply when those that were put are attached, or after 100 ms.
        package var wait: Bool?

        package init(
            source: String, networks: [PublishedNetwork]? = nil, goneNetworks: [String]? = nil,
            put: [PublishedContainer]? = nil, gone: [String]? = nil, wait: Bool? = nil
        ) {
            self.source = source
            self.networks = networks
            self.goneNetworks = goneNetworks
            self.put = put
            self.gone = gone
            self.wait = wait
        }
    }
    package typealias Reply = Nothing
}

/// Removes all that a source said.
package enum Forget: ControlMethod {
    package static let definition = """
        # Removes all that a source said. What others say of the same containers stays.
        method Forget(source: string) -> ()
        """
    package static let isPersisted = true

    package struct Parameters: Codable, Equatable, Sendable {
        /// Name of the source.
        package var source: String

        package init(source: String) {
            self.source = source
        }
    }
    package typealias Reply = Nothing
}

/// All sources that have published something.
package enum ListSources: ControlMethod {
    package static let definition = """
        # All sources that have published something, by name.
        method ListSources() -> (sources: []Source)
        """
    package static let types: [any ControlType.Type] = [Source.self]

    /// A source with what it said.
    package struct Source: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A source: numbers of its containers, of those among them whose namespace is waited for, of those whose namespace
            # ended in the last ten minutes, of its networks, and of what it told and cannot be; lastHeard: seconds since its last call, absent where it has not called since the
            # daemon's start.
            type Source (
              name: string,
              containers: int,
              waiting: int,
              ended: ?int,
              networks: int,
              leftOut: int,
              lastHeard: ?int
            )
            """

        /// Its name.
        package var name: String
        /// Number of its containers.
        package var containers: Int
        /// Number of its containers whose namespace is waited for.
        package var waiting: Int
        /// Number of its containers whose namespace ended in the last ten minutes; they are dropped then.
        package var ended: Int?
        /// Number of its networks.
        package var networks: Int
        /// Number of networks and containers that it told of and that cannot be: `status` says why.
        package var leftOut: Int
        /// Seconds since its last call; absent: it has not called since the daemon's start.
        package var lastHeard: Int?

        package init(
            name: String, containers: Int, waiting: Int, ended: Int? = nil, networks: Int, leftOut: Int, lastHeard: Int?
        ) {
            self.name = name
            self.containers = containers
            self.waiting = waiting
            self.ended = ended
            self.networks = networks
            self.leftOut = leftOut
            self.lastHeard = lastHeard
        }
    }

    package typealias Parameters = Nothing
    package struct Reply: Codable, Equatable, Sendable {
        /// Sorted by name.
        package var sources: [Source]

        package init(sources: [Source]) {
            self.sources = sources
        }
    }
}

/// A network that a source tells of.
package struct PublishedNetwork: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A network that a source tells of; interface: the host's link that it is. One that is a network already is that one.
        type PublishedNetwork (
          name: string,
          id: ?string,
          interface: ?string,
          subnets: ?[]string,
          internal: ?bool,
          upstreams: ?[]string
        )
        """

    /// A DNS name; the source's endpoints name the network by it.
    package var name: String
    /// Id that the runtime gave it.
    package var id: String?
    /// The host's bridge or parent interface that is this network.
    package var interface: String?
    /// Blocks of addresses, as `10.1.0.0/24`; absent or empty: any address is allowed.
    package var subnets: [String]?
    /// True: questions from here are never forwarded; absent: false.
    package var `internal`: Bool?
    /// DNS servers of this network alone, ADDRESS[:PORT]; absent or empty: those of the configuration.
    package var upstreams: [String]?

    package init(
        name: String, id: String? = nil, interface: String? = nil, subnets: [String]? = nil, internal: Bool? = nil,
        upstreams: [String]? = nil
    ) {
        self.name = name
        self.id = id
        self.interface = interface
        self.subnets = subnets
        self.internal = `internal`
        self.upstreams = upstreams
    }
}

/// A container that a source tells of.
package struct PublishedContainer: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A container that a source tells of; it is known by its id. name: may have dots, absent: the first 12 characters of
        # the id. netns, pid: the ways into its namespace; namespaceOf: the id of a container of any source whose namespace it
        # shares. With none of them it joins the container that another source tells of under the same id, else it has no
        # listener. upstreams: its own DNS servers; intercept: servers that it asks, absent: those of its resolv.conf.
        # policy: says which names it may ask for; where nobody has declared it, none. hosts: names that it alone knows.
        type PublishedContainer (
          id: string,
          name: ?string,
          hostname: ?string,
          netns: ?string,
          pid: ?int,
          namespaceOf: ?string,
          networks: ?[]Attachment,
          links: ?[]Link,
          ports: ?[]Port,
          upstreams: ?[]string,
          draining: ?bool,
          intercept: ?[]string,
          policy: ?string,
          hosts: ?[]ExtraHost
        )
        """

    /// Id that its runtime gave it, of 1 to 255 octets; its first 12 characters are a name, too.
    package var id: String
    /// Name for people; it may have dots, as `db.1`. Absent: the first 12 characters of the id.
    package var name: String?
    /// A further name of its own; it may have several labels.
    package var hostname: String?
    /// The path of its network namespace.
    package var netns: String?
    /// A process in its network namespace; the container ends with it.
    package var pid: Int?
    /// Id of the container whose namespace it shares: its names become names of that one.
    package var namespaceOf: String?
    /// In the order in which they answer; absent: those that its links are plugged into.
    package var networks: [AddContainer.Attachment]?
    /// Private names of other containers.
    package var links: [Link]?
    /// Ports that SRV answers tell of.
    package var ports: [Port]?
    /// DNS servers of this container alone, ADDRESS[:PORT]; absent or empty: those of its networks.
    package var upstreams: [String]?
    /// True: it is left out of aliases that others serve, too; absent: false.
    package var draining: Bool?
    /// Servers that it asks, whose place we take; absent: those that its resolv.conf names.
    package var intercept: [String]?
    /// Policy that its questions are judged by; absent: that of its networks, else of all. Where nobody has declared it,
    /// everything is denied.
    package var policy: String?
    /// Names that it alone knows, with their addresses.
    package var hosts: [ExtraHost]?

    package init(
        id: String, name: String? = nil, hostname: String? = nil, netns: String? = nil, pid: Int? = nil,
        namespaceOf: String? = nil, networks: [AddContainer.Attachment]? = nil, links: [Link]? = nil,
        ports: [Port]? = nil, upstreams: [String]? = nil, draining: Bool? = nil, intercept: [String]? = nil,
        policy: String? = nil, hosts: [ExtraHost]? = nil
    ) {
        self.policy = policy
        self.hosts = hosts
        self.id = id
        self.name = name
        self.hostname = hostname
        self.netns = netns
        self.pid = pid
        self.namespaceOf = namespaceOf
        self.networks = networks
        self.links = links
        self.ports = ports
        self.upstreams = upstreams
        self.draining = draining
        self.intercept = intercept
    }
}

/// A name with an address that one container alone knows.
package struct ExtraHost: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A name that one container alone knows, as a line of its /etc/hosts. address: "host-gateway" stands for those that
        # the host has on the container's first network that has one. A name that cannot be is passed over.
        type ExtraHost (name: string, address: string)
        """

    /// Word for the addresses of the host.
    package static let gateway = "host-gateway"

    /// The name.
    package var name: String
    /// An address of either family, or ``gateway``.
    package var address: String

    package init(name: String, address: String) {
        self.name = name
        self.address = address
    }
}
