// Processes as the opener describes them to the daemon, which may not see those of others.

import Diagnosis
import LinuxNet

/// A process, by its number, its name, its namespace and its runtime.
struct FoundProcess: Codable, Sendable, Equatable {
    var pid: Int32
    /// At most 15 octets, which the process chooses.
    var command: String
    /// Device and inode of its network namespace.
    var device: UInt64
    var inode: UInt64
    /// The runtime that made it, ``Runtime/rawValue``, and the container's name or id there; absent: none is seen.
    var runtime: String?
    var container: String?
    /// True when a link leads from the host's namespace into its own.
    var isPlugged: Bool

    var namespace: NamespaceIdentity { NamespaceIdentity(device: device, inode: inode) }

    init(_ process: ListedProcess) {
        pid = process.pid
        command = process.command
        device = process.namespace.device
        inode = process.namespace.inode
        let made = RuntimeContainer(controlGroups: process.controlGroups)
        runtime = made?.runtime.rawValue
        container = made?.name
        isPlugged = process.isPlugged
    }

    /// The same for explanations.
    var program: Program {
        let made = runtime.flatMap { Runtime(rawValue: $0) }.map { RuntimeContainer($0, container ?? "") }
        return Program(pid: pid, name: command, container: made)
    }
}

/// Destination of questions that address translation in a namespace leads elsewhere.
struct FoundTranslation: Codable, Sendable, Equatable {
    /// As `127.0.0.11:41234`.
    var destination: String
    /// The process that listens there; absent: none was found, or it is elsewhere.
    var process: FoundProcess?
}

/// A server that has a port of a container's 127.0.0.11.
struct PortHolder: Codable, Sendable, Equatable {
    var port: UInt16
    /// Absent: none was found.
    var process: FoundProcess?
}
