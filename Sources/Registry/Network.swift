// A network as it is in force: what is declared of it, what the kernel shows of it, and who is on it.

import DNSWire
import OrderedCollections

extension Registry {
    /// A network: declared, observed, or both.
    package struct Network: Sendable {
        /// Its number, as long as it is there.
        package let id: ScopeID
        /// What is declared of it; nil: nothing.
        package internal(set) var declared: NetworkDefinition?
        /// What the kernel shows of its link; nil: nothing.
        package internal(set) var observed: ObservedNetwork?
        /// What it is called as a name of the DNS; nil where ``name`` cannot be one: it stands behind no container's name.
        var dnsName: Name?
        /// In the order in which they came.
        var members: OrderedSet<ContainerID> = []
        /// How many containers are on it.
        package var memberCount: Int { members.count }
        /// The containers that have an address, in the order in which they claimed it. An observed one may have several.
        var owners: [IPAddress: [ContainerID]] = [:]
        /// Where its questions go: the group of each route's domain, and under the root that of its own upstreams.
        var groups: [Name: UpstreamGroupID] = [:]

        init(id: ScopeID) {
            self.id = id
        }

        /// What people call it: as declared, else its link's alias, else that link's name.
        package var name: String { declared?.name ?? observed?.name ?? "" }
        /// The host's interface that it is, or that it is declared to be.
        package var interface: String? { observed?.interfaceName ?? declared?.interface }
        /// The declared ones; where there are none, those that the kernel shows.
        package var subnets: [Subnet] { declared?.subnets.nonEmpty ?? observed?.subnets ?? [] }
        /// Whether questions from here are never forwarded.
        package var isInternal: Bool { declared?.isInternal ?? false }

        /// Whether it has nothing left to be there for.
        var isGone: Bool { declared == nil && observed == nil }
        /// All names that it can be called by: its own, and its interface's.
        var callNames: [Name] {
            let interface = interface.flatMap { try? Registry.networkName($0) }
            return [dnsName, interface == dnsName ? nil : interface].compactMap { $0 }
        }
    }
}

/// Which interface a declared network takes for its own.
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
    /// What a network is called that nobody declared.
    package var name: String { alias?.nonEmpty ?? interfaceName }

    /// What it may be claimed by; that by the interface's name comes first.
    var claims: [InterfaceClaim] {
        [.interface(interfaceName)] + [try? Registry.networkName(name)].compactMap { $0.map { .network($0) } }
    }
}

extension Collection {
    /// The same; nil where there is nothing in it.
    var nonEmpty: Self? { isEmpty ? nil : self }
}
