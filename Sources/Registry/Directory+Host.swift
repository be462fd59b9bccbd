// The host, as containers see it: names that it has on every network, with the address that it has on theirs.

package import DNSWire

extension RecordKey {
    /// The addresses of the host on a network. They stand among the reverse names, under the root: no address is called so,
    /// and no question finds them but by a name of the host.
    static func host(on network: ScopeID) -> RecordKey { RecordKey(scope: network, kind: .reverse, name: .root) }
}

extension Directory {
    /// The first label of `gateway.NETWORK`, on the wire.
    private static let gateway = [7] + Array("gateway".utf8)

    /// Sets the names that the host has on each network.
    package mutating func setHostNames(_ names: [Name]) {
        hostNames = RunTable()
        for (number, name) in names.enumerated() { hostNames.set(number, name.folded) }
        hasHostNamesOutside = false
        for name in names {
            var folded = FoldedName()
            folded.set(name)
            if !isUnderDomain(folded) { hasHostNamesOutside = true }
        }
    }

    /// The host by one of its names, on the first network of the view that it has an address on; or as the gateway of a
    /// network of the view. Nil for any other name, and where it has no address there.
    package mutating func findHost(_ name: borrowing FoldedName, view: ViewID) -> Match? {
        let networks = viewNetworks.run(of: Int(view.rawValue))
        if isHostName(name) {
            for position in networks {
                if let match = host(on: viewNetworks.elements[position]) { return match }
            }
            return nil
        }
        let bare = name.labelCount - domainLabels
        guard bare > 1, isUnderDomain(name), name.labels(0, 1).isEqual(to: Self.gateway.span) else { return nil }
        let network = name.labels(1, bare)
        for position in networks where network.isEqual(to: scopeNames.lent(Int(viewNetworks.elements[position]))) {
            return host(on: viewNetworks.elements[position])
        }
        return nil
    }

    private mutating func host(on scope: UInt32) -> Match? {
        let root = FoldedName()
        let octets = root.labels(0, 0)
        guard let number = index.find(octets, index.hash(octets), scope: scope, kind: .reverse) else { return nil }
        return Match(scope: ScopeID(rawValue: scope), isLink: false, number: number)
    }

    /// True for a name that the host has on every network.
    package mutating func isHostName(_ name: borrowing FoldedName) -> Bool {
        for position in hostNames.runs.indices {
            let hostName = hostNames.lent(position)
            if name.length == hostName.count, name.suffixEquals(hostName, fromLabel: 0) { return true }
        }
        return false
    }

    /// True for a name that a name of the host is under, as `docker.internal`: it exists, without records (RFC 8020 §2).
    package mutating func isAboveHostName(_ name: borrowing FoldedName) -> Bool {
        for position in hostNames.runs.indices {
            let hostName = hostNames.lent(position)
            var start = 0
            while hostName.count - start > name.length { start += Int(hostName[start]) + 1 }
            if start > 0, hostName.count - start == name.length,
                name.suffixEquals(hostName.extracting(droppingFirst: start), fromLabel: 0)
            {
                return true
            }
        }
        return false
    }
}
