// The town of the promise in a registry, read and compiled once.

import DNSWire
import Promise
import Registry
import Testing

@testable import IntercomServer

/// Town and table: the registry that a control plane would have, and the changes by which workers know it.
struct CompiledTown {
    var configuration: Configuration
    var registry: Registry
    var changes: [DirectoryChange]

    static let shared = Result {
        var town = try CompiledTown(Town.configuration)
        for deed in Town.table.deeds { try town.carryOut(deed) }
        town.changes = town.registry.takeChanges()
        return town
    }

    /// Reads a configuration; nothing has been taken of its changes.
    init(_ text: String) throws {
        configuration = try Configuration.parse(text: text, file: "town.toml")
        registry = Registry(domain: configuration.server.domain, ttl: configuration.server.ttl)
        registry.setRoutes(configuration.routes)
        for policy in configuration.policies { try registry.setPolicy(policy) }
        for network in configuration.networks { try registry.createNetwork(network) }
        for record in configuration.records { _ = try registry.addRecord(record) }
        for container in configuration.containers { try registry.addContainer(container.definition) }
        changes = []
    }

    private mutating func carryOut(_ deed: Deed) throws {
        let networks = registry.networks.compactMap(\.observed)
        switch deed {
        case .server: break
        case .bridge(let name, let address):
            let ip = try #require(address.split(separator: "/").first.flatMap { IPAddress(String($0)) })
            registry.observe(
                ObservedNetwork(
                    interface: InterfaceIndex(rawValue: UInt32(networks.count) + 1), interfaceName: name,
                    subnets: [try #require(Subnet(address))], hostAddresses: [ip]))
        case .plug(let name, let bridge, let address):
            let network = try #require(networks.first { $0.interfaceName == bridge })
            let ip = try #require(address.split(separator: "/").first.flatMap { IPAddress(String($0)) })
            registry.observe(
                ObservedContainer(
                    cookie: NamespaceCookie(rawValue: UInt64(registry.containerCount) + 1), name: name,
                    path: "/run/netns/\(name)",
                    endpoints: [ObservedEndpoint(network: network.interface, link: "eth0", addresses: [ip])]))
        case .drain(let name): try registry.setDraining(true, container: name)
        }
    }
}
