// Deadlines of exchanges and sockets: a binary heap that knows where each of them stands in it.

import Tables

/// At most one deadline for each ticket, the earliest first. Setting, moving and removing one costs O(log n), reading the
/// earliest nothing: no tick ever walks over what is not due.
struct Deadlines {

    private struct Entry {
        var instant: Moment
        var ticket: Ticket
    }

    /// Each entry is no later than the two at 2i+1 and 2i+2.
    private var heap: [Entry] = []
    /// The position in `heap` of the ticket with this slot; `absent` if it has no deadline.
    private var positions: [Int] = []
    private static var absent: Int { -1 }

    var count: Int { heap.count }

    /// The earliest deadline.
    var earliest: Moment? { heap.first?.instant }

    /// Gives `ticket` this deadline instead of the one that it had.
    mutating func set(_ ticket: Ticket, _ instant: Moment) {
        let index = Int(ticket.slot)
        while positions.count <= index { positions.append(Self.absent) }
        let entry = Entry(instant: instant, ticket: ticket)
        if positions[index] == Self.absent {
            heap.append(entry)
            rise(heap.count - 1, entry)
        } else {
            replace(positions[index], entry)
        }
    }

    /// Forgets the deadline of `ticket`, if it has one.
    mutating func remove(_ ticket: Ticket) {
        let index = Int(ticket.slot)
        guard index < positions.count, positions[index] != Self.absent else { return }
        let hole = positions[index]
        positions[index] = Self.absent
        guard let last = heap.popLast(), hole < heap.count else { return }
        replace(hole, last)
    }

    /// Takes the earliest deadline that is not after `now`.
    mutating func takeDue(_ now: Moment) -> Ticket? {
        guard let first = heap.first, first.instant <= now else { return nil }
        remove(first.ticket)
        return first.ticket
    }

    private mutating func place(_ position: Int, _ entry: Entry) {
        heap[position] = entry
        positions[Int(entry.ticket.slot)] = position
    }

    private mutating func replace(_ position: Int, _ entry: Entry) {
        if position > 0, entry.instant < heap[(position - 1) / 2].instant {
            rise(position, entry)
        } else {
            sink(position, entry)
        }
    }

    private mutating func rise(_ start: Int, _ entry: Entry) {
        var position = start
        while position > 0 {
            let parent = (position - 1) / 2
            guard entry.instant < heap[parent].instant else { break }
            place(position, heap[parent])
            position = parent
        }
        place(position, entry)
    }

    private mutating func sink(_ start: Int, _ entry: Entry) {
        var position = start
        while true {
            var child = 2 * position + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].instant < heap[child].instant { child += 1 }
            guard heap[child].instant < entry.instant else { break }
            place(position, heap[child])
            position = child
        }
        place(position, entry)
    }
}
