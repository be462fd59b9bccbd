// Records of nerdctl's hosts store: a file meta.json for each container that runs on networks of CNI.

/// Contents of `ADDRHASH/etchosts/NAMESPACE/ID/meta.json`. nerdctl writes it before a container's program starts, and removes it
/// when the container has ended.
package struct NerdctlRecord: Equatable, Sendable {
    /// Most octets of a file: a container on 64 networks has some 40 KiB.
    package static let maximumLength = 1 << 20
    /// Directory of root's nerdctl; below it is a directory for each containerd, named by a hash of its socket's path.
    package static let directory = "/var/lib/nerdctl"
    /// Directory of the hosts store below that.
    package static let store = "etchosts"
    /// Name of the file.
    package static let file = "meta.json"

    /// Links at the host in a result of the plugin bridge: the bridge, and the port for this container.
    private static let linksOfBridge = 2

    /// The container. Its process comes from the record, too: it may be one of long ago, if the host was reset meanwhile.
    package let container: RuntimeContainer
    /// Networks that it is on, in the order of their names.
    package let networks: [RuntimeNetwork]

    private struct Content: Decodable {
        var id: String?
        var name: String?
        var hostname: String?
        var networks: [String: JSONValue]?
        var extraHosts: [String: String]?

        enum CodingKeys: String, CodingKey {
            case id = "ID"
            case name = "Name"
            case hostname = "Hostname"
            case networks = "Networks"
            case extraHosts = "ExtraHosts"
        }
    }

    /// Reads a file.
    /// - Throws: ``RuntimeWireError`` where it is too long, no JSON of this form, or has no id.
    package init(_ octets: [UInt8]) throws(RuntimeWireError) {
        guard octets.count <= Self.maximumLength else {
            throw .tooLong(what: "the container's record", limit: Self.maximumLength)
        }
        let content = try RuntimeWireError.read(Content.self, from: octets, "the container's record")
        guard let id = content.id, RuntimeName.isGenerated(id) else {
            throw .badValue(what: "ID", value: content.id ?? "")
        }
        let results = (content.networks ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, CNIResult($0.value)) }
        let short = RuntimeName.short(id)
        var container = RuntimeContainer(name: content.name.flatMap(RuntimeName.whole) ?? short, id: id)
        container.hostname = content.hostname.flatMap { $0 == short ? nil : RuntimeName.whole($0) }
        container.extraHosts = (content.extraHosts ?? [:]).sorted { $0.key < $1.key }.compactMap {
            RuntimeContainer.ExtraHost($0.key, $0.value)
        }
        // All networks of a container are in one namespace.
        if let sandbox = results.lazy.compactMap(\.1.sandbox).first {
            container.pid = NamespacePath.process(sandbox)
            container.namespacePath = sandbox
        }
        container.endpoints = results.map { name, result in
            var endpoint = RuntimeContainer.Endpoint(network: name)
            endpoint.addresses = result.addresses
            return endpoint
        }
        self.container = container
        networks = results.map { name, result in
            var network = RuntimeNetwork(name: name, id: "")
            // A plugin that makes no bridge has one link there at most: the other end of a pair.
            if result.hostInterfaces.count >= Self.linksOfBridge { network.interface = result.hostInterfaces.first }
            return network
        }
    }
}

extension Publication {
    /// Publication of all records of a store.
    package init(_ records: [NerdctlRecord]) {
        var networks: [String: RuntimeNetwork] = [:]
        var containers: [String: RuntimeContainer] = [:]
        for record in records {
            containers[record.container.id] = record.container
            for network in record.networks where networks[network.name]?.interface == nil {
                networks[network.name] = network
            }
        }
        self.init(
            networks: networks.values.sorted { $0.name < $1.name },
            containers: containers.values.sorted { $0.id < $1.id })
    }
}
