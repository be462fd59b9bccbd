// A table whose places are used again, with names that go stale when their place is.

/// The name of one element of a `Slots` table.
struct Slot: Hashable, Sendable {
    var index: UInt32
    var generation: UInt32
}

/// Elements under small numbers: insertion, look-up and removal in constant time, storage reused.
struct Slots<Element> {
    private struct Entry {
        var generation: UInt32 = 0
        var element: Element?
    }

    private var entries: [Entry] = []
    private var free: [UInt32] = []

    /// How many elements there are.
    var count: Int { entries.count - free.count }

    /// The slots in use, in no particular order. Costs time in proportion to the largest number there ever was.
    var slots: [Slot] {
        entries.indices.compactMap { index in
            let entry = entries[index]
            return entry.element == nil ? nil : Slot(index: UInt32(index), generation: entry.generation)
        }
    }

    mutating func insert(_ element: Element) -> Slot {
        if let index = free.popLast() {
            entries[Int(index)].element = element
            return Slot(index: index, generation: entries[Int(index)].generation)
        }
        entries.append(Entry(element: element))
        return Slot(index: UInt32(entries.count - 1), generation: 0)
    }

    @discardableResult
    mutating func remove(_ slot: Slot) -> Element? {
        guard holds(slot), let element = entries[Int(slot.index)].element.take() else { return nil }
        entries[Int(slot.index)].generation &+= 1
        free.append(slot.index)
        return element
    }

    /// The element at `slot`, changed in place; nil for a slot whose element is gone.
    subscript(_ slot: Slot) -> Element? {
        get { holds(slot) ? entries[Int(slot.index)].element : nil }
        _modify {
            if holds(slot) {
                yield &entries[Int(slot.index)].element
            } else {
                var nothing: Element?
                yield &nothing
            }
        }
    }

    private func holds(_ slot: Slot) -> Bool {
        slot.index < entries.count && entries[Int(slot.index)].generation == slot.generation
    }
}
