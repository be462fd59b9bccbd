// Verdicts on whether questions of a container's programs reach its listener, each with its reason and its cure.

/// Result of asking a container's resolver addresses from inside its namespace.
package enum Hearing: Sendable, Equatable {
    /// Each question has arrived at the container's listener.
    case heard
    /// One has not.
    case unheard(Unheard)
    /// Its resolv.conf names these servers, and nobody leads questions to them to its listener.
    case notAsked(servers: String)
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
        /// The namespace has no route to the address.
        case noRoute
        /// A netfilter rule dropped it on its way out (EPERM of sendto(2)).
        case dropped
        /// An ICMP error came back (ECONNREFUSED): it was led to a port where nobody listens.
        case refused
        /// Nothing came back in time.
        case noReply
    }

    /// The resolver address, as `127.0.0.11:53`.
    package var address: String
    /// Fate of the question that was sent there.
    package var cause: Cause

    /// A question to an address, and what became of it.
    package init(at address: String, _ cause: Cause) {
        self.address = address
        self.cause = cause
    }

    /// Sentence for people, without a full stop.
    package var description: String {
        switch cause {
        case .answeredByAnother: "\(address) is answered by another server"
        case .loopbackDown: "the loopback interface of its namespace is down"
        case .noRoute: "its namespace has no route to \(address)"
        case .dropped: "a firewall rule in its namespace drops questions to \(address)"
        case .refused: "nobody listens where questions to \(address) are led"
        case .noReply: "questions to \(address) get no reply"
        }
    }

    /// The change that mends it.
    package var cure: String {
        switch cause {
        case .answeredByAnother:
            "add it with --listen redirect, or remove the rule in its namespace that leads \(address) to that server"
        case .loopbackDown: "run 'ip link set lo up' in its namespace"
        case .noRoute: "add a route to \(address) in its namespace"
        case .dropped, .noReply: "let UDP to \(address) pass in the nftables or iptables rules of its namespace"
        case .refused: "remove the nftables or iptables rule in its namespace that leads \(address) elsewhere"
        }
    }
}
