// Warnings for people: names that do not resolve, names and addresses that several containers have, missing networks.

import DNSWire

extension Registry {
    /// Something that an operator should look at.
    package struct Warning: Sendable, Equatable {
        /// Class of a warning.
        package enum Kind: Sendable, Equatable {
            /// A name that the DNS cannot have, or that means something else.
            case badName
            /// Several networks, containers, or containers with one address.
            case duplicateNetwork, duplicateContainer, duplicateAddress
            /// A network that somebody names and nobody knows.
            case missingNetwork
            /// A policy that containers name and nobody has declared.
            case missingPolicy
            /// More links or addresses than are taken in.
            case limit
        }

        /// Its class.
        package let kind: Kind
        /// Sentence without a full stop.
        package let text: String
        /// Remedy; nil: only the operator can tell.
        package let cure: String?

        fileprivate init(_ kind: Kind, _ text: String, cure: String? = nil) {
            self.kind = kind
            self.text = text
            self.cure = cure
        }

        /// Sentence with its remedy.
        fileprivate var sentence: String { cure.map { "\(text); \($0)" } ?? text }
    }

    /// A sentence for each, what and what to do. Costs time in proportion to the sentences, not to the registry.
    package var warnings: [String] { allWarnings.map { DisplayText.escaped($0.sentence) } }

    /// The same as values, in the same order.
    package var allWarnings: [Warning] {
        [networkWarnings, containerWarnings, addressWarnings, policyWarnings].flatMap {
            $0.sorted { $0.sentence < $1.sentence }
        }
    }

    /// A sentence for each policy that nobody has declared.
    private var policyWarnings: [Warning] {
        policies.undeclared.map { name, users in
            let names = users.compactMap { containerStates[$0]?.name }.sorted()
            let others = names.count > 1 ? " and \(names.count - 1) more" : ""
            return Warning(
                .missingPolicy,
                "nobody has declared policy \(name) of container \(names.first ?? "")\(others): all questions are denied",
                cure: "intercomctl policy set '\(DisplayText.escaped(name))'")
        }
    }

    private var networkWarnings: [Warning] {
        var warnings: [Warning] = []
        for network in concerns.networks.compactMap({ networkStates[$0] }) {
            guard network.dnsName == nil else {
                warnings.append(
                    Warning(
                        .badName,
                        "network \(network.name) (\(Self.origin(network))): \(domain) is the domain behind all names, so some names mean two containers",
                        cure: "give it another name"))
                continue
            }
            warnings.append(
                Warning(
                    .badName,
                    "network \(network.name) (interface \(network.interface ?? "")): this is no name of the DNS, so nothing is found under it",
                    cure: "give the link another alias"))
        }
        for name in concerns.networkNames {
            let networks = (networksCalled[name] ?? []).compactMap { networkStates[$0] }.filter {
                $0.names.contains(name)
            }
            guard networks.count > 1, let first = networks.first else { continue }
            let which = networks.map(Self.origin).sorted().joined(separator: ", ")
            warnings.append(
                Warning(
                    .duplicateNetwork,
                    "\(networks.count) networks are called \(first.name) (\(which)): each is one of its own",
                    cure: "give one another name, or declare it with --interface"))
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

    private var containerWarnings: [Warning] {
        var warnings: [Warning] = []
        for container in concerns.containers.compactMap({ containerStates[$0] }) {
            if container.lacksName {
                warnings.append(
                    Warning(
                        .badName,
                        "container \(container.name) (\(Self.origin(container))): this is no name of the DNS, or one with a meaning of its own, so it is not found by it",
                        cure: "'network connect' gives it an alias"))
            }
            if container.leftOut > 0 {
                warnings.append(
                    Warning(
                        .limit,
                        "container \(container.name): \(container.leftOut) of its links and addresses are left out; at most \(Limits.observedLinks) links and \(Limits.addresses) addresses are taken in"
                    ))
            }
            for endpoint in container.declaredEndpoints where network(of: endpoint) == nil {
                warnings.append(
                    Warning(
                        .missingNetwork,
                        "container \(container.name) is declared on network \(endpoint.network), which is not there"))
            }
            for published in container.published {
                for endpoint in published.endpoints where network(of: endpoint, by: published.source) == nil {
                    warnings.append(
                        Warning(
                            .missingNetwork,
                            "container \(container.name) of source \(published.source.name) is on network \(endpoint.network), which is not there"
                        ))
                }
            }
        }
        for name in concerns.containerNames {
            let containers = (containersCalled[name] ?? []).compactMap { containerStates[$0] }
            let which = containers.map(Self.origin).sorted().joined(separator: ", ")
            warnings.append(
                Warning(
                    .duplicateContainer,
                    "\(containers.count) containers are called \(containers.first?.name ?? "") (\(which)): all of them answer to it",
                    cure: "rename one, or exclude it in [discover] of the configuration"))
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

    private var addressWarnings: [Warning] {
        concerns.addresses.compactMap { shared in
            guard let network = networkStates[shared.network] else { return nil }
            let claimants = claimants(of: shared.address, on: network).map(\.name)
            return Warning(
                .duplicateAddress,
                "address \(shared.address) on network \(network.name) is claimed by several: \(claimants.joined(separator: ", ")); reverse lookups give \(claimants.first ?? "")"
            )
        }
    }
}
