// Networks, containers and names that are not well, kept up with each change: the many that are well cost a client nothing.

import DNSWire

/// Networks, containers, names and addresses that ``Registry/warnings`` has a sentence about.
struct Concerns: Sendable, Equatable {
    /// An address that several containers on one network have.
    struct SharedAddress: Hashable, Sendable {
        let network: ScopeID
        let address: IPAddress
    }

    /// Networks without a name of the DNS, or with one that is under the domain.
    var networks: Set<ScopeID> = []
    /// Names that may mean more than one network.
    var networkNames: Set<Name> = []
    /// Containers without a name of the DNS, with too many links or addresses, or on networks that are not there.
    var containers: Set<ContainerID> = []
    /// Names that several containers have.
    var containerNames: Set<Name> = []
    var addresses: Set<SharedAddress> = []
}

extension Registry {
    /// Finds out anew what is to be said of a network.
    mutating func checkConcerns(of network: Network) {
        concerns.networks.set(network.id, !network.isGone && network.dnsName.map { $0.isSubdomain(of: domain) } ?? true)
    }

    /// Finds out anew whether several networks may be meant by a name.
    mutating func checkNetworks(called name: Name) {
        concerns.networkNames.set(name, (networksCalled[name]?.count ?? 0) > 1)
    }

    /// Finds out anew what is to be said of a container.
    mutating func checkConcerns(of container: Container) {
        let isConcern =
            !container.isGone
            && (container.lacksName || container.leftOut > 0
                || container.declaredEndpoints.contains { network(of: $0) == nil }
                || container.published.contains { published in
                    published.endpoints.contains { network(of: $0, by: published.source) == nil }
                })
        concerns.containers.set(container.id, isConcern)
    }

    /// Finds out anew whether several containers have a name.
    mutating func checkContainers(called name: Name) {
        concerns.containerNames.set(name, (containersCalled[name]?.count ?? 0) > 1)
    }

    /// Finds out anew whether several containers have an address.
    mutating func checkOwners(of address: IPAddress, on network: ScopeID) {
        let count = networkStates[network]?.owners[address]?.count ?? 0
        concerns.addresses.set(Concerns.SharedAddress(network: network, address: address), count > 1)
    }
}

extension Set {
    /// Has an element in the set, or not.
    fileprivate mutating func set(_ element: Element, _ isMember: Bool) {
        if isMember { insert(element) } else { remove(element) }
    }
}
