// Names, addresses and sizes that can be declared, and those that are refused.

import DNSWire
import Testing

@testable import Registry

@Suite("A declaration")
struct DeclarationTests {
    @Test(
        "of a name that an RFC gives a meaning of its own is refused",
        arguments: ["localhost", "LOCALHOST.", "app.localhost", "x.invalid", "invalid", "a.b.onion", "resolver.arpa"])
    func specialUse(name: String) throws {
        var town = try Town()
        try town.network("front")
        #expect(throws: RegistryError.self) { try town.network(name) }
        #expect(throws: RegistryError.self) { try town.container("a", "front /\(name)") }
        #expect(throws: RegistryError.self) { try town.container("a", "front /*.\(name)") }
        #expect(throws: RegistryError.self) { try town.container("a", "front", hostname: name) }
        #expect(throws: RegistryError.self) { try town.container("a", "front", links: [("b", name)]) }
        #expect(throws: RegistryError.self) { try town.container(name, "front") }
        #expect(town.registry.containerCount == 0)
        try town.container("localhosts", "front /localhost.example /xinvalid")
    }

    @Test(
        "of an address that no container has is refused",
        arguments: [
            "0.0.0.0", "::", "127.0.0.1", "127.8.8.8", "::1", "224.0.0.1", "239.1.2.3", "255.255.255.255", "ff02::1",
        ])
    func addresses(address: String) throws {
        var town = try Town()
        try town.network("front")
        town.bridge(3, "br0")
        for network in ["front", "br0"] {
            #expect(throws: RegistryError.self) { try town.container("a", "\(network) \(address)") }
        }
    }

    @Test("of an id that is a wildcard or an address takes no name from anybody")
    func ids() throws {
        var town = try Town()
        try town.network("front")
        for id in ["*", "127.0.0.1", "::1", "localhost"] {
            var definition = ContainerDefinition(name: "a", source: .control)
            definition.id = id
            definition.endpoints = [EndpointDefinition(network: "front")]
            #expect(throws: RegistryError.self) { try town.registry.addContainer(definition) }
        }
    }

    @Test("in another script is found by its A-labels and by its octets, and reverse lookups give A-labels")
    func scripts() throws {
        var town = try Town()
        try town.network("b\u{FC}ro")
        try town.container("m\u{FC}ller", "b\u{FC}ro 10.0.0.2 /*.caf\u{E9}.test")
        try town.container("app", "B\u{DC}RO 10.0.0.3", links: [("M\u{DC}LLER", "pr\u{FC}fer")])
        for name in [
            "xn--mller-kva", "m\u{FC}ller", "xn--mller-kva.xn--bro-hoa", "xn--mller-kva.xn--bro-hoa.internal",
            "x.xn--caf-dma.test", "xn--prfer-lva",
        ] {
            #expect(try town.ask("app", name) == ["10.0.0.2"], "\(name)")
        }
        #expect(try town.ask("app", "2.0.0.10.in-addr.arpa", .ptr) == ["xn--mller-kva.xn--bro-hoa.internal."])
        #expect(throws: RegistryError.self) { try town.container("\u{1F433}", "b\u{FC}ro") }
        #expect(throws: RegistryError.self) { try town.network("xn--bro-hoa") }
    }

    @Test("of a link to a container that is not there yet is taken")
    func links() throws {
        var town = try Town()
        try town.network("front")
        try town.container("app", "front", links: [("later", "db")])
        #expect(try town.ask("app", "db") == nil)
        try town.container("later", "front 10.0.0.2")
        #expect(try town.ask("app", "db") == ["10.0.0.2"])
    }

    @Test("of more than a container may have is refused, and says how much it may have")
    func sizes() throws {
        var town = try Town()
        try town.network("front")
        let ports = (1...1000).map { PortDefinition(number: UInt16($0)) }
        var definition = ContainerDefinition(name: "a", source: .control)
        definition.ports = (1...20_000).map { PortDefinition(number: UInt16($0)) }
        #expect(throws: RegistryError.tooMany("ports", count: 20_000, limit: Registry.Limits.ports)) {
            try town.registry.addContainer(definition)
        }
        definition.ports = ports
        definition.endpoints = [EndpointDefinition(network: "front", aliases: (0..<100).map { "a\($0)" })]
        #expect(throws: RegistryError.self) { try town.registry.addContainer(definition) }
        definition.ports = []
        definition.links = (0..<2000).map { LinkDefinition(container: "b", name: "l\($0)") }
        #expect(throws: RegistryError.self) { try town.registry.addContainer(definition) }
        definition.links = []
        definition.endpoints[0].aliases = (0..<2000).map { "a\($0)" }
        #expect(throws: RegistryError.self) { try town.registry.addContainer(definition) }
        definition.endpoints[0].aliases = []
        definition.ports = Array(ports.prefix(1000))
        try town.registry.addContainer(definition)
        // 1,000 ports have room for one network with four names, however often the container is connected to it.
        for number in 1...3 {
            let address = IPAddress.v4(IPv4Address(bits: 0x0A00_0000 + UInt32(number)))
            try town.registry.connect(
                container: "a", EndpointDefinition(network: "FRONT", addresses: [address]))
        }
        let many = EndpointDefinition(network: "front", aliases: (0..<2000).map { "a\($0)" })
        #expect(throws: RegistryError.self) { try town.registry.connect(container: "a", many) }
    }

    @Test("is not needed for what the kernel shows; of that a container has so much, and the rest is counted")
    func observed() throws {
        var town = try Town()
        town.bridge(3, "front")
        let addresses = (0..<5000).map { IPAddress.v4(IPv4Address(bits: 0x0A00_0000 + UInt32($0) + 1)) }
        func observe(_ count: Int, _ town: inout Town) {
            town.registry.observe(
                ObservedContainer(
                    cookie: NamespaceCookie(rawValue: 1), name: "web", path: "/run/netns/web",
                    endpoints: [
                        ObservedEndpoint(
                            network: InterfaceIndex(rawValue: 3), link: "eth0",
                            addresses: Array(addresses.prefix(count)))
                    ]))
            town.settle()
        }
        observe(5000, &town)
        #expect(try town.ask("web", "web")?.count == Registry.Limits.addresses)
        #expect(town.registry.observedLeftOut == 5000 - Registry.Limits.addresses)
        #expect(
            town.registry.warnings.contains {
                $0.hasPrefix("container web: 3976 of its links and addresses are left out")
            })
        observe(2, &town)
        #expect(town.registry.observedLeftOut == 0)
        observe(5000, &town)
        town.namespaceGone(1)
        #expect(town.registry.observedLeftOut == 0)
    }

    @Test("with characters that would steer a terminal is told without them")
    func escapes() throws {
        var town = try Town()
        try town.network("front")
        for name in ["a\u{9B}2J", "a\u{1B}[2J..x", "\u{202E}a"] {
            do {
                try town.container(name, "front")
                Issue.record("\(name.unicodeScalars) is taken")
            } catch let error as RegistryError {
                #expect(
                    error.description.hasPrefix("bad name '")
                        && DisplayText.escaped(error.description) == error.description)
            }
        }
        town.bridge(3, "br0", alias: "x..\u{202E}y")
        #expect(town.registry.warnings.allSatisfy { !$0.unicodeScalars.contains("\u{202E}") })
    }
}
