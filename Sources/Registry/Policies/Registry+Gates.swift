// Gates of policies: which addresses a container may reach beside those that it was told.

package import DNSWire

/// The part of a gate that does not depend on what a container asks for.
package struct GateTerms: Sendable, Equatable {
    /// Subnets of its networks, in which everything but the host is reached.
    package var networks: [Subnet] = []
    /// Blocks of its policy.
    package var blocks: [Subnet] = []
    /// Its own addresses on its networks, without those that another container there has, too.
    package var sources: [IPAddress] = []

    package init() {}
}

/// The rule for the packets of a container.
package enum GateWish: Sendable, Equatable {
    /// They go where they like.
    case open
    /// Nobody has declared its policy: a gate that is there stays.
    case asItIs
    /// They go through a gate.
    case gated(GateTerms)
}

extension Registry {
    /// Containers whose gates may be others since the last call.
    package mutating func takeGateChanges() -> Set<ContainerID> {
        defer { changedGates.removeAll() }
        return changedGates
    }

    /// The rule for the packets of a container.
    package func gate(of id: ContainerID) -> GateWish {
        guard let container = containerStates[id], let name = container.policy else { return .open }
        guard let policy = policies.definition(of: name) else { return .asItIs }
        guard policy.isGate else { return .open }
        var terms = GateTerms()
        terms.blocks = policy.blocks
        let networks = container.endpoints.compactMap { networkStates[$0.network] }
        terms.networks = networks.flatMap(\.subnets)
        let observed = (container.observed?.endpoints ?? []).flatMap(\.addresses)
        for address in container.endpoints.flatMap(\.addresses) + observed where !terms.sources.contains(address) {
            let isOthers = networks.contains { $0.owners[address]?.contains { $0 != id } ?? false }
            if !isOthers, Self.isAtHome(address, networks) { terms.sources.append(address) }
        }
        return .gated(terms)
    }

    /// True for an address that a container on these networks can have: its root gives it any other, and would speak in the place of
    /// who has that. Where no subnet of the family is known, or of one network none, there is nothing to compare with.
    private static func isAtHome(_ address: IPAddress, _ networks: [Network]) -> Bool {
        if networks.contains(where: \.subnets.isEmpty) { return true }
        let alike = networks.flatMap(\.subnets).filter { subnet in
            switch (subnet.address, address) {
            case (.v4, .v4): true
            case (.v6(let block), .v6): !block.isLinkLocal
            default: false
            }
        }
        return alike.isEmpty || alike.contains { $0.contains(address) }
    }

    /// True when questions of a container are asked of upstreams from its own namespace, where its root can answer them.
    /// - Parameters:
    ///   - id: the container.
    ///   - byDefault: the namespace from which upstreams are asked where a network does not say.
    package func asksFromNamespace(_ id: ContainerID, byDefault: ForwardFrom) -> Bool {
        let networks = containerStates[id]?.endpoints.compactMap { networkStates[$0.network] } ?? []
        return networks.contains { !$0.isInternal && ($0.definition?.forwardFrom ?? byDefault) == .namespace }
    }

    /// A network has other subnets: gates of its containers let these pass.
    mutating func touchGates(of network: Network) {
        for member in network.members where containerStates[member]?.policy != nil { changedGates.insert(member) }
    }
}
