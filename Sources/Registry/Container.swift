// A container as it is in force: what is declared of it, what the kernel shows of it, and what follows for its networks.

package import DNSWire

extension Registry {
    /// A container: declared, observed, or both.
    package struct Container: Sendable {
        /// Its number, as long as it is there.
        package let id: ContainerID
        /// Its declaration; nil: it was found.
        package internal(set) var declared: ContainerDefinition?
        /// Its namespace as the kernel shows it; nil: the kernel does not show it.
        package internal(set) var observed: ObservedContainer?
        /// Links and addresses that the kernel shows past ``Limits``: they are left out.
        package internal(set) var leftOut = 0
        /// Cookie of its namespace, if it has one on this machine.
        package internal(set) var cookie: NamespaceCookie?
        /// Networks that it was connected to after it had come.
        package internal(set) var connections: [EndpointDefinition] = []
        /// Networks that it was disconnected from, though its links are plugged into them.
        package internal(set) var disconnected: Set<InterfaceIndex> = []
        /// True when it is left out of names that others serve, too.
        package internal(set) var isDraining = false
        /// True when it has former servers, which are asked of what is not known here.
        package internal(set) var hasFormerServers = false
        /// Endpoints in force, in the order in which they answer.
        package internal(set) var endpoints: [Endpoint] = []
        /// Its name as a label; nil where ``name`` cannot be one: it is not found by it.
        var dnsName: Name?
        /// Its links as a table of names, if it has any.
        var linkScope: ScopeID?

        init(id: ContainerID) {
            self.id = id
        }

        /// Name for people: the declared one, else that of its namespace.
        package var name: String { declared?.name ?? observed?.name ?? "" }

        /// True when it is on its declared networks alone, whatever its links are plugged into.
        var namesItsNetworks: Bool { declared?.namesItsNetworks ?? false }
        /// True when nothing is left that makes it known.
        var isGone: Bool { declared == nil && observed == nil }
        /// Declared endpoints: those of its declaration, then those of later connections.
        var declaredEndpoints: [EndpointDefinition] { (declared?.endpoints ?? []) + connections }
        /// References by which its endpoints find their networks.
        var references: Set<NetworkReference> {
            var references: Set<NetworkReference> = []
            for endpoint in declaredEndpoints {
                if let name = Registry.lookedUp(endpoint.network) { references.insert(.name(name)) }
            }
            for endpoint in observed?.endpoints ?? [] { references.insert(.interface(endpoint.network)) }
            for interface in disconnected { references.insert(.interface(interface)) }
            return references
        }

        /// Its endpoint on a network; nil: it is not on it.
        package func endpoint(on network: ScopeID) -> Endpoint? { endpoints.first { $0.network == network } }

        /// True when everything that its names are made of is the same.
        func isNamed(as other: Container) -> Bool {
            dnsName?.wire == other.dnsName?.wire && declared?.hostname == other.declared?.hostname
                && declared?.id == other.declared?.id && declared?.ports == other.declared?.ports
                && (declared == nil) == (other.declared == nil)
        }
    }

    /// A container on one network.
    package struct Endpoint: Sendable, Equatable {
        /// The network that it is on.
        package let network: ScopeID
        /// The declared ones; where there are none, those that the kernel shows.
        package internal(set) var addresses: [IPAddress]
        /// Further names on this network.
        package internal(set) var aliases: [String]
    }

    /// Reference of an endpoint to its network. The network may come later, go and return.
    enum NetworkReference: Hashable, Sendable {
        case name(Name)
        case interface(InterfaceIndex)
    }
}
