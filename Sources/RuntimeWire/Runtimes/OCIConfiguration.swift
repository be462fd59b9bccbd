// The configuration of an OCI container (runtime-spec, "Configuration"): `config.json` in its bundle.

/// The parts of a bundle's `config.json` that say where a container's DNS questions go.
package struct OCIConfiguration: Decodable, Equatable, Sendable {
    /// The most octets that are read; engines write some 60,000, most of them the seccomp profile.
    package static let maximumLength = 4 << 20

    /// Network namespace of the container (`linux.namespaces`).
    package enum Namespace: Equatable, Sendable {
        /// The runtime's own: no namespace of type `network` is listed.
        case host
        /// A new one, or one that exists at a path already.
        case own
    }

    /// Host name inside; nil where none is set.
    package let hostname: String?
    /// Directory of the root file system, relative to the bundle unless it begins with `/`.
    package let root: String
    /// Network namespace that the container is in.
    package let namespace: Namespace
    /// File on the host that is mounted at `/etc/resolv.conf`; nil where the root file system's own is used.
    package let resolverFile: String?

    private enum CodingKeys: String, CodingKey {
        case hostname, root, mounts, linux
    }

    private struct Root: Decodable {
        var path: String?
    }

    private struct Mount: Decodable {
        var destination: String?
        var source: String?
    }

    private struct Linux: Decodable {
        struct Entry: Decodable {
            var type: String?
        }
        var namespaces: [Entry]?
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        hostname = try values.decodeIfPresent(String.self, forKey: .hostname).flatMap { $0.isEmpty ? nil : $0 }
        root = try values.decodeIfPresent(Root.self, forKey: .root)?.path ?? "rootfs"
        let mounts = try values.decodeIfPresent([Mount].self, forKey: .mounts) ?? []
        // A later mount covers an earlier one.
        resolverFile = mounts.last { $0.destination == "/etc/resolv.conf" }?.source
        let namespaces = try values.decodeIfPresent(Linux.self, forKey: .linux)?.namespaces ?? []
        namespace = namespaces.contains { $0.type == "network" } ? .own : .host
    }

    /// Reads a bundle's `config.json`.
    package init(_ octets: [UInt8]) throws(RuntimeWireError) {
        guard octets.count <= Self.maximumLength else {
            throw .tooLong(what: "config.json", limit: Self.maximumLength)
        }
        self = try RuntimeWireError.read(OCIConfiguration.self, from: octets, "config.json")
    }
}
