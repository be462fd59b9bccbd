// Scopes of answers: what one group's upstreams said is never shown to who asks another.

/// Numbers for what answers belong to. A group whose upstreams change gets another number, and so forgets what the old ones
/// said; a group that is asked from the namespace of who asks has one for each.
struct Scopes: Sendable {
    private struct GroupScope {
        let group: UInt32
        /// 0: one for each view.
        let scope: UInt32
    }

    private struct Place: Hashable {
        let group: UInt32
        let view: UInt32
    }

    /// In ascending order of groups. An array that is searched, as looking into it counts no references.
    private var groups: [GroupScope] = []
    private var ofViews: [Place: UInt32] = [:]
    private var last: UInt32 = 0

    /// The scope of a group's answers for a view; nil where there cannot be any yet.
    func scope(of group: UInt32, for view: UInt32) -> UInt32? {
        // Numbers are dense: the default group, and the others while none before them has gone, stand at their own.
        var position = Int(group)
        if position >= groups.count || groups[position].group != group {
            position = self.position(of: group)
            guard position < groups.count, groups[position].group == group else { return nil }
        }
        let scope = groups[position].scope
        return scope > 0 ? scope : scopeOfView(group, view)
    }

    @inline(never)
    private func scopeOfView(_ group: UInt32, _ view: UInt32) -> UInt32? { ofViews[Place(group: group, view: view)] }

    /// The same, and there is one from now on.
    mutating func makeScope(of group: UInt32, for view: UInt32) -> UInt32 {
        if let known = scope(of: group, for: view) { return known }
        last += 1
        ofViews[Place(group: group, view: view)] = last
        return last
    }

    /// The group of a scope's answers, and the view that they are for where the group has a scope for each; nil: nobody is given
    /// them any more.
    func place(of scope: UInt32) -> (group: UInt32, view: UInt32?)? {
        if let known = groups.first(where: { $0.scope == scope && scope > 0 }) { return (known.group, nil) }
        return ofViews.first { $0.value == scope }.map { ($0.key.group, $0.key.view) }
    }

    /// Gives a group new scopes, nil: none; gives the scopes that it had.
    mutating func renew(_ group: UInt32, _ origin: UpstreamList.Origin?) -> [UInt32] {
        let position = position(of: group)
        var old = forget { $0.group == group }
        if position < groups.count, groups[position].group == group {
            old.append(groups.remove(at: position).scope)
        }
        if let origin {
            if origin == .host { last += 1 }
            groups.insert(GroupScope(group: group, scope: origin == .host ? last : 0), at: position)
        }
        return old
    }

    /// Forgets a view, as its number will be another's; gives the scopes that it had.
    mutating func forget(view: UInt32) -> [UInt32] {
        forget { $0.view == view }
    }

    /// Forgets what a view has of some groups; gives the scopes.
    mutating func forget(view: UInt32, in groups: Set<UInt32>) -> [UInt32] {
        groups.compactMap { ofViews.removeValue(forKey: Place(group: $0, view: view)) }
    }

    private mutating func forget(_ isGone: (Place) -> Bool) -> [UInt32] {
        var scopes: [UInt32] = []
        for (place, scope) in ofViews where isGone(place) {
            scopes.append(scope)
            ofViews[place] = nil
        }
        return scopes
    }

    /// The position of a group, or that at which it would be.
    private func position(of group: UInt32) -> Int {
        var (low, high) = (0, groups.count)
        while low < high {
            let middle = (low &+ high) / 2
            if groups[middle].group < group { low = middle &+ 1 } else { high = middle }
        }
        return low
    }
}
