// Names of containers storage (`containers.json`), in which podman and buildah keep what no annotation holds.

/// Records of containers storage.
package enum PodmanRecords {
    /// The most octets of the file; with some 600 for each container it is enough for 50,000.
    package static let maximumLength = 32 << 20
    /// Files with records below the directory of containers. The second is of containers that end with the host.
    package static let files = ["containers.json", "volatile-containers.json"]

    private struct Record: Decodable {
        var id: String?
        var names: [String]?
    }

    /// The name of a container by its id; nil where the file has none.
    package static func name(of id: String, in octets: [UInt8]) throws(RuntimeWireError) -> String? {
        let records = try RuntimeWireError.read([Record].self, from: octets, "the record of containers")
        return records.first { $0.id == id }?.names?.first
    }
}
