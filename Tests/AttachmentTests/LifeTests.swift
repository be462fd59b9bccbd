// The life of a container, case by case: attached, ended, declared and found, refused and tried again.

import Testing

@testable import Attachment

@Suite("A container")
struct LifeTests {
    private let web: NamespaceSource = "/run/netns/web"

    /// Number of the proof that is under way in a namespace.
    private func proof(of namespace: NamespaceKey, in room: Attachments) -> ErrandNumber {
        room[namespace]?.proof.errand ?? ErrandNumber(rawValue: 0)
    }

    @Test("that is declared is named, watched, observed, stored and served, in this order")
    func attached() {
        var room = Attachments()
        room.observe(true)
        let number = room.declare(Declaration(name: "web", source: web))
        guard case .open(let errand, web, .direct)? = room.takeEffects().first else { Issue.record("opens"); return }
        room.handle(.opened(errand, .success(Opened(namespace: 1, listener: .made(.direct)))), now: .now)
        #expect(
            room.takeEffects() == [
                .enroll(1, errand, .declared(number)), .watch(1, web, errand), .subscribe(1, errand),
                .store(1, errand), .handOver(1, errand), .prove(proof(of: 1, in: room), 1),
                .settle(number, .attached(1)), .writeResolverFiles(1), .release(errand),
            ])
        #expect(room.state(of: 1, isDraining: false) == .proving)
        room.handle(.proved(proof(of: 1, in: room), .heard), now: .now)
        #expect(room.takeEffects() == [.tellState(1)])
        #expect(room.state(of: 1, isDraining: false) == .ready)
        #expect(room.state(of: 1, isDraining: true) == .draining)
        #expect(room.nextDeadline == nil, "nothing wakes an idle daemon")
    }

    @Test("whose process exits ends: its listener closes, its names go, and it is shown for ten minutes")
    func ended() {
        var world = World()
        world.namespaces[.pid(7)] = 1
        let number = world.declare("job", .pid(7))
        #expect(world.settlements[number] == .attached(1))
        world.handle(.processExited(1))
        #expect(world.settlements[number] == .ended("its process has exited"))
        #expect(world.leftovers == [])
        #expect(world.room.ended.map(\.name) == ["job"])
        #expect(world.room.ended.map(\.source) == [.pid(7)] && world.room.ended.map(\.declarer) == ["control"])
        world.pass(.seconds(601))
        #expect(world.room.ended.isEmpty)
        #expect(world.room.nextDeadline == nil)
    }

    @Test("that ends again and again is shown once, as it ended last")
    func endedAgain() {
        var world = World()
        for pid in [7, 8] as [Int32] {
            world.namespaces[.pid(pid)] = 1
            _ = world.declare("job", .pid(pid))
            world.handle(.processExited(1))
        }
        #expect(world.room.ended.map(\.source) == [.pid(8)])
    }

    @Test("that was found gains what is declared, keeps its listener, and loses it again")
    func foundThenDeclared() {
        var world = World()
        world.namespaces[web] = 1
        world.handle(.pathAppeared("/run/netns/web", 1))
        let listener = world.listeners[1]
        let number = world.declare("www", web)
        #expect(world.settlements[number] == .attached(1))
        #expect(world.listeners[1] == listener, "without an outage")
        #expect(world.names[1] == [.declared(number), .found(path: "/run/netns/web")])
        world.room.remove(number, now: world.now)
        world.carryOut()
        #expect(world.listeners[1] == listener)
        #expect(world.names[1] == [.found(path: "/run/netns/web")])
        #expect(world.watches[1] == web)
    }

    @Test("that was redirected by a declaration gives way to the program on port 53 when that is taken back")
    func givesWay() {
        var world = World()
        world.namespaces[web] = 1
        world.handle(.pathAppeared("/run/netns/web", 1))
        let number = world.declare("web", web, .redirected)
        #expect(world.room[1]?.port == .redirected)
        world.ports[1] = .foreign
        world.room.remove(number, now: world.now)
        world.carryOut()
        #expect(world.state(1) == .noListener(Failure(.portTaken, "port 53 is taken")))
        #expect(world.listeners.isEmpty && world.ruled.isEmpty && world.stored.isEmpty)
    }

    @Test("that was declared is found, too, and ends with its process alone; its path is attached again")
    func declaredThenFound() {
        var world = World()
        world.namespaces = [.pid(7): 1, web: 1]
        let number = world.declare("job", .pid(7))
        world.handle(.pathAppeared("/run/netns/web", 1))
        #expect(world.names[1] == [.declared(number), .found(path: "/run/netns/web")])
        world.handle(.processExited(1))
        #expect(world.names[1] == [.found(path: "/run/netns/web")])
        #expect(world.state(1) == .ready)
        #expect(world.ports[1] == world.listeners[1].map { .ours($0) }, "the port was free when it was taken again")
    }

    @Test("that is refused is tried again after 1, 2, 4 … 30 s, and attached once port 53 is free")
    func refusedThenFree() {
        var world = World()
        world.namespaces[web] = 1
        world.ports[1] = .foreign
        world.handle(.pathAppeared("/run/netns/web", 1))
        #expect(world.state(1) == .noListener(Failure(.portTaken, "port 53 is taken")))
        #expect(world.names[1] == [.found(path: "/run/netns/web")], "its neighbours find it all the same")
        var waits: [Duration] = []
        for _ in 0..<7 {
            guard let deadline = world.room.nextDeadline else { break }
            waits.append(world.now.duration(to: deadline))
            world.now = deadline
            world.handle(.tick)
        }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        #expect(world.log.count == 2, "said once: \(world.log)")
        world.ports[1] = .free
        world.pass(.seconds(30))
        #expect(world.state(1) == .ready)
        #expect(world.log.last == .listens(1))
        #expect(world.room.nextDeadline == nil)
    }

    @Test("that is refused is tried again at once when an operator asks for that")
    func refusedThenReloaded() {
        var world = World()
        world.namespaces[web] = 1
        world.ports[1] = .foreign
        world.handle(.pathAppeared("/run/netns/web", 1))
        for _ in 0..<5 {
            guard let deadline = world.room.nextDeadline else { break }
            world.now = deadline
            world.handle(.tick)
        }
        world.ports[1] = .free
        world.room.hastenAll(now: world.now)
        #expect(world.room.nextDeadline == world.now)
        world.handle(.tick)
        #expect(world.state(1) == .ready)
    }

    @Test("that is refused is tried again at once when its namespace changes")
    func kernelChanged() {
        var world = World()
        world.namespaces[web] = 1
        world.ports[1] = .foreign
        world.handle(.pathAppeared("/run/netns/web", 1))
        world.ports[1] = .free
        for _ in 0..<1000 { world.handle(.kernelChanged(1)) }
        #expect(world.requests.isEmpty && world.state(1) != .ready, "a thousand changes are one chance")
        world.pass(.milliseconds(100))
        #expect(world.state(1) == .ready)
    }

    @Test("that a caller declares is refused with the reason, and nothing of it stays")
    func refusals() {
        var world = World()
        world.namespaces = [web: 1, "/run/netns/www": 1]
        let absent = world.declare("absent", "/run/netns/absent")
        #expect(world.settlements[absent] == .failed(Failure(.notThere, "/run/netns/absent is no network namespace")))
        world.ports[1] = .foreign
        let taken = world.declare("web", web)
        #expect(world.settlements[taken] == .failed(Failure(.portTaken, "port 53 is taken")))
        #expect(world.leftovers == [])
        world.ports[1] = .free
        let first = world.declare("web", web)
        let second = world.declare("www", "/run/netns/www")
        #expect(world.settlements[second] == .inUse(by: "web"))
        world.room.handle(.enrollmentRefused(first, Failure(.forbidden, "no such network")), now: world.now)
        world.carryOut()
        #expect(world.settlements[first] == .failed(Failure(.forbidden, "no such network")))
        #expect(world.leftovers == [])
    }

    @Test("of the configuration waits for its namespace, and for the next one when that ends")
    func standing() {
        var world = World()
        let number = world.declare("late", web, isStanding: true)
        #expect(world.room.waiting.map(\.declaration.name) == ["late"])
        world.namespaces[web] = 1
        world.room.hastenDeclarations(now: world.now)
        world.pass(.zero)
        #expect(world.settlements[number] == .attached(1))
        world.namespaces[web] = nil
        world.handle(.sourceGone(1, "/run/netns/web"))
        #expect(world.settlements[number] != .attached(1))
        world.namespaces[web] = 2
        world.pass(.seconds(2))
        #expect(world.settlements[number] == .attached(2))
        #expect(world.listeners.keys.sorted { $0.inode < $1.inode } == [2])
    }

    @Test("that is called by another path keeps its listener when the first goes")
    func renamed() {
        var world = World()
        world.namespaces = [web: 1, "/run/netns/new": 1]
        world.handle(.pathAppeared("/run/netns/web", 1))
        let listener = world.listeners[1]
        world.handle(.pathAppeared("/run/netns/new", 1))
        #expect(world.log.last == .secondPath("/run/netns/new", of: "/run/netns/web"))
        #expect(world.room.secondPaths.map(\.path) == ["/run/netns/new"])
        world.handle(.pathGone("/run/netns/web"))
        #expect(world.names[1] == [.found(path: "/run/netns/new")])
        #expect(world.watches[1] == "/run/netns/new")
        #expect(world.listeners[1] == listener)
        world.handle(.pathGone("/run/netns/new"))
        #expect(world.leftovers == [])
    }

    @Test("is one of two of the same name, each with its namespace")
    func twoOfOneName() {
        var world = World()
        world.namespaces = [web: 1, "/run/netns/more/web": 2]
        world.handle(.pathAppeared("/run/netns/web", 1))
        world.handle(.pathAppeared("/run/netns/more/web", 2))
        #expect(world.listeners.count == 2)
        world.handle(.pathGone("/run/netns/web"))
        #expect(world.state(2) == .ready)
        #expect(world.listeners.count == 1)
    }

    @Test("is not waited for by anybody while its opener is away, and attached when that is back")
    func openerDeath() {
        var world = World()
        world.namespaces = [web: 1, "/run/netns/app": 2]
        world.isOpenerAway = true
        world.handle(.pathAppeared("/run/netns/web", 1))
        let standing = world.declare("app", "/run/netns/app", isStanding: true)
        let refused = world.declare("now", "/run/netns/app")
        let failure = Failure(.openerAway, "the opener does not answer")
        #expect(world.settlements[refused] == .failed(failure))
        #expect(world.room.problems.map(\.failure) == [failure])
        #expect(failure.cure == "start intercom-opener.socket")
        world.isOpenerAway = false
        world.pass(.seconds(1))
        #expect(world.settlements[standing] == .attached(2))
        #expect(world.state(1) == .ready)
    }

    @Test("that is redirected is ready when its rules are set, and refused when they cannot be")
    func redirected() {
        var world = World()
        world.namespaces[web] = 1
        world.isHeld = true
        let number = world.declare("web", web, .redirected)
        world.answer()
        #expect(world.state(1) == .starting)
        #expect(world.settlements[number] == nil)
        #expect(world.proofs.isEmpty, "nobody is led to it before")
        world.finishRules()
        #expect(world.settlements[number] == .attached(1))
        world.finishProof()
        #expect(world.state(1) == .ready)
        world.isHeld = false
        world.room.remove(number, now: world.now)
        world.carryOut()
        #expect(world.leftovers == [])
        world.isHeld = true
        let other = world.declare("web", web, .redirected)
        world.answer()
        world.finishRules(Failure(.refused, "nf_tables is not there"))
        world.settle()
        #expect(world.settlements[other] == .failed(Failure(.refused, "nf_tables is not there")))
        #expect(world.leftovers == [])
    }

    @Test("that the last daemon served goes on without the opener, and its links are observed when that is back")
    func kept() {
        var room = Attachments()
        room.observe(true)
        room.handle(.pathAppeared("/run/netns/web", 1), now: .now)
        guard case .open(let errand, _, _)? = room.takeEffects().first else { Issue.record("opens"); return }
        room.handle(
            .opened(errand, .success(Opened(namespace: 1, listener: .kept(.direct), hasLinks: false))), now: .now)
        let effects = room.takeEffects()
        #expect(effects.contains(.handOver(1, errand)) && !effects.contains(.store(1, errand)))
        #expect(room.state(of: 1, isDraining: false) == .proving)
        room.handle(.proved(proof(of: 1, in: room), .heard), now: .now)
        #expect(room.state(of: 1, isDraining: false) == .ready)
        guard case .open(let links, web, nil)? = effects.first(where: { if case .open = $0 { true } else { false } })
        else { Issue.record("opens links"); return }
        let now = ContinuousClock.now
        room.handle(.opened(links, .failure(Failure(.openerAway, "away"))), now: now)
        #expect(room.nextDeadline == now + .seconds(1))
        #expect(room.state(of: 1, isDraining: false) == .ready)
    }

    @Test("whose listener dies gets another")
    func lost() {
        var world = World()
        world.namespaces[web] = 1
        world.handle(.pathAppeared("/run/netns/web", 1))
        let listener = world.listeners[1]
        world.handle(.listenerLost(1, Failure(.refused, "accept: EINVAL")))
        #expect(world.state(1) == .noListener(Failure(.refused, "accept: EINVAL")))
        world.pass(.milliseconds(100))
        #expect(world.state(1) == .ready)
        #expect(world.listeners[1] != listener)
        // Whoever destroys it again and again waits longer each time.
        var waits: [Duration] = []
        for _ in 0..<4 {
            world.handle(.listenerLost(1, Failure(.refused, "accept: EINVAL")))
            guard let deadline = world.room.nextDeadline else { break }
            waits.append(world.now.duration(to: deadline))
            world.pass(world.now.duration(to: deadline))
            #expect(world.state(1) == .ready)
        }
        #expect(waits == [1, 2, 4, 8].map { .seconds($0) })
    }
}
