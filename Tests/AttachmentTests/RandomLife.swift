// Random steps in a world of few namespaces and paths, and what is true after each of them.

@testable import Attachment

/// A history of containers. The choices say what happens next.
struct RandomLife<Source: Choices> {
    var world: World
    var choices: Source
    private var numbers: [DeclarationNumber] = []

    static var namespaceCount: Int { 4 }
    static var pathCount: Int { 5 }
    static var nameCount: Int { 6 }

    init(_ world: World, choosing choices: Source) {
        self.world = world
        self.world.isHeld = true
        self.choices = choices
    }

    mutating func step() {
        let namespace = NamespaceKey(device: 4, inode: UInt64(choices.below(Self.namespaceCount)))
        let path = "/run/netns/\(choices.below(Self.pathCount))"
        switch choices.below(20) {
        case 0, 1:
            world.namespaces[.path(path)] = namespace
            world.handle(.pathAppeared(path, namespace))
        case 2:
            world.namespaces[.path(path)] = nil
            world.handle(.pathGone(path))
        case 3: world.namespaces[.pid(Int32(choices.below(3)) + 1)] = namespace
        case 4, 5: declare(path)
        case 6:
            guard !numbers.isEmpty else { return }
            world.room.remove(choices.pick(numbers), now: world.now)
            world.carryOut()
        case 7: world.handle(choices.below(2) == 0 ? .processExited(namespace) : .sourceGone(namespace, path))
        case 8:
            if choices.below(2) == 0 {
                changePort(of: namespace)
            } else {
                world.handle(.lockChanged(namespace, choices.below(2) == 0))
            }
        case 9: world.isOpenerAway.toggle()
        case 10: world.pass(.milliseconds(choices.below(30) * 100))
        case 11:
            let loss = Event.listenerLost(namespace, Failure(.refused, "dead"))
            world.handle(choices.below(2) == 0 ? .kernelChanged(namespace) : loss)
        case 12:
            if !world.rules.isEmpty {
                world.finishRules(choices.below(4) == 0 ? Failure(.refused, "no nf_tables") : nil)
            }
            if !world.closing.isEmpty { world.finishClosing() }
        case 13: if !world.proofs.isEmpty { world.finishProof() }
        case 14:
            world.hearing[namespace] =
                choices.below(2) == 0 ? nil : .unheard(Unheard(at: "127.0.0.11:53", .noReply))
        default:
            if !world.requests.isEmpty { world.answer(choices.below(world.requests.count)) }
        }
    }

    private mutating func declare(_ path: String) {
        let source = choices.below(2) == 0 ? NamespaceSource.path(path) : .pid(Int32(choices.below(3)) + 1)
        let port: PortChoice = choices.pick([.direct, .redirected, .automatic])
        if numbers.count > 40 { numbers.removeAll { world.room.declaration($0) == nil } }
        let name = "c\(choices.below(Self.nameCount))"
        numbers.append(
            world.declare(
                name, source, port, isIntercepted: choices.below(2) == 0, isStanding: choices.below(3) == 0))
    }

    /// Some other program takes port 53, or leaves it.
    private mutating func changePort(of namespace: NamespaceKey) {
        switch world.ports[namespace] ?? .free {
        case .free: world.ports[namespace] = .foreign
        case .foreign: world.ports[namespace] = .free
        case .ours: break
        }
    }

    /// Checks the invariants that hold after each step.
    func check() {
        for namespace in world.room.namespaces {
            guard let container = world.room[namespace] else { continue }
            holds((container.port != nil) == (world.listeners[namespace] != nil), "the worker has its listener")
            holds(world.watches[namespace] == container.source, "its source is watched")
            holds(world.names[namespace]?.isEmpty == false, "it has a name")
        }
        // While an errand sets rules nobody knows whether they stand.
        for namespace in world.ruled where world.room.ruling[namespace] == nil {
            let container = world.room[namespace]
            holds(container.map { world.room.wantedRules(of: $0) } ?? .none != .none, "rules go with their listener")
        }
        holds(world.listeners.keys.allSatisfy { world.room[$0] != nil }, "listeners are of containers")
        holds(Set(world.watches.keys) == Set(world.room.namespaces), "nothing else is watched")
        holds(world.stored.keys.allSatisfy { world.listeners[$0] != nil }, "stored listeners are with a worker")
        for (errand, namespace) in world.proofs {
            holds(world.room[namespace]?.proof.errand == errand, "a proof is of a container")
        }
        for namespace in world.room.namespaces where world.state(namespace) == .ready {
            holds(world.room[namespace]?.proof.verdict == .heard, "ready is proved")
        }
    }

    /// Takes everything back, and checks that nothing is left.
    mutating func finish() {
        world.isHeld = false
        world.isOpenerAway = false
        world.carryOut()
        world.pass(.seconds(31))
        for path in world.room.found.keys { world.handle(.pathGone(path)) }
        for number in numbers {
            world.room.remove(number, now: world.now)
            world.carryOut()
        }
        holds(world.leftovers == [], "\(world.leftovers) are left")
        world.pass(.seconds(700))
        holds(world.room.nextDeadline == nil, "nothing wakes it")
        holds(
            world.room.ruling.isEmpty && world.room.behind.isEmpty && world.room.closing.isEmpty
                && world.room.pathsOfNamespace.isEmpty, "its tables are empty")
    }
}
