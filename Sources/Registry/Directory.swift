// The data plane's tables: which names a view sees, and their records ready to be copied.

package import DNSWire

/// A worker's replica of what the registry knows. Looking up allocates nothing and counts no references.
///
/// Lookups are `mutating` although they change nothing: where a structure of this size is lent, the compiler copies it.
package struct Directory: ~Copyable {
    /// A name that was found.
    package struct Match {
        /// The network that has it, or the links.
        package let scope: ScopeID
        /// True for a name that this view alone has.
        package let isLink: Bool
        let number: Int
        /// True for records of the operator.
        package var isRecord = false
    }

    /// Records of one type, lent for an answer, and which is first this time.
    package struct Records: ~Escapable {
        /// All records, one behind another.
        package let octets: Span<UInt8>
        /// The number of records.
        package let count: Int
        /// Octets of each record; 0 where they differ.
        package let stride: Int
        /// The record that is first in this answer, 0..<count.
        package let start: Int

        @_lifetime(copy octets)
        init(_ octets: Span<UInt8>, count: Int, stride: Int = 0, start: Int = 0) {
            self.octets = octets
            self.count = count
            self.stride = stride
            self.start = start
        }
    }

    /// The folded domain on the wire, root included.
    var domain: [UInt8]
    /// The labels of the domain without the root.
    package private(set) var domainLabels: Int
    var index: NameIndex
    /// Folded names of the networks, without the root; empty for links.
    var scopeNames = RunTable<UInt8>()
    private var scopeTexts: [String] = []
    /// True for networks of which nobody can say yet that a name is not on them; the number of those.
    private var unready: [Bool] = []
    private var unreadyCount = 0
    var scopeSubnets = RunTable<Subnet>()
    /// The wildcards of each scope, and of all.
    private var wildcards: [Int] = []
    var wildcardCount = 0
    /// Names that have records of the operator, wildcards included; and these wildcards alone.
    var recordCount = 0
    var recordWildcardCount = 0
    /// First labels of the others.
    private var recordMarks = LabelMarks()
    /// The most labels of a network's name.
    var maximumScopeLabels = 0
    var viewNetworks = RunTable<UInt32>()
    var viewLinks: [UInt32?] = []
    var viewUpstreams: [UInt32?] = []
    var viewFollowsHost: [Bool] = []
    private var viewHasFormerServers: [Bool] = []
    private var routes: RouteTable
    /// Policies, and the number of each view's.
    var policies: PolicyTable
    var viewPolicies: [UInt32?] = []
    /// The few views of sources that no container has.
    var strangers: Set<Int> = []
    /// Views by address, on networks whose gateways listen.
    private var sources: SourceTable
    /// Chains of CNAME records that were followed since the last change.
    var chains = ChainMemo()
    /// Names with records of the operator and policies: one look tells that there is neither.
    var recordAndPolicyCount = 0
    /// Folded names on the wire, root included, of the domains that the host's own upstreams know.
    var hostDomains = RunTable<UInt8>()
    /// The fewest labels of one of these: most names that are denied have fewer.
    var shortestHostDomain = Int.max
    /// Folded names on the wire, root included, that the host has on each network.
    var hostNames = RunTable<UInt8>()
    /// True when some of these are not under the domain.
    package internal(set) var hasHostNamesOutside = false
    /// True where these hold for containers, too.
    var containersFollowHost = true

    /// - Parameters:
    ///   - domain: the domain that may stand behind every name.
    ///   - seed: a secret that nobody outside knows.
    package init(domain: Name, seed: UInt64) {
        self.domain = domain.folded
        domainLabels = domain.labelCount
        index = NameIndex(seed: seed)
        routes = RouteTable(seed: seed)
        index.marksAbove.countEnds(of: domain.folded.dropLast(), 1)
        policies = PolicyTable(seed: seed)
        sources = SourceTable(seed: seed)
    }

    /// Sets the domain that may stand behind every name.
    package mutating func setDomain(_ name: Name) {
        chains.removeAll()
        index.marksAbove.countEnds(of: domain.dropLast(), -1)
        domain = name.folded
        domainLabels = name.labelCount
        index.marksAbove.countEnds(of: domain.dropLast(), 1)
    }

    // MARK: - Changes

    /// Takes one change; what it needs takes time in proportion to it alone.
    package mutating func apply(_ change: DirectoryChange) {
        if !chains.isEmpty { chains.removeAll() }
        switch change {
        case .scope(let id, let scope): set(Int(id.rawValue), scope)
        case .records(let key, let records):
            let difference = index.set(key, records)
            if difference != 0, key.kind != .reverse { index.countBeneath(key, difference) }
            if key.kind == .wildcard {
                wildcards.grow(toHold: Int(key.scope.rawValue), with: 0)
                wildcards[Int(key.scope.rawValue)] += difference
                wildcardCount += difference
            }
            if key.kind == .record || key.kind == .recordWildcard { recordCount += difference }
            if key.kind == .record, difference != 0 { mark(key.name, difference) }
            if key.kind == .recordWildcard { recordWildcardCount += difference }
            recordAndPolicyCount = recordCount + policies.count
        case .view(let id, let view): set(Int(id.rawValue), view)
        case .source(let scope, let address, let view): sources.set(address, on: scope, view)
        case .policy(let id, let policy):
            policies.set(id, policy)
            recordAndPolicyCount = recordCount + policies.count
        case .policyRules(let id, let name, let rules): policies.set(id, name, rules)
        case .routes(let list): routes.set(RouteTable.everyone, list)
        case .hostDomains(let names, let forContainers):
            containersFollowHost = forContainers
            hostDomains = RunTable()
            for (number, name) in names.enumerated() { hostDomains.set(number, name.folded) }
            shortestHostDomain = names.map(\.labelCount).min() ?? .max
        }
    }

    /// Counts a name that has records of the operator now, or has none any more.
    private mutating func mark(_ name: Name, _ difference: Int) {
        recordMarks.count(index.hashOfFirstLabel(name.folded.span.extracting(droppingLast: 1)), difference)
        guard recordMarks.isCrowded else { return }
        recordMarks.reset()
        for number in index.entries.indices where index.entries[number].kind == RecordKey.Kind.record.rawValue {
            recordMarks.count(index.hashOfFirstLabel(index.name(number)), 1)
        }
    }

    /// False where no record of the operator can be an answer to the name: most names end here.
    @inline(__always)
    package mutating func mayHaveRecord(_ name: borrowing FoldedName) -> Bool {
        recordWildcardCount > 0 || recordMarks.mayContain(index.hashOfFirstLabel(name.span))
    }

    private mutating func set(_ scope: Int, _ facts: Scope?) {
        scopeTexts.grow(toHold: scope, with: "")
        wildcards.grow(toHold: scope, with: 0)
        scopeTexts[scope] = facts?.text ?? ""
        unready.grow(toHold: scope, with: false)
        let isUnready = facts?.isUnready ?? false
        if unready[scope] != isUnready { unreadyCount += isUnready ? 1 : -1 }
        unready[scope] = isUnready
        let name: ArraySlice<UInt8> = facts?.name?.folded.dropLast() ?? []
        index.marksAbove.countEnds(of: scopeNames.elements[scopeNames.run(of: scope)], -1)
        index.marksAbove.countEnds(of: name, 1)
        scopeNames.set(scope, name)
        scopeSubnets.set(scope, facts?.subnets ?? [])
        routes.set(RouteTable.owner(ScopeID(rawValue: UInt32(scope))), facts?.routes ?? [])
        maximumScopeLabels = max(maximumScopeLabels, facts?.name?.labelCount ?? 0)
    }

    private mutating func set(_ view: Int, _ facts: View?) {
        viewLinks.grow(toHold: view, with: nil)
        viewUpstreams.grow(toHold: view, with: nil)
        viewFollowsHost.grow(toHold: view, with: false)
        viewHasFormerServers.grow(toHold: view, with: false)
        viewPolicies.grow(toHold: view, with: nil)
        if facts?.isStranger == true { strangers.insert(view) } else { strangers.remove(view) }
        viewPolicies[view] = facts?.policy?.rawValue
        viewFollowsHost[view] = facts?.followsHost ?? false
        viewHasFormerServers[view] = facts?.hasFormerServers ?? false
        viewLinks[view] = facts?.links?.rawValue
        viewUpstreams[view] = facts?.upstreams?.rawValue
        viewNetworks.set(view, facts?.networks.map(\.rawValue) ?? [])
    }

    // MARK: - Names

    /// The name in a view: as a link, as a whole on any network, with the network's name behind it, each also with the
    /// domain behind it; and no exact name anywhere, under the longest wildcard.
    /// - Parameters:
    ///   - name: the whole name of the question, folded.
    ///   - first: the label that the name begins with; those before it are not looked at.
    ///   - view: who asks; it decides which networks and links are seen.
    package mutating func find(_ name: borrowing FoldedName, from first: Int, view: ViewID) -> Match? {
        let view = Int(view.rawValue)
        guard first < name.labelCount, view < viewLinks.count else { return nil }
        let whole = name.labelCount
        if let links = viewLinks[view], let number = exact(name, first, whole, links) {
            return Match(scope: ScopeID(rawValue: links), isLink: true, number: number)
        }
        let networks = viewNetworks.run(of: view)
        guard !networks.isEmpty else { return nil }
        if let match = lookUp(name, first, whole, networks, .exact) { return match }
        // A single label has no network's name behind it.
        if whole &- first > 1, let match = qualified(name, first, whole, networks, .exact) { return match }
        // The label behind the name without the domain; none where it is not under the domain.
        let bare = whole &- domainLabels > first && isUnderDomain(name) ? whole - domainLabels : 0
        if bare > first, let match = search(name, first, bare, networks, .exact) { return match }
        guard wildcardCount > 0, hasWildcards(networks) else { return nil }
        if let match = search(name, first, whole, networks, .wildcard) { return match }
        if bare > first, let match = search(name, first, bare, networks, .wildcard) { return match }
        return nil
    }

    /// The labels `first..<end` as a name on any network; then as a name with a network's name behind it.
    mutating func search(
        _ name: borrowing FoldedName, _ first: Int, _ end: Int, _ networks: Range<Int>, _ kind: RecordKey.Kind
    ) -> Match? {
        if let match = match(name, first, end, networks, kind) { return match }
        return qualified(name, first, end, networks, kind)
    }

    /// The labels `first..<end` as a name with a network's name behind it.
    private mutating func qualified(
        _ name: borrowing FoldedName, _ first: Int, _ end: Int, _ networks: Range<Int>, _ kind: RecordKey.Kind
    ) -> Match? {
        let most = min(end &- first &- 1, maximumScopeLabels)
        var labels = 0
        while labels < most {
            labels &+= 1
            let network = name.labels(end &- labels, end)
            for position in networks {
                let scope = Int(viewNetworks.elements[position])
                guard network.isEqual(to: scopeNames.lent(scope)) else { continue }
                if let match = match(name, first, end &- labels, position..<position &+ 1, kind) { return match }
            }
        }
        return nil
    }

    /// The labels `first..<end` as they are on any network, or the longest wildcard that they are under.
    private mutating func match(
        _ name: borrowing FoldedName, _ first: Int, _ end: Int, _ networks: Range<Int>, _ kind: RecordKey.Kind
    ) -> Match? {
        guard kind == .wildcard || kind == .recordWildcard else { return lookUp(name, first, end, networks, kind) }
        for label in first + 1..<max(end, first + 1) {
            if let match = lookUp(name, label, end, networks, kind) { return match }
        }
        return nil
    }

    /// The name of the labels `first..<end` on the first network that has it.
    @inline(__always)
    private mutating func lookUp(
        _ name: borrowing FoldedName, _ first: Int, _ end: Int, _ networks: Range<Int>, _ kind: RecordKey.Kind
    ) -> Match? {
        let octets = name.labels(first, end)
        let hash = index.hash(octets)
        for position in networks {
            let scope = viewNetworks.elements[position]
            if let number = index.find(octets, hash, scope: scope, kind: kind) {
                return Match(scope: ScopeID(rawValue: scope), isLink: false, number: number)
            }
        }
        return nil
    }

    private mutating func exact(_ name: borrowing FoldedName, _ first: Int, _ end: Int, _ scope: UInt32) -> Int? {
        let octets = name.labels(first, end)
        return index.find(octets, index.hash(octets), scope: scope, kind: .exact)
    }

    private mutating func hasWildcards(_ networks: Range<Int>) -> Bool {
        for position in networks where wildcards[Int(viewNetworks.elements[position])] > 0 { return true }
        return false
    }

    /// True for the domain and names under it.
    @inline(__always)
    package mutating func isUnderDomain(_ name: borrowing FoldedName) -> Bool {
        // Most names are shorter, or have a label of another length there.
        name.length >= domain.count && name.labelCount >= domainLabels
            && name.suffixEquals(domain.span, fromLabel: name.labelCount &- domainLabels)
    }

    // MARK: - Addresses

    /// The endpoint of an address on the view's networks, by its reverse name.
    package mutating func findReverse(_ name: borrowing FoldedName, view: ViewID) -> Match? {
        lookUp(name, 0, name.labelCount, viewNetworks.run(of: Int(view.rawValue)), .reverse)
    }

    // MARK: - Records

    /// The records of one type; those of several take turns in being the first.
    /// - Parameters:
    ///   - match: the name.
    ///   - type: the type.
    ///   - room: octets that there are for them; where they do not fit the client asks again, and it is nobody's turn.
    @_lifetime(&self)
    package mutating func records(_ match: Match, _ type: RecordType, room: Int = .max) -> Records {
        for position in index.runs.run(of: match.number) where index.runs.elements[position].type == type.rawValue {
            return records(ofRun: position, of: match.number, room)
        }
        let start = Int(index.blobs.runs[match.number].start)
        return Records(octets(start..<start), count: 0)
    }

    /// The records of a run of a name.
    @inline(__always)
    @_lifetime(&self)
    mutating func records(ofRun position: Int, of number: Int, _ room: Int) -> Records {
        let start = Int(index.blobs.runs[number].start)
        let run = index.runs.elements[position]
        var turn = 0
        if run.count > 1 {
            turn = Int(run.end &- run.start) <= room ? index.takeTurn(of: position) : index.takeChance(of: position)
        }
        return Records(
            octets(start &+ Int(run.start)..<start &+ Int(run.end)), count: Int(run.count), stride: Int(run.stride),
            start: turn)
    }

    @_lifetime(&self)
    private mutating func octets(_ place: Range<Int>) -> Span<UInt8> {
        index.blobs.elements.span.extracting(place)
    }

    // MARK: - Views

    /// The view of who has an address on a network whose gateway listens; nil: nobody that is known.
    /// - Parameters:
    ///   - source: the address as a number; an IPv4 address as ::ffff:0:0/96 has it.
    ///   - network: the network that the packet has come in from.
    package func view(ofSource source: UInt128, on network: ScopeID) -> ViewID? {
        sources.view(of: source, on: network)
    }

    /// The destination of a view's question that is not ours; nil: nowhere.
    package mutating func destination(of name: borrowing FoldedName, view: ViewID) -> Destination? {
        let view = Int(view.rawValue)
        guard view < viewUpstreams.count, let upstreams = viewUpstreams[view] else { return nil }
        var destination = Destination(
            group: upstreams, routeLabels: 0, hasFormerServers: viewHasFormerServers[view])
        guard !routes.isEmpty else { return destination }
        for position in viewNetworks.run(of: view) {
            let owner = RouteTable.owner(ScopeID(rawValue: viewNetworks.elements[position]))
            routes.improve(&destination, for: name, owner: owner)
        }
        routes.improve(&destination, for: name, owner: RouteTable.everyone)
        return destination
    }

    /// The first network of a view; nil where it is on none.
    package mutating func firstNetwork(of view: ViewID) -> ScopeID? {
        let networks = viewNetworks.run(of: Int(view.rawValue))
        return networks.isEmpty ? nil : ScopeID(rawValue: viewNetworks.elements[networks.lowerBound])
    }

    /// True when a view has former servers: names of neighbours that we do not have are asked of them.
    package mutating func hasFormerServers(_ view: ViewID) -> Bool {
        let view = Int(view.rawValue)
        return view < viewHasFormerServers.count && viewHasFormerServers[view]
    }

    /// The domain of the route that has this group of upstreams; nil where the group is no route's.
    package func routeDomain(of group: UInt32) -> Name? { routes.domain(of: group) }

    /// True when nobody can say yet that a name is not on the networks of a view: other hosts have not told everything.
    @inline(__always)
    package mutating func isUnready(_ view: ViewID) -> Bool { unreadyCount > 0 && hasUnreadyNetwork(view) }

    @inline(never)
    private mutating func hasUnreadyNetwork(_ view: ViewID) -> Bool {
        let view = Int(view.rawValue)
        guard view < viewLinks.count else { return false }
        for position in viewNetworks.run(of: view) where unready[Int(viewNetworks.elements[position])] { return true }
        return false
    }

    /// The name of a network as people write it.
    package func networkName(of scope: ScopeID) -> String {
        let scope = Int(scope.rawValue)
        return scope < scopeTexts.count ? scopeTexts[scope] : ""
    }
}

extension Array {
    /// Appends until there is an element at this position.
    fileprivate mutating func grow(toHold position: Int, with element: Element) {
        while count <= position { append(element) }
    }
}
