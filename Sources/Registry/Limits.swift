// Bounds of what one container may have: nobody makes a change cost others more than a moment.

import DNSWire

extension Registry {
    /// The most that one container may have of each thing. Far above what runtimes give one, far below what costs time.
    package enum Limits {
        /// Links that the kernel shows and that are plugged into networks.
        package static let observedLinks = 256
        /// Addresses that the kernel shows, on all links together.
        package static let observedAddresses = 1024
        /// Declared addresses on one network.
        package static let addresses = 1024
        /// Declared aliases on one network.
        package static let aliases = 1024
        /// Declared links.
        package static let links = 1024
        /// Declared ports.
        package static let ports = 1024
        /// Names of services, on all networks together: each port has two below each name.
        package static let serviceNames = 65_536
    }

    /// Refuses a container that has more of something than ``Limits`` say.
    func checkSize(of definition: ContainerDefinition) throws(RegistryError) {
        try Self.check(definition.links.count, Limits.links, "links")
        try Self.check(definition.ports.count, Limits.ports, "ports")
        var names = 0
        for endpoint in definition.endpoints {
            try checkSize(of: endpoint)
            // Beside its aliases a container has at most four names: its own, its hostname, and two by its id.
            names += endpoint.aliases.count + 4
        }
        let services = names.multipliedReportingOverflow(by: 2 * definition.ports.count)
        try Self.check(
            services.overflow ? .max : services.partialValue, Limits.serviceNames,
            "names of services (ports for each alias)")
    }

    /// Refuses an endpoint that has more of something than ``Limits`` say.
    func checkSize(of endpoint: EndpointDefinition) throws(RegistryError) {
        try Self.check(endpoint.addresses.count, Limits.addresses, "addresses on one network")
        try Self.check(endpoint.aliases.count, Limits.aliases, "aliases on one network")
    }

    private static func check(_ count: Int, _ limit: Int, _ what: String) throws(RegistryError) {
        guard count <= limit else { throw .tooMany(what, count: count, limit: limit) }
    }
}

extension ObservedContainer {
    /// The container without the links and addresses that are past ``Registry/Limits``, and how many those are.
    func bounded() -> (kept: ObservedContainer, leftOut: Int) {
        var kept = self
        kept.endpoints = Array(endpoints.prefix(Registry.Limits.observedLinks))
        var leftOut = endpoints.count - kept.endpoints.count
        var room = Registry.Limits.observedAddresses
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
