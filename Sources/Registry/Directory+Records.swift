// Records of the operator in a directory: those of a view's networks, then those of all.

package import DNSWire

extension Directory {
    /// True when there are records of the operator, anybody's.
    package var hasRecords: Bool {
        // As all lookups: a directory that is only lent would be copied.
        @inline(__always) mutating get { recordCount > 0 }
    }

    /// The operator's records of a name: as it is, with a network's name behind it, each also with the domain behind it; no
    /// exact name anywhere, under the longest wildcard. In each form the view's networks come first, then what is for all.
    @inline(never)
    package mutating func findRecord(_ name: borrowing FoldedName, view: ViewID) -> Match? {
        let view = Int(view.rawValue)
        guard name.labelCount > 0, view < viewLinks.count, strangers.isEmpty || !strangers.contains(view) else {
            return nil
        }
        var found = findRecord(name, view, .record)
        if found == nil, recordWildcardCount > 0 { found = findRecord(name, view, .recordWildcard) }
        found?.isRecord = true
        return found
    }

    private mutating func findRecord(_ name: borrowing FoldedName, _ view: Int, _ kind: RecordKey.Kind) -> Match? {
        let networks = viewNetworks.run(of: view)
        let whole = name.labelCount
        if let match = searchRecords(name, whole, networks, kind) { return match }
        let bare = isUnderDomain(name) ? whole - domainLabels : 0
        return bare > 0 ? searchRecords(name, bare, networks, kind) : nil
    }

    /// The labels `0..<end` as a record's name; then as a record's name with a network's name behind it.
    private mutating func searchRecords(
        _ name: borrowing FoldedName, _ end: Int, _ networks: Range<Int>, _ kind: RecordKey.Kind
    ) -> Match? {
        if let match = search(name, 0, end, networks, kind) { return match }
        return matchForAll(name, end, kind)
    }

    private mutating func matchForAll(_ name: borrowing FoldedName, _ end: Int, _ kind: RecordKey.Kind) -> Match? {
        let labels = kind == .recordWildcard ? 1..<max(end, 1) : 0..<1
        for label in labels {
            let octets = name.labels(label, end)
            let scope = ScopeID.everyone
            if let number = index.find(octets, index.hash(octets), scope: scope.rawValue, kind: kind) {
                return Match(scope: scope, isLink: false, number: number)
            }
        }
        return nil
    }

    /// Reads the name that a CNAME record leads to.
    /// - Returns: false where there is no such record.
    package mutating func readTarget(of match: Match, into name: inout FoldedName) -> Bool {
        let octets = records(match, .cname).octets
        return !octets.isEmpty && (try? name.read(octets, at: RecordBuilder.fixedLength)) != nil
    }

    /// True for records that make their name an alias of another.
    package mutating func isAlias(_ match: Match) -> Bool { match.isRecord && records(match, .cname).count > 0 }

    /// True where names of records for all are beneath the labels `0..<end`.
    mutating func isAboveRecordsForAll(_ name: borrowing FoldedName, _ end: Int) -> Bool {
        hasRecords && matchForAll(name, end, .empty) != nil
    }
}
