// Warnings of `status`.

import DNSWire
import Testing

@testable import Registry

@Suite("A warning")
struct WarningTests {
    private func expect(_ town: borrowing Town, _ warnings: [String]) {
        let found = town.registry.warnings
        #expect(found.count == warnings.count, "\(found)")
        for (warning, start) in zip(found, warnings) { #expect(warning.hasPrefix(start), "\(warning)") }
    }

    @Test("is not given while nothing is amiss")
    func nothing() throws {
        var town = try Town()
        town.bridge(3, "br0", alias: "front")
        try town.network("front")
        try town.container("web", "front 10.0.0.2", cookie: 1)
        town.namespace(1, "/run/netns/web", "3 10.0.0.2")
        town.namespace(2, "/run/netns/app", "3 10.0.0.3")
        expect(town, [])
    }

    @Test("is given of names that several have, until one of them goes")
    func clashes() throws {
        var town = try Town()
        town.bridge(3, "br0", alias: "front")
        town.bridge(4, "br1", alias: "Front")
        expect(town, ["2 networks are called front (interface br0, interface br1): each is one of its own; "])
        try town.network("front", interface: "br9")
        expect(
            town, ["3 networks are called front (declared by control for interface br9, interface br0, interface br1)"])
        town.bridgeGone(3)
        town.bridgeGone(4)
        town.bridge(5, "back")
        town.namespace(1, "/run/netns/web", "5 10.0.0.2")
        try town.container("WEB", "back 10.0.0.3")
        expect(town, ["2 containers are called web (/run/netns/web, declared by control): all of them answer to it; "])
        try town.remove("WEB")
        expect(town, [])
    }

    @Test("is given of names that are none, of networks that are not there, and of addresses that several have")
    func others() throws {
        var town = try Town()
        town.bridge(3, "br0", alias: "a..b")
        town.bridge(4, "back")
        town.namespace(1, "/run/netns/a..b", "3 10.0.0.2")
        town.namespace(2, "/run/netns/web", "3 10.0.0.2")
        try town.container("vm", "back 10.1.0.9")
        town.bridgeGone(4)
        expect(
            town,
            [
                "network a..b (interface br0): this is no name of the DNS",
                "container a..b (/run/netns/a..b): this is no name of the DNS",
                "container vm is declared on network back, which is not there",
                "address 10.0.0.2 on network a..b is claimed by several: a..b, web; reverse lookups give ",
            ])
    }

    @Test("is given of a network that is named as the domain, or below it, until either has another name")
    func networkOfTheDomain() throws {
        var town = try Town()
        town.bridge(3, "br0", alias: "internal")
        try town.network("lab.lan")
        expect(town, ["network internal (interface br0): internal is the domain behind all names"])
        town.registry.setDefaults(domain: try Name("lan"), ttl: 5)
        expect(town, ["network lab.lan (declared by control): lan is the domain behind all names"])
        town.registry.setDefaults(domain: try Name("example"), ttl: 5)
        expect(town, [])
    }

    @Test("costs nothing for those that are well: 5,000 containers and one that is not take less than 5 ms")
    func cost() throws {
        var town = try Town()
        town.bridge(3, "front")
        for number in 0..<5_000 {
            let address = "10.0.\(number / 250).\(number % 250 + 1)"
            town.namespace(UInt64(number + 1), "/run/netns/c\(number)", "3 \(address)")
        }
        town.namespace(9_999, "/run/netns/c0", "3 10.1.0.1")
        let clock = ContinuousClock()
        let shortest = (0..<5).map { _ in clock.measure { #expect(town.registry.warnings.count == 1) } }.min()
        #expect(try #require(shortest) < .milliseconds(5))
    }
}
