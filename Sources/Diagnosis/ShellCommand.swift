// Commands that people copy into a shell: words that a container has chosen are quoted.

/// Place in which a command has to run: the network namespace of a container.
package enum CommandPlace: Sendable, Equatable {
    /// The path of the namespace, as `/run/netns/web`.
    case path(String)
    /// A process in it.
    case pid(Int32)

    /// A command of ip(8) there, as `ip -n web link set lo up`.
    /// - Parameter command: its words, quoted.
    package func ip(_ command: String) -> String {
        if case .path(let path) = self, let name = Self.name(of: path) {
            return "ip -n \(ShellCommand.word(name)) \(command)"
        }
        return run("ip \(command)")
    }

    /// A command there, by nsenter(1).
    package func run(_ command: String) -> String {
        switch self {
        case .path(let path): "nsenter --net=\(ShellCommand.word(path)) \(command)"
        case .pid(let pid): "nsenter --net --target \(pid) \(command)"
        }
    }

    /// `/run/netns/web`, or `pid 4711`.
    package var description: String {
        switch self {
        case .path(let path): path
        case .pid(let pid): "pid \(pid)"
        }
    }

    /// The name by which `ip netns` knows it; nil: it does not.
    package var netnsName: String? { if case .path(let path) = self { Self.name(of: path) } else { nil } }

    /// The name that `ip netns` knows a path by.
    private static func name(of path: String) -> String? {
        for directory in ["/run/netns/", "/var/run/netns/"] where path.hasPrefix(directory) {
            let name = String(path.dropFirst(directory.count))
            return name.isEmpty || name.contains("/") || name.hasPrefix("-") ? nil : name
        }
        return nil
    }
}

/// Words of a command line.
package enum ShellCommand {
    /// A word as a shell takes it: as it is where that has no other meaning, else in single quotes (sh(1p), "Quoting").
    package static func word(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "@"), UInt8(ascii: "+"):
                true
            default: false
            }
        }
        if isPlain, !text.isEmpty { return text }
        return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// A call of intercomctl(1): verb, names, options; names that begin like options stand at the end, behind `--`.
    /// - Parameters:
    ///   - verb: as `network connect`.
    ///   - arguments: the names.
    ///   - options: their words, quoted.
    package static func intercomctl(_ verb: String, _ arguments: [String], _ options: String = "") -> String {
        let names = arguments.map(word)
        let option = options.isEmpty ? [] : [options]
        let words = arguments.contains { $0.hasPrefix("-") } ? option + ["--"] + names : names + option
        return (["intercomctl", verb] + words).joined(separator: " ")
    }
}
