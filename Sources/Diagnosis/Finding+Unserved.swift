// Findings about containers of runtimes that intercom does not serve.

extension Finding {
    /// Finding about processes that run in namespaces of which nobody has told.
    /// - Parameters:
    ///   - programs: at least one, all of one runtime.
    ///   - name: the name by which an operator calls the container, if he does.
    init(unserved programs: [Program], _ name: String? = nil) {
        self.init(
            .notAttached, "\(Self.listed(programs)) no intercom", cure: Self.serving(programs, name ?? "NAME"))
    }

    /// As `pid 4711 (docker 3f2a9b1c0d2e) has`, or `docker runs 3 containers (pid 4711 and 2 more) that have`.
    static func listed(_ programs: [Program]) -> String {
        guard let first = programs.first else { return "nothing has" }
        if programs.count == 1 { return "\(first.place) has" }
        let runtimes = Set(programs.compactMap(\.container?.runtime.rawValue)).sorted().joined(separator: ", ")
        let runner = runtimes.isEmpty ? "there are" : "\(runtimes) runs"
        return "\(runner) \(programs.count) containers (\(first.place) and \(programs.count - 1) more) that have"
    }

    /// The adapter of their runtime, where it has one; else a declaration of the first.
    static func serving(_ programs: [Program], _ name: String) -> String? {
        if let unit = programs.lazy.compactMap(\.container?.runtime.adapterUnit).first {
            return "systemctl enable --now \(unit)"
        }
        guard let first = programs.first else { return nil }
        // A name that is its number is no name.
        let called = Int32(name) != nil || name == "NAME" ? first.container?.name ?? "NAME" : name
        return ShellCommand.intercomctl("container add", [called], "--pid \(first.pid)")
    }
}
