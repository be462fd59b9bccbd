// Notices of a service to its manager, sd_notify(3).

internal import CSystemd
package import LinuxNet

/// The service manager that started this process; without one, telling it something does nothing.
package enum ServiceManager {
    /// Something that a service says about itself.
    package enum Notice: Hashable, Sendable {
        /// Start or reload is complete.
        case ready
        /// Begins to read its configuration again; ``ready`` says that it has. The time is that of CLOCK_MONOTONIC.
        case reloading(at: MonotonicTime)
        /// Begins to end.
        case stopping
        /// One line for people about the work of the service.
        case status(String)
        /// It is alive: has to be said once in each ``watchdogInterval``.
        case alive

        var assignments: String {
            switch self {
            case .ready: "READY=1"
            case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time.microseconds)"
            case .stopping: "STOPPING=1"
            // A line is an assignment: what comes from outside must not make a second one.
            case .status(let text): "STATUS=\(String(text.map { $0.isNewline ? " " : $0 }))"
            case .alive: "WATCHDOG=1"
            }
        }
    }

    /// True when a manager listens to this process.
    package static var isListening: Bool { Environment.value(of: "NOTIFY_SOCKET") != nil }

    /// Longest interval between two ``ServiceManager/Notice/alive`` that the manager accepts
    /// (sd_watchdog_enabled(3)); nil: it expects none.
    package static var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        // It fills in one number.
        guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    /// Tells the manager, in one message.
    /// - Throws: ``SystemdError`` when it cannot be reached.
    package static func tell(_ notices: [Notice]) throws(SystemdError) {
        try send(notices.map(\.assignments).joined(separator: "\n"), [])
    }

    // MARK: - The file descriptor store

    /// True when the store accepts a name: 1 to 255 printable ASCII characters without a colon.
    package static func isStoreName(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count) && name.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x3A }
    }

    /// Has the manager keep both sockets of a listener; the service's next start inherits them.
    ///
    /// They are kept until ``forget(_:)``, whatever becomes of them here: FDPOLL=0. By the name they are told apart and let go
    /// of; see ``isStoreName(_:)``.
    /// - Throws: ``SystemdError`` when the manager cannot be reached.
    package static func store(_ sockets: borrowing ListenerSockets, as name: String) throws(SystemdError) {
        precondition(isStoreName(name), "no name for the store")
        try send("FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0", [sockets.udp.rawValue, sockets.tcp.rawValue])
    }

    /// Has the manager let go of everything that it keeps under this name.
    /// - Throws: ``SystemdError`` when the manager cannot be reached.
    package static func forget(_ name: String) throws(SystemdError) {
        precondition(isStoreName(name), "no name for the store")
        try send("FDSTOREREMOVE=1\nFDNAME=\(name)", [])
    }

    private static func send(_ state: String, _ descriptors: [Int32]) throws(SystemdError) {
        try checked("sd_notify") {
            // The string and the array live while the call runs, and the count is the array's.
            unsafe sd_pid_notify_with_fds(0, 0, state, descriptors, UInt32(descriptors.count))
        }
    }
}
