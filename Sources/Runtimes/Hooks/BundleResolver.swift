// The DNS servers that a container's resolv.conf will name, read before its root file system is in place.

import DNSWire
import LinuxNet
import RuntimeWire

/// Resolver of a bundle.
///
/// When the hook runs, the process still sees the host's root: its own `/etc/resolv.conf` would be the host's. So the file is
/// read where the runtime will mount it from.
enum BundleResolver {
    /// The most octets of a file (as the opener reads).
    private static let maximumLength = 64 << 10

    /// The servers, or nil where no file is mounted, or it cannot be read: they are read from the container then.
    static func servers(_ configuration: OCIConfiguration, bundle: String) -> [IPAddress]? {
        guard let path = configuration.resolverFile, path.hasPrefix("/"),
            let text = try? Files.readText(path, limit: maximumLength)
        else { return nil }
        let servers = ResolverFile.servers(text)
        return servers.isEmpty ? nil : servers
    }
}
