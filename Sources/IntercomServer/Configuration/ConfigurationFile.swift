// The configuration file of a running daemon: read at the start and on each reload.

import LinuxNet

/// A configuration file, and what of it takes effect at a start alone.
package struct ConfigurationFile: Sendable, Equatable {
    /// The path that is read.
    package let path: String
    /// True when a missing file means the defaults; false when it is an error, because the operator named the file.
    package let isOptional: Bool
    /// True when the file was there when it was read last.
    package private(set) var isPresent = false
    /// The configuration that was read last without a mistake.
    package private(set) var configuration = Configuration()
    /// The configuration that was read first: fixed settings are taken from it.
    private var first: Configuration?

    /// The file at a path; nothing is read yet.
    package init(path: String, isOptional: Bool) {
        self.path = path
        self.isOptional = isOptional
    }

    /// Reads the file as it is now into ``configuration``; the defaults where an optional file is missing.
    /// - Throws: everything that is wrong with it.
    package mutating func read() throws(ConfigurationError) {
        let exists = Files.exists(path)
        configuration = isOptional && !exists ? Configuration() : try Configuration.read(path: path)
        isPresent = exists
        first = first ?? configuration
    }

    /// A sentence for each setting of the configuration that is not in force until a restart.
    var notInForce: [String] {
        guard let first else { return [] }
        var settings: [String] = []
        if configuration.server.workers != first.server.workers {
            settings.append("[server] workers: takes effect at a restart")
        }
        if configuration.control.socket != first.control.socket {
            settings.append("[control] socket: takes effect at a restart")
        }
        if configuration.control.group != first.control.group {
            settings.append("[control] group: takes effect at a restart")
        }
        if configuration.cluster.socket != first.cluster.socket {
            settings.append("[cluster] socket: takes effect at a restart")
        }
        if configuration.cluster.group != first.cluster.group {
            settings.append("[cluster] group: takes effect at a restart")
        }
        if configuration.server.listen != first.server.listen {
            settings.append("[server] listen: in force for containers added from now on; for the others at a restart")
        }
        return settings
    }
}
