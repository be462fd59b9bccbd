// Publication of Docker's containers: those that are to have an intercom, with all their names.

import DNSWire

extension DockerWatch {
    /// The networks, and the running containers that are served on them.
    ///
    /// Left out are containers with the host's network namespace, which have the host's resolver; those without a network, for
    /// whom a resolver would be a way out; and those with the label `intercom.enable=false`.
    /// - Parameter keepsDockerDNS: true: containers on custom networks are left to Docker's own DNS.
    package func publication(keepsDockerDNS: Bool) -> Publication {
        var published: [RuntimeNetwork] = []
        var names: Set<String> = []
        for network in networks where !keepsDockerDNS || network.isDefault {
            if names.insert(network.name).inserted { published.append(network) }
        }
        let served = containers.values.filter { container in
            isServed(container) && (!keepsDockerDNS || container.endpoints.allSatisfy { names.contains($0.network) })
        }
        let ids = Set(served.map(\.id))
        let sharing = containers.values.compactMap { container -> RuntimeContainer? in
            guard container.isWanted, case .container(let reference) = container.namespace,
                let id = ids.contains(reference) ? reference : served.first(where: { $0.name == reference })?.id
            else { return nil }
            var container = container
            container.namespace = .container(id)
            return container
        }
        return Publication(
            networks: published,
            containers: (served + sharing).map { $0.labelled(on: names) }.sorted { $0.id < $1.id })
    }

    private func isServed(_ container: RuntimeContainer) -> Bool {
        container.isWanted && container.namespace == .own
    }
}

extension RuntimeContainer {
    /// The container with what its labels add, on networks that are published.
    fileprivate func labelled(on networks: Set<String>) -> RuntimeContainer {
        var container = self
        container.endpoints = endpoints.filter { networks.contains($0.network) }
        for index in container.endpoints.indices {
            for alias in labelledAliases where !container.endpoints[index].aliases.contains(alias) {
                container.endpoints[index].aliases.append(alias)
            }
        }
        for port in labelledPorts {
            container.ports.removeAll { ($0.number, $0.transport) == (port.number, port.transport) }
            container.ports.append(port)
        }
        // A server of the container's own loopback is none that we could ask.
        container.resolvers.removeAll(where: \.isLoopback)
        return container
    }
}
