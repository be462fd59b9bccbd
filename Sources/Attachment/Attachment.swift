// The vocabulary of this room: numbers and values by which it and its owner speak of namespaces and errands.

/// Path or process by which a container's network namespace is entered.
package enum NamespaceSource: Sendable, Hashable, CustomStringConvertible {
    /// A file that is a network namespace, as `/run/netns/web`.
    case path(String)
    /// A process in it, 1...4194304 (`PID_MAX_LIMIT`, proc_sys_kernel(5)).
    case pid(Int32)

    /// The path, or `pid 123`.
    package var description: String {
        switch self {
        case .path(let path): path
        case .pid(let pid): "pid \(pid)"
        }
    }
}

extension NamespaceSource {
    /// The highest number of a process (`PID_MAX_LIMIT`, proc_sys_kernel(5)).
    package static let highestPID = 4_194_304
    /// The most octets of a path without its NUL (`PATH_MAX`, linux/limits.h).
    package static let longestPath = 4095

    /// True when a text can be the path of a file, from the root on.
    package static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count <= longestPath && !text.utf8.contains(0)
    }
}

/// A file of nsfs: the identity of a namespace while the namespace lives (namespaces(7)).
package struct NamespaceKey: Hashable, Sendable, CustomStringConvertible {
    /// The device of the nsfs file system.
    package let device: UInt64
    /// The file's inode, as in `net:[4026531840]`.
    package let inode: UInt64

    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// `net:[4026531840]`.
    package var description: String { "net:[\(inode)]" }
}

/// One request to the opener. Descriptors that come of it stay with the owner, under this number, until
/// ``Effect/release(_:)``. A number is never used again: a late result is recognised and released.
package struct ErrandNumber: Hashable, Sendable {
    /// From 1 on.
    package let rawValue: UInt64
}

/// One declaration of a container with a namespace. A number is never used again.
package struct DeclarationNumber: Hashable, Comparable, Sendable {
    /// From 1 on.
    package let rawValue: UInt64

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The port of 127.0.0.11 that a listener binds.
package enum ListenerPort: Sendable, Hashable {
    /// Port 53 itself.
    case direct
    /// A random port, to which nftables rules in that namespace lead port 53.
    case redirected
}

/// Port that a container's listener is to have.
package enum PortChoice: Sendable, Hashable {
    /// Port 53 where it is free, else a random one.
    case automatic
    /// Port 53, or none.
    case direct
    /// A random port.
    case redirected

    /// True when a listener with this port is as wanted.
    package func allows(_ port: ListenerPort) -> Bool {
        switch self {
        case .automatic: true
        case .direct: port == .direct
        case .redirected: port == .redirected
        }
    }
}

/// A container that somebody declares, with the way into its namespace.
package struct Declaration: Sendable, Equatable {
    /// The name, for messages.
    package var name: String
    /// The way in.
    package var source: NamespaceSource
    /// The port its listener is to have.
    package var port: PortChoice
    /// True when rules are to lead questions to other servers to its listener.
    package var isIntercepted: Bool
    /// True: it stays declared while it cannot be attached, and is tried again (configuration, restored declarations).
    /// False: a caller waits, and is refused.
    package var isStanding: Bool
    /// True: it joins whoever has the namespace, declared or found, and others may join it: a source tells of it.
    package var joins: Bool
    /// Declarer, for messages: `configuration` or `control`.
    package var declarer: String

    package init(
        name: String, source: NamespaceSource, port: PortChoice = .direct, isIntercepted: Bool = false,
        isStanding: Bool = false, joins: Bool = false, declarer: String = "control"
    ) {
        self.name = name
        self.source = source
        self.port = port
        self.isIntercepted = isIntercepted
        self.isStanding = isStanding
        self.joins = joins
        self.declarer = declarer
    }
}

/// Facts about a namespace that an errand has opened.
package struct Opened: Sendable, Equatable {
    /// The listener that came of the errand.
    package enum Listener: Sendable, Equatable {
        /// New sockets.
        case made(ListenerPort)
        /// Sockets that the service manager has kept since the last daemon.
        case kept(ListenerPort)
        /// None was asked for.
        case none
        /// None could be made.
        case refused(Failure)
    }

    /// The namespace.
    package var namespace: NamespaceKey
    /// The listener, if one was asked for.
    package var listener: Listener
    /// True when a netlink socket came with it, by which its links are observed.
    package var hasLinks: Bool

    package init(namespace: NamespaceKey, listener: Listener, hasLinks: Bool = true) {
        self.namespace = namespace
        self.listener = listener
        self.hasLinks = hasLinks
    }
}

/// Reason why something could not be had, and what may end it.
package struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Classes of failures, by what is done about them.
    package enum Kind: Sendable, Equatable {
        /// The path names no network namespace, or no process has that number: only an event can change it.
        case notThere
        /// It may not be attached at all: the host's own namespace, or a container that is declared already.
        case forbidden
        /// Port 53 is taken by a program in the namespace.
        case portTaken
        /// The opener does not answer.
        case openerAway
        /// The kernel refused; it may do so for a while.
        case refused
    }

    /// Class of the failure.
    package var kind: Kind
    /// Sentence for people: what failed, and why.
    package var description: String

    /// A failure of a class, with a sentence for people.
    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// True when trying again may help though nothing tells of a change.
    package var mayPass: Bool { kind != .notThere && kind != .forbidden }
}

/// Waiting time between attempts: 1 s at first, doubled up to 30 s.
package struct Backoff: Sendable, Equatable {
    /// Wait after the first failure.
    package static let first = Duration.seconds(1)
    /// The longest wait.
    package static let longest = Duration.seconds(30)

    private var last = Duration.zero

    /// No failure yet.
    package init() {}

    /// The wait after one more failure.
    package mutating func next() -> Duration {
        last = last == .zero ? Self.first : min(last * 2, Self.longest)
        return last
    }
}
