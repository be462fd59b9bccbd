// Declarations and facts of the kernel: the result is the same whichever came first.

import DNSWire
import Testing

@testable import Registry

@Suite("Declared and observed")
struct MergeTests {
    // MARK: - Networks

    @Test(
        "an observed network is called as its alias, else as its interface",
        arguments: [
            ("br0", nil, "br0"), ("br0", "", "br0"), ("br0", "frontend", "frontend"), ("br0", "a.b", "a.b"),
            ("eth0.5", nil, "eth0.5"),
        ] as [(String, String?, String)])
    func networkNames(interface: String, alias: String?, name: String) throws {
        var town = try Town()
        town.bridge(3, interface, alias: alias)
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        #expect(try town.registry.network(named: name).observed?.interfaceName == interface)
        #expect(try town.ask("web", "web.\(name).internal") == ["10.0.0.2"])
        #expect(try town.ask("web", "2.0.0.10.in-addr.arpa", .ptr) == ["web.\(name).internal."])
        #expect(try town.registry.network(named: interface).name == name, "its interface's name finds it, too")
    }

    @Test("a network that is declared for an interface is that interface, in any order", arguments: [true, false])
    func declaredInterface(isDeclaredFirst: Bool) throws {
        var town = try Town()
        if isDeclaredFirst { try town.network("front", interface: "br0", isInternal: true) }
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        #expect(try town.ask("web", "web") == nil, "its network is not known yet")
        town.bridge(3, "br0", alias: "shown", subnets: ["10.0.0.0/24"])
        if !isDeclaredFirst { try town.network("front", interface: "br0", isInternal: true) }
        #expect(town.registry.networkCount == 1)
        #expect(try town.ask("web", "web.front") == ["10.0.0.2"])
        #expect(try town.ask("web", "web.shown") == nil, "the declared name counts")
        #expect(try town.group("web") == nil, "it is internal")
        try town.registry.removeNetwork(named: "front")
        town.settle()
        #expect(try town.ask("web", "web.shown") == ["10.0.0.2"], "what the kernel shows stays")
        #expect(try town.ask("web", "web.front") == nil)
        #expect(try town.group("web") == 0)
        town.bridgeGone(3)
        #expect(town.registry.networkCount == 0)
        #expect(try town.ask("web", "web") == nil)
        town.bridge(3, "br0")
        #expect(try town.ask("web", "web.br0") == ["10.0.0.2"])
    }

    @Test("a declared network follows its interface's name from link to link")
    func interfaceMoves() throws {
        var town = try Town()
        try town.network("front", interface: "br0", subnets: ["10.0.0.0/8"])
        town.bridge(3, "br0")
        town.bridge(4, "br1")
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        town.namespace(2, "/run/netns/db", "4 10.0.0.3")
        #expect(try town.ask("web", "web.front") == ["10.0.0.2"])
        town.bridge(3, "old")
        #expect(try town.ask("web", "web.old") == ["10.0.0.2"])
        #expect(try town.ask("web", "web.front") == nil)
        town.bridge(4, "br0")
        #expect(try town.ask("db", "db.front") == ["10.0.0.3"])
        #expect(try town.ask("db", "web") == nil)
        // A new link of the name is told of before the end of the old one.
        town.bridge(5, "br0")
        town.namespace(3, "/run/netns/new", "5 10.0.0.4")
        town.bridgeGone(4)
        #expect(try town.ask("new", "new.front") == ["10.0.0.4"])
        var definition = try #require(try town.registry.network(named: "front").declared)
        definition.interface = "old"
        try town.registry.updateNetwork(definition)
        town.settle()
        #expect(try town.ask("web", "web.front") == ["10.0.0.2"])
        #expect(try town.ask("new", "new.br0") == ["10.0.0.4"])
        #expect(town.registry.networkCount == 2)
    }

    @Test("two networks cannot be declared for one interface")
    func interfaceInUse() throws {
        var town = try Town()
        try town.network("front", interface: "br0")
        #expect(throws: RegistryError.interfaceInUse("br0", network: "front")) {
            try town.network("back", interface: "br0")
        }
        try town.registry.removeNetwork(named: "front")
        try town.network("back", interface: "br0")
    }

    @Test("declared subnets win over observed ones")
    func subnets() throws {
        var town = try Town()
        town.bridge(3, "br0", subnets: ["10.0.0.0/24"])
        #expect(try town.registry.network(named: "br0").subnets.map(\.description) == ["10.0.0.0/24"])
        try town.network("front", interface: "br0", subnets: ["10.0.0.0/16"])
        town.namespace(1, "/run/netns/web", "3 10.9.0.2")
        #expect(try town.registry.network(named: "front").subnets.map(\.description) == ["10.0.0.0/16"])
        let web = try town.view("web")
        var name = FoldedName()
        name.set(try Name("1.200.0.10.in-addr.arpa"))
        let block = name.reverseBlock
        let isOurs = town.directory.isReverseOfMyNetworks(try #require(block), view: web)
        #expect(isOurs)
        #expect(try town.ask("web", "web") == ["10.9.0.2"], "what is observed may be outside of them")
    }

    @Test("networks of one name are both there; a declared one is what the name means, else it says what to choose")
    func networkClash() throws {
        var town = try Town()
        town.bridge(3, "br0", alias: "front")
        town.bridge(4, "br1", alias: "Front")
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        town.namespace(2, "/run/netns/db", "4 10.0.0.3")
        town.namespace(3, "/run/netns/gate", "3 10.0.0.4", "4 10.0.0.5")
        #expect(try town.ask("gate", "web.front") == ["10.0.0.2"])
        #expect(try town.ask("gate", "db.front") == ["10.0.0.3"])
        #expect(try town.ask("web", "db.front") == nil, "a name joins nothing")
        #expect(throws: RegistryError.ambiguousName("front", choices: ["br0", "br1"])) {
            try town.registry.network(named: "front")
        }
        #expect(throws: RegistryError.ambiguousName("front", choices: ["br0", "br1"])) {
            try town.container("vm", "front 10.0.0.9")
        }
        try town.container("vm", "br1 10.0.0.9")
        #expect(try town.ask("db", "vm.front") == ["10.0.0.9"])
        try town.network("FRONT", interface: "br9")
        #expect(try town.registry.network(named: "front").declared != nil)
        #expect(try town.ask("db", "vm.front") == ["10.0.0.9"], "what names its interface stays where it is")
        #expect(town.registry.networkCount == 3)
    }

    @Test("a network that is declared without an interface is the one that is called so", arguments: [true, false])
    func declaredName(isDeclaredFirst: Bool) throws {
        for (interface, alias) in [("front", nil), ("br0", "Front")] as [(String, String?)] {
            var town = try Town()
            if isDeclaredFirst { try town.network("front", isInternal: true) }
            town.bridge(3, interface, alias: alias)
            town.bridge(4, "other")
            town.namespace(1, "/run/netns/web", "3 10.0.0.2")
            if !isDeclaredFirst { try town.network("front", isInternal: true) }
            #expect(town.registry.networkCount == 2)
            #expect(try town.group("web") == nil, "it is internal")
            try town.container("vm", "front 10.0.0.9")
            #expect(try town.ask("web", "vm") == ["10.0.0.9"])
            // Another of the name is not it, while the first is there; nor is one that is declared by its interface.
            town.bridge(5, "br5", alias: "front")
            town.namespace(2, "/run/netns/late", "5 10.0.0.3")
            #expect(try town.ask("late", "vm") == nil)
            try town.network("taken", interface: interface)
            #expect(try town.ask("web", "web.taken") == ["10.0.0.2"])
            #expect(try town.ask("late", "vm") == ["10.0.0.9"], "the next of the name is it now")
            try town.registry.removeNetwork(named: "taken")
            town.settle()
            #expect(try town.ask("web", "vm") == ["10.0.0.9"])
            #expect(try town.ask("late", "vm") == nil)
        }
    }

    // MARK: - Containers

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
        #expect(throws: RegistryError.self) { try town.container(name, "front 10.0.0.9") }
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

    // MARK: - Connecting

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
        try town.connect("web", "front /other")
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
