// Tickets: an event that arrives late finds nothing, never a stranger.

import Tables
import Testing

@Suite("A ticket")
struct SlotTableTests {
    /// Element that a ticket finds.
    private func find(_ ticket: Ticket, in table: borrowing SlotTable<String>) -> String? {
        guard let position = table.position(of: ticket) else { return nil }
        #expect(table.ticket(at: position) == ticket)
        return table[position]
    }

    @Test("finds its element wherever others move it, and nothing once that is gone")
    func tickets() {
        var table = SlotTable<String>()
        var tickets: [Ticket] = []
        for element in ["a", "b", "c", "d"] { tickets.append(table.insert(element)) }
        let removed = (table.remove(tickets[1]), table.remove(tickets[1]))
        #expect(removed == ("b", nil))
        var found = tickets.map { find($0, in: table) }
        #expect(found == ["a", nil, "c", "d"])

        let later = table.insert("e")
        #expect(later.slot == tickets[1].slot && later != tickets[1], "a slot is used again, a ticket is not")
        found = (tickets + [later]).map { find($0, in: table) }
        #expect(found == ["a", nil, "c", "d", "e"])

        for ticket in tickets + [later] { table.remove(ticket) }
        let (count, isEmpty) = (table.count, table.isEmpty)
        #expect(count == 0 && isEmpty)
        let stranger = find(Ticket(slot: 99, generation: 0), in: table)
        #expect(stranger == nil)
    }

    @Test("changes its element in place")
    func inPlace() {
        var table = SlotTable<[Int]>()
        let ticket = table.insert([1])
        if let position = table.position(of: ticket) { table[position].append(2) }
        let element = table.remove(ticket)
        #expect(element == [1, 2])
    }

    @Test("finds a copy of its element, which can be changed, and nothing once that is gone")
    func copies() {
        var table = SlotTable<String>()
        let first = table.insert("first")
        table.remove(first)
        let second = table.insert("second")
        #expect(first.slot == second.slot)
        table[first]? += " changed"
        table[second]? += " changed"
        let found = (table[first], table[second])
        #expect(found == (nil, "second changed"))
        let tickets = table.tickets
        #expect(tickets == [second])
    }

    @Test("comes back from the word that the kernel carries")
    func words() {
        for slot: UInt32 in [0, 1, 0xFFFF_FFFF] {
            for generation: UInt32 in [0, 1, Ticket.maximumGeneration] {
                let ticket = Ticket(slot: slot, generation: generation)
                #expect(Ticket(word: ticket.word) == ticket && ticket.word >> 60 == 0)
            }
        }
    }
}
