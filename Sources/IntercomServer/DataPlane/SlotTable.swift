// A table of owned things (listeners, connections, sockets) that are found by a ticket.
// A ticket outlives its thing harmlessly: an event that arrives late finds nothing instead of a stranger.

import BasicContainers

/// Names one element of a ``SlotTable``; never equal for two elements that the table held at different times
/// (until a slot has been reused 2²⁸ times).
struct Ticket: Hashable, Sendable {
    var slot: UInt32
    var generation: UInt32

    /// Both halves in one word, as `epoll_event.data` carries it.
    var word: UInt64 { UInt64(generation) << 32 | UInt64(slot) }

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    init(word: UInt64) {
        self.init(slot: UInt32(truncatingIfNeeded: word), generation: UInt32(truncatingIfNeeded: word >> 32))
    }
}

/// Owned elements, densely packed, found by ticket in constant time.
struct SlotTable<Element: ~Copyable>: ~Copyable {
    private struct Slot {
        var generation: UInt32
        /// Where the element is in `elements`; -1 while the slot is free.
        var position: Int32
    }

    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var elements = UniqueArray<Element>()
    /// The slot of each element, by its position.
    private var owners: [UInt32] = []

    var count: Int { elements.count }
    var isEmpty: Bool { elements.isEmpty }

    mutating func insert(_ element: consuming Element) -> Ticket {
        let slot: UInt32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = UInt32(slots.count)
            slots.append(Slot(generation: 0, position: -1))
        }
        slots[Int(slot)].position = Int32(elements.count)
        elements.append(element)
        owners.append(slot)
        return Ticket(slot: slot, generation: slots[Int(slot)].generation)
    }

    /// Where the element of this ticket is now, for the subscript; nil once it is gone.
    func position(of ticket: Ticket) -> Int? {
        guard ticket.slot < slots.count else { return nil }
        let slot = slots[Int(ticket.slot)]
        guard slot.generation == ticket.generation, slot.position >= 0 else { return nil }
        return Int(slot.position)
    }

    /// The ticket of the element at a position.
    func ticket(at position: Int) -> Ticket {
        let slot = owners[position]
        return Ticket(slot: slot, generation: slots[Int(slot)].generation)
    }

    /// Takes the element out; the last element moves to its position.
    @discardableResult
    mutating func remove(_ ticket: Ticket) -> Element? {
        guard let position = position(of: ticket) else { return nil }
        let last = elements.count - 1
        if position != last {
            elements.swapAt(position, last)
            owners.swapAt(position, last)
            slots[Int(owners[position])].position = Int32(position)
        }
        owners.removeLast()
        slots[Int(ticket.slot)].position = -1
        slots[Int(ticket.slot)].generation = (ticket.generation &+ 1) & 0x0FFF_FFFF
        freeSlots.append(ticket.slot)
        return elements.removeLast()
    }

    subscript(position: Int) -> Element {
        _read { yield elements[position] }
        _modify { yield &elements[position] }
    }
}
