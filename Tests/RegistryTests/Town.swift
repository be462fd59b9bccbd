// A registry and the directory that it feeds: what tests ask is what the data plane would be asked.

@testable import DNSWire
@testable import Registry

/// Networks and containers, and what each container finds.
struct Town: ~Copyable {
    var registry: Registry
    var directory: Directory
    /// Number of changes in the directory's last batch.
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
        _ name: String, interface: String? = nil, subnets: [String] = [], isInternal: Bool = false,
        upstreams: [String] = [], routes: [RouteDefinition] = [], ttl: UInt32? = nil
    ) throws {
        var definition = NetworkDefinition(name: name, source: .control)
        definition.interface = interface
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
        _ name: String, _ endpoints: String..., cookie: UInt64? = nil, hostname: String? = nil, id: String? = nil,
        links: [(String, String)] = [], ports: [PortDefinition] = []
    ) throws {
        var definition = ContainerDefinition(name: name, source: .control)
        definition.endpoints = endpoints.map { Self.endpoint($0) }
        definition.namesItsNetworks = !endpoints.isEmpty
        definition.hostname = hostname
        definition.id = id
        definition.links = links.map { LinkDefinition(container: $0.0, name: $0.1) }
        definition.ports = ports
        try registry.addContainer(definition, cookie: cookie.map { NamespaceCookie(rawValue: $0) })
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
        try registry.removeContainer(registry.container(named: container).id)
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

    // MARK: - The kernel

    /// A bridge; `alias` is what `ip link set … alias` sets.
    mutating func bridge(_ index: UInt32, _ name: String, alias: String? = nil, subnets: [String] = []) {
        registry.observe(
            ObservedNetwork(
                interface: InterfaceIndex(rawValue: index), interfaceName: name, alias: alias,
                subnets: subnets.compactMap { Subnet($0) }))
        settle()
    }

    mutating func bridgeGone(_ index: UInt32) {
        registry.forget(network: InterfaceIndex(rawValue: index))
        settle()
    }

    /// A namespace; its links are `INDEX-OF-BRIDGE ADDRESS…`, called eth0, eth1 …
    mutating func namespace(_ cookie: UInt64, _ path: String, _ links: String...) {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let endpoints = links.enumerated().map { number, text in
            let words = text.split(separator: " ")
            return ObservedEndpoint(
                network: InterfaceIndex(rawValue: words.first.flatMap { UInt32($0) } ?? 0), link: "eth\(number)",
                addresses: words.dropFirst().compactMap { IPAddress(String($0)) })
        }
        registry.observe(
            ObservedContainer(cookie: NamespaceCookie(rawValue: cookie), name: name, path: path, endpoints: endpoints))
        settle()
    }

    mutating func namespaceGone(_ cookie: UInt64) {
        registry.forget(container: NamespaceCookie(rawValue: cookie))
        settle()
    }

    // MARK: - Questions

    /// The records that a container finds under a name: their data as text; nil where the name does not exist for it.
    mutating func ask(_ container: String, _ name: String, _ type: RecordType = .a) throws -> [String]? {
        try ask(view(container), name, type)
    }

    mutating func ask(_ view: ViewID, _ name: String, _ type: RecordType = .a) throws -> [String]? {
        try found(view, name, type)?.map(\.data)
    }

    /// View of a container, by its name, else by its namespace's path.
    func view(_ container: String) throws(RegistryError) -> ViewID { try registry.container(named: container).id.view }

    /// The same with who has the name: a network, or `links of NAME`.
    mutating func source(_ container: String, _ name: String) throws -> String? { try source(view(container), name) }

    mutating func source(_ view: ViewID, _ name: String) throws -> String? {
        var folded = FoldedName()
        folded.set(try Name(name))
        return directory.find(folded, from: 0, view: view).map { directory.networkName(of: $0.scope) }
    }

    mutating func ttl(_ container: String, _ name: String) throws -> UInt32? {
        try found(view(container), name, .a)?.first?.ttl
    }

    private mutating func found(_ view: ViewID, _ name: String, _ type: RecordType) throws -> [(
        data: String, ttl: UInt32
    )]? {
        var folded = FoldedName()
        folded.set(try Name(name))
        // In the order of the rules.
        var match = directory.find(folded, from: 0, view: view)
        if match == nil, folded.isReverse { match = directory.findReverse(folded, view: view) }
        guard let match else { return nil }
        let records = directory.records(match, type)
        var message: [UInt8] = [
            0, 0, 0x84, 0, 0, 1, UInt8(records.count >> 8), UInt8(records.count & 0xFF), 0, 0, 0, 0,
        ]
        message += try Name(name).wire + [0, 1, 0, 1]
        for index in records.octets.indices { message.append(records.octets[index]) }
        let whole = try Message(message.span)
        var reader = whole.records
        var all: [(data: String, ttl: UInt32)] = []
        while let record = try reader.next() {
            all.append((try MessageText.data(of: record, in: message.span), record.ttl))
        }
        return Array(all[records.start...] + all[..<records.start])
    }

    /// The upstream group that a name's question goes to.
    mutating func group(_ container: String, _ name: String = "www.example") throws -> UInt32? {
        var folded = FoldedName()
        folded.set(try Name(name))
        return directory.destination(of: folded, view: try view(container))?.group
    }
}
