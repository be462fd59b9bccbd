// Values of intercom in etcd: compact JSON, readable with `etcdctl get`. Members that are not known are passed over.

import FoundationEssentials

/// A container as its host tells all others of it: the value of a key `e/HOST/KEY`.
package struct EntryValue: ClusterValue {
    /// A container's attachment to one network.
    package struct Place: Codable, Hashable, Sendable {
        /// The network's name for all hosts.
        package var network: String
        /// Addresses there, as text.
        package var addresses: [String]
        /// Further names there.
        package var aliases: [String]?

        /// An attachment.
        package init(network: String, addresses: [String], aliases: [String]? = nil) {
            self.network = network
            self.addresses = addresses
            self.aliases = aliases
        }

        private enum CodingKeys: String, CodingKey {
            case network = "n"
            case addresses = "a"
            case aliases = "s"
        }
    }

    /// A port that SRV records tell of.
    package struct Port: Codable, Hashable, Sendable {
        /// The number.
        package var port: Int
        /// `tcp` or `udp`.
        package var transport: String
        /// The service's name.
        package var service: String?

        /// A port.
        package init(port: Int, transport: String, service: String?) {
            self.port = port
            self.transport = transport
            self.service = service
        }

        private enum CodingKeys: String, CodingKey {
            case port = "p"
            case transport = "t"
            case service = "s"
        }
    }

    /// Version of the format.
    package private(set) var version = ClusterFormat.version
    /// The container's name.
    package var name: String
    /// Its hostname.
    package var hostname: String?
    /// Its id.
    package var id: String?
    /// Its ports.
    package var ports: [Port]?
    /// True while it is left out of aliases that others serve.
    package var draining: Bool?
    /// True where its addresses were declared there, or told by a runtime.
    package var declared: Bool?
    /// Its attachments.
    package var places: [Place]

    /// A container.
    package init(
        name: String, hostname: String? = nil, id: String? = nil, ports: [Port]? = nil, draining: Bool? = nil,
        declared: Bool? = nil, places: [Place]
    ) {
        self.name = name
        self.hostname = hostname
        self.id = id
        self.ports = ports
        self.draining = draining
        self.declared = declared
        self.places = places
    }

    private enum CodingKeys: String, CodingKey {
        case version = "v"
        case name = "n"
        case hostname = "h"
        case id = "i"
        case ports = "o"
        case draining = "d"
        case declared = "k"
        case places = "p"
    }
}

/// A host that is alive: the value of a key `h/HOST`.
package struct HostValue: ClusterValue {
    /// Version of the format.
    package private(set) var version = ClusterFormat.version
    /// Random text of the installation: two hosts of one name differ in it.
    package var instance: String
    /// Addresses at which other hosts reach it.
    package var addresses: [String]
    /// True once the host has written all of its containers.
    package var isSynced: Bool
    /// Number of its containers when it had.
    package var count: Int
    /// intercom's version there.
    package var release: String?

    /// A host.
    package init(instance: String, addresses: [String], isSynced: Bool, count: Int, release: String?) {
        self.instance = instance
        self.addresses = addresses
        self.isSynced = isSynced
        self.count = count
        self.release = release
    }

    private enum CodingKeys: String, CodingKey {
        case version = "v"
        case instance = "i"
        case addresses = "a"
        case isSynced = "s"
        case count = "c"
        case release = "V"
    }
}

/// A network as an administrator describes it for all hosts: the value of a key `n/NETWORK`.
package struct NetworkValue: ClusterValue {
    /// Version of the format.
    package private(set) var version = ClusterFormat.version
    /// Blocks that containers may have addresses of; nil or empty: any.
    package var subnets: [String]?
    /// Patterns of the names of hosts that may have containers on it; nil or empty: any.
    package var hosts: [String]?
    /// Number of the VXLAN that carries it, for people.
    package var vni: Int?

    private enum CodingKeys: String, CodingKey {
        case version = "v"
        case subnets
        case hosts
        case vni
    }
}

/// A value in etcd.
package protocol ClusterValue: Codable, Hashable, Sendable {
    /// Version of the format.
    var version: Int { get }
}

extension ClusterValue {
    /// The value as JSON.
    package var octets: [UInt8] { ClusterFormat.encode(self) }

    /// Reads a value; nil where it is of a version that is not ``ClusterFormat/readable``, or none of this kind.
    package init?(_ octets: [UInt8]) {
        guard let value = ClusterFormat.decode(Self.self, octets), ClusterFormat.readable.contains(value.version)
        else { return nil }
        self = value
    }
}

/// The format of values.
package enum ClusterFormat {
    /// Version of the format that is written.
    package static let version = 1
    /// Versions that are read: while hosts are upgraded one by one, two neighbours live together. So the next version may add members
    /// to this one, and change none; a value of any other version is left out.
    package static let readable = version - 1...version + 1
    /// The most octets of a value that is read: a container with 1,000 addresses has some 40,000.
    package static let longestValue = 64 << 10

    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts, numbers and lists of them: JSON has a way to write each.
        guard let data = try? encoder.encode(value) else { return [] }
        return Array(data)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ octets: [UInt8]) -> Value? {
        guard octets.count <= longestValue else { return nil }
        return try? JSONDecoder().decode(type, from: Data(octets))
    }
}
