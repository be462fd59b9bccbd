// Networks of Docker's Engine API, and of podman's that is like it.

/// An entry of `/networks`.
package struct DockerNetwork: Decodable, Sendable {
    let id: String
    let name: String
    let driver: String?
    let isInternal: Bool?
    let ipam: IPAM?
    let options: [String: String]?

    private enum CodingKeys: String, CodingKey {
        case id = "Id", name = "Name", driver = "Driver", isInternal = "Internal", ipam = "IPAM", options = "Options"
    }

    struct IPAM: Decodable, Sendable {
        struct Block: Decodable, Sendable {
            let subnet: String?
            private enum CodingKeys: String, CodingKey { case subnet = "Subnet" }
        }

        let blocks: [Block]?
        private enum CodingKeys: String, CodingKey { case blocks = "Config" }
    }

    /// Reads the body of `/networks`.
    package static func list(_ octets: [UInt8]) throws(RuntimeWireError) -> [DockerNetwork] {
        try RuntimeWireError.read([DockerNetwork].self, from: octets, "the list of networks")
    }
}

extension RuntimeNetwork {
    /// The option that names the bridge of a network.
    private static let bridgeName = "com.docker.network.bridge.name"
    /// The option of the network that containers are on where nobody names one.
    private static let defaultBridge = "com.docker.network.bridge.default_bridge"
    /// The option that names the parent of macvlan and ipvlan links.
    private static let parent = "parent"

    /// A network of Docker's or podman's; nil of those that are no segment: `host` and `none`.
    package init?(_ docker: DockerNetwork) {
        guard docker.driver != "host", docker.driver != "null" else { return nil }
        self.init(name: docker.name, id: docker.id)
        isInternal = docker.isInternal ?? false
        isDefault = docker.options?[Self.defaultBridge] == "true"
        subnets = (docker.ipam?.blocks ?? []).compactMap(\.subnet).filter { !$0.isEmpty }
        switch docker.driver {
        case "bridge"?, nil:
            // moby's driver calls it so where nobody names it.
            interface = docker.options?[Self.bridgeName] ?? "br-\(docker.id.prefix(12))"
        case "macvlan"?, "ipvlan"?: interface = docker.options?[Self.parent]
        default: break
        }
    }
}
