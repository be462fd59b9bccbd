// Warnings for people: names that do not resolve, names and addresses that several containers have, missing networks.

import DNSWire

extension Registry {
    /// A sentence for each, what and what to do. Costs time in proportion to the sentences, not to the registry.
    package var warnings: [String] {
        (networkWarnings.sorted() + containerWarnings.sorted() + addressWarnings.sorted()).map(DisplayText.escaped)
    }

    private var networkWarnings: [String] {
        var warnings: [String] = []
        for network in concerns.networks.compactMap({ networkStates[$0] }) {
            guard network.dnsName == nil else {
                warnings.append(
                    "network \(network.name) (\(Self.origin(network))): \(domain) is the domain behind all names, so some names mean two containers; give it another name"
                )
                continue
            }
            warnings.append(
                "network \(network.name) (interface \(network.interface ?? "")): this is no name of the DNS, so nothing is found under it; give the link another alias"
            )
        }
        for name in concerns.networkNames {
            let networks = (networksCalled[name] ?? []).compactMap { networkStates[$0] }.filter {
                $0.names.contains(name)
            }
            guard networks.count > 1, let first = networks.first else { continue }
            let which = networks.map(Self.origin).sorted().joined(separator: ", ")
            warnings.append(
                "\(networks.count) networks are called \(first.name) (\(which)): each is one of its own; give one another name, or declare it with --interface"
            )
        }
        return warnings
    }

    private static func origin(_ network: Network) -> String {
        guard let declared = network.declared else {
            guard let published = network.published.first else { return "interface \(network.interface ?? "")" }
            return "published by \(published.source.name)\(network.interface.map { " for interface \($0)" } ?? "")"
        }
        return "declared by \(declared.source.name)\(network.interface.map { " for interface \($0)" } ?? "")"
    }

    private var containerWarnings: [String] {
        var warnings: [String] = []
        for container in concerns.containers.compactMap({ containerStates[$0] }) {
            if container.lacksName {
                warnings.append(
                    "container \(container.name) (\(Self.origin(container))): this is no name of the DNS, or one with a meaning of its own, so it is not found by it; 'network connect' gives it an alias"
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
            for published in container.published {
                for endpoint in published.endpoints where network(of: endpoint, by: published.source) == nil {
                    warnings.append(
                        "container \(container.name) of source \(published.source.name) is on network \(endpoint.network), which is not there"
                    )
                }
            }
        }
        for name in concerns.containerNames {
            let containers = (containersCalled[name] ?? []).compactMap { containerStates[$0] }
            let which = containers.map(Self.origin).sorted().joined(separator: ", ")
            warnings.append(
                "\(containers.count) containers are called \(containers.first?.name ?? "") (\(which)): all of them answer to it; rename one, or exclude it in [discover] of the configuration"
            )
        }
        return warnings
    }

    private static func origin(_ container: Container) -> String {
        if let path = container.observed?.path { return path }
        guard container.declared == nil, let published = container.published.first else {
            return "declared by \(container.declared?.source.name ?? "")"
        }
        return "published by \(published.source.name)"
    }

    private var addressWarnings: [String] {
        concerns.addresses.compactMap { shared in
            guard let network = networkStates[shared.network] else { return nil }
            let claimants = claimants(of: shared.address, on: network).map(\.name)
            return
                "address \(shared.address) on network \(network.name) is claimed by several: \(claimants.joined(separator: ", ")); reverse lookups give \(claimants.first ?? "")"
        }
    }
}
