// Runtimes by the control groups of their containers: each has its own names for these (cgroups(7)).

/// A runtime that makes containers.
package enum Runtime: String, Sendable, CaseIterable {
    case docker, podman, nerdctl, machined, lxc
    /// Containers of a Kubernetes node, by containerd or CRI-O.
    case kubernetes

    /// The unit of the adapter that tells of this runtime's containers; nil: a hook or a plugin of the runtime does.
    package var adapterUnit: String? {
        switch self {
        case .docker, .podman, .nerdctl, .machined: "intercom-\(rawValue).service"
        case .lxc, .kubernetes: nil
        }
    }
}

/// A container as its runtime knows it.
package struct RuntimeContainer: Sendable, Equatable {
    /// The runtime.
    package var runtime: Runtime
    /// Its name, or the first 12 characters of its id.
    package var name: String

    package init(_ runtime: Runtime, _ name: String) {
        self.runtime = runtime
        self.name = name
    }

    /// As `docker 3f2a9b1c0d2e`.
    package var description: String { "\(runtime.rawValue) \(name)" }

    /// Characters of an id that people are shown, as by the runtimes themselves.
    private static let shownLength = 12
    /// Characters of an id (SHA-256 in hexadecimal).
    private static let idLength = 64
    /// The most characters of a name (`HOST_NAME_MAX`, gethostname(2)).
    private static let maximumName = 64

    /// Recognises the container that a process belongs to.
    /// - Parameter text: proc_pid_cgroup(5), lines as `0::/system.slice/docker-ID.scope`.
    /// - Returns: nil where the names are those of no runtime.
    package init?(controlGroups text: String) {
        for line in text.split(separator: "\n") {
            // Hierarchy, controllers, path.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let names = fields[2].split(separator: "/")
            // The outermost container is the host's own; those inside it are its.
            for index in names.indices {
                if let found = Self.container(names[index], in: index > 0 ? names[index - 1] : "", names.first ?? "") {
                    self = found
                    return
                }
            }
        }
        return nil
    }

    /// - Parameters:
    ///   - name: a control group.
    ///   - parent: the one that it is in.
    ///   - first: the outermost one.
    private static func container(
        _ name: Substring, in parent: Substring, _ first: Substring
    ) -> RuntimeContainer? {
        // As systemd's driver names them, and as cgroupfs does.
        for (prefix, runtime) in scopes where name.hasPrefix(prefix) {
            if let id = id(name.dropFirst(prefix.count)) { return RuntimeContainer(runtime, id) }
        }
        if let id = id(name) {
            if parent == "docker" { return RuntimeContainer(.docker, id) }
            if first.hasPrefix("kubepods") { return RuntimeContainer(.kubernetes, id) }
            // The namespace of containerd that nerdctl uses.
            if parent == "default" { return RuntimeContainer(.nerdctl, id) }
        }
        if let name = rest(of: name, "lxc.payload.") ?? (parent == "lxc" ? bounded(name) : nil) {
            return RuntimeContainer(.lxc, name)
        }
        if let name = rest(of: name, "machine-", ".scope") ?? rest(of: name, "systemd-nspawn@", ".service") {
            return RuntimeContainer(.machined, unescaped(name))
        }
        return nil
    }

    private static let scopes: [(String, Runtime)] = [
        ("docker-", .docker), ("libpod-", .podman), ("nerdctl-", .nerdctl), ("cri-containerd-", .kubernetes),
        ("crio-", .kubernetes),
    ]

    private static func id(_ text: Substring) -> String? {
        let id = text.hasSuffix(".scope") ? text.dropLast(6) : text
        guard id.utf8.count == idLength, id.utf8.allSatisfy({ isDigit($0) }) else { return nil }
        return String(id.prefix(shownLength))
    }

    private static func isDigit(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(octet)
    }

    private static func rest(of text: Substring, _ prefix: String, _ suffix: String = "") -> String? {
        guard text.hasPrefix(prefix), text.hasSuffix(suffix), text.count > prefix.count + suffix.count else {
            return nil
        }
        return bounded(text.dropFirst(prefix.count).dropLast(suffix.count))
    }

    private static func bounded(_ text: Substring) -> String? {
        text.utf8.count <= maximumName ? String(text) : nil
    }

    /// A machine's name as systemd-escape(1) has it in a unit's: a hyphen is `\x2d`.
    private static func unescaped(_ name: String) -> String {
        name.split(separator: "\\x2d", omittingEmptySubsequences: false).joined(separator: "-")
    }
}

/// A program that runs on this machine.
package struct Program: Sendable, Equatable {
    /// Its process.
    package var pid: Int32
    /// Its name, which it chooses itself.
    package var name: String
    /// The container of a runtime that it runs in; nil: none is seen.
    package var container: RuntimeContainer?
    /// True when it has a socket in a container's namespace and runs outside, as dockerd: others need it, too.
    package var isOutside: Bool

    package init(pid: Int32, name: String, container: RuntimeContainer? = nil, isOutside: Bool = false) {
        self.pid = pid
        self.name = name
        self.container = container
        self.isOutside = isOutside
    }

    /// As `python3 (pid 4711)`.
    package var description: String { "\(name) (pid \(pid))" }

    /// As `pid 4711 (docker 3f2a9b1c0d2e)`; without a runtime with its own name in parentheses.
    package var place: String { "pid \(pid) (\(container?.description ?? name))" }
}
