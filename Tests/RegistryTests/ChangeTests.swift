// Changes: what is refused, what a change costs, and that names of the past leave nothing behind.

import DNSWire
import Testing

@testable import Registry

@Suite("A change")
struct ChangeTests {
    private func town() throws -> Registry {
        var registry = Registry(domain: try Name("internal"), ttl: 5)
        var network = NetworkDefinition(name: "front", source: .control)
        network.subnets = [Subnet("10.0.0.0/24")].compactMap { $0 }
        try registry.createNetwork(network)
        var web = ContainerDefinition(name: "web", source: .control)
        web.endpoints = [Town.endpoint("front 10.0.0.2")]
        try registry.addContainer(web)
        _ = registry.takeChanges()
        return registry
    }

    private static func container(_ name: String, _ endpoints: String...) -> ContainerDefinition {
        var definition = ContainerDefinition(name: name, source: .control)
        definition.endpoints = endpoints.map { Town.endpoint($0) }
        return definition
    }

    @Test(
        "that is refused says why, and nothing of it is done",
        arguments: [
            (container(""), "bad name ''"), (container("a..b"), "bad name 'a..b'"), (container("a\0b"), "NUL"),
            (container("*"), "wildcard"), (container(String(repeating: "a", count: 64)), "64 octets"),
            (container("web"), "container web exists already"), (container("WEB"), "container WEB exists already"),
            (container("x", "nope"), "no network nope"), (container("x", "front 10.0.1.2"), "outside the subnets"),
            (container("x", "front 0.0.0.0"), "unspecified"),
            (container("x", "front 10.0.0.2"), "is that of container web"),
            (container("x", "front", "FRONT"), "on network FRONT already"),
            (container("x", "front /*"), "bad name '*'"),
            (container("x", "front /a..b"), "empty label"), (container("x", "front /."), "root"),
        ])
    func refused(definition: ContainerDefinition, reason: String) throws {
        var registry = try town()
        do throws(RegistryError) {
            try registry.addContainer(definition)
            Issue.record("accepted")
        } catch {
            #expect(error.description.contains(reason), "\(error)")
        }
        #expect(registry.containerCount == 1)
        #expect(registry.takeChanges().isEmpty)
    }

    @Test("of many containers is compiled with pauses, and is the same as without")
    func pauses() throws {
        var registry = try town()
        var other = registry
        for number in 3...202 {
            let container = Self.container("c\(number)", "front 10.0.0.\(number)")
            try registry.addContainer(container)
            try other.addContainer(container)
        }
        var pauses = 0
        let changes = registry.takeChanges { pauses += 1 }
        // Each container has several names and an address.
        #expect(pauses >= 200 / 64 && pauses <= changes.count / 64)
        #expect(changes.count == other.takeChanges().count)
    }

    @Test("of a network is refused while it would contradict who is on it")
    func networks() throws {
        var registry = try town()
        #expect(throws: RegistryError.networkExists("Front")) {
            try registry.createNetwork(NetworkDefinition(name: "Front", source: .control))
        }
        #expect(throws: RegistryError.networkInUse("front", containers: ["web"])) {
            try registry.removeNetwork(named: "front")
        }
        #expect(throws: RegistryError.noSuchNetwork("back")) { try registry.removeNetwork(named: "back") }
        var smaller = NetworkDefinition(name: "front", source: .control)
        smaller.subnets = [Subnet("10.9.0.0/24")].compactMap { $0 }
        #expect(throws: RegistryError.self) { try registry.updateNetwork(smaller) }
        #expect(try registry.network(named: "front").subnets.first?.description == "10.0.0.0/24")
        try registry.connect(container: "web", Town.endpoint("front"))
        try registry.disconnect(container: "web", network: "front")
        #expect(throws: RegistryError.notConnected(container: "web", network: "front")) {
            try registry.disconnect(container: "web", network: "front")
        }
        try registry.removeNetwork(named: "FRONT")
    }

    @Test("costs in proportion to itself, not to the registry")
    func proportion() throws {
        var town = try Town()
        try town.network("front")
        try town.container("first", "front 10.1.0.1")
        let alone = town.changes
        for number in 0..<500 { try town.container("c\(number)", "front 10.2.\(number / 250).\(number % 250 + 1)") }
        try town.container("last", "front 10.1.0.2")
        #expect(town.changes == alone)
        try town.remove("last")
        #expect(town.changes == alone)
    }

    @Test("of the domain or the TTL reaches every record")
    func defaults() throws {
        var town = try Town()
        try town.network("front")
        try town.container("web", "front 10.0.0.2")
        let domain = try Name("test.lan")
        town.registry.setDefaults(domain: domain, ttl: 99)
        town.directory.setDomain(domain)
        town.settle()
        #expect(try town.ttl("web", "web.front.test.lan") == 99)
        #expect(try town.ask("web", "2.0.0.10.in-addr.arpa", .ptr) == ["web.front.test.lan."])
        #expect(try town.ask("web", "web.internal") == nil)
    }

    @Test("and its reversal leave the directory as it was, thousands of times over")
    func churn() throws {
        var town = try Town()
        try town.network("front")
        try town.container("web", "front 10.0.0.1 /site /*.w.test", links: [("db", "store")])
        for round in 0..<3000 {
            let number = round % 200
            try town.container("c\(round)", "front 10.1.\(number).1 /alias\(number) /shared /*.c\(number).test")
            if round >= 100 { try town.remove("c\(round - 100)") }
        }
        #expect(try town.ask("web", "site") == ["10.0.0.1"])
        #expect(try town.ask("web", "a.w.test") == ["10.0.0.1"])
        #expect(try town.ask("web", "shared")?.count == 100)
        for round in 2900..<3000 { try town.remove("c\(round)") }
        #expect(try town.ask("web", "shared") == nil)
        #expect(try town.ask("web", "alias5") == nil)
        // web: name, alias, wildcard, address; and w.test and test, which are above the wildcard.
        #expect(town.directory.index.count == 6)
        #expect(town.directory.index.blobs.elements.count < 8192, "what is unused is given back")
        #expect(town.registry.shares.count == 3)
    }
}
