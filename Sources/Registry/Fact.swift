// Facts: each thing that is known of a network or a container, with its source, and whether it is in force.

import DNSWire

/// Origin of a fact.
package enum Origin: Sendable, Equatable {
    /// Somebody said so.
    case declared(Source)
    /// The kernel shows it, at this link; nil: at the namespace itself.
    case observed(link: String?)
}

extension Registry {
    /// Something that is declared or observed.
    package struct Fact: Sendable, Equatable {
        /// Kind of fact, in the words of the control interface.
        package enum Kind: String, Sendable {
            /// Of a container. A network may have a name as well.
            case name, netns, hostname, id, network, address, alias, link, host, port, draining
            /// Of a network; a container may have upstreams of its own, too.
            case interface, subnet, `internal`, upstream, route, search, ttl
            /// Of a network that answers guests at the host's addresses.
            case gatewayListener = "gateway listener"
        }

        /// Kind of fact.
        package var kind: Kind
        /// As people write it.
        package var value: String
        /// The network that it is about, where that is not plain.
        package var network: String?
        /// Origin of the fact.
        package var origin: Origin
        /// False: something else has more weight, or what it is about is not there.
        package var isInForce = true
    }
}

extension Registry {
    /// All that is known of a network, what is declared first.
    package func facts(of network: Network) -> [Fact] {
        var facts: [Fact] = []
        func add(_ kind: Fact.Kind, _ values: [String], _ origin: Origin, isInForce: Bool = true) {
            facts += values.map { Fact(kind: kind, value: $0, origin: origin, isInForce: isInForce) }
        }
        let inForce = network.definition
        for declared in [network.declared].compactMap(\.self) + network.published {
            let origin = Origin.declared(declared.source)
            add(.name, [declared.name], origin)
            add(
                .interface, [declared.interface].compactMap { $0 }, origin,
                isInForce: network.observed != nil && inForce?.interface == declared.interface)
            add(
                .subnet, declared.subnets.map(\.description), origin, isInForce: inForce?.subnets == declared.subnets)
            add(.internal, declared.isInternal ? ["yes"] : [], origin, isInForce: network.isInternal)
            add(
                .upstream, declared.upstreams.map(\.description), origin,
                isInForce: inForce?.upstreams == declared.upstreams)
            add(.route, declared.routes.map(\.domain.description), origin)
            add(.search, declared.search.map(\.description), origin, isInForce: inForce?.search == declared.search)
            add(
                .gatewayListener, declared.hasGatewayListener ? ["yes"] : [], origin,
                isInForce: inForce?.hasGatewayListener == true)
            add(.ttl, [declared.ttl].compactMap { $0?.description }, origin)
        }
        if let observed = network.observed {
            let origin = Origin.observed(link: observed.interfaceName)
            add(.name, [observed.name], origin, isInForce: network.source == nil)
            add(.interface, [observed.interfaceName], origin)
            add(
                .subnet, observed.subnets.map(\.description), origin,
                isInForce: inForce?.subnets.isEmpty ?? true)
        }
        return facts
    }

    /// All that is known of a container, what is declared first.
    package func facts(of container: Container) -> [Fact] {
        var facts: [Fact] = []
        for declared in container.definitions {
            let origin = Origin.declared(declared.source)
            facts.append(Fact(kind: .name, value: declared.name, origin: origin))
            let values: [(Fact.Kind, [String])] = [
                (.hostname, [declared.hostname].compactMap { $0 }), (.id, [declared.id].compactMap { $0 }),
                (.link, declared.links.map { "\($0.container):\($0.name)" }),
                (.host, declared.extraHosts.map(\.description)),
                (.port, declared.ports.map(\.description)), (.upstream, declared.upstreams.map(\.description)),
                (.draining, declared.isDraining ? ["yes"] : []),
            ]
            for (kind, values) in values { facts += values.map { Fact(kind: kind, value: $0, origin: origin) } }
            for endpoint in declared.endpoints { facts += self.facts(of: endpoint, origin, container) }
        }
        for endpoint in container.connections { facts += self.facts(of: endpoint, .declared(.control), container) }
        if container.isDrained { facts.append(Fact(kind: .draining, value: "yes", origin: .declared(.control))) }
        if let observed = container.observed {
            let origin = Origin.observed(link: nil)
            facts.append(
                Fact(
                    kind: .name, value: observed.name, origin: origin,
                    isInForce: container.source == nil && observed.isNamed))
            facts.append(Fact(kind: .netns, value: observed.path, origin: origin))
            for endpoint in observed.endpoints { facts += self.facts(of: endpoint, container) }
        }
        return facts
    }

    private func facts(of endpoint: EndpointDefinition, _ origin: Origin, _ container: Container) -> [Fact] {
        let scope: ScopeID? =
            if case .declared(let source) = origin { network(of: endpoint, by: source) } else { network(of: endpoint) }
        let network = scope.flatMap { networkStates[$0] }
        let name = network?.name ?? endpoint.network
        let inForce = scope.flatMap { container.endpoint(on: $0) }
        return [Fact(kind: .network, value: name, origin: origin, isInForce: inForce != nil)]
            + endpoint.addresses.map {
                let isInForce = inForce?.addresses.contains($0) ?? false
                return Fact(kind: .address, value: "\($0)", network: name, origin: origin, isInForce: isInForce)
            }
            + endpoint.aliases.map {
                Fact(kind: .alias, value: $0, network: name, origin: origin, isInForce: inForce != nil)
            }
    }

    private func facts(of link: ObservedEndpoint, _ container: Container) -> [Fact] {
        // A network that was not observed has no name yet.
        guard let network = networkOfInterface[link.network].flatMap({ networkStates[$0] }) else { return [] }
        let origin = Origin.observed(link: link.link)
        let endpoint = container.endpoint(on: network.id)
        return [Fact(kind: .network, value: network.name, origin: origin, isInForce: endpoint != nil)]
            + link.addresses.map {
                Fact(
                    kind: .address, value: "\($0)", network: network.name, origin: origin,
                    isInForce: endpoint?.addresses.contains($0) ?? false)
            }
    }
}

extension PortDefinition: CustomStringConvertible {
    package var description: String { "\(number)/\(transport.rawValue)\(service.map { "=\($0)" } ?? "")" }
}

extension ExtraHostDefinition: CustomStringConvertible {
    /// As Docker writes it, `db.example=10.0.0.9`, or `name=host-gateway`.
    package var description: String { "\(name)=\(address?.description ?? "host-gateway")" }
}
