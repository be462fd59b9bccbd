// Reads networks and containers, and checks that they fit together.

import Attachment
import DNSWire
import Registry
import TOML

/// The networks of a document, for the containers that name them.
struct NetworkList {
    var inOrder: [NetworkDefinition] = []
    /// By name; without those whose name is wrong.
    var named: [Name: NetworkDefinition] = [:]
    /// Ways in which their containers' questions are logged, by name.
    var queryLogs: [String: QueryLogWay] = [:]
    /// Their files of records.
    var hosts: [HostsPlace] = []
    /// True when every network has a name: only then is it sure that a name is unknown.
    var isComplete = true
}

/// An entry of a container's `networks`, with the places that checks need.
private struct EndpointEntry {
    var network: Placed<String>
    var addresses: [Placed<IPAddress>] = []
    var aliases: [String] = []
}

extension ConfigurationReader {
    /// - Parameters:
    ///   - tables: the tables `[[network]]`.
    ///   - domain: the domain behind all names, which is never forwarded.
    ///   - policy: names of policies.
    mutating func readNetworks(
        _ tables: [TableReader], beside domain: Name, _ policy: ValueKind<String>
    ) -> NetworkList {
        var networks = NetworkList()
        var places = FirstPlaces<Name>()
        for var table in tables {
            let name = table.require("name", .placed(.networkName(beside: domain)))
            var network = NetworkDefinition(name: name?.value ?? "", source: .configuration)
            network.interface = table.read("interface", .interface)
            let before = table.mistakes.count
            table.read("subnets", .list(of: .subnet), into: &network.subnets)
            // With some subnets unknown, no address is surely outside.
            if table.mistakes.count > before { network.subnets = [] }
            table.read("internal", .boolean, into: &network.isInternal)
            table.read("upstreams", .list(of: .upstream), into: &network.upstreams)
            readRoutes(of: &network, from: &table, beside: domain)
            network.forwardFrom = table.read("from", ValueKind<ForwardFrom>.word)
            network.ttl = table.read("ttl", .seconds)
            network.policy = table.read("policy", policy)
            table.read("search", .list(of: .searchDomain), into: &network.search)
            network.host = table.read("host", .list(of: .address))
            table.read("gateway-listener", .boolean, into: &network.hasGatewayListener)
            table.read("gateway-unknown", ValueKind<UnknownSources>.word, into: &network.unknownSources)
            network.sharedAs = table.read("shared", .sharedName)
            networks.queryLogs[network.name] = table.read("log-queries", ValueKind<QueryLogWay>.word)
            for path in table.read("hosts", .list(of: .absolutePath)) ?? [] {
                networks.hosts.append(HostsPlace(path: path, network: network.name))
            }
            if let name, let key = try? Registry.networkName(name.value) {
                places.claim(key, at: name.position, in: &table, "name: network '\(name.value)'")
                refuse(&table, "network '\(name.value)'") { () throws(RegistryError) in
                    try Registry.checkSize(of: network)
                }
                networks.inOrder.append(network)
                networks.named[key] = network
            } else {
                networks.isComplete = false
            }
            mistakes += table.finish()
        }
        return networks
    }

    mutating func readContainers(
        _ tables: [TableReader], on networks: NetworkList, _ policy: ValueKind<String>
    ) -> [Configuration.Container] {
        var containers: [Configuration.Container] = []
        var names = FirstPlaces<[UInt8]>()
        var namespaces = FirstPlaces<NamespaceSource>()
        var addresses = FirstPlaces<AddressOnNetwork>()
        for var table in tables {
            let name = table.require("name", .placed(.containerName))
            var container = Configuration.Container(name: name?.value ?? "")
            if let name, let folded = try? Registry.containerName(name.value).folded {
                names.claim(folded, at: name.position, in: &table, "name: container '\(name.value)'")
            }
            container.namespace = Self.readNamespace(&table, &namespaces)
            container.definition.hostname = table.read("hostname", .hostname)
            container.definition.id = table.read("id", .containerID)
            let entries = table.read("networks", .list(of: Self.endpoint)) ?? []
            container.definition.endpoints = Self.checked(entries, on: networks, in: &table, &addresses)
            container.definition.namesItsNetworks = !container.definition.endpoints.isEmpty
            table.read("links", .list(of: .link), into: &container.definition.links)
            table.read("ports", .list(of: .port), into: &container.definition.ports)
            container.definition.policy = table.read("policy", policy)
            container.definition.listen = table.read("listen", ValueKind<ListenMode>.word)
            container.definition.intercept = table.read("intercept", .interception) ?? nil
            container.resolverConfigurationPath = table.read("resolv-conf", .absolutePath)
            if container.resolverConfigurationPath != nil, !table.has("netns"), !table.has("pid") {
                table.refuse(
                    at: table.place(of: "resolv-conf"),
                    "resolv-conf: a container without netns or pid has no listener to ask")
            }
            if container.definition.intercept != nil, !table.has("netns"), !table.has("pid") {
                table.refuse(
                    at: table.place(of: "intercept"),
                    "intercept: a container without netns or pid has no namespace in which questions could be led elsewhere"
                )
            }
            if name != nil {
                refuse(&table, "container '\(container.name)'") { () throws(RegistryError) in
                    try Registry.checkSize(of: container.definition)
                }
            }
            containers.append(container)
            mistakes += table.finish()
        }
        return containers
    }

    /// Has a table refused that has more than may be declared.
    private func refuse(_ table: inout TableReader, _ what: String, _ check: () throws(RegistryError) -> Void) {
        do throws(RegistryError) {
            try check()
        } catch {
            table.refuse(at: table.position, "\(what): \(error)")
        }
    }

    /// `netns` or `pid`; not both, and none that another container has.
    private static func readNamespace(
        _ table: inout TableReader, _ places: inout FirstPlaces<NamespaceSource>
    ) -> NamespaceSource? {
        let path = table.read("netns", .absolutePath)
        let pid = table.read("pid", .pid)
        if table.has("netns"), table.has("pid") {
            let second = max(table.place(of: "netns"), table.place(of: "pid"))
            table.refuse(at: second, "netns and pid both say where the namespace is; give one of them")
            return nil
        }
        if let path {
            places.claim(.path(path), at: table.place(of: "netns"), in: &table, "netns: '\(path)'")
            return .path(path)
        }
        if let pid {
            places.claim(.pid(pid), at: table.place(of: "pid"), in: &table, "pid: \(pid)")
            return .pid(pid)
        }
        return nil
    }

    /// `{ name, ip, alias }`, or the network's name alone.
    private static var endpoint: ValueKind<EndpointEntry> {
        ValueKind { value, key, mistakes in
            if case .string = value.content {
                return ValueKind.placed(.networkName).read(value, key, &mistakes).map { EndpointEntry(network: $0) }
            }
            guard var table = ValueKind.table("{ name, ip, alias }").read(value, key, &mistakes) else { return nil }
            let network = table.require("name", .placed(.networkName))
            let addresses = table.read("ip", .list(of: .placed(.address))) ?? []
            let aliases = table.read("alias", .list(of: .alias)) ?? []
            mistakes += table.finish()
            return network.map { EndpointEntry(network: $0, addresses: addresses, aliases: aliases) }
        }
    }

    /// The endpoints of one container: on known networks, none twice, with addresses of theirs that nobody else has.
    private static func checked(
        _ entries: [EndpointEntry], on networks: NetworkList, in table: inout TableReader,
        _ places: inout FirstPlaces<AddressOnNetwork>
    ) -> [EndpointDefinition] {
        var endpoints: [EndpointDefinition] = []
        var own = FirstPlaces<Name>()
        for entry in entries {
            guard let key = try? Registry.networkName(entry.network.value) else { continue }
            let name = entry.network.value
            own.claim(key, at: entry.network.position, in: &table, "networks: '\(name)'")
            guard let network = networks.named[key] else {
                if networks.isComplete {
                    let hint = Spelling.hint(for: name, among: networks.inOrder.map(\.name))
                    table.refuse(at: entry.network.position, "networks: no network is named '\(name)'\(hint)")
                }
                continue
            }
            for address in entry.addresses {
                if !network.subnets.isEmpty, !network.subnets.contains(where: { $0.contains(address.value) }) {
                    let subnets = network.subnets.map(\.description).joined(separator: ", ")
                    table.refuse(
                        at: address.position, "ip: \(address.value) is outside of network '\(name)' (\(subnets))")
                }
                places.claim(
                    AddressOnNetwork(network: key, address: address.value), at: address.position, in: &table,
                    "ip: \(address.value) on network '\(name)'")
            }
            // The network's own spelling, so that names compare as they are.
            endpoints.append(
                EndpointDefinition(
                    network: network.name, addresses: entry.addresses.map(\.value), aliases: entry.aliases))
        }
        return endpoints
    }
}

/// An address and the network that it is used on.
private struct AddressOnNetwork: Hashable {
    var network: Name
    var address: IPAddress
}
