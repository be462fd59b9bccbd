// Exchanges that wait for their turn, and those of them whose turn will not come.

import DequeModule

/// Exchanges in the order in which they came. Those that wait no more stay in it for a while, but never are most of it.
struct SlotQueue: Sendable {
    private var slots = Deque<Slot>()

    /// How many there are, those that wait no more included.
    var count: Int { slots.count }

    /// Adds an exchange.
    /// - Parameters:
    ///   - waiting: how many wait at most.
    ///   - waits: whether one still does.
    mutating func append(_ slot: Slot, waiting: Int, waits: (Slot) -> Bool) {
        if slots.count > 2 * waiting + 16 {
            // One that went and came back is in it twice.
            var kept: Set<Slot> = []
            slots = Deque(slots.filter { waits($0) && kept.insert($0).inserted })
        }
        slots.append(slot)
    }

    /// The one that has waited longest.
    mutating func first(where waits: (Slot) -> Bool) -> Slot? {
        while let slot = slots.first {
            if waits(slot) { return slot }
            slots.removeFirst()
        }
        return nil
    }

    /// The one of a kind that has waited longest; costs time in proportion to all.
    func any(where isMeant: (Slot) -> Bool) -> Slot? { slots.first(where: isMeant) }
}
