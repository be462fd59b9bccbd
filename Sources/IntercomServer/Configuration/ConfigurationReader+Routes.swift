// Reads routes: domains whose names are asked elsewhere.

import DNSWire
import Registry
import TOML

extension ConfigurationReader {
    /// Reads the routes of a list, no domain twice.
    /// - Parameter own: the domain that is never forwarded.
    mutating func readRoutes(_ tables: [TableReader], beside own: Name) -> [RouteDefinition] {
        var routes: [RouteDefinition] = []
        var places = FirstPlaces<Name>()
        for var table in tables {
            let domain = table.require("domain", .placed(.routingDomain(beside: own)))
            let upstreams = table.require("upstreams", .nonEmptyList(of: .upstream)) ?? []
            if let domain {
                places.claim(domain.value, at: domain.position, in: &table, "domain: route '\(domain.value)'")
                routes.append(RouteDefinition(domain: domain.value, upstreams: upstreams))
            }
            mistakes += table.finish()
        }
        return routes
    }

    /// Reads the routes of a network, whose upstreams have been read.
    mutating func readRoutes(of network: inout NetworkDefinition, from table: inout TableReader, beside own: Name) {
        network.routes = readRoutes(table.read("routes", .tables("{ domain, upstreams }")) ?? [], beside: own)
        guard let upstreams = network.routes.takeRoot() else { return }
        if network.upstreams.isEmpty {
            network.upstreams = upstreams
        } else {
            table.refuse(
                at: table.place(of: "routes"), "routes: the upstreams of '.' are given by upstreams already")
        }
    }
}

extension [RouteDefinition] {
    /// Takes the route of the root out: its upstreams are those of all names that are under no other route.
    mutating func takeRoot() -> [ServerAddress]? {
        firstIndex { $0.domain == .root }.map { remove(at: $0).upstreams }
    }
}
