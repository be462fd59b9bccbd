// Requests to the opener that overlap: results come in any order, late, or for what is not wanted any more.

import Testing

@testable import Attachment

@Suite("A container whose requests overlap,")
struct OverlapTests {
    private let web: NamespaceSource = "/run/netns/web"

    @Test("whose two ways in are opened at once is one container, whoever comes first", arguments: [true, false])
    func race(foundFirst: Bool) {
        var world = World()
        world.namespaces[web] = 1
        world.isHeld = true
        world.handle(.pathAppeared("/run/netns/web", 1))
        let number = world.declare("web", web)
        // The opener has served the path first; the answers come in either order.
        let results = world.takeResults()
        world.isHeld = false
        for result in foundFirst ? results : results.reversed() { world.handle(result) }
        #expect(world.settlements[number] == .attached(1))
        #expect(world.state(1) == .ready)
        #expect(world.unreleased.isEmpty)
    }

    @Test(
        "whose file becomes a namespace while it is opened has its listener within a moment, and nobody reads a warning"
    )
    func mountedMeanwhile() {
        var world = World()
        world.namespaces[web] = 1
        world.isHeld = true
        world.handle(.pathAppeared("/run/netns/web", 9))
        world.handle(.pathAppeared("/run/netns/web", 1))
        // The first errand, which was given up, has entered the namespace first; its result comes last.
        let results = world.takeResults()
        world.handle(results[1])
        #expect(world.state(1) == .noListener(Failure(.refused, "an earlier request holds port 53 for a moment")))
        world.handle(results[0])
        world.isHeld = false
        world.pass(.milliseconds(200))
        #expect(world.state(1) == .ready && world.unreleased.isEmpty)
        #expect(!world.log.contains { if case .noListener = $0 { true } else { false } }, "\(world.log)")
    }

    @Test("whose file came before its mount has its listener at once, too, where the earlier request ends first")
    func mountedInOrder() {
        var world = World()
        world.namespaces[web] = 1
        world.isHeld = true
        world.handle(.pathAppeared("/run/netns/web", 9))
        world.handle(.pathAppeared("/run/netns/web", 1))
        // Both have entered the namespace before the first is known to be given up.
        let results = world.takeResults()
        for result in results { world.handle(result) }
        world.isHeld = false
        world.pass(.milliseconds(200))
        #expect(world.state(1) == .ready && world.unreleased.isEmpty)
        #expect(!world.log.contains { if case .noListener = $0 { true } else { false } }, "\(world.log)")
    }

    @Test(
        "that is declared while a request that was given up holds port 53 is not refused, but waits for it",
        arguments: [true, false])
    func declaredMeanwhile(givenUpComesLast: Bool) {
        var world = World()
        world.namespaces[web] = 1
        world.isHeld = true
        world.handle(.pathAppeared("/run/netns/web", 1))
        world.handle(.pathGone("/run/netns/web"))
        let number = world.declare("web", web)
        let results = world.takeResults()
        for result in givenUpComesLast ? results.reversed() : results { world.handle(result) }
        world.isHeld = false
        world.settle()
        #expect(world.settlements[number] == .attached(1))
        #expect(world.state(1) == .ready && world.unreleased.isEmpty)
    }

    @Test("that ends while the opener is at it leaves nothing")
    func endedMeanwhile() {
        var world = World()
        world.namespaces[web] = 1
        world.isHeld = true
        world.handle(.pathAppeared("/run/netns/web", 1))
        world.handle(.pathGone("/run/netns/web"))
        let number = world.declare("web", web)
        world.room.remove(number, now: world.now)
        world.isHeld = false
        world.carryOut()
        #expect(world.leftovers == [])
    }

    @Test("whose path leads to another namespace is that of the other, at once")
    func replaced() {
        var world = World()
        world.namespaces[web] = 1
        world.handle(.pathAppeared("/run/netns/web", 1))
        world.namespaces[web] = 2
        world.handle(.pathGone("/run/netns/web"))
        world.handle(.pathAppeared("/run/netns/web", 2))
        #expect(world.listeners.count == 1 && world.state(2) == .ready)
    }
}
