// Limits of what one declaration, and one container, may have: nobody makes a change cost others more than a moment.

import DNSWire

extension Registry {
    /// The most of each thing. Far above what runtimes give a container, far below what costs time.
    ///
    /// They hold for the configuration, the control socket and what was kept over a restart; for what the kernel shows, the
    /// rest is left out and counted.
    package enum Limits {
        /// Resolver addresses of one container that are intercepted: libc asks 3, and each costs rules in its namespace.
        package static let interceptedAddresses = 8
        /// Networks that one container is on. Each costs a search of its own in every lookup.
        package static let networks = 64
        /// Addresses of one container, on all its networks together: declared ones; and as many that the kernel shows. Its
        /// root adds those at will, and each change goes through all of them.
        package static let addresses = 1024
        /// Declared aliases of one container, on all its networks together.
        package static let aliases = 1024
        /// Declared links of one container. Each is looked up anew when one of either comes or goes.
        package static let links = 1024
        /// Names with addresses that one container alone knows: its /etc/hosts has them, too.
        package static let extraHosts = 1024
        /// Declared ports of one container.
        package static let ports = 1024
        /// Names of services of one container: each port has one, and its service's name another, below each of the
        /// container's names. 20,000 ports times 100 aliases took minutes, at every start.
        package static let serviceNames = 8192
        /// Octets of a container's id: runtimes have 64 hexadecimal digits.
        package static let id = 256
        /// Links of one container that the kernel shows and that are plugged into networks.
        package static let observedLinks = 256
        /// Subnets of one network.
        package static let subnets = 64
        /// Upstreams of one network, and of one route: libc asks 3.
        package static let upstreams = 16
        /// Search domains of one network: a resolver library tries them one after another, and glibc before 2.26 took six
        /// (resolv.conf(5)).
        package static let searchDomains = 16
        /// Routes of one network.
        package static let routes = 256
        /// Records of the operator: ten times a large zone's.
        package static let records = 1_000_000
        /// Records of one type of one name: more fit no answer.
        package static let recordsOfName = 4096
        /// Policies.
        package static let policies = 1024
        /// Rules of one policy: ten times a large block list of a company's.
        package static let policyRules = 100_000
        /// Types that one policy allows.
        package static let policyTypes = 64
        /// Blocks of addresses that one policy allows: each is a rule that packets of its containers pass.
        package static let policyBlocks = 256
        /// Octets of another host's name: those of a DNS name as text.
        package static let hostName = 253
        /// Octets of the key of a container elsewhere: a name in which each octet is escaped would have more, and is refused.
        package static let remoteKey = 255
        /// Other hosts: ten times the largest cluster that is designed for.
        package static let hosts = 10_000
        /// Names of networks that other hosts tell of.
        package static let remoteNetworks = 10_000
        /// Containers elsewhere for which room is made before they come.
        package static let reserved = 200_000
        /// Octets of data of one type of one name, so that an answer of 65,535 octets has room for it.
        package static let recordData = 60_000
    }

    /// Refuses a container that has more of something than ``Limits`` say.
    package static func checkSize(of definition: ContainerDefinition) throws(RegistryError) {
        try check(definition.id?.utf8.count ?? 0, Limits.id, "octets of an id")
        try check(definition.links.count, Limits.links, "links")
        try check(definition.extraHosts.count, Limits.extraHosts, "hosts")
        try check(definition.ports.count, Limits.ports, "ports")
        try check(
            definition.intercept?.addresses.count ?? 0, Limits.interceptedAddresses, "intercepted addresses")
        // A container may have been connected to one network several times.
        let networks = Set(definition.endpoints.map(\.network)).count
        try check(networks, Limits.networks, "networks")
        try checkSize(of: definition.endpoints)
        // Beside its aliases a container has at most four names on a network: its own, its hostname, and two by its id.
        let names = definition.endpoints.reduce(4 * networks) { $0 + $1.aliases.count }
        let services = names.multipliedReportingOverflow(by: 2 * definition.ports.count)
        try check(
            services.overflow ? .max : services.partialValue, Limits.serviceNames,
            "names of services (two for each port below each name)")
    }

    /// Refuses endpoints of one container that have more of something together than ``Limits`` say.
    static func checkSize(of endpoints: [EndpointDefinition]) throws(RegistryError) {
        try check(endpoints.reduce(0) { $0 + $1.addresses.count }, Limits.addresses, "addresses")
        try check(endpoints.reduce(0) { $0 + $1.aliases.count }, Limits.aliases, "aliases")
    }

    /// Refuses a network that has more of something than ``Limits`` say.
    package static func checkSize(of definition: NetworkDefinition) throws(RegistryError) {
        try check(definition.subnets.count, Limits.subnets, "subnets")
        try check(definition.host?.count ?? 0, Limits.addresses, "addresses of the host")
        try check(definition.upstreams.count, Limits.upstreams, "upstreams")
        try check(definition.search.count, Limits.searchDomains, "search domains")
        try check(definition.routes.count, Limits.routes, "routes")
        for route in definition.routes { try check(route.upstreams.count, Limits.upstreams, "upstreams of a route") }
    }

    static func check(_ count: Int, _ limit: Int, _ what: String) throws(RegistryError) {
        guard count <= limit else { throw .tooMany(what, count: count, limit: limit) }
    }
}

extension ObservedContainer {
    /// The container without the links and addresses that are past ``Registry/Limits``, and how many those are.
    func bounded() -> (kept: ObservedContainer, leftOut: Int) {
        var kept = self
        kept.endpoints = Array(endpoints.prefix(Registry.Limits.observedLinks))
        var leftOut = endpoints.count - kept.endpoints.count
        var room = Registry.Limits.addresses
        for position in kept.endpoints.indices {
            let addresses = kept.endpoints[position].addresses
            guard addresses.count > room else {
                room -= addresses.count
                continue
            }
            kept.endpoints[position].addresses = Array(addresses.prefix(room))
            leftOut += addresses.count - room
            room = 0
        }
        return (kept, leftOut)
    }
}
