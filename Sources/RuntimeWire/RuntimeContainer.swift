// Containers and networks as runtimes know them, whichever runtime it is.

package import DNSWire

/// A network of a runtime.
package struct RuntimeNetwork: Equatable, Sendable {
    /// Name for people.
    package var name: String
    /// Id in the runtime.
    package var id: String
    /// The host's link that it is; nil where that is not known.
    package var interface: String?
    /// As `10.1.0.0/24`.
    package var subnets: [String] = []
    /// True when the runtime lets nothing out of it.
    package var isInternal = false
    /// True for the network of containers that name none: Docker's own DNS does not serve it.
    package var isDefault = false

    package init(name: String, id: String) {
        self.name = name
        self.id = id
    }
}

/// A container of a runtime.
package struct RuntimeContainer: Equatable, Sendable {
    /// Network namespace that it is in.
    package enum Namespace: Equatable, Sendable {
        /// Its own.
        case own
        /// The host's: it has the host's resolver.
        case host
        /// The namespace of another container, given by its name or id: both share one listener.
        case container(String)
        /// Its own, with nothing in it but loopback.
        case isolated
    }

    /// Name for people; it may have dots.
    package var name: String
    /// Id in the runtime.
    package var id: String
    /// Its own name inside; nil where the runtime gives none.
    package var hostname: String?
    /// A process in it; nil while none runs.
    package var pid: Int32?
    /// Network namespace that it has.
    package var namespace = Namespace.own
    /// The path of its network namespace, where the runtime has one.
    package var namespacePath: String?
    /// Nil where nobody checks its health.
    package var isHealthy: Bool?
    /// Attachments, one for each network.
    package var endpoints: [Endpoint] = []
    /// Names that it alone knows others by.
    package var links: [Link] = []
    /// Names with addresses that it alone knows: lines of its /etc/hosts that somebody asked for.
    package var extraHosts: [ExtraHost] = []
    /// Ports that it offers; each becomes an SRV record.
    package var ports: [Port] = []
    /// DNS servers that it is to have instead of the runtime's.
    package var resolvers: [IPAddress] = []
    /// DNS servers that its resolv.conf names, where the source has read it; nil: the daemon reads it itself.
    package var intercepted: [IPAddress]?
    /// Labels that people give it, by their keys.
    package var labels: [String: String] = [:]

    package init(name: String, id: String) {
        self.name = name
        self.id = id
    }

    /// Its attachment to a network.
    package struct Endpoint: Equatable, Sendable {
        /// The network's name.
        package var network: String
        /// Addresses on this network, of either family.
        package var addresses: [IPAddress] = []
        /// Further names on this network, without those that it has anyway.
        package var aliases: [String] = []

        package init(network: String) {
            self.network = network
        }
    }

    /// A private name of another container.
    package struct Link: Hashable, Sendable {
        /// The other's name.
        package var container: String
        /// Name of the link, for this container alone.
        package var name: String

        package init(container: String, name: String) {
            self.container = container
            self.name = name
        }
    }

    /// A name with an address that it alone knows.
    package struct ExtraHost: Hashable, Sendable {
        /// Name as it was typed.
        package var name: String
        /// The address; nil: that of the host (`host-gateway`).
        package var address: IPAddress?

        package init(name: String, address: IPAddress?) {
            self.name = name
            self.address = address
        }

        /// Reads `NAME:ADDRESS` or, since Docker 25, `NAME=ADDRESS`; an IPv6 address may have brackets. Nil for anything else.
        init?(_ text: some StringProtocol) {
            guard let end = text.firstIndex(where: { $0 == "=" || $0 == ":" }), end != text.startIndex else {
                return nil
            }
            self.init(String(text[..<end]), text[text.index(after: end)...])
        }

        /// - Parameter text: an address, or `host-gateway`; anything else is refused.
        init?(_ name: String, _ text: some StringProtocol) {
            let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : String(text)
            let address = IPAddress(bare)
            guard address != nil || bare == "host-gateway", !name.isEmpty else { return nil }
            self.init(name: name, address: address)
        }
    }

    /// A port that it says it serves.
    package struct Port: Hashable, Sendable {
        /// 1...65535.
        package var number: UInt16
        /// `tcp` or `udp`; others have no SRV records.
        package var transport: String
        /// The service's name; nil where only the number is known.
        package var service: String?

        package init(number: UInt16, transport: String, service: String? = nil) {
            self.number = number
            self.transport = transport
            self.service = service
        }

        /// Reads `80/tcp`, `80`, `53/udp=dns`; nil for anything else, `sctp` too.
        package init?(_ text: some StringProtocol) {
            let named = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let parts = named[0].split(separator: "/", omittingEmptySubsequences: false)
            let transport = parts.count > 1 ? String(parts[1]) : "tcp"
            guard parts.count <= 2, let number = UInt16(parts[0]), number > 0, ["tcp", "udp"].contains(transport) else {
                return nil
            }
            self.init(number: number, transport: transport, service: named.count > 1 ? String(named[1]) : nil)
        }
    }
}

extension RuntimeContainer {
    /// Labels by which an image or a compose file tells us something.
    enum Label {
        static let enable = "intercom.enable"
        static let alias = "intercom.alias"
        static let port = "intercom.port"
        static let policy = "intercom.policy"
    }

    /// False when its labels say that we leave it alone.
    package var isWanted: Bool {
        !["false", "no", "0"].contains(labels[Label.enable]?.lowercased())
    }

    /// Aliases of `intercom.alias`, for each of its networks.
    package var labelledAliases: [String] { Self.list(labels[Label.alias]) }

    /// Ports of `intercom.port`; what is no port is passed over.
    package var labelledPorts: [Port] { Self.list(labels[Label.port]).compactMap { Port($0) } }

    /// The policy of `intercom.policy`; nil where the label is absent or empty.
    package var labelledPolicy: String? { labels[Label.policy].flatMap { $0.isEmpty ? nil : $0 } }

    /// Values apart by commas, with blanks around them.
    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { $0.split(separator: " ").joined(separator: " ") }.filter {
            !$0.isEmpty
        }
    }
}
