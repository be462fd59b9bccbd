// How much one call may declare: a client must not be able to make the daemon work for minutes, now and at each start.

import ControlAPI

/// Limits of what is declared over the control socket. Each is far above what a runtime declares of one container.
enum DefinitionLimits {
    /// Networks that a new container is on.
    static let networks = 64
    /// Addresses of one endpoint.
    static let addresses = 256
    /// Aliases of one endpoint.
    static let aliases = 256
    /// Aliases of a new container on all its networks.
    static let allAliases = 1024
    /// Links of a container.
    static let links = 256
    /// Ports of a container.
    static let ports = 256
    /// Ports times names: each port gives each name two names for SRV records.
    static let portNames = 4096
    /// Subnets of a network.
    static let subnets = 64
    /// DNS servers of a network, or of one route.
    static let upstreams = 16
    /// Routes of a network.
    static let routes = 256
    /// Octets of an id: runtimes have 64 hexadecimal digits.
    static let id = 256
    /// Octets of a path (PATH_MAX, linux/limits.h).
    static let path = 4096

    static func check(_ parameters: CreateNetwork.Parameters) throws(ControlError) {
        try check(parameters.subnets?.count, subnets, "subnets")
        try check(parameters.upstreams?.count, upstreams, "upstreams")
        try check(parameters.routes?.count, routes, "routes")
        for route in parameters.routes ?? [] { try check(route.upstreams.count, upstreams, "upstreams of a route") }
    }

    static func check(_ parameters: AddContainer.Parameters) throws(ControlError) {
        let endpoints = parameters.networks ?? []
        try check(endpoints.count, networks, "networks")
        for endpoint in endpoints { try checkEndpoint(endpoint.addresses, endpoint.aliases) }
        let names = endpoints.reduce(0) { $0 + ($1.aliases?.count ?? 0) }
        try check(names, allAliases, "aliases")
        try check(parameters.links?.count, links, "links")
        try check(parameters.ports?.count, ports, "ports")
        try check((parameters.ports?.count ?? 0) * (names + 1), portNames, "names of ports (ports times aliases)")
        try check(parameters.id?.utf8.count, id, "octets of the id")
        try check(parameters.netns?.utf8.count, path, "octets of netns")
        try check(parameters.resolvConf?.utf8.count, path, "octets of resolvConf")
    }

    static func checkEndpoint(_ addresses: [String]?, _ aliases: [String]?) throws(ControlError) {
        try check(addresses?.count, Self.addresses, "addresses")
        try check(aliases?.count, Self.aliases, "aliases")
    }

    private static func check(_ count: Int?, _ limit: Int, _ what: String) throws(ControlError) {
        if let count, count > limit { throw .tooMany(what, count: count, limit: limit) }
    }
}
