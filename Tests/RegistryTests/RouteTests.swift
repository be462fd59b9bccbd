// Routing domains: which upstreams a question of a container goes to.

import DNSWire
import Testing

@testable import Registry

@Suite("A question that is not ours")
struct RouteTests {
    private static func routes(_ domains: String...) throws -> [RouteDefinition] {
        try domains.map { text in
            RouteDefinition(domain: try Name(text), upstreams: [try ServerAddress("192.0.2.1")])
        }
    }

    /// `app` is on `front`, which has nothing of its own, then on `lab` and `inner`; `dev` on `lab` alone.
    private func town() throws -> Town {
        var town = try Town()
        town.registry.setRoutes(
            try Self.routes("corp.example", "eu.corp.example", "10.in-addr.arpa", "lan", "shared.example"))
        try town.network("front")
        try town.network("lab", upstreams: ["192.0.2.53"], routes: Self.routes("lab.example", "shared.example"))
        try town.network("inner", isInternal: true, routes: Self.routes("inner.example", "x.lab.example"))
        try town.container("app", "inner", "front", "lab")
        try town.container("dev", "lab")
        try town.container("cellar", "inner")
        return town
    }

    @Test(
        "goes where the longest routing domain says that it is under",
        arguments: [
            ("corp.example", "corp.example"), ("www.corp.example", "corp.example"),
            ("WWW.CORP.EXAMPLE", "corp.example"), ("a.b.eu.corp.example", "eu.corp.example"),
            ("eu.corp.example", "eu.corp.example"), ("xeu.corp.example", "corp.example"), ("lan", "lan"),
            ("x.lan", "lan"), ("1.2.3.10.in-addr.arpa", "10.in-addr.arpa"), ("10.in-addr.arpa", "10.in-addr.arpa"),
        ])
    func longest(_ name: String, _ domain: String) throws {
        var town = try town()
        for container in ["app", "dev"] {
            #expect(try town.group(container, name) == town.group(of: domain), "\(container)")
        }
    }

    @Test(
        "goes to the other upstreams when it is under none",
        arguments: ["example", "notcorp.example", "corp.example.org", "1.110.in-addr.arpa", ".", "plan", "com"])
    func none(_ name: String) throws {
        var town = try town()
        #expect(try town.group("app", name) == UpstreamGroupID.default.rawValue)
        #expect(try town.group("dev", name) == town.group(of: nil, network: "lab"))
    }

    @Test("goes by the routes of all its networks that may forward, and by those before the common ones")
    func networks() throws {
        var town = try town()
        let lab = try town.group(of: "lab.example", network: "lab")
        let shared = try town.group(of: "shared.example", network: "lab")
        for container in ["app", "dev"] {
            #expect(try town.group(container, "www.lab.example") == lab)
            #expect(try town.group(container, "x.lab.example") == lab, "an internal network routes nothing")
            #expect(try town.group(container, "www.shared.example") == shared)
        }
        #expect(try town.group("app", "www.inner.example") == UpstreamGroupID.default.rawValue)
        #expect(try town.group("cellar", "www.corp.example") == nil)
    }

    @Test("follows the routes as they change; a group that stays keeps its number, and none is used again")
    func changes() throws {
        var town = try town()
        let corp = try town.group(of: "corp.example")
        let highest = town.registry.lastGroup.rawValue
        town.registry.setRoutes(try Self.routes("corp.example", "new.example"))
        town.settle()
        #expect(town.changes == 1)
        #expect(try town.group("app", "x.corp.example") == corp)
        #expect(try town.group("app", "x.eu.corp.example") == corp)
        #expect(try town.group("app", "x.new.example") == highest + 1)
        #expect(town.directory.routeDomain(of: corp)?.description == "corp.example")
        #expect(town.directory.routeDomain(of: UpstreamGroupID.default.rawValue) == nil)

        try town.registry.removeContainer(town.registry.container(named: "app").id)
        try town.registry.removeContainer(town.registry.container(named: "dev").id)
        try town.registry.removeNetwork(named: "lab")
        town.settle()
        try town.network("lab", routes: Self.routes("lab.example"))
        try town.container("app", "lab")
        #expect(try town.group("app", "x.lab.example") == highest + 2)
        #expect(try town.group("app", "x.shared.example") == UpstreamGroupID.default.rawValue)
        town.registry.setRoutes([])
        town.settle()
        #expect(try town.group("app", "x.corp.example") == UpstreamGroupID.default.rawValue)
    }
}

extension Town {
    /// The group of a route, or of a network's own upstreams.
    func group(of domain: String?, network: String? = nil) throws -> UInt32 {
        let domain = try domain.map { text throws(NameError) in try Name(text) }
        let group = registry.upstreamGroups.first { $0.domain == domain && $0.network == network }
        return try #require(group).id.rawValue
    }
}
