// Verdicts on whether questions of a container's programs reach its listener, each with its reason and its cure.

/// Result of asking a container's resolver addresses from inside its namespace.
package enum Hearing: Sendable, Equatable {
    /// Each question has arrived at the container's listener.
    case heard
    /// One has not.
    case unheard(Unheard)
    /// Its programs ask other servers.
    case notAsked(OtherServers)
    /// No question could be sent.
    case untried(Failure)
}

/// A resolver address at which a container's listener is not heard.
package struct Unheard: Sendable, Equatable, CustomStringConvertible {
    /// Fate of the question.
    package enum Cause: Sendable, Equatable {
        /// An answer came, though the listener was not asked.
        case answeredByAnother
        /// Nothing came back in time, and the namespace's loopback interface is down.
        case loopbackDown
        /// Nothing came back in time, and the namespace's loopback interface has no address: such questions leave by another.
        case loopbackBare
        /// The namespace has no route to the address.
        case noRoute
        /// A netfilter rule dropped it on its way out (EPERM of sendto(2)).
        case dropped
        /// An ICMP error came back (ECONNREFUSED): it was led to a port where nobody listens.
        case refused
        /// Nothing came back in time.
        case noReply
    }

    /// Path of questions to a resolver address.
    package enum Path: Sendable, Equatable {
        /// The listener has the address, or rules lead questions to it there.
        case led
        /// The container's resolv.conf names it beside ours. Interception would lead questions to the listener.
        case mayBeLed
        /// The container's resolv.conf names it beside ours. It is a server of the container's own, which is never intercepted.
        case own
    }

    /// The resolver address, as `127.0.0.11:53`.
    package var address: String
    /// Fate of the question that was sent there.
    package var cause: Cause
    /// Path of questions to the address.
    package var path: Path
    /// True where it was asked over TCP, after a question over UDP was heard.
    package var isStream: Bool

    /// A question to an address, and what became of it.
    package init(at address: String, _ cause: Cause, path: Path = .led, isStream: Bool = false) {
        self.address = address
        self.cause = cause
        self.path = path
        self.isStream = isStream
    }

    /// Sentence for people, without a full stop.
    package var description: String {
        if path != .led { return "its resolv.conf names \(address), too: \(fate)" }
        return fate
    }

    private var fate: String {
        let address = isStream ? "\(address) over TCP" : address
        return switch cause {
        case .answeredByAnother: "\(address) is answered by another server"
        case .loopbackDown: "the loopback interface of its namespace is down"
        case .loopbackBare: "the loopback interface of its namespace has no address"
        case .noRoute: "its namespace has no route to \(address)"
        case .dropped: "a firewall rule in its namespace drops questions to \(address)"
        case .refused: "nobody listens where questions to \(address) are led"
        case .noReply: "questions to \(address) get no reply"
        }
    }

    /// The change that mends it.
    package var cure: String {
        switch path {
        case .led: break
        case .mayBeLed: return "\(OtherServers.interception), or remove \(address) from its resolv.conf"
        case .own: return "remove \(address) from its resolv.conf"
        }
        return switch cause {
        case .answeredByAnother:
            "add it with --listen redirect, or remove the rule in its namespace that leads \(address) to that server"
        case .loopbackDown: "run 'ip link set lo up' in its namespace"
        case .loopbackBare: "run 'ip addr add 127.0.0.1/8 dev lo' in its namespace"
        case .noRoute: "add a route to \(address) in its namespace"
        case .dropped, .noReply:
            "let \(isStream ? "TCP" : "UDP") to \(address) pass in the nftables or iptables rules of its namespace"
        case .refused: "remove the nftables or iptables rule in its namespace that leads \(address) elsewhere"
        }
    }
}

/// Servers that a container's resolv.conf names where it names none whose questions come to the container's listener.
package struct OtherServers: Sendable, Equatable {
    /// Their addresses, as `192.0.2.1, 192.0.2.2`.
    package var addresses: String
    /// True where the file is the host's: the container's process has no root directory of its own.
    package var areHosts: Bool
    /// True where interception would lead questions to one of them to the listener.
    package var mayBeLed: Bool

    /// Servers that a resolv.conf names.
    package init(_ addresses: String, areHosts: Bool = false, mayBeLed: Bool = true) {
        self.addresses = addresses
        self.areHosts = areHosts
        self.mayBeLed = mayBeLed
    }

    /// Command that has questions to other servers led to the listener.
    static let interception = "add it with --intercept (and --replace if it is declared)"

    /// Sentence for people, without a full stop.
    package var reason: String {
        areHosts ? "it has the host's resolv.conf, which names \(addresses)" : "its resolv.conf names \(addresses)"
    }

    /// The change after which its programs ask here.
    package var cure: String {
        let naming = "name 127.0.0.11 in its resolv.conf"
        return mayBeLed ? "\(Self.interception), or \(naming)" : naming
    }
}
