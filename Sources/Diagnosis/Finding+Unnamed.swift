// Findings about containers that were found without a name: their runtime's adapter would tell it.

extension Finding {
    /// Finding about containers that are answered and that nobody finds by a name.
    /// - Parameter paths: those of their namespaces, at least one.
    package init(unnamed paths: [String]) {
        self.init(.unnamed, Self.listed(unnamed: paths), cure: Self.naming(paths))
    }

    /// As `/run/docker/netns/3f2a9b1c0d2e is a container of docker without a name`.
    static func listed(unnamed paths: [String]) -> String {
        guard let first = paths.first else { return "every container has a name" }
        let runtime = Runtime(ofNamespaceAt: first).map { " of \($0.rawValue)" } ?? ""
        if paths.count == 1 { return "\(first) is a container\(runtime) without a name" }
        return "\(paths.count) containers\(runtime) have no name (\(first) and \(paths.count - 1) more)"
    }

    /// The adapter of their runtime, where it has one; else a declaration of the first.
    static func naming(_ paths: [String]) -> String? {
        if let unit = paths.lazy.compactMap({ Runtime(ofNamespaceAt: $0)?.adapterUnit }).first {
            return "systemctl enable --now \(unit)"
        }
        return paths.first.map {
            ShellCommand.intercomctl("container add", ["NAME"], "--netns \(ShellCommand.word($0))")
        }
    }
}

extension Runtime {
    /// The runtime that keeps its namespaces in this directory; nil: another one, or a person.
    package init?(ofNamespaceAt path: String) {
        guard path.hasPrefix("/run/docker/netns/") || path.hasPrefix("/var/run/docker/netns/") else { return nil }
        self = .docker
    }
}
