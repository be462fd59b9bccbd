// A table of elements that are found by a ticket.
// A ticket outlives its element harmlessly: an event that arrives late finds nothing instead of a stranger.

public import BasicContainers

/// Names one element of a ``SlotTable``; never equal for two elements that the table held at different times
/// (until a slot has been reused 2²⁸ times).
public struct Ticket: Hashable, Sendable {
    /// The number of the element's slot: from 0 on, dense, used again.
    public var slot: UInt32
    /// The number of elements that had the slot before: 0...``maximumGeneration``, then from 0 on again.
    public var generation: UInt32

    /// Generations have 28 bits: who carries tickets in a word has four left, for a kind.
    @inlinable public static var maximumGeneration: UInt32 { 0x0FFF_FFFF }

    /// The ticket of a slot in one of its generations.
    @inlinable
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// The ticket in the word that ``word`` gave.
    @inlinable
    public init(word: UInt64) {
        self.init(slot: UInt32(truncatingIfNeeded: word), generation: UInt32(truncatingIfNeeded: word >> 32))
    }

    /// Both halves in one word, as `epoll_event.data` carries it.
    @inlinable public var word: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// Elements, densely packed, found by ticket in constant time. It owns them: they may be what cannot be copied.
public struct SlotTable<Element: ~Copyable>: ~Copyable {
    @usableFromInline
    struct Slot {
        @usableFromInline var generation: UInt32
        /// The element's position in `elements`; -1 while the slot is free.
        @usableFromInline var position: Int32

        @inlinable
        init(generation: UInt32, position: Int32) {
            self.generation = generation
            self.position = position
        }
    }

    @usableFromInline var slots: [Slot] = []
    @usableFromInline var freeSlots: [UInt32] = []
    @usableFromInline var elements = UniqueArray<Element>()
    /// The slot of each element, by its position.
    @usableFromInline var owners: [UInt32] = []

    /// An empty table.
    @inlinable
    public init() {}

    /// The number of elements.
    @inlinable public var count: Int { elements.count }
    /// True for a table without elements.
    @inlinable public var isEmpty: Bool { elements.isEmpty }

    /// Adds an element, and gives its ticket.
    @inlinable
    public mutating func insert(_ element: consuming Element) -> Ticket {
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

    /// The present position of a ticket's element, for the subscript; nil once it is gone.
    @inlinable
    public func position(of ticket: Ticket) -> Int? {
        guard ticket.slot < slots.count else { return nil }
        let slot = slots[Int(ticket.slot)]
        guard slot.generation == ticket.generation, slot.position >= 0 else { return nil }
        return Int(slot.position)
    }

    /// The ticket of the element at a position: 0..<``count``.
    @inlinable
    public func ticket(at position: Int) -> Ticket {
        let slot = owners[position]
        return Ticket(slot: slot, generation: slots[Int(slot)].generation)
    }

    /// The tickets of all elements, in no particular order.
    @inlinable public var tickets: [Ticket] { owners.indices.map { ticket(at: $0) } }

    /// Takes the element out; the last element moves to its position.
    @inlinable
    @discardableResult
    public mutating func remove(_ ticket: Ticket) -> Element? {
        guard let position = position(of: ticket) else { return nil }
        let last = elements.count - 1
        if position != last {
            elements.swapAt(position, last)
            owners.swapAt(position, last)
            slots[Int(owners[position])].position = Int32(position)
        }
        owners.removeLast()
        slots[Int(ticket.slot)].position = -1
        slots[Int(ticket.slot)].generation = (ticket.generation &+ 1) & Ticket.maximumGeneration
        freeSlots.append(ticket.slot)
        return elements.removeLast()
    }

    /// The element at a position: 0..<``count``.
    @inlinable
    public subscript(position: Int) -> Element {
        _read { yield elements[position] }
        _modify { yield &elements[position] }
    }
}

extension SlotTable {
    /// A copy of the element of a ticket; nil once it is gone. What is set for a ticket whose element is gone has no effect.
    @inlinable
    public subscript(ticket: Ticket) -> Element? {
        get { position(of: ticket).map { elements[$0] } }
        set {
            if let newValue, let position = position(of: ticket) { elements[position] = newValue }
        }
    }
}
