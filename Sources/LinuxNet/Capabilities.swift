// Capabilities of this process, capabilities(7).

/// Capabilities that the kernel grants this process now.
package enum Capabilities {
    /// Number of CAP_SYS_ADMIN (linux/capability.h), which setns(2) asks for.
    private static let systemAdministration: UInt64 = 21
    /// Octets of `/proc/self/status`: about fifty lines.
    private static let statusLimit = 64 * 1024

    /// True when this process may enter namespaces, and where the kernel does not say.
    package static var canEnterNamespaces: Bool {
        guard let text = try? Files.readText("/proc/self/status", limit: statusLimit),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let digits = line.split(whereSeparator: \.isWhitespace).last, let bits = UInt64(digits, radix: 16)
        else { return true }
        return bits >> systemAdministration & 1 == 1
    }
}
