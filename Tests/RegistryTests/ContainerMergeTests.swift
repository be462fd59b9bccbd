// Containers that are declared and observed: the result is the same whichever came first.

import DNSWire
import Testing

@testable import Registry

@Suite("A container, declared and observed,")
struct ContainerMergeTests {
    @Test("an observed container is called as its namespace, and is on the networks of its links in their order")
    func observedContainer() throws {
        var town = try Town()
        town.bridge(3, "front")
        town.bridge(4, "back")
        town.namespace(1, "/run/netns/web", "4 10.1.0.2", "3 10.0.0.2 fd00::2")
        town.namespace(2, "/run/netns/one", "3 10.0.0.3")
        town.namespace(3, "/run/netns/one", "4 10.1.0.3")
        #expect(try town.ask("web", "web") == ["10.1.0.2"])
        #expect(try town.ask("web", "web.front") == ["10.0.0.2"])
        #expect(try town.ask("web", "web.front", .aaaa) == ["fd00::2"])
        #expect(try town.ask("web", "one") == ["10.1.0.3"])
        town.namespace(1, "/run/netns/web", "3 10.0.0.2", "4 10.1.0.2")
        #expect(try town.ask("web", "one") == ["10.0.0.3"])
        town.namespace(1, "/run/netns/web", "3 10.0.0.7")
        #expect(try town.ask("web", "web") == ["10.0.0.7"])
        #expect(try town.ask("web", "2.0.0.10.in-addr.arpa", .ptr) == nil)
        town.namespace(1, "/run/netns/www", "3 10.0.0.7")
        #expect(try town.ask("www", "web") == nil)
        #expect(try town.ask("www", "7.0.0.10.in-addr.arpa", .ptr) == ["www.front.internal."])
        town.namespace(4, "/run/netns/none")
        #expect(try town.ask("none", "none") == nil, "it is on no network")
        #expect(try town.group("none") == nil)
    }

    @Test("a declared container adopts its namespace, in any order", arguments: [true, false])
    func adoption(isDeclaredFirst: Bool) throws {
        var town = try Town()
        town.bridge(3, "front")
        town.bridge(4, "back")
        if isDeclaredFirst { try town.container("web", cookie: 7, hostname: "www.example") }
        town.namespace(7, "/run/netns/ns7", "4 10.1.0.2", "3 10.0.0.2")
        let before = town.registry.container(of: NamespaceCookie(rawValue: 7))?.id
        if !isDeclaredFirst { try town.container("web", cookie: 7, hostname: "www.example") }
        #expect(town.registry.containerCount == 1)
        #expect(try town.registry.container(named: "web").id == before, "its view, and so its listener, stays")
        #expect(try town.ask("web", "web") == ["10.1.0.2"])
        #expect(try town.ask("web", "www.example.front") == ["10.0.0.2"])
        #expect(try town.ask("web", "ns7") == nil, "it keeps its declared name")
        #expect(throws: RegistryError.namespaceInUse(container: "web")) { try town.container("two", cookie: 7) }
        try town.connect("web", "front /site")
        #expect(try town.ask("web", "site") == ["10.0.0.2"])
        try town.remove("web")
        #expect(try town.ask("ns7", "ns7") == ["10.1.0.2"], "what the kernel shows stays")
        #expect(try town.ask("ns7", "ns7.front") == ["10.0.0.2"])
        #expect(try town.ask("ns7", "site") == nil)
        #expect(throws: RegistryError.containerOfTheKernel("ns7", path: "/run/netns/ns7")) { try town.remove("ns7") }
        town.namespaceGone(7)
        #expect(town.registry.containerCount == 0)
        #expect(town.directory.index.count == 0)
    }

    @Test("a container that is declared with networks is on those alone: its links give it addresses there")
    func declaredNetworks() throws {
        var town = try Town()
        town.bridge(3, "front")
        town.bridge(4, "back")
        town.namespace(1, "/run/netns/db", "4 10.1.0.3")
        town.namespace(7, "/run/netns/web", "4 10.1.0.2", "3 10.0.0.2 fd00::2")
        try town.container("web", "front", cookie: 7)
        #expect(try town.ask("web", "web", .aaaa) == ["fd00::2"])
        #expect(try town.ask("web", "db") == nil, "its link in the other bridge counts not")
        #expect(try town.ask("db", "web") == nil)
        try town.connect("web", "back 10.1.0.99")
        #expect(try town.ask("web", "db") == ["10.1.0.3"])
        #expect(try town.ask("db", "web") == ["10.1.0.99"], "a declared address wins")
        try town.disconnect("web", "back")
        #expect(try town.ask("web", "db") == nil)
        try town.connect("web", "back")
        #expect(try town.ask("db", "web") == ["10.1.0.2"])
        try town.disconnect("web", "back")
        try town.disconnect("web", "front")
        #expect(try town.ask("web", "web") == nil, "off its last network it is on none")
        try town.remove("web")
        #expect(try town.ask("web", "db") == ["10.1.0.3"], "without its declaration it is where it is plugged in")
    }

    @Test("the end of a namespace leaves what is declared")
    func namespaceEnds() throws {
        var town = try Town()
        town.bridge(3, "front")
        try town.container("web", "front /site", cookie: 7)
        town.namespace(7, "/run/netns/web", "3 10.0.0.2")
        #expect(try town.ask("web", "site") == ["10.0.0.2"])
        town.namespaceGone(7)
        #expect(try town.ask("web", "site") == [], "the name is there, without an address")
        town.namespaceGone(7)
        town.bridgeGone(3)
        #expect(try town.ask("web", "site") == nil)
        #expect(try town.registry.container(named: "web").endpoints.isEmpty)
        town.bridge(9, "front")
        #expect(try town.ask("web", "site.front") == [], "its network has come back as another link")
    }

    @Test("containers of one name both answer; a declared one is what the name means, else it says what to choose")
    func containerClash() throws {
        var town = try Town()
        town.bridge(3, "front")
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        town.namespace(2, "/run/pods/web", "3 10.0.0.3")
        try town.container("app", "front 10.0.0.9", links: [("web", "w")])
        #expect(try town.ask("app", "web")?.sorted() == ["10.0.0.2", "10.0.0.3"])
        #expect(try town.ask("app", "w")?.sorted() == ["10.0.0.2", "10.0.0.3"])
        #expect(throws: RegistryError.ambiguousName("web", choices: ["/run/netns/web", "/run/pods/web"])) {
            try town.registry.container(named: "web")
        }
        #expect(try town.registry.container(named: "/run/pods/web").observed?.cookie.rawValue == 2)
        try town.container("web", "front 10.0.0.4")
        #expect(try town.registry.container(named: "web").declared != nil)
        #expect(try town.ask("app", "web")?.sorted() == ["10.0.0.2", "10.0.0.3", "10.0.0.4"])
        town.namespaceGone(1)
        try town.remove("web")
        #expect(try town.ask("app", "web") == ["10.0.0.3"])
    }

    @Test("an address that several have is everybody's; its name is that of the declared one, else of the first")
    func sharedAddress() throws {
        for order in [["b", "a", "c"], ["c", "b", "a"], ["a", "c", "b"]] {
            var town = try Town()
            town.bridge(3, "front")
            for (number, name) in order.enumerated() {
                town.namespace(UInt64(number + 1), "/run/netns/\(name)", "3 10.0.0.2")
            }
            for name in ["a", "b", "c"] { #expect(try town.ask("a", name) == ["10.0.0.2"]) }
            #expect(try town.ask("a", "2.0.0.10.in-addr.arpa", .ptr) == ["\(order[0]).front.internal."])
            try town.container("z", "front 10.0.0.2")
            #expect(try town.ask("a", "2.0.0.10.in-addr.arpa", .ptr) == ["z.front.internal."], "who is declared")
            #expect(throws: RegistryError.addressInUse("10.0.0.2", network: "front", container: "z")) {
                try town.container("y", "front 10.0.0.2")
            }
            try town.remove("z")
            town.namespaceGone(1)
            #expect(try town.ask(order[1], "2.0.0.10.in-addr.arpa", .ptr) == ["\(order[1]).front.internal."])
            town.namespace(1, "/run/netns/\(order[0])", "3 10.0.0.2")
            #expect(
                try town.ask("b", "2.0.0.10.in-addr.arpa", .ptr) == ["\(order[1]).front.internal."], "it has had it")
        }
    }

    @Test("what is declared means what it says, though every container is plugged in everywhere")
    func demo() throws {
        var town = try Town()
        town.bridge(3, "frontend", subnets: ["10.10.1.0/24"])
        town.bridge(4, "backend", subnets: ["10.10.2.0/24"])
        for (cookie, name) in [(1, "web"), (2, "app"), (3, "db")] as [(UInt64, String)] {
            town.namespace(cookie, "/run/netns/\(name)", "3 10.10.1.\(cookie + 1)", "4 10.10.2.\(cookie + 1)")
        }
        try town.network("frontend", subnets: ["10.10.1.0/24"])
        try town.network("backend", subnets: ["10.10.2.0/24"], isInternal: true)
        try town.container("web", "frontend 10.10.1.2 /site", cookie: 1)
        try town.container("app", "frontend", cookie: 2)
        try town.container("db", "backend 10.10.2.4", cookie: 3)
        #expect(town.registry.networkCount == 2 && town.registry.containerCount == 3)
        #expect(try town.ask("app", "site") == ["10.10.1.2"])
        #expect(try town.ask("web", "app") == ["10.10.1.3"])
        #expect(try town.ask("app", "db") == nil && town.ask("web", "db") == nil && town.ask("db", "app") == nil)
        #expect(try town.group("db") == nil && town.group("app") == 0)
        try town.connect("app", "backend")
        #expect(try town.ask("app", "db") == ["10.10.2.4"])
        #expect(try town.ask("db", "app") == ["10.10.2.3"])
        #expect(try town.ask("web", "db") == nil)
        try town.disconnect("app", "backend")
        #expect(try town.ask("app", "db") == nil && town.ask("db", "app") == nil)
        #expect(try town.ask("app", "4.2.10.10.in-addr.arpa", .ptr) == nil)
    }

    // MARK: - Names that are none

    @Test(
        "a container whose namespace's name has dots is found by it, and by address",
        arguments: ["web.prod", "db.1", "a.b.c"])
    func dottedContainers(name: String) throws {
        var town = try Town()
        town.bridge(3, "front")
        town.namespace(1, "/run/netns/\(name)", "3 10.0.0.2")
        town.namespace(2, "/run/netns/app", "3 10.0.0.3")
        for form in [name, "\(name).front", "\(name).internal", "\(name).front.internal"] {
            #expect(try town.ask("app", form) == ["10.0.0.2"])
        }
        #expect(try town.ask("app", "2.0.0.10.in-addr.arpa", .ptr) == ["\(name).front.internal."])
        #expect(try town.registry.container(named: name).observed?.name == name)
        try town.container("me", "front", links: [(name, "store")])
        #expect(try town.ask("me", "store") == ["10.0.0.2"], "a link finds it")
        try town.container(name, "front 10.0.0.9")
        #expect(try town.ask("app", name)?.sorted() == ["10.0.0.2", "10.0.0.9"], "one may be declared so, too")
    }

    @Test(
        "a container whose namespace's name is no name is there, answered, and not found by it",
        arguments: ["a..b", ".a", "*", String(repeating: "x", count: 64), "w\\200eb", "x.localhost", "localhost"])
    func strangeContainers(name: String) throws {
        var town = try Town()
        town.bridge(3, "front")
        town.namespace(1, "/run/netns/\(name)", "3 10.0.0.2")
        town.namespace(2, "/run/netns/web", "3 10.0.0.3")
        #expect(try town.ask("/run/netns/\(name)", "web") == ["10.0.0.3"])
        #expect(try town.registry.container(named: name).observed?.name == name)
        #expect(try town.ask("web", "2.0.0.10.in-addr.arpa", .ptr) == nil)
        if let asked = try? Name(name) { #expect(try town.ask("web", "\(asked)") == nil) }
        try town.connect("/run/netns/\(name)", "front /site")
        #expect(try town.ask("web", "site") == ["10.0.0.2"], "an alias finds it")
    }

    @Test("a network whose alias is no name is there, and stands behind no name", arguments: ["a..b", ".", "\\9"])
    func strangeNetworks(alias: String) throws {
        var town = try Town()
        town.bridge(3, "br0", alias: alias)
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        #expect(try town.registry.network(named: "br0").name == alias)
        #expect(try town.registry.network(named: alias).observed?.interfaceName == "br0")
        #expect(try town.ask("web", "web") == ["10.0.0.2"])
        #expect(try town.ask("web", "web.br0") == nil)
        #expect(try town.ask("web", "2.0.0.10.in-addr.arpa", .ptr) == ["web.internal."])
    }
}
