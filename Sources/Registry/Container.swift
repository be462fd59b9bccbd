// A container as it is in force: what is declared, published and observed of it, and what follows for its networks.

package import DNSWire

extension Registry {
    /// A container: declared, published, observed, or several of these.
    package struct Container: Sendable {
        /// Its number, as long as it is there.
        package let id: ContainerID
        /// Its declaration; nil: it was found.
        package internal(set) var declared: ContainerDefinition?
        /// Definitions by sources, in the order of ``PublicationKey``, those of guests last.
        package internal(set) var published: [ContainerDefinition] = []
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
        /// True when an operator has it left out of names that others serve, too.
        package internal(set) var isDrained = false
        /// Upstreams of its own; nil: those of its networks.
        var group: UpstreamGroupID?
        /// Name of the policy in force; nil: none.
        package internal(set) var policy: String?
        /// True when it has former servers, which are asked of what is not known here.
        package internal(set) var hasFormerServers = false
        /// Endpoints in force, in the order in which they answer.
        package internal(set) var endpoints: [Endpoint] = []
        /// The names that it is found by on its own account, the one of its reverse lookups first; none where
        /// ``name`` cannot be one.
        var dnsNames: [Name] = []
        /// Its links and extra hosts as a table of names, if it has any.
        var linkScope: ScopeID?

        init(id: ContainerID) {
            self.id = id
        }

        /// Name for people: the declared one, else a published one, else that of its namespace.
        package var name: String { declared?.name ?? published.first?.name ?? observed?.name ?? "" }
        /// Its definitions, the one with the most weight first.
        package var definitions: [ContainerDefinition] { [declared].compactMap(\.self) + published }
        /// Source of its name; nil: it was found.
        package var source: Source? { declared?.source ?? published.first?.source }
        /// Id that its runtime gave it.
        package var runtimeID: String? { declared?.id ?? published.first?.id }
        /// A further name of its own.
        package var hostname: String? { declared?.hostname ?? published.lazy.compactMap(\.hostname).first }
        /// Names that it alone knows others by.
        package var links: [LinkDefinition] { published.isEmpty ? declared?.links ?? [] : definitions.flatMap(\.links) }
        /// Names with addresses that it alone knows.
        var extraHosts: [ExtraHostDefinition] { definitions.flatMap(\.extraHosts) }
        /// Ports of its SRV answers.
        package var ports: [PortDefinition] { published.isEmpty ? declared?.ports ?? [] : definitions.flatMap(\.ports) }
        /// Policy of its own, before that of its networks.
        var ownPolicy: String? { declared?.policy ?? published.lazy.compactMap(\.policy).first }
        /// True when it is left out of names that others serve, too: by an operator, or by a source.
        package var isDraining: Bool { isDrained || published.contains { $0.isDraining } }
        /// Its first name as it is found; nil where it is not found by its name.
        var dnsName: Name? { dnsNames.first }
        /// The same for other rooms.
        package var firstName: Name? { dnsName }

        /// True when it has a name that is none of the DNS. One that was found without a name lacks none.
        var lacksName: Bool {
            dnsNames.isEmpty && (declared != nil || !published.isEmpty || observed?.isNamed ?? true)
        }
        /// True when it is on its declared networks alone, whatever else is known.
        var namesItsNetworks: Bool { declared?.namesItsNetworks ?? false }
        /// True when its links give it addresses and no further networks.
        var namesLinksNetworks: Bool { namesItsNetworks || published.contains { $0.namesItsNetworks } }
        /// True when nothing is left that makes it known.
        var isGone: Bool { declared == nil && published.isEmpty && observed == nil }
        /// True when nothing says that its namespace is here, and nobody but sources knows it.
        var isPublishedAlone: Bool { declared == nil && observed == nil && cookie == nil }
        /// Declared endpoints: those of its declaration, then those of later connections.
        var declaredEndpoints: [EndpointDefinition] { (declared?.endpoints ?? []) + connections }
        /// References by which its endpoints find their networks.
        var references: Set<NetworkReference> {
            var references: Set<NetworkReference> = []
            for endpoint in declaredEndpoints {
                if let name = Registry.lookedUp(endpoint.network) { references.insert(.name(name)) }
            }
            for definition in published {
                for endpoint in definition.endpoints {
                    guard let name = Registry.lookedUp(endpoint.network) else { continue }
                    references.insert(.name(name))
                    references.insert(.published(definition.source, name))
                }
            }
            for endpoint in observed?.endpoints ?? [] { references.insert(.interface(endpoint.network)) }
            for interface in disconnected { references.insert(.interface(interface)) }
            return references
        }

        /// True for an id of its, and the id's first 12 characters.
        func isIdentified(by text: String) -> Bool {
            definitions.contains { $0.id == text || text.utf8.count == 12 && $0.id?.hasPrefix(text) == true }
        }

        /// Its endpoint on a network; nil: it is not on it.
        package func endpoint(on network: ScopeID) -> Endpoint? { endpoints.first { $0.network == network } }

        /// True when everything that its names are made of is the same.
        func isNamed(as other: Container) -> Bool {
            dnsNames.elementsEqual(other.dnsNames) { $0.wire == $1.wire }
                && (declared == nil) == (other.declared == nil)
                && definitions.elementsEqual(other.definitions) {
                    $0.name == $1.name && $0.hostname == $1.hostname && $0.id == $1.id && $0.ports == $1.ports
                }
        }
    }

    /// A container on one network.
    package struct Endpoint: Sendable, Equatable {
        /// The network that it is on.
        package let network: ScopeID
        /// The declared ones; where there are none, the published ones, else those that the kernel shows.
        package internal(set) var addresses: [IPAddress]
        /// Further names on this network.
        package internal(set) var aliases: [String]
        /// All names that it is found by on this network, each once: read from their texts when one of these changes.
        var names: [EndpointName] = []

        /// Names follow from the rest and from the container, which is compared on its own.
        package static func == (left: Endpoint, right: Endpoint) -> Bool {
            left.network == right.network && left.addresses == right.addresses && left.aliases == right.aliases
        }
    }

    /// A name of a container on one of its networks.
    struct EndpointName: Sendable, Hashable {
        let name: Name
        /// True when other containers may have it, too.
        let isAlias: Bool
    }

    /// Reference of an endpoint to its network. The network may come later, go and return.
    enum NetworkReference: Hashable, Sendable {
        case name(Name)
        case interface(InterfaceIndex)
        /// A network that this source tells of, too.
        case published(Source, Name)
    }
}
