// Choice of the host's interfaces that are networks.

import LinuxNet

/// Interfaces in the configuration and in declarations.
struct InterfaceSelection: Equatable, Sendable {
    /// Patterns of names, as `br-*`.
    var patterns: [String]
    /// Patterns of names that are left alone all the same.
    var exclude: [String]
    /// The interfaces of declared networks: these are networks whatever they are, and whatever the patterns say.
    var declared: Set<String> = []

    /// True when a bridge, or the parent of a container's link, is a network.
    func selects(_ name: String) -> Bool {
        declared.contains(name)
            || patterns.contains { Glob.matches(name, $0) } && !exclude.contains { Glob.matches(name, $0) }
    }
}
