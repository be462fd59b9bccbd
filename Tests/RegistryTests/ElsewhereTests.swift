// Containers of other hosts: who answers for a name, an address or a service, and what is refused.

import Testing

@testable import DNSWire
@testable import Registry

@Suite("Containers of other hosts")
struct ElsewhereTests {
    /// This host has `asker` and `web` on the shared network `frontend`; hosts `b` and `c` are known.
    private func town() throws -> Town {
        var town = try Town()
        town.registry.setShared { $0 == "frontend" }
        try town.network("frontend", subnets: ["10.1.0.0/16"])
        try town.network("private")
        try town.container("asker", "frontend 10.1.0.2", cookie: 1)
        try town.registry.setOwnHost("a")
        try town.host("b")
        try town.host("c")
        return town
    }

    @Test("A container elsewhere is found by its name, aliases, hostname, id, services and address")
    func names() throws {
        var town = try town()
        try town.remote(
            "b", "db", "frontend 10.1.2.3 /store", hostname: "maria", id: "0123456789abcdef",
            ports: [PortDefinition(number: 5432, service: "sql")])
        for name in ["db", "store", "maria", "0123456789ab", "0123456789abcdef", "db.frontend", "db.frontend.internal"]
        {
            #expect(try town.addresses(of: name, for: "asker") == ["10.1.2.3"], "\(name)")
        }
        #expect(try town.names(at: "10.1.2.3", for: "asker") == ["db.frontend.internal."])
        #expect(try town.hasService("_sql._tcp.db", for: "asker"))
        #expect(try town.hasService("_5432._tcp.store", for: "asker"))
    }

    @Test("Nothing is left of a container elsewhere that has gone")
    func removal() throws {
        var town = try town()
        try town.remote("b", "db", "frontend 10.1.2.3 /store")
        let wasThere = town.registry.removeRemote(host: "b", key: "db")
        #expect(wasThere)
        town.settle()
        #expect(try town.addresses(of: "db", for: "asker") == nil)
        #expect(try town.addresses(of: "store", for: "asker") == nil)
        #expect(try town.names(at: "10.1.2.3", for: "asker") == nil)
        #expect(town.registry.elsewhere.shares.isEmpty && town.registry.elsewhere.owners.isEmpty)
        #expect(town.registry.remoteCount == 0)
    }

    @Test("A container elsewhere is seen on shared networks alone, and there whenever the network comes")
    func sharedNetworks() throws {
        var town = try town()
        try town.remote("b", "db", "private 10.9.0.1", "later 10.8.0.1")
        #expect(try town.addresses(of: "db", for: "asker") == nil)
        town.registry.setShared { $0 == "later" }
        try town.network("later")
        try town.connect("asker", "later")
        #expect(try town.addresses(of: "db", for: "asker") == ["10.8.0.1"])
        town.registry.setShared { _ in false }
        town.settle()
        #expect(try town.addresses(of: "db", for: "asker") == nil)
    }

    @Test("A network is shared under the name that its declaration gives it")
    func sharedAs() throws {
        var town = try town()
        var definition = NetworkDefinition(name: "frontend", source: .control)
        definition.sharedAs = "site"
        try town.registry.updateNetwork(definition)
        try town.remote("b", "db", "site 10.1.2.3")
        #expect(try town.addresses(of: "db.frontend", for: "asker") == ["10.1.2.3"])
        definition.sharedAs = ""
        try town.registry.updateNetwork(definition)
        town.settle()
        #expect(try town.addresses(of: "db", for: "asker") == nil)
    }

    @Test("One name on several hosts is answered with all of them")
    func replicas() throws {
        var town = try town()
        try town.container("web", "frontend 10.1.0.3 /site")
        try town.remote("b", "web", "frontend 10.1.1.3 /site")
        try town.remote("c", "web", "frontend 10.1.2.3 /site")
        for name in ["web", "site"] {
            #expect(
                try Set(town.addresses(of: name, for: "asker") ?? []) == ["10.1.0.3", "10.1.1.3", "10.1.2.3"],
                "\(name)")
        }
    }

    @Test("A lost host leaves each name that another host serves, and keeps those that it alone has")
    func lostHosts() throws {
        var town = try town()
        try town.container("web", "frontend 10.1.0.3 /site")
        try town.remote("b", "web", "frontend 10.1.1.3 /site")
        try town.remote("b", "db", "frontend 10.1.1.4 /store")
        try town.remote("c", "cache", "frontend 10.1.2.3 /store")
        try town.host("b", isLost: true)
        #expect(try town.addresses(of: "web", for: "asker") == ["10.1.0.3"])
        #expect(try town.addresses(of: "site", for: "asker") == ["10.1.0.3"])
        #expect(try town.addresses(of: "store", for: "asker") == ["10.1.2.3"])
        #expect(try town.addresses(of: "db", for: "asker") == ["10.1.1.4"])
        #expect(try town.names(at: "10.1.1.4", for: "asker") == ["db.frontend.internal."])
        try town.host("b")
        #expect(try town.addresses(of: "site", for: "asker")?.count == 2)
        #expect(try town.addresses(of: "store", for: "asker")?.count == 2)
    }

    @Test("A lost host keeps the address at which it was reached, until another is told")
    func lostAddress() throws {
        var town = try town()
        try town.registry.putHost("b", isLost: true, address: nil)
        #expect(town.registry.remoteHosts.map(\.address?.description) == ["192.0.2.1", "192.0.2.1"])
        try town.registry.putHost("b", isLost: true, address: IPAddress("192.0.2.9"))
        #expect(town.registry.remoteHosts.first?.address?.description == "192.0.2.9")
        try town.registry.putHost("b", isLost: false, address: nil)
        #expect(town.registry.remoteHosts.first?.address == nil)
    }

    @Test("While all hosts are lost, this one among them, nobody is left out")
    func allLost() throws {
        var town = try town()
        try town.container("web", "frontend 10.1.0.3 /site")
        try town.remote("b", "web", "frontend 10.1.1.3 /site")
        try town.host("b", isLost: true)
        try town.host("c", isLost: true)
        #expect(try town.addresses(of: "site", for: "asker") == ["10.1.0.3"])
        try town.host("a", isLost: true)
        #expect(try town.addresses(of: "site", for: "asker")?.count == 2)
        try town.host("c")
        #expect(try town.addresses(of: "site", for: "asker") == ["10.1.0.3"])
        try town.host("c", isLost: true)
        #expect(try town.addresses(of: "site", for: "asker")?.count == 2)
        // A host that is new and alive counts as one that has come back.
        try town.host("d")
        #expect(try town.addresses(of: "site", for: "asker") == ["10.1.0.3"])
    }

    @Test("A draining container leaves the aliases that others serve, on whatever host")
    func draining() throws {
        var town = try town()
        try town.container("web", "frontend 10.1.0.3 /site")
        try town.remote("b", "web2", "frontend 10.1.1.3 /site", isDraining: true)
        #expect(try town.addresses(of: "site", for: "asker") == ["10.1.0.3"])
        try town.registry.setDraining(true, container: "web")
        town.settle()
        #expect(try town.addresses(of: "site", for: "asker")?.count == 2)
    }

    @Test(
        "Of claims to one address one of a living host answers, then a declared one, then the first host's by name",
        arguments: [
            (["b-lost", "c"], "at-c"), (["b", "c-declared"], "at-c"), (["b", "c"], "at-b"),
            (["b-lost-declared", "c"], "at-c"), (["b-lost", "c-lost"], "at-b"),
        ])
    func claims(claims: [String], owner: String) throws {
        for claims in [claims, claims.reversed()] {
            var town = try town()
            for claim in claims {
                let host = String(claim.prefix(1))
                try town.host(host, isLost: claim.contains("lost"))
                try town.remote(host, "at-\(host)", "frontend 10.1.9.9", isDeclared: claim.contains("declared"))
            }
            #expect(try town.names(at: "10.1.9.9", for: "asker") == ["\(owner).frontend.internal."], "\(claims)")
        }
    }

    @Test("No host elsewhere takes the reverse name of a container that is declared here")
    func claimOfNeighbour() throws {
        var town = try town()
        try town.remote("b", "thief", "frontend 10.1.0.2", isDeclared: true)
        #expect(try town.names(at: "10.1.0.2", for: "asker") == ["asker.frontend.internal."])
    }

    @Test(
        "A link to a container of another host holds while both are on a shared network, and shares names with one here"
    )
    func links() throws {
        var town = try town()
        try town.container(
            "app", "frontend 10.1.0.5", "private 10.9.0.5", cookie: 2, links: [("db", "store"), ("db", "a.b")])
        #expect(try town.addresses(of: "store", for: "app") == nil)
        try town.remote("b", "db", "frontend 10.1.2.3", ports: [PortDefinition(number: 5432, service: "sql")])
        #expect(try town.addresses(of: "store", for: "app") == ["10.1.2.3"])
        #expect(try town.addresses(of: "a.b", for: "app") == ["10.1.2.3"])
        #expect(try town.hasService("_sql._tcp.store", for: "app"))
        #expect(try town.addresses(of: "store", for: "asker") == nil, "a link is its owner's alone")
        let app = try town.registry.container(named: "app")
        #expect(try town.registry.hosts(of: Name("store"), seenBy: app).map(\.name) == ["b"])
        try town.remote("c", "db2", "frontend 10.1.3.3 /db")
        #expect(try town.addresses(of: "store", for: "app") == ["10.1.2.3"], "an alias is no container's name")
        try town.remote("c", "db", "frontend 10.1.3.4")
        #expect(try Set(town.addresses(of: "store", for: "app") ?? []) == ["10.1.2.3", "10.1.3.4"])
        try town.host("b", isLost: true)
        #expect(
            try town.addresses(of: "store", for: "app") == ["10.1.3.4"], "a lost host leaves links that others serve")
        town.registry.removeHost(named: "c")
        town.settle()
        #expect(try town.addresses(of: "store", for: "app") == ["10.1.2.3"])
        try town.container("db", "private 10.9.0.9")
        #expect(try town.addresses(of: "store", for: "app") == ["10.9.0.9"], "one here that serves it, too")
        try town.disconnect("app", "private")
        #expect(try town.addresses(of: "store", for: "app") == ["10.1.2.3"])
        try town.remote("b", "db", "private 10.9.2.3")
        #expect(try town.addresses(of: "store", for: "app") == nil, "it has left the shared network")
        #expect(town.registry.elsewhere.shares.isEmpty)
    }

    @Test("Begin and complete remove what was not told between them, but for hosts that are kept")
    func sweep() throws {
        var town = try town()
        try town.remote("b", "one", "frontend 10.1.1.1")
        try town.remote("b", "two", "frontend 10.1.1.2")
        try town.remote("c", "three", "frontend 10.1.2.3")
        town.registry.beginTelling(expected: 1)
        try town.host("b")
        try town.remote("b", "one", "frontend 10.1.1.1")
        let swept = town.registry.completeTelling(keeping: ["c"])
        #expect(swept == 1)
        town.settle()
        #expect(try town.addresses(of: "one", for: "asker") == ["10.1.1.1"])
        #expect(try town.addresses(of: "two", for: "asker") == nil)
        #expect(try town.addresses(of: "three", for: "asker") == ["10.1.2.3"])
        town.registry.beginTelling(expected: 0)
        try town.remote("b", "four", "frontend 10.1.1.4")
        town.registry.abandonTelling()
        let sweptLater = town.registry.completeTelling(keeping: [])
        #expect(sweptLater == 0)
        #expect(town.registry.remoteCount == 3)
    }

    @Test(
        "An entry is refused, and what was known under its key removed",
        arguments: [
            ("a", "frontend 10.1.1.1", "this host"), ("z", "frontend 10.1.1.1", "nobody has told"),
            ("b", "frontend 10.2.1.1", "outside the subnets"), ("b", "frontend 127.0.0.1", "loopback"),
            ("b", "frontend 224.0.0.1", "multicast"), ("b", "frontend 10.1.1.1 /*", "every name"),
            ("b", "frontend 10.1.1.1 /localhost", "meaning"), ("b", "arpa 10.1.1.1", "arpa"),
            ("b", "frontend 10.1.1.1 /1.2.3.4", "address"),
        ])
    func refusals(host: String, endpoint: String, reason: String) throws {
        var town = try town()
        try town.remote("b", "db", "frontend 10.1.1.1")
        let error = #expect(throws: RegistryError.self) { try town.remote(host, "db", endpoint) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        town.settle()
        if host == "b" { #expect(try town.addresses(of: "db", for: "asker") == nil) }
    }

    @Test("A network whose subnets no longer hold an address takes it out of the answers")
    func subnetsLater() throws {
        var town = try town()
        try town.remote("b", "db", "frontend 10.1.1.1")
        var definition = NetworkDefinition(name: "frontend", source: .control)
        definition.subnets = [Subnet("10.1.0.0/24")].compactMap(\.self)
        try town.registry.updateNetwork(definition)
        town.settle()
        #expect(try town.addresses(of: "db", for: "asker") ?? [] == [])
        #expect(try town.names(at: "10.1.1.1", for: "asker") == nil)
    }
}

extension Town {
    fileprivate mutating func addresses(of name: String, for container: String) throws -> [String]? {
        try ask(container, name)
    }

    fileprivate mutating func names(at address: String, for container: String) throws -> [String]? {
        try ask(container, IPAddress(address)?.reverseName.description ?? "", .ptr)
    }

    fileprivate mutating func hasService(_ name: String, for container: String) throws -> Bool {
        try ask(container, name, .srv)?.isEmpty == false
    }

    fileprivate mutating func host(_ name: String, isLost: Bool = false) throws {
        try registry.putHost(name, isLost: isLost, address: IPAddress("192.0.2.1"))
        settle()
    }

    fileprivate mutating func remote(
        _ host: String, _ name: String, _ endpoints: String..., hostname: String? = nil, id: String? = nil,
        ports: [PortDefinition] = [], isDraining: Bool = false, isDeclared: Bool = false
    ) throws {
        var container = ContainerDefinition(name: name, source: .control)
        container.endpoints = endpoints.map { Self.endpoint($0) }
        container.hostname = hostname
        container.id = id
        container.ports = ports
        container.isDraining = isDraining
        try registry.put(RemoteDefinition(host: host, key: name, container: container, isDeclared: isDeclared))
        settle()
    }
}
