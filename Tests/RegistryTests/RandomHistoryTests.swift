// Random histories of declaring and hearing: the registry, changed step by step, against one that is worked out anew.

import DNSWire
import Testing

@testable import Registry

@Suite("A random history")
struct RandomHistoryTests {
    @Test("leaves what working it all out anew would give, after every step", arguments: 1...6)
    func history(seed: UInt64) throws {
        var random = Random(state: seed)
        var town = try Town()
        var plain = PlainRegistry()
        var accepted = 0
        var tally = Tally()
        town.registry.isWatched = true
        for step in 0..<120 {
            let change = Change.any(&random)
            guard try change.apply(to: &town) else { continue }
            accepted += 1
            change.apply(to: &plain)
            try compare(&town, plain, "seed \(seed), step \(step): \(change)")
            tally.take(town.registry.takeEvents())
            #expect(tally == Tally(of: town.registry), "a watcher knows as much")
            #expect(town.registry.concerns == Concerns(of: town.registry), "seed \(seed), step \(step): \(change)")
        }
        #expect(accepted > 60, "most changes are possible")
        for cookie in PlainRegistry.cookies { town.namespaceGone(cookie) }
        for container in town.registry.containers { try town.registry.removeContainer(container.id) }
        for index in PlainRegistry.indexes { town.bridgeGone(index) }
        for network in town.registry.networks { try town.registry.removeNetwork(named: network.name) }
        town.settle()
        #expect(town.registry.isEmpty, "nothing is left behind")
        #expect(town.directory.index.count == 0)
        var marks = NameMarks()
        marks.countEnds(of: town.directory.domain.dropLast(), 1)
        #expect(town.directory.index.marksAbove == marks, "those of the domain stay")
    }

    private func compare(_ town: inout Town, _ plain: PlainRegistry, _ comment: Comment) throws {
        #expect(town.registry.containerCount == plain.containers.count, comment)
        #expect(town.registry.networkCount == plain.networks.count, comment)
        let containers = town.registry.containers
        for container in plain.containers {
            let real = try #require(
                containers.first {
                    container.cookie == nil
                        ? $0.declared?.name == container.declared?.name : $0.cookie?.rawValue == container.cookie
                }, comment)
            for name in PlainRegistry.questions {
                try compareNamesBeneath(&town, name, real.id.view, comment)
                let answer = try town.ask(real.id.view, name)
                #expect(answer?.sorted() == plain.answer(container, name), "\(comment): \(real.name) asks \(name)")
                let holders = town.registry.holders(of: try Name(name), seenBy: real)
                let network = holders.first?.network.flatMap { town.registry[$0]?.name }
                #expect(try network == town.source(real.id.view, name), "\(comment): \(real.name) asks \(name)")
            }
            for address in PlainRegistry.addresses {
                let answer = try town.ask(real.id.view, "\(address.reverseName)", .ptr)?.first
                let expected = plain.pointers(container, address)
                #expect(
                    answer.map { expected.contains($0) } ?? expected.isEmpty,
                    "\(comment): \(real.name) asks \(address): \(expected)")
            }
        }
    }

    /// The quick look at marks must hide no name that has others beneath it.
    private func compareNamesBeneath(_ town: inout Town, _ text: String, _ view: ViewID, _ comment: Comment) throws {
        var labels = text.split(separator: ".")
        while !labels.isEmpty {
            var name = FoldedName()
            name.set(try Name(labels.joined(separator: ".")))
            let slow = town.directory.isAboveNames(name, view: view)
            let quick = town.directory.hasNamesBeneath(name, view: view)
            #expect(quick == slow, "\(comment): names beneath \(labels)")
            labels.removeFirst()
        }
    }
}

extension Registry {
    /// True when no table has an entry.
    fileprivate var isEmpty: Bool {
        networkStates.isEmpty && containerStates.isEmpty && networksCalled.isEmpty && observedNetworks.isEmpty
            && networkOfInterface.isEmpty && interfacesCalled.isEmpty && claims.isEmpty
            && containersCalled.isEmpty && containerOfCookie.isEmpty && referrers.isEmpty && shares.isEmpty
            && containerOfScope.isEmpty && linkNames.isEmpty && linkedBy.isEmpty && concerns == Concerns()
    }
}

extension Concerns {
    /// Works them out anew, from all that is known.
    fileprivate init(of registry: Registry) {
        self.init()
        networks = Set(registry.networkStates.values.filter { $0.dnsName == nil }.map(\.id))
        networkNames = Set(registry.networksCalled.filter { $0.value.count > 1 }.keys)
        containers = Set(
            registry.containerStates.values.filter { container in
                container.dnsName == nil || container.leftOut > 0
                    || container.declaredEndpoints.contains { registry.network(of: $0) == nil }
            }.map(\.id))
        containerNames = Set(registry.containersCalled.filter { $0.value.count > 1 }.keys)
        for network in registry.networkStates.values {
            for (address, owners) in network.owners where owners.count > 1 {
                addresses.insert(SharedAddress(network: network.id, address: address))
            }
        }
    }
}

/// Number of entries in each table.
private struct Tally: Equatable {
    var networks = 0
    var containers = 0
    var endpoints = 0

    init() {}

    init(of registry: Registry) {
        networks = registry.networkCount
        containers = registry.containerCount
        endpoints = registry.containers.reduce(0) { $0 + $1.endpoints.count }
    }

    mutating func take(_ events: [Registry.Event]) {
        for event in events {
            let difference =
                switch event.action {
                case .added: 1
                case .changed: 0
                case .removed: -1
                }
            switch event.subject {
            case .network: networks += difference
            case .container: containers += difference
            case .endpoint: endpoints += difference
            case .host, .remote: break
            }
        }
    }
}
