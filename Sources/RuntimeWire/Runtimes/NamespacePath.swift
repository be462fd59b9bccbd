// Paths of network namespaces, as runtimes hand them to CNI plugins.

/// The path of a network namespace.
enum NamespacePath {
    /// The process in `/proc/4711/ns/net`; nil for any other path.
    static func process(_ path: String) -> Int32? {
        let parts = path.split(separator: "/")
        guard parts.count == 4, parts[0] == "proc", parts[2] == "ns", parts[3] == "net" else { return nil }
        return Int32(parts[1]).flatMap { $0 > 0 ? $0 : nil }
    }
}
