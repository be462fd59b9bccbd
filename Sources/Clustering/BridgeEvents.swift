// Settings and lasting state of a bridge, and the events and effects by which it is driven.

package import ControlAPI
package import EtcdWire

/// Settings of a bridge.
package struct BridgeSettings: Sendable {
    /// Name of this host among all hosts.
    package var host: String
    /// Beginning of all keys.
    package var prefix = "/intercom"
    /// Address at which other hosts reach this one; empty: the local address of the connection to etcd.
    package var address = ""
    /// Seconds until a silent host counts as lost: the time of the lease of `h/HOST`.
    package var ttl = 30
    /// Seconds until a lost host's containers are forgotten: the time of the lease of its `e/HOST/…`.
    package var keep = 86_400
    /// The most transactions a second; twice as many in a burst.
    package var writeRate = 20
    /// The longest wait, in seconds, before everything is listed again, so that not all hosts list at once.
    package var spread = 30
    /// Version of intercom, as other hosts see it.
    package var release: String?

    /// Settings with their defaults.
    package init(host: String) { self.host = host }
}

/// State that outlives the process: with it a bridge that starts again is the one that it was.
package struct BridgeIdentity: Codable, Hashable, Sendable {
    /// Random text of this installation; two hosts of one name differ in it.
    package var instance: String
    /// Lease of `h/HOST`; 0: none.
    package var aliveLease: Int64 = 0
    /// Lease of this host's containers; 0: none.
    package var keepLease: Int64 = 0

    /// An identity without leases.
    package init(instance: String) { self.instance = instance }
}

/// Failure of a call or of the watch.
package enum EtcdFailure: Error, Hashable, Sendable {
    /// Status that etcd replied with.
    case status(GRPCStatus)
    /// No connection, or its end; a sentence about why.
    case unreachable(String)

    /// A sentence for people.
    /// - Parameter host: name of this host.
    package func explanation(for host: String) -> String {
        switch self {
        case .status(let status) where status.code == .unauthenticated || status.code == .permissionDenied:
            "etcd refuses this host: \(status); 'intercom-etcd roles \(host)' prints what it needs"
        case .status(let status): "etcd: \(status)"
        case .unreachable(let reason): reason
        }
    }
}

/// An event that a bridge takes in.
package enum BridgeEvent: Sendable {
    /// Reply of a call.
    case reply(UInt64, EtcdReply)
    /// Failure of a call.
    case failed(UInt64, EtcdFailure)
    /// Reply of the watch.
    case watch(WatchReply)
    /// End of the watch.
    case watchEnded(EtcdFailure)
    /// First reply of the daemon's Attach: it has told nothing yet.
    case attached
    /// Any reply of Attach, the first one included.
    case local(Attach.Reply)
    /// End of the connection to the daemon.
    case detached
    /// Reply of the daemon to the last ``BridgeEffect/tell(_:)``.
    case told
    /// Local address of the connection to etcd.
    case localAddress(String)
    /// Passage of time.
    case tick
}

/// An action that the owner of a bridge takes for it.
package enum BridgeEffect: Sendable {
    /// Call etcd; the reply is an event with this number.
    case call(UInt64, EtcdCall)
    /// Watch keys from a revision on; there is one watch.
    case watch(keys: KeyRange, from: Int64)
    /// Ask the watch for a sign of life.
    case askProgress
    /// End the watch alone.
    case endWatch
    /// End the watch and all calls, and turn to another member from now on.
    case disconnect
    /// Call the daemon; ``BridgeEvent/told`` is the event.
    case tell(Telling)
    /// Report to the daemon how it is with etcd; `lag`: milliseconds from the receipt of the last change to its coming into force.
    case report(Report.State, String?, lag: Int?)
    /// Write the identity durably.
    case save(BridgeIdentity)
    /// Log a line.
    case log(isWarning: Bool, String)

    /// A call of the daemon, without the number of its session.
    package enum Telling: Sendable {
        /// `Begin`.
        case begin(expected: Int)
        /// `Apply`.
        case apply(Apply.Parameters)
        /// `Complete`.
        case complete(cursor: String, keep: [String])
    }
}
