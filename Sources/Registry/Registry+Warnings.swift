// Warnings for people: names that do not resolve, names and addresses that several containers have, missing networks.

import DNSWire

extension Registry {
    /// A sentence for each, what and what to do. Costs time in proportion to the registry: for who asks, not for changes.
    package var warnings: [String] {
        (networkWarnings.sorted() + containerWarnings.sorted() + addressWarnings.sorted()).map(DisplayText.escaped)
    }

    private var networkWarnings: [String] {
        var warnings: [String] = []
        for network in networkStates.values where network.dnsName == nil {
            warnings.append(
                "network \(network.name) (interface \(network.interface ?? "")): this is no name of the DNS, so nothing is found under it; give the link another alias"
            )
        }
        for (name, scopes) in networksCalled {
            let networks = scopes.compactMap { networkStates[$0] }.filter { $0.dnsName == name }
            guard networks.count > 1, let first = networks.first else { continue }
            let which = networks.map(Self.origin).sorted().joined(separator: ", ")
            warnings.append(
                "\(networks.count) networks are called \(first.name) (\(which)): each is one of its own; give one another name, or declare it with --interface"
            )
        }
        return warnings
    }

    private static func origin(_ network: Network) -> String {
        guard let declared = network.declared else { return "interface \(network.interface ?? "")" }
        return "declared by \(declared.source.rawValue)\(network.interface.map { " for interface \($0)" } ?? "")"
    }

    private var containerWarnings: [String] {
        var warnings: [String] = []
        for container in containerStates.values {
            if container.dnsName == nil {
                warnings.append(
                    "container \(container.name) (\(container.observed?.path ?? "")): this is no name of the DNS, or one with a meaning of its own, so it is not found by it; 'network connect' gives it an alias"
                )
            }
            if container.leftOut > 0 {
                warnings.append(
                    "container \(container.name): \(container.leftOut) of its links and addresses are left out; at most \(Limits.observedLinks) links and \(Limits.addresses) addresses are taken in"
                )
            }
            for endpoint in container.declaredEndpoints where network(of: endpoint) == nil {
                warnings.append(
                    "container \(container.name) is declared on network \(endpoint.network), which is not there")
            }
        }
        for case (_, let ids) in containersCalled where ids.count > 1 {
            let containers = ids.compactMap { containerStates[$0] }
            let which = containers.map(Self.origin).sorted().joined(separator: ", ")
            warnings.append(
                "\(containers.count) containers are called \(containers.first?.name ?? "") (\(which)): all of them answer to it; rename one, or exclude it in [discover] of the configuration"
            )
        }
        return warnings
    }

    private static func origin(_ container: Container) -> String {
        container.observed?.path ?? "declared by \(container.declared?.source.rawValue ?? "")"
    }

    private var addressWarnings: [String] {
        networkStates.values.flatMap { network in
            network.owners.filter { $0.value.count > 1 }.map { address, _ in
                let claimants = claimants(of: address, on: network).map(\.name)
                return
                    "address \(address) on network \(network.name) is claimed by several: \(claimants.joined(separator: ", ")); reverse lookups give \(claimants.first ?? "")"
            }
        }
    }
}
