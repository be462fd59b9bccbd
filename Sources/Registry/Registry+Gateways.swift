// Networks whose gateways listen: where, for whom, and which container has which address there.

package import DNSWire

extension Registry {
    /// A network whose guests are answered at the host's addresses on it.
    package struct Gateway: Sendable, Equatable {
        /// The network.
        package let network: ScopeID
        /// Name of the network, for people.
        package let name: String
        /// View of sources that no container has: it has no names.
        package let stranger: ViewID
        /// The bridge or TAP that the network is; nil: the kernel does not show it.
        package let interface: InterfaceIndex?
        /// Its name.
        package let interfaceName: String?
        /// The host's addresses on it.
        package let addresses: [IPAddress]
        /// Blocks that sources on this network are in.
        package let subnets: [Subnet]
        /// Answers to sources that no container has.
        package let unknownSources: UnknownSources
    }

    /// All of them, by their names, if they may be others than at the last call.
    package mutating func takeGateways() -> [Gateway]? {
        guard haveGatewaysChanged else { return nil }
        haveGatewaysChanged = false
        return strangers.compactMap { scope, stranger in
            networkStates[scope].map { gateway(of: $0, stranger) }
        }.sorted { $0.name < $1.name }
    }

    private func gateway(of network: Network, _ stranger: ViewID) -> Gateway {
        Gateway(
            network: network.id, name: network.name, stranger: stranger, interface: network.observed?.interface,
            interfaceName: network.interface, addresses: network.observed?.hostAddresses ?? [],
            // The kernel says what is on the link; what is declared may be less.
            subnets: Array(Set(network.subnets + (network.observed?.subnets ?? []))),
            unknownSources: network.definition?.unknownSources ?? .forward)
    }

    // MARK: - Changes

    /// Notes what a change of a network means for its gateway.
    mutating func followGateway(_ new: Network, before old: Network) {
        guard old.hasGatewayListener || new.hasGatewayListener else { return }
        haveGatewaysChanged = true
        guard old.hasGatewayListener != new.hasGatewayListener else { return }
        if new.hasGatewayListener {
            strangers[new.id] = formerStrangers.removeValue(forKey: new.id) ?? ViewID(rawValue: containerNumbers.take())
        } else if let stranger = strangers.removeValue(forKey: new.id) {
            formerStrangers[new.id] = stranger
        }
        // The directories learn, or forget, who has which address.
        touchPointers(of: old)
        touchPointers(of: new)
    }

    // MARK: - Compiling

    /// Compiled changes of gateways since the last call, for ``takeChanges()``.
    mutating func takeGatewayChanges() -> [DirectoryChange] {
        guard !strangers.isEmpty || !formerStrangers.isEmpty else { return [] }
        var changes: [DirectoryChange] = []
        for key in changedRecords where key.kind == .reverse {
            guard strangers[key.scope] != nil || formerStrangers[key.scope] != nil,
                let address = Self.address(ofReverseName: key.name)
            else { continue }
            changes.append(.source(key.scope, address, holder(of: address, on: key.scope)?.view))
        }
        for (scope, stranger) in strangers where changedScopes.contains(scope) {
            changes.append(.view(stranger, strangerView(on: scope)))
        }
        for stranger in formerStrangers.values {
            changes.append(.view(stranger, nil))
            containerNumbers.give(back: stranger.rawValue)
        }
        formerStrangers = [:]
        return changes
    }

    /// The container that a source on a network is: of several one that is declared with the address, as for its PTR record.
    private func holder(of address: IPAddress, on scope: ScopeID) -> ContainerID? {
        guard strangers[scope] != nil, let network = networkStates[scope] else { return nil }
        return claimants(of: address, on: network).first?.id
    }

    /// No networks and no links, so no names: upstreams alone, where the network may forward, under the network's policy.
    private func strangerView(on scope: ScopeID) -> View? {
        guard let network = networkStates[scope] else { return nil }
        let hasOwn = network.definition?.upstreams.isEmpty == false
        return View(
            links: nil, networks: [], upstreams: network.isInternal ? nil : network.groups[.root] ?? .default,
            followsHost: !network.isInternal && !hasOwn,
            policy: (network.definition?.policy ?? policies.ofAll).flatMap { policies.number(of: $0) }, isStranger: true
        )
    }
}
