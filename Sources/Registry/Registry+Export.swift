// Containers of this host as others are told of them.

import DNSWire

extension Registry {
    /// Containers that may be otherwise for other hosts since the last call, those that have gone among them; in the order of
    /// their numbers. All that are there when ``isExported`` is set; none while it is not.
    package mutating func takeExportChanges() -> [ContainerID] {
        defer { changedExports.removeAll() }
        return changedExports.sorted()
    }

    /// True when containers may be otherwise for other hosts.
    package var hasExportChanges: Bool { !changedExports.isEmpty }

    /// A container's endpoints on shared networks, by the networks' names for all hosts; none: others are not told of it.
    package func sharedEndpoints(of container: Container) -> [EndpointDefinition] {
        guard container.dnsName != nil else { return [] }
        var endpoints: [EndpointDefinition] = []
        for endpoint in container.endpoints {
            guard let name = networkStates[endpoint.network]?.sharedName?.description,
                !endpoints.contains(where: { $0.network == name })
            else { continue }
            endpoints.append(
                EndpointDefinition(network: name, addresses: endpoint.addresses, aliases: endpoint.aliases))
        }
        return endpoints
    }

    /// True when an address of a container was declared or published, not just found.
    package func hasSaidAddresses(_ container: Container) -> Bool {
        container.definitions.contains { $0.endpoints.contains { !$0.addresses.isEmpty } }
            || container.connections.contains { !$0.addresses.isEmpty }
    }
}
