// Origins of facts, as `inspect` shows them.

import DNSWire
import Testing

@testable import Registry

@Suite("A fact")
struct FactTests {
    /// As `KIND VALUE [on NETWORK] from SOURCE [LINK]`, with a `-` before it where it is not in force.
    private static func lines(_ facts: [Registry.Fact]) -> [String] {
        facts.map { fact in
            let origin =
                switch fact.origin {
                case .declared(let source): source.name
                case .observed(let link): "kernel" + (link.map { " \($0)" } ?? "")
                }
            return (fact.isInForce ? "" : "-") + "\(fact.kind.rawValue) \(fact.value)"
                + (fact.network.map { " on \($0)" } ?? "") + " from \(origin)"
        }
    }

    @Test("of a network says who declared it or which interface shows it, and what has more weight")
    func networks() throws {
        var town = try Town()
        town.bridge(3, "br0", alias: "shown", subnets: ["10.0.0.0/24"])
        #expect(
            try Self.lines(town.registry.facts(of: town.registry.network(named: "shown"))) == [
                "name shown from kernel br0", "interface br0 from kernel br0", "subnet 10.0.0.0/24 from kernel br0",
            ])
        try town.network("front", interface: "br0", subnets: ["10.0.0.0/16"], isInternal: true, ttl: 9)
        #expect(
            try Self.lines(town.registry.facts(of: town.registry.network(named: "front"))) == [
                "name front from control", "interface br0 from control", "subnet 10.0.0.0/16 from control",
                "internal yes from control", "ttl 9 from control", "-name shown from kernel br0",
                "interface br0 from kernel br0", "-subnet 10.0.0.0/24 from kernel br0",
            ])
        town.bridgeGone(3)
        let facts = try Self.lines(town.registry.facts(of: town.registry.network(named: "front")))
        #expect(facts.contains("-interface br0 from control"), "it is not there")
    }

    @Test("of a container says the same for its names, networks and addresses")
    func containers() throws {
        var town = try Town()
        town.bridge(3, "front")
        town.bridge(4, "back")
        town.namespace(7, "/run/netns/ns7", "3 10.0.0.2", "4 10.1.0.2")
        try town.connect("ns7", "back /db")
        try town.disconnect("ns7", "front")
        func facts(_ name: String) throws -> [String] {
            try Self.lines(town.registry.facts(of: town.registry.container(named: name)))
        }
        #expect(
            try facts("ns7") == [
                "network back from control", "alias db on back from control", "name ns7 from kernel",
                "netns /run/netns/ns7 from kernel", "-network front from kernel eth0",
                "-address 10.0.0.2 on front from kernel eth0", "network back from kernel eth1",
                "address 10.1.0.2 on back from kernel eth1",
            ])
        try town.container(
            "web", "front 10.0.0.9", cookie: 7, hostname: "www", links: [("db", "store")],
            ports: [PortDefinition(number: 80, service: "http")])
        #expect(
            try facts("web") == [
                "name web from control", "hostname www from control", "link db:store from control",
                "port 80/tcp=http from control", "network front from control", "address 10.0.0.9 on front from control",
                "network back from control", "alias db on back from control", "-name ns7 from kernel",
                "netns /run/netns/ns7 from kernel", "network front from kernel eth0",
                "-address 10.0.0.2 on front from kernel eth0", "network back from kernel eth1",
                "address 10.1.0.2 on back from kernel eth1",
            ])
        town.bridgeGone(4)
        #expect(try facts("web").contains("-network back from control"), "a network that is not there")
    }
}
