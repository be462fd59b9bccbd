// Which of the host's interfaces are networks.

import LinuxNet

/// What the configuration says of interfaces, and what was declared.
struct InterfaceSelection: Equatable, Sendable {
    /// Patterns of names, as `br-*`.
    var patterns: [String]
    /// Patterns of names that are left alone all the same.
    var exclude: [String]
    /// The interfaces of declared networks: these are networks whatever they are, and whatever the patterns say.
    var declared: Set<String> = []

    /// Whether a bridge, or the parent of a container's link, is a network.
    func selects(_ name: String) -> Bool {
        declared.contains(name)
            || patterns.contains { Glob.matches(name, $0) } && !exclude.contains { Glob.matches(name, $0) }
    }
}
