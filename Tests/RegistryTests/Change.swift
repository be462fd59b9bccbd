// The steps of a history: each is taken by the registry and by the plain one.

import DNSWire

@testable import Registry

/// A step of a history.
enum Change {
    case declareNetwork(String, interface: String?), updateNetwork(String, interface: String?), removeNetwork(String)
    case observeNetwork(UInt32, String, alias: String?), forgetNetwork(UInt32)
    case declareContainer(String, cookie: UInt64?, [EndpointDefinition]), removeContainer(String)
    case observeContainer(UInt64, String, [ObservedEndpoint]), forgetContainer(UInt64)
    case connect(String, EndpointDefinition), disconnect(String, network: String), drain(String, Bool)

    static func any(_ random: inout some Choices) -> Change {
        let network = random.pick(PlainRegistry.networkNames)
        let interface = random.pick(PlainRegistry.interfaces)
        let container = random.pick(PlainRegistry.names)
        let cookie = random.pick(PlainRegistry.cookies)
        let index = random.pick(PlainRegistry.indexes)
        switch random.below(16) {
        case 0: return .declareNetwork(network, interface: random.pick([nil, interface]))
        case 1: return .updateNetwork(network, interface: random.pick([nil, interface]))
        case 2: return .removeNetwork(network)
        case 3, 4: return .observeNetwork(index, interface, alias: random.pick([nil, network]))
        case 5: return .forgetNetwork(index)
        case 6: return .declareContainer(container, cookie: random.pick([nil, cookie]), endpoints(&random))
        case 7: return .removeContainer(container)
        case 8, 9, 10:
            let links = (0..<random.below(4)).map { number in
                ObservedEndpoint(
                    network: InterfaceIndex(rawValue: random.pick(PlainRegistry.indexes)), link: "eth\(number)",
                    addresses: (0..<random.below(3)).map { _ in random.pick(PlainRegistry.addresses) })
            }
            return .observeContainer(cookie, "/run/\(random.below(2))/\(container)", links)
        case 11: return .forgetContainer(cookie)
        case 12: return .connect(container, endpoints(&random).first ?? EndpointDefinition(network: network))
        case 13: return .disconnect(container, network: random.pick([network, interface]))
        default: return .drain(container, random.below(2) == 0)
        }
    }

    private static func endpoints(_ random: inout some Choices) -> [EndpointDefinition] {
        (0..<random.below(3)).map { _ in
            EndpointDefinition(
                network: random.pick(PlainRegistry.networkNames + PlainRegistry.interfaces),
                addresses: (0..<random.below(2)).map { _ in random.pick(PlainRegistry.addresses) },
                aliases: random.pick([[], ["alias"], ["other", "alias"]]))
        }
    }

    /// - Returns: false where the registry refuses it.
    func apply(to town: inout Town) throws -> Bool {
        do throws(RegistryError) {
            switch self {
            case .declareNetwork(let name, let interface):
                try town.registry.createNetwork(definition(name, interface))
            case .updateNetwork(let name, let interface):
                try town.registry.updateNetwork(definition(name, interface))
            case .removeNetwork(let name): try town.registry.removeNetwork(named: name)
            case .observeNetwork(let index, let name, let alias): town.bridge(index, name, alias: alias)
            case .forgetNetwork(let index): town.bridgeGone(index)
            case .declareContainer(let name, let cookie, let endpoints):
                var definition = ContainerDefinition(name: name, source: .control)
                definition.endpoints = endpoints
                definition.namesItsNetworks = !endpoints.isEmpty
                try town.registry.addContainer(definition, cookie: cookie.map { NamespaceCookie(rawValue: $0) })
            case .removeContainer(let name):
                try town.registry.removeContainer(town.registry.container(named: name).id)
            case .observeContainer(let cookie, let path, let links):
                town.registry.observe(
                    ObservedContainer(
                        cookie: NamespaceCookie(rawValue: cookie), name: String(path.dropFirst(7)), path: path,
                        endpoints: links))
            case .forgetContainer(let cookie): town.namespaceGone(cookie)
            case .connect(let name, let endpoint): try town.registry.connect(container: name, endpoint)
            case .disconnect(let name, let network):
                try town.registry.disconnect(container: name, network: network)
            case .drain(let name, let isDraining): try town.registry.setDraining(isDraining, container: name)
            }
            town.settle()
            return true
        } catch {
            return false
        }
    }

    private func definition(_ name: String, _ interface: String?) -> NetworkDefinition {
        var definition = NetworkDefinition(name: name, source: .control)
        definition.interface = interface
        return definition
    }

    /// Applies a change that the registry accepted, without checks.
    func apply(to plain: inout PlainRegistry) {
        switch self {
        case .declareNetwork(let name, let interface), .updateNetwork(let name, let interface):
            plain.declaredNetworks[name] = .some(interface)
        case .removeNetwork(let name): plain.declaredNetworks[name] = nil
        case .observeNetwork(let index, let name, let alias):
            plain.observedNetworks[index] = PlainRegistry.Link(name: name, alias: alias)
        case .forgetNetwork(let index):
            plain.observedNetworks[index] = nil
            for position in plain.containers.indices { plain.containers[position].disconnected.remove(index) }
        case .declareContainer(let name, let cookie, let endpoints):
            plain.change(cookie) { ($0.declared, $0.isExact) = ((name, endpoints), !endpoints.isEmpty) }
        case .removeContainer(let name):
            plain.change(named: name) { ($0.declared, $0.isExact, $0.connections) = (nil, false, []) }
        case .observeContainer(let cookie, let path, let links): plain.change(cookie) { $0.observed = (path, links) }
        case .forgetContainer(let cookie):
            if plain.containers.contains(where: { $0.cookie == cookie }) {
                plain.change(cookie) { ($0.observed, $0.disconnected) = (nil, []) }
            }
        case .connect(let name, let endpoint):
            guard let network = plain.network(called: endpoint.network) else { return }
            let before = plain
            plain.change(named: name) { container in
                let present = before.endpoints(of: container).first { $0.network.key == network.key }
                let declared = ((container.declared?.endpoints ?? []) + container.connections).filter {
                    before.network(called: $0.network)?.key == network.key
                }
                var new = endpoint
                new.addresses.removeAll { address in declared.contains { $0.addresses.contains(address) } }
                new.aliases.removeAll { alias in declared.contains { $0.aliases.contains(alias) } }
                let isBare = new.addresses.isEmpty && new.aliases.isEmpty
                if isBare, present != nil { return }
                let returns = network.index.flatMap { container.disconnected.remove($0) } != nil
                if !returns || !isBare { container.connections.append(new) }
            }
        case .disconnect(let name, let text):
            guard let network = plain.network(called: text) else { return }
            let before = plain
            plain.change(named: name) { container in
                container.declared?.endpoints.removeAll { before.network(called: $0.network)?.key == network.key }
                container.connections.removeAll { before.network(called: $0.network)?.key == network.key }
                let links = container.observed?.links ?? []
                for link in links where !container.isExact && link.network.rawValue == network.index {
                    container.disconnected.insert(link.network.rawValue)
                }
            }
        case .drain(let name, let isDraining): plain.change(named: name) { $0.isDraining = isDraining }
        }
    }
}
