// Records of the operator in the registry: added, removed, and compiled for the directories.

package import DNSWire

extension Registry {
    /// Adds a record. One for a network that is not there waits for it.
    /// - Returns: false where nothing has changed.
    /// - Throws: ``RegistryError/recordConflict(_:reason:)``, ``RegistryError/tooMany(_:count:limit:)``.
    package mutating func addRecord(_ record: RecordDefinition) throws(RegistryError) -> Bool {
        guard try records.add(record) else { return false }
        touchRecord(record.name, on: record.network)
        return true
    }

    /// Removes records of a name that a source has added.
    /// - Parameters:
    ///   - name: their name, as text.
    ///   - type: their type; nil: any.
    ///   - network: their network, as text; nil: those for all.
    ///   - source: who has added them.
    /// - Throws: ``RegistryError/noSuchRecord(_:)``; ``RegistryError/recordOfConfiguration(_:)`` where only the
    ///   configuration has such records.
    package mutating func removeRecords(
        named name: String, _ type: RecordType?, on network: String?, by source: Source
    ) throws(RegistryError) {
        let owner = try Self.recordName(name)
        let place = try network.map { text throws(RegistryError) in try Self.networkName(text) }
        let removed = records.remove(owner, type, on: place, by: source)
        guard removed.isEmpty else { return touchRecord(owner, on: place) }
        let subject = [name, type?.description, network.map { "on network \($0)" }].compactMap(\.self)
        let others = records.records(of: owner, on: place).contains { type == nil || $0.type == type }
        throw others
            ? .recordOfConfiguration(subject.joined(separator: " ")) : .noSuchRecord(subject.joined(separator: " "))
    }

    /// Removes one record of the configuration.
    package mutating func removeRecord(_ record: RecordDefinition) {
        let removed = records.remove(
            record.name, record.type, on: record.network, data: record.data, by: record.source)
        if !removed.isEmpty { touchRecord(record.name, on: record.network) }
    }

    // MARK: - Compiling

    /// Has a name's records compiled again, in each scope that shows them.
    private mutating func touchRecord(_ name: Name, on network: Name?) {
        for scope in scopes(called: network) { changedRecords.insert(Self.key(of: name, in: scope)) }
    }

    /// Has all records of a network compiled again: its name or its TTL is another.
    mutating func touchRecords(of network: Network) {
        for name in network.names { touchRecords(on: name, in: [network.id]) }
    }

    /// Has all records compiled again: the default TTL is another.
    mutating func touchAllRecords() {
        for network in records.networks { touchRecords(on: network, in: scopes(called: network)) }
    }

    private mutating func touchRecords(on network: Name?, in scopes: [ScopeID]) {
        for name in records.names(on: network) {
            for scope in scopes { changedRecords.insert(Self.key(of: name, in: scope)) }
        }
    }

    /// The scopes that show records of a network: several networks may be called alike.
    private func scopes(called network: Name?) -> [ScopeID] {
        guard let network else { return [.everyone] }
        return (networksCalled[network] ?? []).filter { networkStates[$0]?.names.contains(network) == true }
    }

    private static func key(of name: Name, in scope: ScopeID) -> RecordKey {
        let suffix = wildcardSuffix(of: name)
        return RecordKey(scope: scope, kind: suffix == nil ? .record : .recordWildcard, name: suffix ?? name)
    }

    /// The records of a name, in one scope; nil where there is none.
    func compiledRecords(_ key: RecordKey) -> RecordSet? {
        let name = key.kind == .recordWildcard ? try? Name.wildcard.appending(key.name) : key.name
        guard let name else { return nil }
        let network = networkStates[key.scope]
        let owners: [Name?] = key.scope == .everyone ? [nil] : network?.names.map { $0 } ?? []
        var found = owners.flatMap { records.records(of: name, on: $0) }
        // Networks of several names may bring a CNAME together with others: it gives way.
        if found.contains(where: { $0.type != .cname }) { found.removeAll { $0.type == .cname } }
        guard !found.isEmpty else { return nil }
        var set = RecordSet()
        var seen: Set<Content> = []
        // One RRset has one TTL (RFC 2181 §5.2): the shortest.
        var ttls: [RecordType: UInt32] = [:]
        for record in found { if let ttl = record.ttl { ttls[record.type] = min(ttl, ttls[record.type] ?? ttl) } }
        for record in found where seen.insert(Content(type: record.type, data: record.data)).inserted {
            set.append(
                record.type, ttl: ttls[record.type] ?? network?.definition?.ttl ?? self.ttl, record.data)
        }
        return set
    }
}

/// The type and data of a record, which two sources may tell.
private struct Content: Hashable {
    let type: RecordType
    let data: [UInt8]
}

extension Name {
    /// The first label of a wildcard (RFC 4592 §2.1.1).
    static let wildcard = (try? Name(labels: [[UInt8(ascii: "*")]])) ?? .root
}
