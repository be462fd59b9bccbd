// Names that a view does not have: which of them are ours all the same, and which are only empty.

package import DNSWire

extension Directory {
    // MARK: - Underscored names

    /// The most underscored labels of a name that are looked at; RFC 8552 knows no name with more than four.
    private static var maximumUnderscored: Int { 8 }

    /// True for names that have an underscored label directly before a name of the view, as `_dmarc.web`: those describe
    /// the host that they are under (RFC 8552 §1), and nobody outside knows it.
    ///
    /// Most names have no such label, see `FoldedName.hasUnderscoredLabel`: they are not looked up here.
    package mutating func isUnderscoredNameOfOurs(_ name: borrowing FoldedName, view: ViewID) -> Bool {
        var seen = 0
        var label = name.labelCount - 2
        while label >= 0, seen < Self.maximumUnderscored {
            if name.isUnderscored(label) {
                seen += 1
                if find(name, from: label + 1, view: view) != nil { return true }
            }
            label -= 1
        }
        return false
    }

    // MARK: - Names with others beneath them

    /// True for the name of a network that the view is on.
    package mutating func isNetworkName(_ name: borrowing FoldedName, view: ViewID) -> Bool {
        // Most names of others have more labels than any network's.
        guard name.labelCount <= maximumScopeLabels else { return false }
        return isNameOfNetwork(name, view: view)
    }

    @inline(never)
    private mutating func isNameOfNetwork(_ name: borrowing FoldedName, view: ViewID) -> Bool {
        for position in viewNetworks.run(of: Int(view.rawValue)) {
            let network = scopeNames.lent(Int(viewNetworks.elements[position]))
            if network.count == name.length - 1, name.labels(0, name.labelCount).isEqual(to: network) { return true }
        }
        return false
    }

    /// True for the domain, for a network of the view with or without the domain behind it, and for whatever else has
    /// names of the view beneath it: such a name exists, although it has no records (RFC 8020 §2).
    /// - Parameters:
    ///   - name: the whole name of the question, folded.
    ///   - view: who asks.
    ///   - isUnderDomain: what ``isUnderDomain(_:)`` says of the name.
    @inline(__always)
    package mutating func hasNamesBeneath(
        _ name: borrowing FoldedName, view: ViewID, isUnderDomain: Bool
    ) -> Bool {
        let whole = name.labelCount
        // Nearly every name that is denied ends here.
        let may =
            mayBeAboveNames(name, whole)
            || isUnderDomain && (whole == domainLabels || mayBeAboveNames(name, whole &- domainLabels))
        return may && isAboveNames(name, view: view)
    }

    /// False where neither the labels `0..<end` nor those before a network's name, if one is at their end, are above any names.
    @inline(__always)
    private mutating func mayBeAboveNames(_ name: borrowing FoldedName, _ end: Int) -> Bool {
        var end = end
        let shortest = max(end &- maximumScopeLabels, 1)
        while !index.marksAbove.mayContain(name, end) {
            end &-= 1
            if end < shortest { return false }
        }
        return true
    }

    /// Looks first whether the name is under the domain, then for names of the view beneath it.
    package mutating func hasNamesBeneath(_ name: borrowing FoldedName, view: ViewID) -> Bool {
        hasNamesBeneath(name, view: view, isUnderDomain: isUnderDomain(name))
    }

    @inline(never)
    mutating func isAboveNames(_ name: borrowing FoldedName, view: ViewID) -> Bool {
        let number = Int(view.rawValue)
        let whole = name.labelCount
        if isUnderDomain(name) {
            let bare = whole - domainLabels
            if bare == 0 || isAboveNames(name, bare, view: number) { return true }
        } else if Self.isEnd(name.labels(0, whole), of: domain.span.extracting(droppingLast: 1)) {
            return true
        }
        return isAboveNames(name, whole, view: number)
    }

    /// True where the labels `0..<end` are above names of the view's links or networks.
    private mutating func isAboveNames(_ name: borrowing FoldedName, _ end: Int, view: Int) -> Bool {
        let networks = viewNetworks.run(of: view)
        let octets = name.labels(0, end)
        for position in networks
        where Self.isEnd(octets, of: scopeNames.lent(Int(viewNetworks.elements[position]))) {
            return true
        }
        guard index.emptyCount > 0 else { return false }
        if isAboveRecordsForAll(name, end) { return true }
        // Links are found by their whole names alone.
        if end == name.labelCount, view < viewLinks.count, let links = viewLinks[view],
            index.find(octets, index.hash(octets), scope: links, kind: .empty) != nil
        {
            return true
        }
        return search(name, 0, end, networks, .empty) != nil
    }

    /// True where one name is the end of another or all of it; both without the root.
    static func isEnd(_ end: Span<UInt8>, of name: Span<UInt8>) -> Bool {
        var start = 0
        while name.count - start > end.count { start += Int(name[start]) + 1 }
        return !end.isEmpty && start <= name.count && name.extracting(droppingFirst: start).isEqual(to: end)
    }

    // MARK: - Names that somebody outside may know

    /// True for a block of addresses that is wholly within a subnet of the view's networks: nobody outside knows its names.
    /// - Parameters:
    ///   - block: the addresses that a reverse name is about.
    ///   - view: the container that asks.
    ///   - prefix: bits of the block that a route sends elsewhere; it wins over subnets that are as long or wider.
    package mutating func isReverseOfMyNetworks(
        _ block: ReverseBlock, view: ViewID, unlessRouted prefix: Int = -1
    ) -> Bool {
        for network in viewNetworks.run(of: Int(view.rawValue)) {
            for position in scopeSubnets.run(of: Int(viewNetworks.elements[network])) {
                let subnet = scopeSubnets.elements[position]
                if subnet.prefixLength <= block.prefixLength, subnet.prefixLength > prefix,
                    subnet.contains(block.address)
                {
                    return true
                }
            }
        }
        return false
    }

    /// True for a name with the name of one of the view's networks at its end, and for that itself.
    package mutating func isUnderNetworkName(_ name: borrowing FoldedName, view: ViewID) -> Bool {
        for position in viewNetworks.run(of: Int(view.rawValue))
        where Self.isEnd(scopeNames.lent(Int(viewNetworks.elements[position])), of: name.labels(0, name.labelCount)) {
            return true
        }
        return false
    }

    /// The domains under which container runtimes have names for the host: Docker's and Podman's, also in their virtual
    /// machines (Docker Desktop, gvproxy).
    private static let runtimeDomains = ["docker.internal", "containers.internal"].compactMap { try? Name($0) }

    /// True where a name is under a domain that runtimes' own servers know, and the domain has more labels than the one that
    /// would deny the name.
    package static func isUnderRuntimeDomain(_ name: borrowing FoldedName, longerThan labels: Int) -> Bool {
        for domain in runtimeDomains where domain.labelCount > labels && domain.labelCount <= name.labelCount {
            if name.suffixEquals(domain.folded.span, fromLabel: name.labelCount - domain.labelCount) { return true }
        }
        return false
    }

    /// True where a name is under a domain that the host's upstreams know, the view asks those, and the domain has more
    /// labels than the one that would deny the name.
    @inline(__always)
    package mutating func isUnderHostDomain(_ name: borrowing FoldedName, view: ViewID, longerThan labels: Int) -> Bool
    {
        // Single labels, which most denied names are, are under no domain of several.
        name.labelCount >= shortestHostDomain && asksHost(of: name, view, longerThan: labels)
    }

    @inline(never)
    private mutating func asksHost(of name: borrowing FoldedName, _ view: ViewID, longerThan labels: Int) -> Bool {
        let view = Int(view.rawValue)
        guard containersFollowHost, view < viewFollowsHost.count, viewFollowsHost[view], viewUpstreams[view] != nil
        else {
            return false
        }
        return isUnderHostDomain(name, longerThan: labels)
    }

    /// True where a name is under a domain that the host's own upstreams know, with more labels than these.
    package mutating func isUnderHostDomain(_ name: borrowing FoldedName, longerThan labels: Int) -> Bool {
        for owner in hostDomains.runs.indices {
            let domain = hostDomains.lent(owner)
            // The label of the name that is as far from its end as the domain is long.
            var label = name.labelCount - labels - 1
            while label >= 0, name.length - name.labelOffset(label) < domain.count { label -= 1 }
            if label >= 0, name.suffixEquals(domain, fromLabel: label) { return true }
        }
        return false
    }
}
