// All upstreams that a worker asks, and where the questions of each group go.

import DNSWire

/// Where questions go that belong to one scope.
struct Destination: Sendable {
    /// In the order of the group's list.
    let upstreams: [Slot]
    let vantage: Vantage
    let rotates: Bool
    let patience: Lapse
    /// Questions that went there; where the list rotates, it is another server's turn each time.
    var turn = 0
}

/// The upstreams by server and namespace: what is learned from one group's questions holds for all groups.
struct Upstreams {
    private struct Place: Hashable {
        let server: ServerAddress
        let vantage: Vantage
    }

    private var table = Slots<Upstream>()
    private var places: [Place: Slot] = [:]
    private var destinations: [UInt32: Destination] = [:]

    subscript(_ slot: Slot) -> Upstream? {
        get { table[slot] }
        _modify { yield &table[slot] }
    }

    /// Where questions of a scope go.
    func destination(of scope: UInt32) -> Destination? { destinations[scope] }

    /// Sets where questions of a scope go.
    mutating func setDestination(of scope: UInt32, _ list: UpstreamList, from vantage: Vantage) {
        var slots: [Slot] = []
        for server in list.servers {
            let slot = slot(of: server, vantage)
            if !slots.contains(slot) { slots.append(slot) }
        }
        destinations[scope] = Destination(
            upstreams: slots, vantage: vantage, rotates: list.rotates, patience: list.patience)
    }

    private mutating func slot(of server: ServerAddress, _ vantage: Vantage) -> Slot {
        let place = Place(server: server, vantage: vantage)
        if let known = places[place] { return known }
        let slot = table.insert(Upstream(server, from: vantage))
        places[place] = slot
        return slot
    }

    /// The upstreams of a scope, in the order in which the next question is to try them.
    mutating func takeTurn(of scope: UInt32) -> [Slot] {
        guard let destination = destinations[scope] else { return [] }
        let slots = destination.upstreams
        guard destination.rotates, slots.count > 1 else { return slots }
        destinations[scope]?.turn += 1
        let first = destination.turn % slots.count
        return Array(slots[first...] + slots[..<first])
    }

    /// Forgets scopes, and the upstreams that no other scope has; gives those, as they were.
    mutating func forget(scopes: [UInt32]) -> [Upstream] {
        guard !scopes.isEmpty else { return [] }
        for scope in scopes { destinations[scope] = nil }
        let used = Set(destinations.values.flatMap(\.upstreams))
        var gone: [Upstream] = []
        for (place, slot) in places where !used.contains(slot) {
            places[place] = nil
            if let upstream = table.remove(slot) { gone.append(upstream) }
        }
        return gone
    }

    var reports: [UpstreamReport] { table.slots.compactMap { table[$0].map { UpstreamReport($0) } } }
}
