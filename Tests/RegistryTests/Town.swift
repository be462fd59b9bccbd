// A registry and the directory that it feeds: what tests ask is what the data plane would be asked.

import Testing

@testable import DNSWire
@testable import Registry

/// Networks and containers, and what each container finds.
struct Town: ~Copyable {
    var registry: Registry
    var directory: Directory
    /// How many changes the directory was told last.
    private(set) var changes = 0

    init(domain: String = "internal", ttl: UInt32 = 5) throws {
        let domain = try Name(domain)
        registry = Registry(domain: domain, ttl: ttl)
        directory = Directory(domain: domain, seed: 42)
    }

    mutating func settle() {
        let taken = registry.takeChanges()
        changes = taken.count
        for change in taken { directory.apply(change) }
    }

    mutating func network(
        _ name: String, subnets: [String] = [], isInternal: Bool = false, upstreams: [String] = [],
        routes: [RouteDefinition] = [], ttl: UInt32? = nil
    ) throws {
        var definition = NetworkDefinition(name: name, source: .control)
        definition.subnets = subnets.compactMap { Subnet($0) }
        definition.isInternal = isInternal
        definition.upstreams = try upstreams.map { text throws(AddressError) in try ServerAddress(text) }
        definition.routes = routes
        definition.ttl = ttl
        try registry.createNetwork(definition)
        settle()
    }

    /// Endpoints are `NETWORK ADDRESS… /ALIAS…`.
    mutating func container(
        _ name: String, _ endpoints: String..., hostname: String? = nil, id: String? = nil,
        links: [(String, String)] = [], ports: [PortDefinition] = []
    ) throws {
        var definition = ContainerDefinition(name: name, source: .control)
        definition.endpoints = endpoints.map { Self.endpoint($0) }
        definition.hostname = hostname
        definition.id = id
        definition.links = links.map { LinkDefinition(container: $0.0, name: $0.1) }
        definition.ports = ports
        try registry.addContainer(definition)
        settle()
    }

    mutating func connect(_ container: String, _ endpoint: String) throws {
        try registry.connect(container: container, Self.endpoint(endpoint))
        settle()
    }

    mutating func disconnect(_ container: String, _ network: String) throws {
        try registry.disconnect(container: container, network: network)
        settle()
    }

    mutating func remove(_ container: String) throws {
        try registry.removeContainer(named: container)
        settle()
    }

    static func endpoint(_ text: String) -> EndpointDefinition {
        var words = text.split(separator: " ").map(String.init)[...]
        var endpoint = EndpointDefinition(network: words.removeFirst())
        for word in words {
            if word.hasPrefix("/") {
                endpoint.aliases.append(String(word.dropFirst()))
            } else if let address = IPAddress(word) {
                endpoint.addresses.append(address)
            }
        }
        return endpoint
    }

    /// The records that a container finds under a name: their data as text; nil where the name does not exist for it.
    mutating func ask(_ container: String, _ name: String, _ type: RecordType = .a) throws -> [String]? {
        try found(container, name, type)?.map(\.data)
    }

    /// The same with who has the name: a network, or `links of NAME`.
    mutating func source(_ container: String, _ name: String) throws -> String? {
        var folded = FoldedName()
        folded.set(try Name(name))
        guard let view = registry.view(of: container), let match = directory.find(folded, view: view) else {
            return nil
        }
        return directory.networkName(of: match.scope)
    }

    mutating func ttl(_ container: String, _ name: String) throws -> UInt32? {
        try found(container, name, .a)?.first?.ttl
    }

    private mutating func found(_ container: String, _ name: String, _ type: RecordType) throws -> [(
        data: String, ttl: UInt32
    )]? {
        var folded = FoldedName()
        folded.set(try Name(name))
        guard let view = registry.view(of: container) else { return nil }
        let isReverse = directory.isReverse(folded)
        guard
            let match = isReverse
                ? directory.findReverse(folded, view: view) : directory.find(folded, view: view)
        else { return nil }
        let records = directory.records(match, type)
        var message: [UInt8] = [0, 0, 0x84, 0, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
        message += try Name(name).wire + [0, 1, 0, 1]
        let octets = directory.bytes(records.offset, records.length)
        for index in octets.indices { message.append(octets[index]) }
        let whole = try Message(message.span)
        var reader = whole.records
        var all: [(data: String, ttl: UInt32)] = []
        while let record = try reader.next() {
            all.append((try MessageText.data(of: record, in: message.span), record.ttl))
        }
        return Array(all[records.start...] + all[..<records.start])
    }

    /// The upstream group that a name's question goes to.
    func group(_ container: String, _ name: String = "www.example") throws -> UInt32? {
        var folded = FoldedName()
        folded.set(try Name(name))
        return registry.view(of: container).flatMap { directory.destination(of: folded, view: $0)?.group }
    }

    /// The group of a route, or of a network's own upstreams.
    func group(of domain: String?, network: String? = nil) throws -> UInt32 {
        let domain = try domain.map { text throws(NameError) in try Name(text) }
        let group = registry.upstreamGroups.first { $0.domain == domain && $0.network == network }
        return try #require(group).id.rawValue
    }
}
