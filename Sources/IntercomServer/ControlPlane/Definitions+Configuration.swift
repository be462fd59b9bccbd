// From the tables of intercom.toml, which were checked when they were read, to definitions.

import DNSWire
import Forwarding
import Registry

extension NetworkDefinition {
    init(_ network: Configuration.Network) {
        self.init(name: network.name, source: .configuration)
        interface = network.interface
        subnets = network.subnets
        isInternal = network.isInternal
        let everything = network.routes.first { $0.domain == .root }
        upstreams = everything?.upstreams ?? network.upstreams
        routes = network.routes.definitions
        forwardFrom = network.from
        ttl = network.ttl
    }
}

extension Configuration {
    /// The upstreams of all networks that have none of their own; empty: those of the host.
    var defaultUpstreams: [ServerAddress] {
        routes.first { $0.domain == .root }?.upstreams ?? forward.upstreams
    }

    /// The routes of all networks, without the one that takes the place of the default upstreams.
    var domainRoutes: [RouteDefinition] { routes.definitions }
}

extension [Configuration.Route] {
    /// The routes without that of the root, which are upstreams.
    fileprivate var definitions: [RouteDefinition] {
        filter { $0.domain != .root }.map { RouteDefinition(domain: $0.domain, upstreams: $0.upstreams) }
    }
}

extension CachePolicy {
    /// Each worker's share of the cache.
    init(_ cache: Configuration.Cache, for workers: Int) {
        self.init(
            capacity: cache.size / max(1, workers), minimumTTL: cache.minimumTTL, maximumTTL: cache.maximumTTL,
            maximumNegativeTTL: cache.maximumNegativeTTL, servesStale: cache.servesStale,
            prefetches: cache.prefetches)
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
        namesItsNetworks = !endpoints.isEmpty
        listen = container.listen
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
