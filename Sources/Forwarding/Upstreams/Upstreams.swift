// All upstreams that a worker asks, and where the questions of each group go.

import DNSWire
import Tables

/// The upstreams of one scope, as they stand in the table of all upstreams.
struct ScopeList: Sendable {
    /// In the order of the group's list.
    let upstreams: [Ticket]
    let vantage: Vantage
    let rotates: Bool
    let usesStreams: Bool
    let patience: Lapse
    /// Questions that went there; where the list rotates, it is another server's turn each time.
    var turn = 0
}

/// The upstreams by server and namespace: what is learned from one group's questions holds for all groups.
struct Upstreams: ~Copyable {
    private var table = SlotTable<Upstream>()
    private var places: [UpstreamPlace: Ticket] = [:]
    /// Those that are not asked; empty nearly always.
    private var avoided: Set<UpstreamPlace> = []
    private var lists: [UInt32: ScopeList] = [:]
    /// Questions to servers, those included that are in no list any more.
    var traffic = TrafficTable()

    subscript(_ ticket: Ticket) -> Upstream? {
        get { table[ticket] }
        _modify { yield &table[ticket] }
    }

    /// The upstreams that questions of a scope go to.
    func list(of scope: UInt32) -> ScopeList? { lists[scope] }

    /// Sets the upstreams that questions of a scope go to.
    mutating func set(_ list: UpstreamList, of scope: UInt32, from vantage: Vantage) {
        var tickets: [Ticket] = []
        for server in list.servers {
            let ticket = ticket(of: server, vantage)
            if !tickets.contains(ticket) { tickets.append(ticket) }
        }
        lists[scope] = ScopeList(
            upstreams: tickets, vantage: vantage, rotates: list.rotates, usesStreams: list.usesStreams,
            patience: list.patience)
    }

    private mutating func ticket(of server: ServerAddress, _ vantage: Vantage) -> Ticket {
        let place = UpstreamPlace(server: server, vantage: vantage)
        if let known = places[place] { return known }
        let ticket = table.insert(Upstream(server, from: vantage, traffic: traffic.number(of: server)))
        places[place] = ticket
        return ticket
    }

    /// The upstreams of a scope, in the order in which the next question is to try them.
    mutating func takeTurn(of scope: UInt32) -> [Ticket] {
        guard let list = lists[scope] else { return [] }
        var tickets = list.upstreams
        if !avoided.isEmpty { tickets.removeAll { isAvoided($0) } }
        guard list.rotates, tickets.count > 1 else { return tickets }
        lists[scope]?.turn &+= 1
        let first = list.turn % tickets.count
        return Array(tickets[first...] + tickets[..<first])
    }

    private func isAvoided(_ ticket: Ticket) -> Bool {
        table[ticket].map { avoided.contains(UpstreamPlace(server: $0.server, vantage: $0.vantage)) } ?? false
    }

    /// Asks a server no more, whichever lists have it.
    mutating func avoid(_ place: UpstreamPlace) { avoided.insert(place) }

    /// Asks servers again that were avoided.
    mutating func stopAvoiding(where isMeant: (UpstreamPlace) -> Bool) {
        avoided = avoided.filter { !isMeant($0) }
    }

    /// Forgets scopes, and the upstreams that no other scope has; gives those, as they were.
    mutating func forget(scopes: [UInt32]) -> [Upstream] {
        guard !scopes.isEmpty else { return [] }
        for scope in scopes { lists[scope] = nil }
        let used = Set(lists.values.flatMap(\.upstreams))
        var gone: [Upstream] = []
        for (place, ticket) in places where !used.contains(ticket) {
            places[place] = nil
            if let upstream = table.remove(ticket) { gone.append(upstream) }
        }
        return gone
    }

    var reports: [UpstreamReport] {
        table.tickets.compactMap { ticket in table[ticket].map { UpstreamReport($0, isAvoided: isAvoided(ticket)) } }
    }
}
