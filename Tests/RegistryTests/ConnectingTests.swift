// Connections, disconnections and readiness, of containers that are declared and of those that are observed.

import DNSWire
import Testing

@testable import Registry

@Suite("Connecting and draining")
struct ConnectingTests {
    @Test("the order of networks is that of the declaration, then that of links, then that of connecting")
    func order() throws {
        var town = try Town()
        for (index, name) in [(3, "a"), (4, "b"), (5, "c"), (6, "d")] {
            town.bridge(UInt32(index), name)
            try town.container("db-\(name)", "\(name) 10.\(index).0.1 /db")
        }
        func networks(_ name: String) throws -> [String] {
            try town.registry.container(named: name).endpoints.compactMap { town.registry[$0.network]?.name }
        }
        town.namespace(1, "/run/netns/me", "4 10.4.0.2", "3 10.3.0.2", "5 10.5.0.2")
        try town.connect("me", "d")
        try town.connect("me", "a /x")
        #expect(try networks("me") == ["b", "a", "c", "d"])
        #expect(try town.ask("me", "db") == ["10.4.0.1"])
        try town.disconnect("me", "b")
        #expect(try town.ask("me", "db") == ["10.3.0.1"])
        town.namespace(2, "/run/netns/you", "4 10.4.0.9", "3 10.3.0.9")
        try town.container("you", "c", "a", cookie: 2)
        try town.connect("you", "d")
        try town.connect("you", "b")
        #expect(try networks("you") == ["c", "a", "d", "b"])
        #expect(try town.ask("you", "db") == ["10.5.0.1"])
    }

    @Test("an observed endpoint is given aliases and addresses by connecting")
    func connecting() throws {
        var town = try Town()
        town.bridge(3, "front")
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        try town.connect("web", "front")
        try town.connect("web", "front /site")
        #expect(try town.ask("web", "site") == ["10.0.0.2"])
        try town.connect("web", "front /other")
        #expect(try town.ask("web", "other") == ["10.0.0.2"], "a further alias is added")
        #expect(try town.ask("web", "site") == ["10.0.0.2"], "the one before stays")
        let again = EndpointDefinition(network: "front", aliases: ["other"])
        #expect(try town.registry.connect(container: "web", again) == false, "nothing is new")
        town.namespace(1, "/run/netns/web", "3 10.0.0.3")
        #expect(try town.ask("web", "site") == ["10.0.0.3"], "its address follows the kernel")
        try town.disconnect("web", "front")
        try town.connect("web", "front 10.0.0.99")
        #expect(try town.ask("web", "web") == ["10.0.0.99"], "a declared address wins")
        #expect(try town.ask("web", "3.0.0.10.in-addr.arpa", .ptr) == nil)
    }

    @Test("an observed endpoint is off its network once disconnected, until it is connected again")
    func disconnecting() throws {
        var town = try Town()
        town.bridge(3, "front")
        town.bridge(4, "back")
        town.namespace(1, "/run/netns/web", "3 10.0.0.2", "4 10.1.0.2")
        town.namespace(2, "/run/netns/app", "3 10.0.0.3")
        try town.disconnect("web", "front")
        #expect(try town.ask("app", "web") == nil)
        #expect(try town.ask("web", "app") == nil)
        #expect(try town.ask("web", "web") == ["10.1.0.2"], "its other networks are untouched")
        #expect(throws: RegistryError.notConnected(container: "web", network: "front")) {
            try town.disconnect("web", "front")
        }
        town.namespace(1, "/run/netns/web", "4 10.1.0.2")
        town.namespace(1, "/run/netns/web", "3 10.0.0.5", "4 10.1.0.2")
        #expect(try town.ask("app", "web") == nil, "its link going down and up changes nothing")
        try town.connect("web", "front")
        #expect(try town.ask("app", "web") == ["10.0.0.5"])
        try town.disconnect("web", "front")
        town.bridgeGone(3)
        town.bridge(3, "front")
        #expect(try town.ask("app", "web") == ["10.0.0.5"], "a new network knows nothing of it")
        try town.disconnect("web", "front")
        town.namespaceGone(1)
        town.namespace(1, "/run/netns/web", "3 10.0.0.5")
        #expect(try town.ask("app", "web") == ["10.0.0.5"], "nor does a new container")
    }

    @Test("a network that the kernel shows cannot be removed, a declared one only without declared containers")
    func removal() throws {
        var town = try Town()
        town.bridge(3, "br0")
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        #expect(throws: RegistryError.networkOfTheKernel("br0", interface: "br0")) {
            try town.registry.removeNetwork(named: "br0")
        }
        try town.network("front", interface: "br0")
        try town.container("vm", "front 10.0.0.9")
        #expect(throws: RegistryError.networkInUse("front", containers: ["vm"])) {
            try town.registry.removeNetwork(named: "front")
        }
        try town.remove("vm")
        try town.registry.removeNetwork(named: "front")
        town.settle()
        #expect(try town.ask("web", "web.br0") == ["10.0.0.2"])
    }

    // MARK: - Readiness

    @Test("who is draining is left out of aliases that others serve, and keeps its own names")
    func draining() throws {
        var town = try Town()
        try town.network("front")
        let http = [PortDefinition(number: 80)]
        for number in 1...3 {
            try town.container("r\(number)", "front 10.0.0.\(number) /all /*.all", hostname: "h\(number)", ports: http)
        }
        try town.container("me", "front", links: [("r1", "one")])
        try town.registry.setDraining(true, container: "r1")
        town.settle()
        #expect(try town.ask("me", "all")?.sorted() == ["10.0.0.2", "10.0.0.3"])
        #expect(try town.ask("me", "x.all")?.sorted() == ["10.0.0.2", "10.0.0.3"])
        #expect(try town.ask("me", "_80._tcp.all", .srv)?.count == 2)
        for name in ["r1", "h1", "one"] { #expect(try town.ask("me", name) == ["10.0.0.1"]) }
        #expect(try town.ask("me", "1.0.0.10.in-addr.arpa", .ptr) == ["r1.front.internal."])
        for number in 2...3 { try town.registry.setDraining(true, container: "r\(number)") }
        town.settle()
        #expect(try town.ask("me", "all")?.count == 3, "where all are draining, all answer")
        try town.registry.setDraining(false, container: "r2")
        town.settle()
        #expect(try town.ask("me", "all") == ["10.0.0.2"])
        try town.remove("r2")
        #expect(try town.ask("me", "all")?.count == 2)
    }
}
