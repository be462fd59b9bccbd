// The proof that a container's listener is heard: when it is asked for, and what its verdicts lead to.

import Testing

@testable import Attachment

@Suite("A container whose listener serves")
struct HearingTests {
    private static let silence = Hearing.unheard(Unheard(at: "127.0.0.11:53", .noReply))
    private static let another = Hearing.unheard(Unheard(at: "127.0.0.11:53", .answeredByAnother))
    private static let away = Hearing.untried(Failure(.openerAway, "the opener does not answer"))

    /// A world with one container that was found, whose first proof has not ended.
    private func found() -> World {
        var world = World()
        world.namespaces["/run/netns/web"] = 1
        world.isHeld = true
        world.handle(.pathAppeared("/run/netns/web", 1))
        world.answer()
        return world
    }

    private static let verdicts: [(Hearing, State)] = [
        (.heard, .ready),
        (silence, .unheard(Unheard(at: "127.0.0.11:53", .noReply))),
        (another, .unheard(Unheard(at: "127.0.0.11:53", .answeredByAnother))),
        (.notAsked(OtherServers("192.0.2.1")), .notAsked(OtherServers("192.0.2.1"))),
        (away, .untried(Failure(.openerAway, "the opener does not answer"))),
    ]

    @Test("is starting until the first verdict, and ready only where it is heard", arguments: verdicts.indices)
    func firstVerdict(index: Int) {
        let (verdict, state) = Self.verdicts[index]
        var world = found()
        #expect(world.state(1) == .proving && world.state(1)?.word == "starting")
        world.hearing[1] = verdict
        world.finishProof()
        #expect(world.state(1) == state)
        #expect(world.toldStates == [1])
        #expect((state == .ready) == (state.reason == nil) && (state == .ready) == (state.cure == nil))
        #expect(world.room.state(of: 1, isDraining: true) == (state == .ready ? .draining : state))
        #expect((world.room.nextDeadline == nil) == (verdict == .heard), "what is not well is tried again")
    }

    @Test("is asked again after 1, 2, 4 … 30 s while it is not heard, which is said once, and then never")
    func unheardThenHeard() {
        var world = found()
        world.hearing[1] = Self.silence
        world.isHeld = false
        world.settle()
        var waits: [Duration] = []
        for _ in 0..<7 {
            guard let deadline = world.room.nextDeadline else { break }
            waits.append(world.now.duration(to: deadline))
            world.now = deadline
            world.handle(.tick)
        }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30].map { .seconds($0) })
        #expect(world.log.filter { $0 == .unheard(1, Self.silence) }.count == 1)
        world.hearing[1] = Self.another
        world.pass(.seconds(30))
        #expect(world.log.last == .unheard(1, Self.another), "another reason is said")
        world.hearing[1] = nil
        world.pass(.seconds(30))
        #expect(world.state(1) == .ready)
        #expect(world.log.last == .heard(1))
        #expect(world.toldStates.count == 3)
        #expect(world.room.nextDeadline == nil, "nothing wakes an idle daemon")
    }

    @Test("is asked again when its namespace changes: a second after the last time, and later the more often it does")
    func kernelChanged() {
        var world = found()
        world.isHeld = false
        world.settle()
        var waits: [Duration] = []
        for _ in 0..<6 {
            let last = world.now
            for _ in 0..<3 { world.handle(.kernelChanged(1)) }
            guard let deadline = world.room.nextDeadline else { break }
            waits.append(last.duration(to: deadline))
            world.pass(world.now.duration(to: deadline))
            #expect(world.room.nextDeadline == nil, "once for all changes")
        }
        #expect(waits == [1, 2, 4, 8, 16, 30].map { .seconds($0) })
        world.pass(.seconds(61))
        world.hearing[1] = Self.silence
        world.handle(.kernelChanged(1))
        world.pass(.milliseconds(100))
        #expect(world.state(1)?.word == "unheard", "at once where the last proof is long ago")
    }

    @Test("is asked again when a declaration brings another way in: programs there may read another resolv.conf")
    func anotherWay() {
        var world = found()
        world.isHeld = false
        world.settle()
        #expect(world.state(1) == .ready && world.room.nextDeadline == nil)
        world.namespaces[.pid(7)] = 1
        world.hearing[1] = .notAsked(OtherServers("192.0.2.1"))
        _ = world.declare("web", .pid(7), .automatic)
        world.settle()
        world.pass(.seconds(1))
        #expect(world.state(1) == .notAsked(OtherServers("192.0.2.1")))
    }

    @Test("is not asked again for other addresses: they matter only to the way of questions that rules lead here")
    func addressesChanged() {
        var world = found()
        world.isHeld = false
        world.settle()
        world.handle(.addressesChanged(1))
        #expect(world.room.nextDeadline == nil)
        _ = world.declare("web", .path("/run/netns/web"), .automatic, isIntercepted: true)
        world.settle()
        world.pass(.seconds(100))
        #expect(world.room.nextDeadline == nil)
        world.handle(.addressesChanged(1))
        #expect(world.room.nextDeadline != nil)
    }

    @Test("is asked at once, not in 30 s, when something changes that may mend it")
    func changeMends() {
        var world = found()
        world.hearing[1] = Self.silence
        world.isHeld = false
        world.settle()
        world.pass(.seconds(100))
        world.hearing[1] = nil
        world.handle(.kernelChanged(1))
        world.pass(.seconds(1))
        #expect(world.state(1) == .ready)
    }

    @Test(
        "is asked again where its namespace changed while the questions were on their way, but not before they were sent"
    )
    func changeDuringProof() {
        var world = found()
        world.handle(.kernelChanged(1))
        world.finishProof()
        #expect(world.room.nextDeadline == nil, "the questions were sent after the change")
        world.room.prove(1)
        world.carryOut()
        world.handle(.proofSent(world.proofs[0].errand))
        world.handle(.kernelChanged(1))
        world.handle(.proved(world.proofs.removeFirst().errand, .heard))
        #expect(world.state(1) == .ready)
        #expect(world.room.nextDeadline == world.now + .seconds(1))
    }

    @Test("is asked once when somebody asks while a proof is under way")
    func asked() {
        var world = found()
        let isUnderWay = world.room.prove(1)
        #expect(isUnderWay && world.room.isProving(1))
        world.carryOut()
        #expect(world.proofs.count == 1)
        world.finishProof()
        #expect(!world.room.isProving(1))
        world.hearing[1] = Self.another
        world.room.prove(1)
        world.carryOut()
        #expect(world.state(1) == .ready, "the last verdict holds meanwhile")
        world.finishProof()
        #expect(world.state(1)?.word == "unheard")
        let isThere = world.room.prove(2)
        #expect(!isThere)
    }

    @Test("is asked nothing any more when it ends, and a late verdict is about nobody")
    func endDuringProof() {
        for isSent in [false, true] {
            var world = found()
            let errand = world.proofs[0].errand
            if isSent { world.handle(.proofSent(errand)) }
            world.handle(.pathGone("/run/netns/web"))
            #expect(world.proofs.isEmpty, "a socket in the namespace would keep it alive")
            world.handle(.proved(errand, Self.silence))
            world.isHeld = false
            world.carryOut()
            #expect(world.leftovers == [])
            #expect(!world.log.contains(.unheard(1, Self.silence)))
        }
    }

    @Test("is asked anew when it has another listener, whatever was proved of the one before")
    func anotherListener() {
        var world = found()
        world.isHeld = false
        world.settle()
        #expect(world.state(1) == .ready)
        world.isHeld = true
        world.handle(.listenerLost(1, Failure(.refused, "accept: EINVAL")))
        #expect(world.state(1)?.word == "no listener" && world.toldStates == [1, 1])
        world.pass(.milliseconds(100))
        world.answer()
        #expect(world.state(1) == .proving)
        world.finishProof()
        #expect(world.state(1) == .ready && world.toldStates == [1, 1, 1])
    }

    @Test("is among those that are warned of while it is not heard, and only then")
    func warnedOf() {
        var world = found()
        #expect(world.room.unheard.isEmpty, "nothing is known yet")
        world.hearing[1] = Self.silence
        world.finishProof()
        #expect(world.room.unheard.map(\.state.word) == ["unheard"])
        world.hearing[1] = nil
        world.isHeld = false
        world.pass(.seconds(1))
        #expect(world.room.unheard.isEmpty)
    }

    @Test("is asked again when the rules that lead to it are set anew after a restart")
    func rulesSetAnew() {
        var room = Attachments(defaultPort: .redirected)
        let start = ContinuousClock.now
        room.handle(.pathAppeared("/run/netns/web", 1), now: start)
        guard case .open(let errand, _, _)? = room.takeEffects().first else { Issue.record("opens"); return }
        let kept = Opened(namespace: 1, listener: .kept(.redirected), hasLinks: false)
        room.handle(.opened(errand, .success(kept)), now: start)
        var rules: ErrandNumber?
        var proof: ErrandNumber?
        for effect in room.takeEffects() {
            if case .setRules(let errand, 1) = effect { rules = errand }
            if case .prove(let errand, 1) = effect { proof = errand }
        }
        guard let rules, let proof else { Issue.record("sets rules, and asks"); return }
        room.handle(.proofSent(proof), now: start)
        room.handle(.proved(proof, Self.another), now: start)
        room.handle(.rulesSet(rules, nil), now: start)
        room.handle(.tick, now: start + .seconds(1))
        #expect(room.takeEffects().contains { if case .prove(_, 1) = $0 { true } else { false } })
    }
}
