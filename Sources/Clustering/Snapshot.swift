// Other hosts and their containers as a bridge leaves them for its successor: names are there at once, also while etcd is away.

/// Other hosts as a bridge knew them, and its place in etcd.
package struct BridgeSnapshot: Hashable, Sendable {
    /// A host, with its last value.
    package struct Host: Hashable, Sendable {
        var name: String
        var value: [UInt8]
        var isAlive: Bool
    }

    /// A container, with its value.
    package struct Entry: Hashable, Sendable {
        var key: ContainerKey
        var value: [UInt8]
    }

    /// Number of etcd's cluster.
    var cluster: UInt64
    /// Revision up to which all changes are in it.
    var revision: Int64
    /// Key of the last value that was seen: etcd is asked for it, to find out if it is the same store.
    var witness: [UInt8]
    /// Revision of that value.
    var witnessRevision: Int64
    var hosts: [Host] = []
    var entries: [Entry] = []
    /// Networks that are described, with their values.
    var networks: [String: [UInt8]] = [:]
}

extension Bridge {
    /// Snapshot of what is known; nil while not everything is.
    package var snapshot: BridgeSnapshot? {
        guard following.isComplete, !following.needsList, following.witness.revision > 0 else { return nil }
        var snapshot = BridgeSnapshot(
            cluster: following.cluster, revision: following.cursor, witness: following.witness.key,
            witnessRevision: following.witness.revision)
        mirror.forEachHost { snapshot.hosts.append(.init(name: $0, value: $1.octets, isAlive: $2)) }
        rules.forEach { snapshot.networks[$0] = $1 }
        mirror.forEachEntry { snapshot.entries.append(.init(key: $0, value: $1)) }
        return snapshot
    }

    /// Takes over what an earlier process knew.
    mutating func restore(_ snapshot: BridgeSnapshot) {
        for host in snapshot.hosts {
            if let value = HostValue(host.value) { mirror.restore(host.name, value, isAlive: host.isAlive) }
        }
        for (network, value) in snapshot.networks { _ = rules.put(network, value) }
        for entry in snapshot.entries { _ = mirror.put(entry.key, entry.value) }
        following.cluster = snapshot.cluster
        following.cursor = snapshot.revision
        following.witness = (snapshot.witness, snapshot.witnessRevision)
        (following.isComplete, following.needsList) = (true, false)
    }
}

extension BridgeSnapshot {
    /// Number of the text's format.
    private static let version = "intercom-etcd-snapshot 1"

    /// The snapshot as a file has it: a line of its own for each host and container, then its value in so many octets; the
    /// last line has a check sum of all before it.
    package var octets: [UInt8] {
        var text: [UInt8] = []
        func append(_ line: String, _ value: [UInt8] = []) {
            text += line.utf8
            text.append(UInt8(ascii: "\n"))
            guard !value.isEmpty else { return }
            text += value
            text.append(UInt8(ascii: "\n"))
        }
        append("\(Self.version) \(cluster) \(revision) \(witnessRevision) \(witness.count)", witness)
        for host in hosts { append("\(host.isAlive ? "alive" : "lost") \(host.name) \(host.value.count)", host.value) }
        for (network, value) in networks.sorted(by: { $0.key < $1.key }) {
            append("network \(network) \(value.count)", value)
        }
        for entry in entries {
            append("entry \(entry.key.host) \(entry.key.key) \(entry.value.count)", entry.value)
        }
        append("sum \(Self.checkSum(text[...]))")
        return text
    }

    /// The snapshot of a file; nil where it is torn, damaged or of another version.
    package init?(_ octets: [UInt8]) {
        var reader = Reader(rest: octets[...])
        let end = octets.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        guard String(decoding: octets[end...], as: UTF8.self) == "sum \(Self.checkSum(octets[..<end]))\n",
            let head = reader.line(), head.count == 6, "\(head[0]) \(head[1])" == Self.version,
            let cluster = UInt64(head[2]), let revision = Int64(head[3]), let witnessRevision = Int64(head[4]),
            let witness = reader.value(head[5])
        else { return nil }
        self.init(cluster: cluster, revision: revision, witness: witness, witnessRevision: witnessRevision)
        while let line = reader.line(), let kind = line.first, kind != "sum" {
            guard line.count == (kind == "entry" ? 4 : 3), let value = reader.value(line[line.count - 1]) else {
                return nil
            }
            switch kind {
            case "alive", "lost": hosts.append(Host(name: line[1], value: value, isAlive: kind == "alive"))
            case "network": networks[line[1]] = value
            case "entry": entries.append(Entry(key: ContainerKey(host: line[1], key: line[2]), value: value))
            default: return nil
            }
        }
    }

    /// FNV-1a of 64 bits (draft-eastlake-fnv, section 2): it finds damage, and keeps nobody from making a file of his own.
    private static func checkSum(_ octets: ArraySlice<UInt8>) -> UInt64 {
        octets.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// Reads lines, and values of so many octets.
    private struct Reader {
        var rest: ArraySlice<UInt8>

        /// The words of the next line; nil at the end.
        mutating func line() -> [String]? {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return rest[..<end].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        }

        /// The value of so many octets, without the line break behind it.
        mutating func value(_ count: String) -> [UInt8]? {
            guard let count = Int(count), count > 0, count < rest.count else { return nil }
            defer { rest = rest.dropFirst(count + 1) }
            return Array(rest.prefix(count))
        }
    }
}
