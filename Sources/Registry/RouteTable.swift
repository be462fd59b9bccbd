// Routing domains: the longest one that a name is under says which upstreams are asked.

import DNSWire

/// Destination of a question that no rule answers.
package struct Destination: Equatable, Sendable {
    /// The number of the upstream group.
    package var group: UInt32
    /// The labels of the route's domain; 0: no route was found.
    package var routeLabels: Int
    /// True when the view that asks has former servers; see ``Directory/hasFormerServers(_:)``.
    package var hasFormerServers = false

    /// True when a route determines it.
    package var isRoute: Bool { routeLabels > 0 }
}

/// The routes of each network, and those of all. A view looks through the lists of its networks: nothing is kept for
/// each view. Looking up hashes the name's end once for each number of labels, walks over the hashes and allocates nothing.
struct RouteTable: Sendable {
    private struct Entry: Sendable {
        /// Of the domain, without its root.
        var hash: UInt64
        /// Labels of the domain: at least one.
        var labels: Int
        /// Place of the domain in the owner's names: folded, in wire format, with the root.
        var offset: Int
        var length: Int
        var group: UInt32
    }

    /// The list that holds for all views.
    static let everyone = 0

    /// The list of a network.
    static func owner(_ scope: ScopeID) -> Int { Int(scope.rawValue) + 1 }

    private let hashing: NameHash
    /// Each owner's, the longest domains first.
    private var entries = RunTable<Entry>()
    private var names = RunTable<UInt8>()
    private var count = 0

    /// - Parameter seed: a secret that nobody outside knows.
    init(seed: UInt64) {
        hashing = NameHash(seed: seed)
    }

    /// True when nobody has a route.
    var isEmpty: Bool { count == 0 }

    mutating func set(_ owner: Int, _ routes: [RoutingDomain]) {
        var list: [Entry] = []
        var octets: [UInt8] = []
        for route in routes {
            let domain = route.domain.folded
            list.append(
                Entry(
                    hash: hashing.hash(domain.span.extracting(droppingLast: 1)), labels: route.domain.labelCount,
                    offset: octets.count, length: domain.count, group: route.upstreams.rawValue))
            octets += domain
        }
        list.sort { $0.labels > $1.labels }
        count += list.count - entries.run(of: owner).count
        entries.set(owner, list)
        names.set(owner, octets)
    }

    /// Makes the destination that of the longest domain in an owner's list, if it is longer than what was found before.
    func improve(_ destination: inout Destination, for name: borrowing FoldedName, owner: Int) {
        var labels = 0
        var hash: UInt64 = 0
        for position in entries.run(of: owner) {
            let entry = entries.elements[position]
            guard entry.labels <= name.labelCount else { continue }
            guard entry.labels > destination.routeLabels else { return }
            if entry.labels != labels {
                labels = entry.labels
                let end = name.labelOffset(name.labelCount - labels)..<name.length - 1
                hash = hashing.hash(name.span.extracting(end))
            }
            guard entry.hash == hash, isDomain(entry, of: owner, under: name) else { continue }
            destination.group = entry.group
            destination.routeLabels = labels
            return
        }
    }

    /// True when a name is the domain of an entry or under it.
    private func isDomain(_ entry: Entry, of owner: Int, under name: borrowing FoldedName) -> Bool {
        let start = names.run(of: owner).lowerBound + entry.offset
        let domain = names.elements.span.extracting(start..<start + entry.length)
        return name.suffixEquals(domain, fromLabel: name.labelCount - entry.labels)
    }

    /// The domain of the route to a group.
    func domain(of group: UInt32) -> Name? {
        for owner in entries.runs.indices {
            for position in entries.run(of: owner) where entries.elements[position].group == group {
                let start = names.run(of: owner).lowerBound + entries.elements[position].offset
                let end = start + entries.elements[position].length
                return try? Name(wire: names.elements.span.extracting(start..<end))
            }
        }
        return nil
    }
}
