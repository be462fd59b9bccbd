// Exchanges that wait for their turn, and those of them whose turn will not come.

import DequeModule
import Tables

/// Exchanges in the order in which they came. Those that wait no more stay in it for a while, but never are most of it.
struct TicketQueue: Sendable {
    private var tickets = Deque<Ticket>()
    /// Those that wait no more are taken out when so many times as many are in it as wait: each append pays for one.
    private static let tolerance = 2
    /// Nothing is done for fewer.
    private static let least = 16

    /// The number of exchanges, those that wait no more included.
    var count: Int { tickets.count }

    /// Adds an exchange.
    /// - Parameters:
    ///   - waiting: how many wait at most.
    ///   - waits: whether one still does.
    mutating func append(_ ticket: Ticket, waiting: Int, waits: (Ticket) -> Bool) {
        if tickets.count > Self.tolerance * waiting + Self.least {
            // One that went and came back is in it twice.
            var kept: Set<Ticket> = []
            tickets = Deque(tickets.filter { waits($0) && kept.insert($0).inserted })
        }
        tickets.append(ticket)
    }

    /// The one that has waited longest.
    mutating func first(where waits: (Ticket) -> Bool) -> Ticket? {
        while let ticket = tickets.first {
            if waits(ticket) { return ticket }
            tickets.removeFirst()
        }
        return nil
    }

    /// The one of a kind that has waited longest; costs time in proportion to all.
    func any(where isMeant: (Ticket) -> Bool) -> Ticket? { tickets.first(where: isMeant) }
}
