// The lives of containers and the registry together, driven by random steps, against a plain model of both.

import Attachment
import DNSWire
import Foundation
import IntercomServer
import Registry
import Synchronization

/// A history: the octets are the choices of what happens next.
func fuzzLife(_ octets: Span<UInt8>) {
    do {
        var choices = FuzzerChoices(octets)
        var world = World(
            observing: choices.below(2) == 0, defaultPort: choices.pick([.direct, .redirected, .automatic]))
        let names = try NamesOfContainers()
        world.registry = { effect, room in names.carryOut(effect, room) }
        var life = RandomLife(world, choosing: choices)
        while !life.choices.isEmpty {
            life.step()
            life.check()
            try names.compare(life.world)
            StepCounter.count()
        }
        life.finish()
        try names.compare(life.world)
    } catch {
        fatalError("\(error)")
    }
}

/// A registry, changed by the effects of the room Attachment as the daemon does it, and the directory that it feeds.
private final class NamesOfContainers {
    private var registry: Registry
    private var answers: Answers
    private var steps = 0

    private static let network = "net"
    private static let bridge = InterfaceIndex(rawValue: 1)

    init() throws {
        let domain = try Name("internal")
        registry = Registry(domain: domain, ttl: 5)
        answers = Answers(directory: Directory(domain: domain, seed: 42))
        registry.observe(ObservedNetwork(interface: Self.bridge, interfaceName: Self.network))
    }

    // MARK: - Effects

    func carryOut(_ effect: Effect, _ room: Attachments) -> Failure? {
        switch effect {
        case .enroll(let namespace, _, .found(let path)), .rename(let namespace, let path): observe(namespace, path)
        case .enroll(let namespace, _, .declared(let number)):
            return declare(namespace, room.declaration(number)?.name)
        case .strike(let namespace, .found): registry.forget(container: cookie(namespace))
        case .strike(let namespace, .declared):
            if let container = registry.container(of: cookie(namespace)) { try? registry.removeContainer(container.id) }
        default: break
        }
        return nil
    }

    /// True for namespaces whose links can be observed. Of the others a path is all that is known.
    private static func hasLinks(_ namespace: NamespaceKey) -> Bool { namespace.inode % 2 == 0 }

    private func observe(_ namespace: NamespaceKey, _ path: String) {
        guard Self.hasLinks(namespace) else {
            registry.observe(namespace: cookie(namespace), at: path)
            return
        }
        let endpoint = ObservedEndpoint(network: Self.bridge, link: "eth0", addresses: [address(namespace)])
        registry.observe(
            ObservedContainer(
                cookie: cookie(namespace), name: Self.name(ofPath: path), path: path, endpoints: [endpoint]))
    }

    private func declare(_ namespace: NamespaceKey, _ name: String?) -> Failure? {
        guard let name else { return nil }
        var definition = ContainerDefinition(name: name, source: .control)
        definition.endpoints = [EndpointDefinition(network: Self.network, addresses: [address(namespace)])]
        definition.namesItsNetworks = true
        do throws(RegistryError) {
            try registry.addContainer(definition, cookie: cookie(namespace))
            return nil
        } catch {
            return Failure(.forbidden, "\(error)")
        }
    }

    private func cookie(_ namespace: NamespaceKey) -> NamespaceCookie { NamespaceCookie(rawValue: namespace.inode + 1) }

    private func address(_ namespace: NamespaceKey) -> IPAddress {
        .v4(IPv4Address(bits: 0x0A00_000A + UInt32(truncatingIfNeeded: namespace.inode)))
    }

    private static func name(ofPath path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    // MARK: - The plain model

    /// A container as it should be: its name, and whether it has an address on the network.
    private struct PlainContainer: Equatable {
        var name: String
        var hasAddress: Bool
    }

    /// The containers, from the names that effects have given and taken: a declared name goes before that of a path.
    private func plainContainers(_ world: World) -> [NamespaceKey: PlainContainer] {
        var containers: [NamespaceKey: PlainContainer] = [:]
        for (namespace, identities) in world.names {
            for identity in identities {
                switch identity {
                case .declared(let number):
                    let name = world.room.declaration(number)?.name ?? ""
                    containers[namespace] = PlainContainer(name: name, hasAddress: true)
                case .found(let path):
                    if containers[namespace] != nil { continue }
                    containers[namespace] = PlainContainer(
                        name: Self.name(ofPath: path), hasAddress: Self.hasLinks(namespace))
                }
            }
        }
        return containers
    }

    /// Holds the registry and the directory against the model: every container, and one name asked by one of them.
    func compare(_ world: World) throws {
        for change in registry.takeChanges() { answers.directory.apply(change) }
        let plain = plainContainers(world)
        expect(registry.containerCount == plain.count, "there are \(registry.containerCount) containers, not \(plain)")
        for (namespace, container) in plain {
            let known = registry.container(of: cookie(namespace))?.name
            expect(known == container.name, "\(namespace) is \(known ?? "not there"), not \(container.name)")
        }
        steps += 1
        guard let asker = plain.filter(\.value.hasAddress).keys.min(by: { $0.inode < $1.inode }),
            let view = registry.container(of: cookie(asker))?.id.view
        else { return }
        let number = steps % (RandomLife<FuzzerChoices>.nameCount + RandomLife<FuzzerChoices>.pathCount)
        let text =
            number < RandomLife<FuzzerChoices>.nameCount
            ? "c\(number)" : "\(number - RandomLife<FuzzerChoices>.nameCount)"
        let found = try answers.addressCount(of: text, for: view)
        let expected = plain.values.count { $0 == PlainContainer(name: text, hasAddress: true) }
        expect(found == expected, "\(text) has \(found) addresses, not \(expected): \(plain)")
    }
}

/// The directory of a worker.
private struct Answers: ~Copyable {
    var directory: Directory

    /// Number of addresses that a name has for a view.
    mutating func addressCount(of text: String, for view: ViewID) throws -> Int {
        var name = FoldedName()
        name.set(try Name(text))
        guard let match = directory.find(name, from: 0, view: view) else { return 0 }
        return directory.records(match, .a).count
    }
}

/// The steps of all histories: with INTERCOM_FUZZ_STEPS the program ends after so many, and says how long they took.
private enum StepCounter {
    private static let limit = ProcessInfo.processInfo.environment["INTERCOM_FUZZ_STEPS"].flatMap { Int($0) }
    private static let start = ContinuousClock.now
    private static let steps = Atomic<Int>(0)

    static func count() {
        guard let limit else { return }
        let start = start
        guard steps.add(1, ordering: .relaxed).newValue >= limit else { return }
        print("\(limit) steps in \(start.duration(to: .now))")
        exit(0)
    }
}
