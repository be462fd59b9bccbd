// The operator's records, by network and name; which may stand beside which.

package import DNSWire

/// All records that were added: found by their names, listed by their numbers. Each change takes time in proportion to the
/// records of one name.
package struct OperatorRecords: Sendable {
    /// Records by number; nil where a number is free.
    private var entries: [RecordDefinition?] = []
    private var free: [Int] = []
    /// Numbers of records by network (nil: all networks) and name.
    private var numbers: [Name?: [Name: [Int]]] = [:]

    package init() {}

    /// Number of records.
    package var count: Int { entries.count - free.count }

    /// Above the numbers of all records.
    package var end: Int { entries.count }

    /// The records whose numbers are in a range, in that order.
    package func records(numbered range: Range<Int>) -> [RecordDefinition] {
        entries[range.clamped(to: 0..<entries.count)].compactMap(\.self)
    }

    /// The records of a name, in the order in which they were added.
    package func records(of name: Name, on network: Name?) -> [RecordDefinition] {
        numbers[network]?[name]?.compactMap { entries[$0] } ?? []
    }

    /// All names that have records on a network, or, for nil, for all.
    func names(on network: Name?) -> [Name] { numbers[network].map { Array($0.keys) } ?? [] }

    /// The networks that have records.
    var networks: [Name?] { Array(numbers.keys) }

    // MARK: - Changes

    /// Adds a record. One RRset has one TTL (RFC 2181 §5.2): a TTL that is given holds for all of the name and type, and
    /// where none is given the record has that of the others.
    /// - Returns: false where it was there already, and nothing has changed.
    /// - Throws: ``RegistryError/recordConflict(_:reason:)``, ``RegistryError/tooMany(_:count:limit:)``.
    package mutating func add(_ record: RecordDefinition) throws(RegistryError) -> Bool {
        let places = numbers[record.network]?[record.name] ?? []
        let present = places.compactMap { entries[$0] }
        try check(record, beside: present)
        let set = places.filter { entries[$0]?.type == record.type && entries[$0]?.source == record.source }
        let isThere = set.contains { entries[$0]?.data == record.data }
        var record = record
        var changes = !isThere
        if let ttl = record.ttl {
            for place in set where entries[place]?.ttl != ttl {
                entries[place]?.ttl = ttl
                changes = true
            }
        } else {
            record.ttl = set.first.flatMap { entries[$0]?.ttl }
        }
        guard !isThere else { return changes }
        let number = free.popLast() ?? entries.count
        if number == entries.count { entries.append(record) } else { entries[number] = record }
        numbers[record.network, default: [:]][record.name, default: []].append(number)
        return true
    }

    /// Removes records of a name that this source added.
    /// - Parameters:
    ///   - name: their name.
    ///   - type: their type; nil: any.
    ///   - network: their network; nil: those for all.
    ///   - data: their data; nil: any.
    ///   - source: who added them.
    /// - Returns: those that have gone.
    package mutating func remove(
        _ name: Name, _ type: RecordType?, on network: Name?, data: [UInt8]? = nil, by source: Source
    ) -> [RecordDefinition] {
        var removed: [RecordDefinition] = []
        for place in numbers[network]?[name] ?? [] {
            guard let record = entries[place], record.source == source, type == nil || type == record.type,
                data == nil || data == record.data
            else { continue }
            removed.append(record)
            entries[place] = nil
            free.append(place)
            numbers[network]?[name]?.removeAll { $0 == place }
        }
        if numbers[network]?[name]?.isEmpty == true { numbers[network]?[name] = nil }
        if numbers[network]?.isEmpty == true { numbers[network] = nil }
        return removed
    }

    /// Refuses a CNAME beside others (RFC 1034 §3.6.2), and more than an answer has room for.
    private func check(_ record: RecordDefinition, beside present: [RecordDefinition]) throws(RegistryError) {
        if record.type == .cname, let other = present.first(where: { $0.type != .cname }) {
            throw .recordConflict(
                "\(record.name)",
                reason: "it has a record of type \(other.type), and a CNAME stands alone (RFC 1034 §3.6.2)")
        }
        if let alias = present.first(where: { $0.type == .cname && ($0.type != record.type || $0.data != record.data) })
        {
            throw .recordConflict(
                "\(record.name)",
                reason: "it is an alias of \(alias.text) already, and a CNAME stands alone (RFC 1034 §3.6.2)")
        }
        let set = present.filter { $0.type == record.type && $0.data != record.data }
        try Registry.check(set.count + 1, Registry.Limits.recordsOfName, "records of type \(record.type) of one name")
        try Registry.check(
            set.reduce(record.data.count) { $0 + $1.data.count }, Registry.Limits.recordData,
            "octets of data of type \(record.type) of one name")
        try Registry.check(count + 1, Registry.Limits.records, "records")
    }
}
