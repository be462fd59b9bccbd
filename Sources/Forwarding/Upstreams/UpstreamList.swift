// Upstream groups: which servers questions go to, and from which namespace.

package import DNSWire

/// The upstreams of a group.
package struct UpstreamList: Sendable, Hashable {
    /// The kind of namespace that servers are reached from.
    package enum Origin: Sendable, Hashable {
        /// From the namespace of the daemon.
        case host
        /// From the namespace of who asks: a container with a VPN or routes of its own.
        case namespace
        /// From the namespace of who asks, and each view has servers of its own: those that answered it before us
        /// (``Forwarder/setFormerServers(_:of:)``).
        case former
    }

    /// Asked in this order.
    package var servers: [ServerAddress]
    /// The namespace that all of them are reached from.
    package var origin: Origin
    /// True when each question begins with another server: `options rotate`, resolv.conf(5).
    package var rotates: Bool
    /// True when questions go over TCP alone: `options use-vc`, resolv.conf(5).
    package var usesStreams = false
    /// After this a client is told that nobody answered.
    package var patience: Lapse
    /// False where the servers know better than the TTL of their answers: nothing that they say is cached.
    package var keepsAnswers = true
    /// The group that is asked where these servers cannot be reached; nil: none.
    package var standIn: UInt32?

    /// Before the 5 s are over that a libc waits by default (resolv.conf(5), `timeout`).
    package static let usualPatience = Lapse.milliseconds(4500)

    package init(
        servers: [ServerAddress], origin: Origin = .host, rotates: Bool = false, patience: Lapse = usualPatience,
        keepsAnswers: Bool = true, standIn: UInt32? = nil
    ) {
        self.servers = servers
        self.origin = origin
        self.rotates = rotates
        self.patience = patience
        self.keepsAnswers = keepsAnswers
        self.standIn = standIn
    }
}

/// The namespace in which a socket to an upstream is made.
package enum Vantage: Sendable, Hashable {
    /// The daemon's.
    case host
    /// A container's, by the number under which it asks.
    case namespace(UInt32)
}

/// A server as it is reached from one namespace: another server, perhaps, than the same address in another.
package struct UpstreamPlace: Sendable, Hashable {
    /// Its address and port.
    package var server: ServerAddress
    /// The namespace that it is reached from.
    package var vantage: Vantage

    package init(server: ServerAddress, vantage: Vantage) {
        self.server = server
        self.vantage = vantage
    }
}
