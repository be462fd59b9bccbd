// Notes of denials: as many as people read, and counts of all.

import DNSWire
import Forwarding
import Registry
import Testing

@testable import IntercomServer

@Suite("Notes of denied questions")
struct PolicyNotesTests {
    private static func note() throws -> PolicyNote {
        PolicyNote(
            view: ViewID(rawValue: 3), policy: "fixed", rule: "default deny", name: try Name("evil.test").wire,
            type: .a, isAudit: false, isByDefault: true)
    }

    /// Asks for so many denied names; those that are to be noted are.
    private static func deny(_ count: Int, isAudit: Bool = false, _ notes: inout PolicyNotes) throws {
        for _ in 0..<count where notes.count(isAudit: isAudit) { notes.add(try note()) }
    }

    @Test("are bounded in time: the rest is counted, and there is room again after a while")
    func bounded() throws {
        var notes = PolicyNotes()
        let start = ContinuousClock.now
        // However fast this is: more come than there is room for.
        while notes.leftOut < 5, ContinuousClock.now < start + .seconds(10) { try Self.deny(1, &notes) }
        let noted = notes.notes.count
        #expect(noted >= 2 * PolicyNotes.limit && noted.isMultiple(of: PolicyNotes.limit))
        #expect(notes.leftOut == 5 && notes.denied == UInt64(noted + 5))
        let taken = notes.take()
        #expect(taken.notes.count == noted && taken.leftOut == 5)
        #expect(notes.isEmpty && notes.leftOut == 0)
        while notes.isEmpty, ContinuousClock.now < start + .seconds(10) { try Self.deny(1, &notes) }
        #expect(notes.notes.count == 1 && ContinuousClock.now >= start + .milliseconds(100))
    }

    @Test("count those under audit apart, and dropped addresses")
    func counted() throws {
        var notes = PolicyNotes()
        try Self.deny(2, &notes)
        try Self.deny(3, isAudit: true, &notes)
        notes.count(dropped: 4)
        notes.count(dropped: 1)
        #expect(notes.denied == 2 && notes.audited == 3 && notes.droppedAddresses == 5)
        #expect(notes.notes.count == 5)
    }

    @Test("are not made, and nothing is counted, while the control plane asks")
    func paused() throws {
        var notes = PolicyNotes()
        notes.isPaused = true
        try Self.deny(2, &notes)
        try Self.deny(2, isAudit: true, &notes)
        notes.count(dropped: 4)
        #expect(notes.isEmpty && notes.denied == 0 && notes.audited == 0 && notes.droppedAddresses == 0)
    }
}
