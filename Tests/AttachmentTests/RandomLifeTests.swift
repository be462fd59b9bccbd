// Random lives: what is true after every step, and that nothing is left in the end.

import Foundation
import Testing

@testable import Attachment

@Suite("A random history of containers")
struct RandomLifeTests {
    @Test("keeps one listener a namespace, and leaves nothing behind", arguments: 1...40)
    func history(seed: UInt64) {
        var random = SplitMix(state: seed)
        var world = World(observing: seed % 2 == 0, defaultPort: [.redirected, .direct, .automatic][Int(seed % 3)])
        world.isHeld = true
        var numbers: [DeclarationNumber] = []
        for _ in 0..<Self.steps {
            step(&world, &numbers, &random)
            check(world)
        }
        finish(&world, numbers)
    }

    /// Steps of each history; INTERCOM_HISTORY of them for a long run.
    private static let steps = ProcessInfo.processInfo.environment["INTERCOM_HISTORY"].flatMap { Int($0) } ?? 2_000

    private func step(_ world: inout World, _ numbers: inout [DeclarationNumber], _ random: inout SplitMix) {
        let namespace = NamespaceKey(device: 4, inode: random.next(below: 4))
        let path = "/run/netns/\(random.next(below: 5))"
        switch random.next(below: 20) {
        case 0, 1:
            world.namespaces[.path(path)] = namespace
            world.handle(.pathAppeared(path, namespace))
        case 2:
            world.namespaces[.path(path)] = nil
            world.handle(.pathGone(path))
        case 3: world.namespaces[.pid(Int32(random.next(below: 3)) + 1)] = namespace
        case 4, 5:
            let source =
                random.next(below: 2) == 0 ? NamespaceSource.path(path) : .pid(Int32(random.next(below: 3)) + 1)
            let port: PortChoice = [.direct, .redirected, .automatic][Int(random.next(below: 3))]
            if numbers.count > 40 { numbers.removeAll { world.room.declaration($0) == nil } }
            numbers.append(
                world.declare(
                    "c", source, port, isIntercepted: random.next(below: 2) == 0,
                    isStanding: random.next(below: 3) == 0))
        case 6:
            guard let number = numbers.randomElement(using: &random) else { return }
            world.room.withdraw(number, now: world.now)
            world.carryOut()
        case 7: world.handle(random.next(below: 2) == 0 ? .processExited(namespace) : .sourceGone(namespace, path))
        case 8:
            if world.ports[namespace] ?? .free == .free {
                world.ports[namespace] = .foreign
            } else if world.ports[namespace] == .foreign {
                world.ports[namespace] = .free
            }
        case 9: world.isOpenerAway.toggle()
        case 10: world.pass(.milliseconds(Int(random.next(below: 3000))))
        case 11:
            world.handle(
                random.next(below: 2) == 0
                    ? .kernelChanged(namespace) : .listenerLost(namespace, Failure(.refused, "dead")))
        case 12:
            if !world.rules.isEmpty {
                world.finishRules(random.next(below: 4) == 0 ? Failure(.refused, "no nf_tables") : nil)
            }
            if !world.closing.isEmpty { world.finishClosing() }
        case 13: if !world.proofs.isEmpty { world.finishProof() }
        case 14:
            world.hearing[namespace] =
                random.next(below: 2) == 0 ? nil : .unheard(Unheard(at: "127.0.0.11:53", .noReply))
        default:
            if !world.requests.isEmpty { world.answer(Int(random.next(below: UInt64(world.requests.count)))) }
        }
    }

    /// Checks the invariants that hold after each step.
    private func check(_ world: World) {
        for namespace in world.room.namespaces {
            guard let container = world.room[namespace] else { continue }
            #expect((container.port != nil) == (world.listeners[namespace] != nil))
            #expect(world.watches[namespace] == container.source)
            #expect(world.names[namespace]?.isEmpty == false)
        }
        // While an errand sets rules nobody knows whether they stand.
        for namespace in world.ruled where world.room.ruling[namespace] == nil {
            let container = world.room[namespace]
            #expect(container.map { world.room.wantedRules(of: $0) } ?? .none != .none, "rules go with their listener")
        }
        #expect(world.listeners.keys.allSatisfy { world.room[$0] != nil })
        #expect(Set(world.watches.keys) == Set(world.room.namespaces))
        #expect(world.stored.keys.allSatisfy { world.listeners[$0] != nil })
        for (errand, namespace) in world.proofs { #expect(world.room[namespace]?.proof.errand == errand) }
        for namespace in world.room.namespaces where world.state(namespace) == .ready {
            #expect(world.room[namespace]?.proof.verdict == .heard, "ready is proved")
        }
    }

    /// Takes everything back.
    private func finish(_ world: inout World, _ numbers: [DeclarationNumber]) {
        world.isHeld = false
        world.isOpenerAway = false
        world.carryOut()
        world.pass(.seconds(31))
        for path in world.room.found.keys { world.handle(.pathGone(path)) }
        for number in numbers {
            world.room.withdraw(number, now: world.now)
            world.carryOut()
        }
        #expect(world.leftovers == [])
        world.pass(.seconds(700))
        #expect(world.room.nextDeadline == nil, "nothing wakes it")
        #expect(
            world.room.ruling.isEmpty && world.room.behind.isEmpty && world.room.closing.isEmpty
                && world.room.pathsOfNamespace.isEmpty)
    }
}

/// Numbers that look like chance and are the same each time (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func next(below limit: UInt64) -> UInt64 { next() % limit }
}
