// Reads routes: domains whose names are asked elsewhere.

import DNSWire

extension ConfigurationReader {
    /// Reads the routes of a list, no domain twice.
    /// - Parameter own: the domain that is never forwarded.
    mutating func readRoutes(_ tables: [TableReader], beside own: Name) -> [Configuration.Route] {
        var routes: [Configuration.Route] = []
        var places = FirstPlaces<Name>()
        for var table in tables {
            let domain = table.require("domain", .placed(.routingDomain(beside: own)))
            let upstreams = table.require("upstreams", .nonEmptyList(of: .upstream)) ?? []
            if let domain {
                places.claim(domain.value, at: domain.position, in: &table, "domain: route '\(domain.value)'")
                routes.append(Configuration.Route(domain: domain.value, upstreams: upstreams))
            }
            mistakes += table.finish()
        }
        return routes
    }

    /// Reads the routes of a network.
    mutating func readRoutes(
        of network: inout Configuration.Network, from table: inout TableReader, beside own: Name
    ) {
        network.routes = readRoutes(table.read("routes", .tables("{ domain, upstreams }")) ?? [], beside: own)
        if !network.upstreams.isEmpty, network.routes.contains(where: { $0.domain == .root }) {
            table.refuse(
                at: table.place(of: "routes"), "routes: the upstreams of '.' are given by upstreams already")
        }
    }
}

extension ValueKind<Name> {
    /// A domain that can be asked elsewhere.
    static func routingDomain(beside own: Name) -> Self {
        ValueKind<Name>.name.map { name throws(Refusal) in
            try name.checkForwardable(beside: own)
            return name
        }
    }
}

extension Name {
    /// Refuses a domain that is never forwarded.
    /// - Parameter own: the domain that is ours.
    func checkForwardable(beside own: Name) throws(Refusal) {
        for ours in [own] + SpecialUseName.domains where isSubdomain(of: ours) {
            throw Refusal("names under '\(ours)' are never forwarded")
        }
    }
}
