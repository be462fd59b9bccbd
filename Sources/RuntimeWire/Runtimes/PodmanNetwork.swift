// A network of podman: the file NAME.json that netavark's front end keeps below /etc/containers/networks.

/// The parts of a network's file that aardvark-dns's file lacks.
package struct PodmanNetwork: Decodable, Equatable, Sendable {
    /// The most octets of a file.
    package static let maximumLength = 1 << 20
    /// Directory of the files of root's podman.
    package static let directory = "/etc/containers/networks"

    private struct Subnet: Decodable, Equatable {
        var subnet: String?
    }

    /// The network's name.
    package let name: String
    /// 64 hexadecimal digits.
    package let id: String
    /// The host's bridge, or the parent of macvlan and ipvlan links.
    package let interface: String?
    /// True where nothing is let out.
    package let isInternal: Bool
    private let blocks: [Subnet]

    /// Blocks of addresses, as `10.89.0.0/24`.
    package var subnets: [String] { blocks.compactMap(\.subnet) }

    private enum CodingKeys: String, CodingKey {
        case name, id, subnets, `internal`
        case interface = "network_interface"
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        id = try values.decodeIfPresent(String.self, forKey: .id) ?? ""
        interface = try values.decodeIfPresent(String.self, forKey: .interface).flatMap { $0.isEmpty ? nil : $0 }
        isInternal = try values.decodeIfPresent(Bool.self, forKey: .internal) ?? false
        blocks = try values.decodeIfPresent([Subnet].self, forKey: .subnets) ?? []
    }

    /// Reads a file.
    package init(_ octets: [UInt8]) throws(RuntimeWireError) {
        guard octets.count <= Self.maximumLength else {
            throw .tooLong(what: "the network's file", limit: Self.maximumLength)
        }
        self = try RuntimeWireError.read(PodmanNetwork.self, from: octets, "the network's file")
    }
}
