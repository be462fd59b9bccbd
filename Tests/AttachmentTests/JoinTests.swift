// Declarations that join a container: sources tell of one that was found, or declared, or that another source knows, too.

import Testing

@testable import Attachment

@Suite("A declaration that joins")
struct JoinTests {
    private let web: NamespaceSource = "/run/netns/web"

    @Test("a found container leaves its listener as it is, and leaves the container found when it is taken back")
    func joinsFound() {
        var world = World()
        world.namespaces = [web: 1, .pid(7): 1]
        world.handle(.pathAppeared("/run/netns/web", 1))
        let listener = world.listeners[1]
        let number = world.join("web", .pid(7))
        #expect(world.settlements[number] == .attached(1))
        #expect(world.listeners[1] == listener && world.watches[1] == .pid(7))
        #expect(world.names[1] == [.found(path: "/run/netns/web"), .declared(number)])
        world.room.remove(number, now: world.now)
        world.carryOut()
        #expect(world.listeners[1] == listener && world.watches[1] == web)
        #expect(world.names[1] == [.found(path: "/run/netns/web")])
        world.handle(.pathGone("/run/netns/web"))
        #expect(world.leftovers == [])
    }

    @Test(
        "a declared container, or is joined by one, leaves the declared one the first word", arguments: [true, false])
    func joinsDeclared(isDeclaredFirst: Bool) {
        var world = World()
        world.namespaces = [web: 1, .pid(7): 1]
        var declared: DeclarationNumber?
        if isDeclaredFirst { declared = world.declare("web", web, .direct) }
        let joined = world.join("x", .pid(7))
        if !isDeclaredFirst { declared = world.declare("web", web, .direct) }
        #expect(declared.flatMap { world.settlements[$0] } == .attached(1))
        #expect(world.settlements[joined] == .attached(1))
        #expect(world.watches[1] == web, "it ends with its declared way in")
        if let declared { world.room.remove(declared, now: world.now) }
        world.carryOut()
        #expect(world.watches[1] == .pid(7) && world.listeners[1] != nil)
        world.handle(.processExited(1))
        #expect(world.settlements[joined] == .ended("its process has exited"))
        #expect(world.names[1] == [] || world.names[1] == nil)
    }

    @Test("another one, and each may be taken back first", arguments: [0, 1])
    func joinsJoined(first: Int) {
        var world = World()
        world.namespaces = [.pid(7): 1, .pid(8): 1]
        let numbers = [world.join("a", .pid(7)), world.join("b", .pid(8))]
        let listener = world.listeners[1]
        world.room.remove(numbers[first], now: world.now)
        world.carryOut()
        #expect(world.listeners[1] == listener && world.names[1] == [.declared(numbers[1 - first])])
        world.room.remove(numbers[1 - first], now: world.now)
        world.carryOut()
        #expect(world.leftovers == [])
    }

    @Test("brings its interception to a container that was found, and takes it along")
    func intercepts() {
        var world = World()
        world.namespaces = [web: 1, .pid(7): 1]
        world.handle(.pathAppeared("/run/netns/web", 1))
        #expect(world.ruled == [])
        let number = world.join("web", .pid(7), isIntercepted: true)
        #expect(world.ruled == [1])
        world.room.remove(number, now: world.now)
        world.carryOut()
        #expect(world.ruled == [])
        #expect(world.listeners[1] != nil)
    }

    @Test("a container whose process exits ends with all of them, and the path is a found one again")
    func ends() {
        var world = World()
        world.namespaces = [web: 1, .pid(7): 1, .pid(8): 1]
        world.handle(.pathAppeared("/run/netns/web", 1))
        let numbers = [world.join("a", .pid(7)), world.join("b", .pid(8))]
        world.handle(.processExited(1))
        for number in numbers { #expect(world.settlements[number] == .ended("its process has exited")) }
        for number in numbers { world.room.remove(number, now: world.now) }
        world.carryOut()
        #expect(world.names[1] == [.found(path: "/run/netns/web")])
    }

    @Test("waits for a namespace that is not there, and for one that is being closed")
    func waits() {
        var world = World()
        let number = world.join("web", web)
        #expect(world.room.namespace(of: number) == nil)
        world.namespaces[web] = 1
        world.pass(.seconds(2))
        #expect(world.room.namespace(of: number) == 1)
        world.isHeld = true
        world.handle(.sourceGone(1, "/run/netns/web"))
        world.pass(.seconds(2))
        world.isHeld = false
        world.settle()
        world.pass(.seconds(2))
        #expect(world.room.namespace(of: number) == 1)
        #expect(world.listeners[1] != nil)
    }
}

extension World {
    /// Declares what a source tells of.
    mutating func join(_ name: String, _ source: NamespaceSource, isIntercepted: Bool = false) -> DeclarationNumber {
        let number = room.declare(
            Declaration(
                name: name, source: source, isIntercepted: isIntercepted, isStanding: true, joins: true,
                declarer: "docker"))
        carryOut()
        return number
    }
}
