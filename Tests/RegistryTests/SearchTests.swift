// Search domains of networks: which a container has, and when its files are written anew.

import DNSWire
import Testing

@testable import Registry

@Suite("The search list of a container")
struct SearchTests {
    private func town() throws -> Town {
        var town = try Town()
        for (name, search) in [
            ("a", ["corp.example", "lab.example"]), ("b", ["lab.example", "x.example"]), ("c", []),
        ] {
            var network = NetworkDefinition(name: name, source: .control)
            network.search = try search.map { text throws(RegistryError) in try Registry.searchDomain(text) }
            try town.registry.createNetwork(network)
        }
        town.settle()
        return town
    }

    private func search(_ container: String, _ town: borrowing Town) throws -> [String] {
        town.registry.searchDomains(of: try town.registry.container(named: container)).map(\.description)
    }

    @Test("has the domains of its networks in the order in which they answer, each once")
    func order() throws {
        var town = try town()
        try town.container("web", "b 10.1.0.2", "c 10.3.0.2", "a 10.2.0.2")
        try town.container("db", "c 10.3.0.3")
        #expect(try search("web", town) == ["lab.example", "x.example", "corp.example"])
        #expect(try search("db", town) == [])
    }

    @Test("may have changed when a network with search domains, or the container's place on one, is another")
    func changes() throws {
        var town = try town()
        try town.container("web", "c 10.3.0.2")
        try town.container("db", "c 10.3.0.3")
        let web = try town.registry.container(named: "web").id
        #expect(town.registry.takeSearchChanges() == [])
        try town.connect("web", "a 10.2.0.2")
        #expect(town.registry.takeSearchChanges() == [web])
        var network = try #require(town.registry.declaredNetwork(named: "a"))
        network.ttl = 7
        try town.registry.updateNetwork(network)
        #expect(town.registry.takeSearchChanges() == [])
        network.search = []
        try town.registry.updateNetwork(network)
        #expect(town.registry.takeSearchChanges() == [web] && town.registry.takeSearchChanges() == [])
        try town.connect("web", "b 10.1.0.2")
        try town.disconnect("web", "b")
        #expect(town.registry.takeSearchChanges() == [web])
        #expect(try search("web", town) == [])
    }
}
