// Names with addresses that one container alone knows, as docker run --add-host gives them.

import DNSWire
import Testing

@testable import Registry

@Suite("A host of a container's own")
struct ExtraHostTests {
    /// Publishes `web` on a bridge with an address of the host, and declares `other` there.
    private func town(_ hosts: [(String, String?)], hostAddresses: [String] = ["10.0.0.1"]) throws -> Town {
        var town = try Town()
        bridge(hostAddresses, &town)
        var definition = ContainerDefinition(name: "web", source: .publisher("docker"))
        definition.id = "4c01db0b339c"
        definition.endpoints = [Town.endpoint("front 10.0.0.2")]
        definition.extraHosts = hosts.map { ExtraHostDefinition(name: $0.0, address: $0.1.flatMap { IPAddress($0) }) }
        town.registry.publish(definition)
        try town.container("other", "front 10.0.0.3")
        return town
    }

    private func bridge(_ hostAddresses: [String], _ town: inout Town) {
        town.registry.observe(
            ObservedNetwork(
                interface: InterfaceIndex(rawValue: 3), interfaceName: "br0", alias: "front", subnets: [],
                hostAddresses: hostAddresses.compactMap { IPAddress($0) }))
        town.settle()
    }

    @Test("is answered to it alone, before names of its networks, with all addresses that it was given")
    func alone() throws {
        var town = try town([
            ("api.example", "10.9.0.1"), ("API.example", "fd00::9"), ("other", "10.9.0.2"), ("api.example", "10.9.0.3"),
            ("bad..name", "10.9.0.4"), ("localhost", "10.9.0.5"),
        ])
        #expect(try town.ask("web", "api.example")?.sorted() == ["10.9.0.1", "10.9.0.3"])
        #expect(try town.ask("web", "api.example", .aaaa) == ["fd00::9"])
        #expect(try town.ask("web", "api.example", .txt) == [])
        #expect(try town.ask("web", "other") == ["10.9.0.2"])
        #expect(try town.ask("other", "api.example") == nil)
        #expect(try town.ask("other", "other") == ["10.0.0.3"])
        #expect(try town.ask("web", "localhost") == nil)
        town.registry.unpublish(container: PublicationKey(source: "docker", id: "4c01db0b339c"))
        try town.remove("other")
        town.registry.forget(network: InterfaceIndex(rawValue: 3))
        town.settle()
        #expect(town.directory.index.count == 0, "nothing is left behind")
    }

    @Test("has its address lead back to its name, for that container alone, before a neighbour's name")
    func reverse() throws {
        var town = try town([
            ("api.example", "10.9.0.1"), ("other.example", "10.9.0.1"), ("near.example", "10.0.0.3"),
            ("six.example", "fd00::9"), ("self.example", "127.0.0.1"),
        ])
        #expect(try town.ask("web", "1.0.9.10.in-addr.arpa", .ptr) == ["api.example."])
        #expect(try town.ask("web", "3.0.0.10.in-addr.arpa", .ptr) == ["near.example."])
        #expect(try town.ask("web", IPAddress("fd00::9")?.reverseName.description ?? "", .ptr) == ["six.example."])
        #expect(try town.ask("web", "1.0.0.127.in-addr.arpa", .ptr) == nil, "localhost's")
        #expect(try town.ask("other", "1.0.9.10.in-addr.arpa", .ptr) == nil)
        town.registry.unpublish(container: PublicationKey(source: "docker", id: "4c01db0b339c"))
        town.settle()
        #expect(try town.ask("other", "3.0.0.10.in-addr.arpa", .ptr) == ["other.front.internal."])
    }

    @Test("called host-gateway has the addresses that the host has on the container's network, as they change")
    func gateway() throws {
        var town = try town([("host.docker.internal", nil)])
        #expect(try town.ask("web", "host.docker.internal") == ["10.0.0.1"])
        bridge(["10.0.0.9", "fd00::1"], &town)
        #expect(try town.ask("web", "host.docker.internal") == ["10.0.0.9"])
        #expect(try town.ask("web", "host.docker.internal", .aaaa) == ["fd00::1"])
        bridge([], &town)
        #expect(try town.ask("web", "host.docker.internal") == nil, "what is not known here may be known elsewhere")
        bridge(["10.0.0.1"], &town)
        #expect(try town.ask("web", "host.docker.internal") == ["10.0.0.1"])
    }
}
