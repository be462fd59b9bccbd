// Hosts and their containers, as bridges and daemons tell each other of them.

/// A container on one network, as all hosts call it.
package struct Place: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A container on one network, by the network's name for all hosts, with its addresses and further names there.
        type Place (network: string, addresses: []string, aliases: ?[]string)
        """

    /// Name for all hosts.
    package var network: String
    /// Addresses on this network, without prefix lengths.
    package var addresses: [String]
    /// Further names on this network; wildcards among them.
    package var aliases: [String]?

    package init(network: String, addresses: [String], aliases: [String]? = nil) {
        self.network = network
        self.addresses = addresses
        self.aliases = aliases
    }
}

/// A container of one host, whole: an absent field is a property that it does not have.
package struct Entry: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # A container of one host, whole: an absent field is a property that it does not have. key: unique on its host, of a-z, 0-9, '.', '-',
        # '_', '~' and '%', at most 255 octets. declared: its addresses were declared there or told by a runtime, not just found.
        type Entry (
          host: string,
          key: string,
          name: string,
          hostname: ?string,
          id: ?string,
          ports: ?[]Port,
          draining: ?bool,
          declared: ?bool,
          places: []Place
        )
        """

    /// Name of its host.
    package var host: String
    /// Unique on its host: its name, percent-encoded; `~2` behind it for the second of that name.
    package var key: String
    /// Name for people.
    package var name: String
    /// A further name.
    package var hostname: String?
    /// Id that its runtime gave it; its first 12 characters are a name, too.
    package var id: String?
    /// Ports that SRV answers tell of.
    package var ports: [Port]?
    /// True: it is left out of names that others serve, too; absent: false.
    package var draining: Bool?
    /// True: its addresses were declared there or told by a runtime; absent: they were found.
    package var declared: Bool?
    /// Shared networks that it is on.
    package var places: [Place]

    package init(
        host: String, key: String, name: String, hostname: String? = nil, id: String? = nil, ports: [Port]? = nil,
        draining: Bool? = nil, declared: Bool? = nil, places: [Place]
    ) {
        self.host = host
        self.key = key
        self.name = name
        self.hostname = hostname
        self.id = id
        self.ports = ports
        self.draining = draining
        self.declared = declared
        self.places = places
    }
}

/// Names an entry.
package struct EntryKey: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # Names an entry.
        type EntryKey (host: string, key: string)
        """

    /// Name of its host.
    package var host: String
    /// Its key on that host.
    package var key: String

    package init(host: String, key: String) {
        self.host = host
        self.key = key
    }
}

/// Another host.
package struct Host: ControlType, Codable, Equatable, Sendable {
    package static let definition = """
        # Another host. lost: nothing has been heard of it for some time; it leaves each name that a living host serves. address: the address
        # at which the host is reached (underlay).
        type Host (host: string, state: HostState, address: ?string)
        # A host's state.
        type HostState (alive, lost)
        """

    /// State of a host.
    package enum State: String, Codable, Sendable {
        /// It is heard of.
        case alive
        /// Nothing has been heard of it for some time.
        case lost
    }

    /// Its name.
    package var host: String
    /// Its state.
    package var state: State
    /// Address at which it is reached; absent: not known.
    package var address: String?

    package init(host: String, state: State, address: String? = nil) {
        self.host = host
        self.state = state
        self.address = address
    }
}
