// Rules that lead questions to a listener: for a random port, and for other resolver addresses.

import Testing

@testable import Attachment

@Suite("A container with rules")
struct RulesTests {
    private let web: NamespaceSource = "/run/netns/web"

    @Test(
        "has a listener at port 53 if that is free, and at another with rules that lead there if not",
        arguments: [
            // Port 53 of the namespace, the port that is wanted, the port of the listener (nil: none), has rules
            (World.Port.free, PortChoice.automatic, ListenerPort?.some(.direct), false),
            (.foreign, .automatic, .redirected, true),
            (.free, .direct, .direct, false),
            (.foreign, .direct, nil, false),
            (.free, .redirected, .redirected, true),
            (.foreign, .redirected, .redirected, true),
        ])
    func automatic(_ owner: World.Port, _ wanted: PortChoice, _ port: ListenerPort?, _ hasRules: Bool) {
        for isDeclared in [true, false] {
            var world = World(defaultPort: isDeclared ? .direct : wanted)
            world.namespaces[web] = 1
            world.ports[1] = owner
            if isDeclared {
                _ = world.declare("web", web, wanted, isStanding: true)
            } else {
                world.handle(.pathAppeared("/run/netns/web", 1))
            }
            #expect(world.room[1]?.port == port)
            #expect(world.ruled == (hasRules ? [1] : []))
            #expect((world.state(1) == .ready) == (port != nil))
        }
    }

    @Test(
        "that is declared while its path is being opened has port 53 all the same: the other listener of ours is closed"
    )
    func ours() {
        for isPathFirst in [true, false] {
            var world = World(defaultPort: .automatic)
            world.namespaces[web] = 1
            world.isHeld = true
            world.handle(.pathAppeared("/run/netns/web", 1))
            let number = world.declare("web", web, .automatic)
            // The opener serves one first, which has the port when the other comes; the results come the other way round.
            let results = isPathFirst ? world.takeResults() : world.takeResults(isReversed: true)
            for result in results.reversed() { world.handle(result) }
            world.isHeld = false
            world.settle()
            world.pass(.seconds(1))
            #expect(world.room[1]?.port == .direct)
            #expect(world.settlements[number] == .attached(1))
            #expect(world.ruled.isEmpty)
        }
    }

    @Test("has them for as long as it is declared to be intercepted, whether it was found before or not")
    func intercepted() {
        for isFound in [true, false] {
            var world = World(defaultPort: .automatic)
            world.namespaces[web] = 1
            if isFound { world.handle(.pathAppeared("/run/netns/web", 1)) }
            let listener = world.listeners[1]
            world.isHeld = true
            let number = world.declare("web", web, .automatic, isIntercepted: true)
            world.answer()
            #expect(world.state(1) == .starting, "its questions go elsewhere until then")
            #expect(world.settlements[number] == nil)
            world.finishRules()
            #expect(world.settlements[number] == .attached(1))
            #expect(world.state(1) == .proving, "what was proved before is about another way")
            world.finishProof()
            #expect(world.state(1) == .ready)
            #expect(world.ruled == [1])
            world.isHeld = false
            if isFound { #expect(world.listeners[1] == listener, "without an outage") }
            world.room.remove(number, now: world.now)
            world.carryOut()
            #expect(world.ruled.isEmpty)
            #expect(world.room[1]?.port == (isFound ? .direct : nil))
        }
    }

    @Test(
        "that cannot be set is refused; a standing one is answered at 127.0.0.11, says why not elsewhere, and is tried again"
    )
    func refused() {
        let failure = Failure(.refused, "the kernel has no nf_tables")
        var world = World(defaultPort: .automatic)
        world.namespaces[web] = 1
        world.isHeld = true
        let number = world.declare("web", web, .automatic, isIntercepted: true)
        world.answer()
        world.finishRules(failure)
        world.settle()
        #expect(world.settlements[number] == .failed(failure))
        #expect(world.leftovers == [])

        let standing = world.declare("web", web, .automatic, isIntercepted: true, isStanding: true)
        world.answer()
        world.finishRules(failure)
        #expect(world.settlements[standing] == .attached(1))
        #expect(world.state(1) == .notIntercepted(failure))
        #expect(world.log.contains(.notIntercepted(1, failure)))
        world.pass(.seconds(1))
        world.finishRules()
        world.finishProof()
        #expect(world.state(1) == .ready)
    }

    @Test("whose policy refuses other servers has rules for that beside those that lead questions, as long as it does")
    func locked() {
        for (owner, isIntercepted) in [(World.Port.free, false), (.foreign, false), (.free, true)] {
            var world = World(defaultPort: .automatic)
            world.namespaces[web] = 1
            world.ports[1] = owner
            let number = world.declare("web", web, .automatic, isIntercepted: isIntercepted, isStanding: true)
            let before = world.room.wantedRules(of: 1)
            let listener = world.listeners[1]
            #expect(!before.isLocked)
            world.handle(.lockChanged(1, true))
            #expect(world.room.wantedRules(of: 1) == .init(lead: before.lead, isLocked: true))
            #expect(world.ruled == [1] && world.room[1]?.rules.isLocked == true)
            #expect(world.state(1) == .ready)
            world.handle(.lockChanged(1, false))
            #expect(world.room[1]?.rules == before)
            #expect(world.ruled == (before == .none ? [] : [1]))
            world.handle(.lockChanged(1, true))
            #expect(world.listeners[1] == listener, "without an outage")
            world.room.remove(number, now: world.now)
            world.carryOut()
            #expect(world.ruled.isEmpty, "gone with the container")
            world.pass(.seconds(1))
            #expect(world.room.ruling.isEmpty)
        }
    }

    @Test("that cannot be locked says why, and is tried again; a change while rules are being set is not lost")
    func lockRefused() {
        let failure = Failure(.refused, "the kernel has no nf_tables")
        var world = World(defaultPort: .automatic)
        world.namespaces[web] = 1
        _ = world.declare("web", web, .automatic, isStanding: true)
        world.isHeld = true
        world.handle(.lockChanged(1, true))
        world.finishRules(failure)
        world.settle()
        #expect(world.state(1) == .notIntercepted(failure))
        world.pass(.seconds(1))
        #expect(!world.rules.isEmpty, "another attempt")
        world.handle(.lockChanged(1, false))
        world.settle()
        #expect(world.ruled.isEmpty && world.state(1) == .ready)

        // The listener waits for rules that are of no use any more.
        var other = World(defaultPort: .direct)
        other.namespaces[web] = 1
        other.isHeld = true
        let number = other.declare("web", web, .direct, isIntercepted: true, isStanding: true)
        other.answer()
        other.handle(.lockChanged(1, true))
        other.settle()
        #expect(other.state(1) == .ready && other.room[1]?.rules == .init(lead: .interception, isLocked: true))
        other.room.remove(number, now: other.now)
        other.carryOut()
        other.settle()
        #expect(other.ruled.isEmpty)
    }

    @Test("whose rules are lost for good closes a redirected listener, and keeps one at port 53")
    func lost() {
        let failure = Failure(.refused, "a program owns the table")
        for (owner, state) in [
            (World.Port.foreign, State.noListener(failure)), (.free, .notIntercepted(failure)),
        ] {
            var world = World(defaultPort: .automatic)
            world.namespaces[web] = 1
            world.ports[1] = owner
            _ = world.declare("web", web, .automatic, isIntercepted: true, isStanding: true)
            #expect(world.state(1) == .ready)
            world.handle(.rulesLost(1, failure))
            #expect(world.state(1) == state)
            world.pass(.seconds(2))
            #expect(world.state(1) == .ready)
        }
    }
}
