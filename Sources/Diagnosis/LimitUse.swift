// Limits of the kernel and of the service manager, which end service for the next container when they are reached.

/// Use of something that is limited.
package struct LimitUse: Sendable, Equatable {
    /// Things that are limited.
    package enum Kind: Sendable, CaseIterable {
        /// Descriptors of the daemon (RLIMIT_NOFILE, getrlimit(2)).
        case openFiles
        /// Paths that the daemon watches (inotify(7)).
        case inotifyWatches
        /// Inotify objects of the daemon.
        case inotifyInstances
        /// Sockets that the service manager keeps over a restart (`FileDescriptorStoreMax=`, systemd.service(5)).
        case storedSockets
    }

    /// The thing.
    package var kind: Kind
    /// Number in use.
    package var count: Int
    /// The most that there can be.
    package var limit: Int

    /// Use of a thing.
    package init(_ kind: Kind, _ count: Int, of limit: Int) {
        self.kind = kind
        self.count = count
        self.limit = limit
    }

    /// Finding where less than a tenth is left: time to act for who looks now and then.
    var finding: Finding? {
        guard limit > 0, count > limit / 10 * 9 else { return nil }
        return Finding(.limitNear, "\(count) of \(limit) \(noun) are in use", cure: cure)
    }

    private var noun: String {
        switch kind {
        case .openFiles: "open files of the daemon"
        case .inotifyWatches: "inotify watches of the daemon's user"
        case .inotifyInstances: "inotify instances of the daemon's user"
        case .storedSockets: "sockets that systemd keeps over a restart"
        }
    }

    private var cure: String {
        let restart = "by: systemctl edit intercom.service; then: systemctl restart intercom.service"
        // No figure is safe for all machines; twice as much is enough for as many containers again.
        let (twice, isTooMuch) = limit.multipliedReportingOverflow(by: 2)
        let next = isTooMuch ? limit : twice
        return switch kind {
        case .openFiles: "raise LimitNOFILE= \(restart)"
        case .inotifyWatches: "sysctl fs.inotify.max_user_watches=\(next)"
        case .inotifyInstances: "sysctl fs.inotify.max_user_instances=\(next)"
        case .storedSockets: "raise FileDescriptorStoreMax= \(restart)"
        }
    }
}
