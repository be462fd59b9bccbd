// Networks whose gateways listen: who is known by which address there, and strangers who see nothing.

import DNSWire
import Testing

@testable import Registry

@Suite("A network whose gateway listens")
struct GatewayTests {
    private static func registry() throws -> Registry {
        var registry = Registry(domain: try Name("internal"), ttl: 5)
        for (name, listens) in [("front", true), ("back", true), ("plain", false)] {
            var network = NetworkDefinition(name: name, source: .control)
            network.hasGatewayListener = listens
            try registry.createNetwork(network)
        }
        return registry
    }

    private static func container(_ name: String, _ endpoints: (String, String)...) throws -> ContainerDefinition {
        var container = ContainerDefinition(name: name, source: .control)
        container.endpoints = try endpoints.map {
            EndpointDefinition(network: $0.0, addresses: [try #require(IPAddress($0.1))])
        }
        return container
    }

    private static func number(_ address: String) throws -> UInt128 { try #require(IPAddress(address)).number }

    /// A directory that has taken all changes.
    private static func apply(_ registry: inout Registry, to directory: inout Directory) {
        for change in registry.takeChanges() { directory.apply(change) }
    }

    @Test("knows its containers by their addresses there, as they come and go, and those of no other network")
    func sources() throws {
        var registry = try Self.registry()
        var directory = Directory(domain: try Name("internal"), seed: 1)
        let vm = try registry.addContainer(try Self.container("vm", ("front", "10.1.0.9"), ("back", "fd00::9")))
        let db = try registry.addContainer(try Self.container("db", ("front", "10.1.0.3"), ("plain", "10.3.0.3")))
        Self.apply(&registry, to: &directory)
        let (front, back, plain) = (
            try registry.network(named: "front").id, try registry.network(named: "back").id,
            try registry.network(named: "plain").id
        )
        #expect(directory.view(ofSource: try Self.number("10.1.0.9"), on: front) == vm.view)
        #expect(directory.view(ofSource: try Self.number("10.1.0.3"), on: front) == db.view)
        #expect(directory.view(ofSource: try Self.number("fd00::9"), on: back) == vm.view)
        #expect(directory.view(ofSource: try Self.number("10.1.0.9"), on: back) == nil)
        #expect(directory.view(ofSource: try Self.number("10.3.0.3"), on: plain) == nil)

        try registry.removeContainer(vm)
        Self.apply(&registry, to: &directory)
        #expect(directory.view(ofSource: try Self.number("10.1.0.9"), on: front) == nil)
        #expect(directory.view(ofSource: try Self.number("10.1.0.3"), on: front) == db.view)
    }

    @Test("begins and ceases to listen under its containers, and is told of once each time")
    func changes() throws {
        var registry = try Self.registry()
        var directory = Directory(domain: try Name("internal"), seed: 1)
        let db = try registry.addContainer(try Self.container("db", ("plain", "10.3.0.3")))
        #expect(registry.takeGateways()?.map(\.name) == ["back", "front"])
        #expect(registry.takeGateways() == nil)
        Self.apply(&registry, to: &directory)
        let plain = try registry.network(named: "plain").id
        var definition = NetworkDefinition(name: "plain", source: .control)
        definition.hasGatewayListener = true
        definition.unknownSources = .refuse
        try registry.updateNetwork(definition)
        let gateway = try #require(registry.takeGateways()?.last)
        #expect(gateway.name == "plain" && gateway.unknownSources == .refuse)
        Self.apply(&registry, to: &directory)
        #expect(directory.view(ofSource: try Self.number("10.3.0.3"), on: plain) == db.view)
        definition.hasGatewayListener = false
        try registry.updateNetwork(definition)
        #expect(registry.takeGateways()?.map(\.name) == ["back", "front"])
        Self.apply(&registry, to: &directory)
        #expect(directory.view(ofSource: try Self.number("10.3.0.3"), on: plain) == nil)
    }

    @Test("shows strangers neither names of containers nor records of the operator, and forwards their questions")
    func strangers() throws {
        var registry = try Self.registry()
        var directory = Directory(domain: try Name("internal"), seed: 1)
        _ = try registry.addContainer(try Self.container("db", ("front", "10.1.0.3")))
        _ = try registry.addRecord(
            RecordDefinition(name: "own.test", type: "A", data: ["10.9.9.9"], source: .control))
        let gateway = try #require(registry.takeGateways()?.last)
        Self.apply(&registry, to: &directory)
        for text in ["db", "db.front", "db.front.internal", "own.test", "3.0.1.10.in-addr.arpa"] {
            var name = FoldedName()
            name.set(try Name(text))
            #expect(directory.find(name, from: 0, view: gateway.stranger) == nil, "\(text)")
            #expect(directory.findRecord(name, view: gateway.stranger) == nil, "\(text)")
            #expect(directory.findReverse(name, view: gateway.stranger) == nil, "\(text)")
            #expect(directory.destination(of: name, view: gateway.stranger) != nil, "\(text)")
        }
    }

    @Test("keeps apart as many sources as there are, whichever are removed")
    func table() throws {
        var table = SourceTable(seed: 7)
        func address(_ number: UInt32) -> IPAddress { .v4(IPv4Address(bits: 0x0A00_0000 + number)) }
        let network = ScopeID(rawValue: 3)
        for number in 0..<5000 as Range<UInt32> { table.set(address(number), on: network, ViewID(rawValue: number)) }
        for number in stride(from: 0, to: 5000, by: 3) as StrideTo<UInt32> {
            table.set(address(number), on: network, nil)
        }
        for number in 0..<5000 as Range<UInt32> {
            let expected = number % 3 == 0 ? nil : ViewID(rawValue: number)
            #expect(table.view(of: address(number).number, on: network) == expected)
            #expect(table.view(of: address(number).number, on: ScopeID(rawValue: 4)) == nil)
        }
    }
}
