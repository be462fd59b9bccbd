// Facts of networks and containers that records are made of, each gathered once for all records that are compiled together.

import DNSWire

/// Networks and containers as records need them.
///
/// A name is compiled from a few of their properties, and those of one container are behind a dozen names: the registry's own
/// values, which are large, are copied once for all of them.
struct RecordFacts {
    /// A network.
    struct Network {
        let id: ScopeID
        /// Seconds that answers may be kept.
        let ttl: UInt32
        /// Number of its name for all hosts; nil: it is not shared, or no other host has it.
        let numberElsewhere: Int?
        /// Subnets in which addresses of other hosts are believed; none: all are.
        let believed: [Subnet]
        /// Names that stand behind those of containers in full names, the longest first: each is left out where a name becomes too
        /// long by it.
        private let suffixes: [Name]

        init(_ network: Registry.Network, _ registry: Registry) {
            id = network.id
            ttl = network.definition?.ttl ?? registry.ttl
            numberElsewhere = network.sharedName.flatMap { registry.elsewhere.networkNumbers[$0] }
            believed = network.definition?.subnets ?? []
            suffixes =
                if let name = network.dnsName {
                    [try? name.appending(registry.domain), name].compactMap(\.self)
                } else {
                    [registry.domain]
                }
        }

        /// `name.network.domain`; `name.network` where that is too long for a name; else the name alone.
        func fullName(of name: Name) -> Name {
            for suffix in suffixes {
                if let full = try? name.appending(suffix) { return full }
            }
            return name
        }
    }

    /// A container.
    struct Container {
        /// Its first name; nil where it is not found by its name.
        let name: Name?
        let isDraining: Bool
        let endpoints: [Registry.Endpoint]

        init(_ container: Registry.Container) {
            name = container.dnsName
            isDraining = container.isDraining
            endpoints = container.endpoints
        }

        /// Its endpoint on a network; nil: it is not on it.
        func endpoint(on network: ScopeID) -> Registry.Endpoint? { endpoints.first { $0.network == network } }
    }

    private var networks: [ScopeID: Network] = [:]
    private var containers: [ContainerID: Container] = [:]
    /// The network that was asked for last: most changes are on one.
    private var last: Network?

    /// A network; nil: there is none of this number.
    mutating func network(_ id: ScopeID, of registry: Registry) -> Network? {
        if let last, last.id == id { return last }
        if let known = networks[id] {
            last = known
            return known
        }
        guard let network = registry.networkStates[id].map({ Network($0, registry) }) else { return nil }
        networks[id] = network
        last = network
        return network
    }

    /// A container; nil: there is none of this number.
    mutating func container(_ id: ContainerID, of registry: Registry) -> Container? {
        if let known = containers[id] { return known }
        guard let container = registry.containerStates[id].map({ Container($0) }) else { return nil }
        containers[id] = container
        return container
    }
}
