// Networks that are declared and observed: the result is the same whichever came first.

import DNSWire
import Testing

@testable import Registry

@Suite("A network, declared and observed,")
struct NetworkMergeTests {
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
}
