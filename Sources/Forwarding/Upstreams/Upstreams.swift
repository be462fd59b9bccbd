// All upstreams that a worker asks, and where the questions of each group go.

import DNSWire

/// The upstreams of one scope, as they stand in the table of all upstreams.
struct ScopeList: Sendable {
    /// In the order of the group's list.
    let upstreams: [Slot]
    let vantage: Vantage
    let rotates: Bool
    let usesStreams: Bool
    let patience: Lapse
    /// Questions that went there; where the list rotates, it is another server's turn each time.
    var turn = 0
}

/// The upstreams by server and namespace: what is learned from one group's questions holds for all groups.
struct Upstreams {
    private var table = Slots<Upstream>()
    private var places: [UpstreamPlace: Slot] = [:]
    /// Those that are not asked; empty nearly always.
    private var avoided: Set<UpstreamPlace> = []
    private var lists: [UInt32: ScopeList] = [:]

    subscript(_ slot: Slot) -> Upstream? {
        get { table[slot] }
        _modify { yield &table[slot] }
    }

    /// The upstreams that questions of a scope go to.
    func list(of scope: UInt32) -> ScopeList? { lists[scope] }

    /// Sets the upstreams that questions of a scope go to.
    mutating func set(_ list: UpstreamList, of scope: UInt32, from vantage: Vantage) {
        var slots: [Slot] = []
        for server in list.servers {
            let slot = slot(of: server, vantage)
            if !slots.contains(slot) { slots.append(slot) }
        }
        lists[scope] = ScopeList(
            upstreams: slots, vantage: vantage, rotates: list.rotates, usesStreams: list.usesStreams,
            patience: list.patience)
    }

    private mutating func slot(of server: ServerAddress, _ vantage: Vantage) -> Slot {
        let place = UpstreamPlace(server: server, vantage: vantage)
        if let known = places[place] { return known }
        let slot = table.insert(Upstream(server, from: vantage))
        places[place] = slot
        return slot
    }

    /// The upstreams of a scope, in the order in which the next question is to try them.
    mutating func takeTurn(of scope: UInt32) -> [Slot] {
        guard let list = lists[scope] else { return [] }
        var slots = list.upstreams
        if !avoided.isEmpty { slots.removeAll { isAvoided($0) } }
        guard list.rotates, slots.count > 1 else { return slots }
        lists[scope]?.turn &+= 1
        let first = list.turn % slots.count
        return Array(slots[first...] + slots[..<first])
    }

    private func isAvoided(_ slot: Slot) -> Bool {
        table[slot].map { avoided.contains(UpstreamPlace(server: $0.server, vantage: $0.vantage)) } ?? false
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
        for (place, slot) in places where !used.contains(slot) {
            places[place] = nil
            if let upstream = table.remove(slot) { gone.append(upstream) }
        }
        return gone
    }

    var reports: [UpstreamReport] {
        table.slots.compactMap { slot in table[slot].map { UpstreamReport($0, isAvoided: isAvoided(slot)) } }
    }
}
