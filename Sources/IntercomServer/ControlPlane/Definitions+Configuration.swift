// From the tables of intercom.toml, which were checked when they were read, to definitions.

import Registry

extension NetworkDefinition {
    init(_ network: Configuration.Network) {
        self.init(name: network.name, source: .configuration)
        interface = network.interface
        subnets = network.subnets
        isInternal = network.isInternal
        upstreams = network.upstreams
        ttl = network.ttl
    }
}

extension ContainerDefinition {
    init(_ container: Configuration.Container) {
        self.init(name: container.name, source: .configuration)
        hostname = container.hostname
        id = container.id
        endpoints = container.endpoints.map {
            EndpointDefinition(network: $0.network, addresses: $0.addresses, aliases: $0.aliases)
        }
        links = container.links.map { LinkDefinition(container: $0.container, name: $0.name) }
        ports = container.ports.map { port in
            PortDefinition(
                number: port.number, transport: port.transport == .tcp ? .tcp : .udp, service: port.service)
        }
    }
}

extension NamespaceSource {
    init(_ namespace: Configuration.Container.Namespace) {
        switch namespace {
        case .path(let path): self = .path(path)
        case .pid(let pid): self = .pid(pid)
        }
    }
}
