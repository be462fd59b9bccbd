// The opener's threads: how many calls at once, in all and in one namespace, and when it counts as stuck.

import LinuxNet
import Synchronization
import SystemPackage
import Testing

@testable import IntercomServer

@Suite("Calls that the opener carries out")
struct OpenerWorkTests {
    /// Calls that wait until the test ends them.
    private final class Gate: Sendable {
        private let isOpen = Atomic<Bool>(false)
        let ended = Atomic<Int>(0)

        func open() { isOpen.store(true, ordering: .relaxed) }

        func wait() {
            let end = ContinuousClock.now + .seconds(10)
            while !isOpen.load(ordering: .relaxed), ContinuousClock.now < end { Thread.pause(milliseconds: 1) }
            ended.add(1, ordering: .relaxed)
        }
    }

    private static func refusal(_ work: OpenerWork, in namespace: NamespaceIdentity?, _ gate: Gate) -> LinuxError? {
        do throws(LinuxError) {
            try work.carryOut(in: namespace) { gate.wait() }
            return nil
        } catch {
            return error
        }
    }

    @Test("have a thread each: sixteen in all, and four in one namespace, whose root may hold them up")
    func limits() throws {
        let work = try OpenerWork()
        let gate = Gate()
        let namespaces = (1...4 as ClosedRange<UInt64>).map { NamespaceIdentity(device: 4, inode: $0) }
        for _ in 0..<OpenerWork.limitOfNamespace {
            #expect(Self.refusal(work, in: namespaces[0], gate) == nil)
        }
        let refused = Self.refusal(work, in: namespaces[0], gate)
        #expect(refused?.errno == .resourceBusy && refused?.subject?.hasPrefix("too many calls for ") == true)
        for namespace in namespaces.dropFirst() {
            for _ in 0..<OpenerWork.limitOfNamespace { #expect(Self.refusal(work, in: namespace, gate) == nil) }
        }
        #expect(work.count == OpenerWork.limit)
        #expect(Self.refusal(work, in: nil, gate)?.subject == "too many calls")
        // All threads are busy: after a minute it counts as stuck.
        #expect(!work.isStuck(.now) && !work.isStuck(.now + OpenerWork.patience - .seconds(1)))
        #expect(work.isStuck(.now + OpenerWork.patience + .seconds(1)))
        gate.open()
        let end = ContinuousClock.now + .seconds(10)
        while work.count > 0, ContinuousClock.now < end { Thread.pause(milliseconds: 1) }
        #expect(work.count == 0 && gate.ended.load(ordering: .relaxed) == OpenerWork.limit)
        #expect(!work.isStuck(.now + .seconds(3600)))
        #expect(Self.refusal(work, in: namespaces[0], gate) == nil)
    }
}
