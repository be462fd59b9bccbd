// A network as it is in force: what is declared, published and observed of it, and who is on it.

import DNSWire
import OrderedCollections

extension Registry {
    /// A network: declared, published, observed, or several of these.
    package struct Network: Sendable {
        /// Its number, as long as it is there.
        package let id: ScopeID
        /// Its declaration; nil: it was found.
        package internal(set) var declared: NetworkDefinition?
        /// Definitions by sources, in the order of their names.
        package internal(set) var published: [NetworkDefinition] = []
        /// Its interface as the kernel shows it; nil: the kernel does not show it.
        package internal(set) var observed: ObservedNetwork?
        /// Its name in the DNS; nil: ``name`` cannot be a DNS name, and is no part of a container's name.
        var dnsName: Name?
        /// All names that it was given: the one in the DNS, then those that sources call it by, then the one that it was found
        /// under where only sources know others.
        var names: [Name] = []
        /// Its name for all hosts; nil: it is not shared with them.
        var sharedName: Name?
        /// In the order in which they came.
        var members: OrderedSet<ContainerID> = []
        /// Number of its containers.
        package var memberCount: Int { members.count }
        /// The containers that have an address, in the order in which they claimed it. An observed one may have several.
        var owners: [IPAddress: [ContainerID]] = [:]
        /// Upstream groups for its questions: a group for each route's domain, and under the root its own upstreams.
        var groups: [Name: UpstreamGroupID] = [:]

        init(id: ScopeID) {
            self.id = id
        }

        /// Name for people: the declared one, else a published one, else the alias of its interface, else the name of its
        /// interface.
        package var name: String { declared?.name ?? published.first?.name ?? observed?.name ?? "" }
        /// Source of its name; nil: it was found.
        package var source: Source? { declared?.source ?? published.first?.source }
        /// The host's interface that it is, or that it is said to be.
        package var interface: String? { observed?.interfaceName ?? definition?.interface }
        /// The declared ones; where there are none, the published ones, else those that the kernel shows.
        package var subnets: [Subnet] { definition?.subnets.nonEmpty ?? observed?.subnets ?? [] }
        /// Addresses of the host on it: the declared ones, else those that the kernel shows. Containers reach it there.
        var hostAddresses: [IPAddress] { definition?.host ?? observed?.hostAddresses ?? [] }
        /// True when questions of its containers are never forwarded because of it.
        package var isInternal: Bool { definition?.isInternal ?? false }

        /// True when guests are answered at the host's addresses on it.
        var hasGatewayListener: Bool { !isGone && definition?.hasGatewayListener == true }

        /// True when nothing is left that makes it known.
        var isGone: Bool { declared == nil && published.isEmpty && observed == nil }
        /// All names that it can be called by: its own, and its interface's.
        var callNames: [Name] {
            let interface = interface.flatMap { try? Registry.networkName($0) }
            return names + (interface.map { names.contains($0) ? [] : [$0] } ?? [])
        }
        /// Interfaces that it claims.
        var claims: [InterfaceClaim] {
            ([declared].compactMap(\.self) + published).compactMap { definition in
                (try? Registry.networkName(definition.name)).map { definition.claim(named: $0) }
            }
        }
    }
}

/// Claim of a declared network to an interface.
enum InterfaceClaim: Hashable, Sendable {
    /// The one of this name: the network was declared so.
    case interface(String)
    /// The one whose network is called so, as the declared network is.
    case network(Name)
}

extension NetworkDefinition {
    /// - Parameter name: the network's name.
    func claim(named name: Name) -> InterfaceClaim { interface.map { .interface($0) } ?? .network(name) }
}

extension ObservedNetwork {
    /// Name of the network if nobody declares it.
    package var name: String { alias?.nonEmpty ?? interfaceName }

    /// Claims that fit; the claim by the interface's name comes first.
    var claims: [InterfaceClaim] {
        [.interface(interfaceName)] + [try? Registry.networkName(name)].compactMap { $0.map { .network($0) } }
    }
}

extension Collection {
    /// The same; nil where there is nothing in it.
    var nonEmpty: Self? { isEmpty ? nil : self }
}
