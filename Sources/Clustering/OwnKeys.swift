// State of this host's keys: its containers as they are to be in etcd, and as they were last seen there.

import EtcdWire

/// Containers of this host as they are to be in etcd, and as they were last seen there.
struct OwnKeys: Sendable {
    enum Step: Equatable {
        /// Nothing is under way: there is no connection, or the daemon has not told what is here.
        case idle
        /// Leases and the host's key are read or made.
        case joining
        /// Another host has this name, or had a moment ago; the time of the next attempt.
        case taken(until: Duration)
        /// The keys of this host are listed.
        case listing
        /// Changes are written as they come.
        case writing
    }

    /// A container's key as it was last seen in etcd.
    struct Held: Equatable {
        var value: [UInt8]
        var lease: Int64
        var revision: Int64
    }

    var step = Step.idle
    /// Values by the daemon's keys.
    var wanted: [String: [UInt8]] = [:]
    /// Keys that the daemon has told since it was attached to; nil: it has told all of them.
    var toldKeys: Set<String>? = []
    /// True once the daemon has told everything.
    var isTold = false
    var held: [String: Held] = [:]
    /// Keys that are to be written or deleted.
    var dirty: Set<String> = []
    /// Keys of the transaction that is under way.
    var inFlight: [String] = []
    /// Changes of that transaction, in the order of its keys.
    var written: [Transaction.Change] = []
    /// Keys that the listing has had so far.
    var listed: Set<String> = []
    /// Revision of the pages of the listing; 0: the first one has not come.
    var listRevision: Int64 = 0
    /// Revision of the host's key as this bridge wrote it, or found it.
    var hostRevision: Int64 = 0
    /// True when the host's key says that everything is written, with the right address.
    var isAnnounced = false
    var isAnnouncing = false
    var address = ""
    /// Sentence about another host of this name.
    var conflict: String?
    /// Transactions that may be made now, and the time at which that was reckoned.
    var tokens = 0.0
    var tokensAt = Duration.zero
    var renewAliveAt = Duration.zero
    var renewKeepAt = Duration.zero
    /// Time at which it is looked whether etcd still lets this host read: nothing else of a quiet host needs a right.
    var checkAt = Duration.zero
    /// Time at which this host's keys are listed again without a reason.
    var auditAt = Duration.zero

    var hasWork: Bool { step == .writing && inFlight.isEmpty && !isAnnouncing && (!dirty.isEmpty || !isAnnounced) }

    func nextDeadline(_ settings: BridgeSettings) -> Duration? {
        switch step {
        case .idle, .joining, .listing: nil
        case .taken(let time): time
        case .writing:
            // Rounded up: the token is there then.
            min(
                renewAliveAt, renewKeepAt, checkAt, auditAt,
                hasWork
                    ? tokensAt + .milliseconds(1) + .seconds(max(0, 1 - tokens) / Double(settings.writeRate)) : auditAt)
        }
    }
}
