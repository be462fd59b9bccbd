// From a name in a scope to its entry: an open-addressing hash table over folded wire octets.

import DNSWire

/// Finds entries by scope, kind and folded name. Entries keep their numbers while they live.
///
/// The hash is seeded, so that nobody outside can choose names that collide.
struct NameIndex: Sendable {
    /// What is known of a name, beside its octets.
    struct Entry: Sendable {
        var hash: UInt64 = 0
        var scope: UInt32 = 0
        var kind: UInt32 = 0
        var aCount: UInt32 = 0
        var aaaaCount: UInt32 = 0
        var otherCount: UInt32 = 0
        var otherType: UInt16 = 0
        /// Octets of the name, without the root's.
        var nameLength: UInt16 = 0
        /// How many answers were given: each begins one record further.
        var turn: UInt32 = 0
    }

    private let hashing: NameHash
    /// Entry numbers; -1: free. Their count is a power of two.
    private var slots: [Int32]
    private(set) var entries: [Entry] = []
    /// Each entry's octets: the name without its root, then its records A, AAAA and others.
    private(set) var blobs = RunTable<UInt8>()
    private var freeEntries: [Int] = []
    /// How many names there are.
    private(set) var count = 0

    init(seed: UInt64) {
        hashing = NameHash(seed: seed)
        slots = Array(repeating: -1, count: 64)
    }

    // MARK: - Looking up

    /// The hash of octets of a name, without a scope.
    @inline(__always)
    func hash(_ name: Span<UInt8>) -> UInt64 { hashing.hash(name) }

    @inline(__always)
    private func mix(_ hash: UInt64, _ scope: UInt32, _ kind: UInt32) -> UInt64 {
        hashing.mix(hash, UInt64(scope) << 2 | UInt64(kind))
    }

    /// The number of a name's entry.
    /// - Parameters:
    ///   - name: folded, without the root.
    ///   - nameHash: what ``hash(_:)`` gives for it.
    @inline(__always)
    func find(_ name: Span<UInt8>, _ nameHash: UInt64, scope: UInt32, kind: RecordKey.Kind) -> Int? {
        let hash = mix(nameHash, scope, kind.rawValue)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let number = Int(slots[slot])
            if number < 0 { return nil }
            if entries[number].hash == hash, matches(number, name, scope, kind.rawValue) { return number }
            slot = (slot + 1) & mask
        }
    }

    @inline(__always)
    private func matches(_ number: Int, _ name: Span<UInt8>, _ scope: UInt32, _ kind: UInt32) -> Bool {
        guard entries[number].scope == scope, entries[number].kind == kind,
            Int(entries[number].nameLength) == name.count
        else { return false }
        let start = blobs.runs[number].lowerBound
        return blobs.elements.span.extracting(start..<start + name.count).isEqual(to: name)
    }

    /// The next answer's turn.
    @inline(__always)
    mutating func takeTurn(_ number: Int) -> UInt32 {
        defer { entries[number].turn &+= 1 }
        return entries[number].turn
    }

    // MARK: - Changing

    /// Sets the records of a name, or removes it.
    /// - Returns: whether the name is new (1), gone (-1) or neither (0).
    mutating func set(_ key: RecordKey, _ records: RecordSet?) -> Int {
        let name = Array(key.name.folded.dropLast())
        let nameHash = hash(name.span)
        let found = find(name.span, nameHash, scope: key.scope.rawValue, kind: key.kind)
        guard let records else {
            if let found { remove(found) }
            return found == nil ? 0 : -1
        }
        let number = found ?? insert(mix(nameHash, key.scope.rawValue, key.kind.rawValue))
        var entry = entries[number]
        entry.scope = key.scope.rawValue
        entry.kind = key.kind.rawValue
        entry.nameLength = UInt16(truncatingIfNeeded: name.count)
        entry.aCount = UInt32(truncatingIfNeeded: records.a.count / RecordSet.aStride)
        entry.aaaaCount = UInt32(truncatingIfNeeded: records.aaaa.count / RecordSet.aaaaStride)
        entry.otherCount = UInt32(truncatingIfNeeded: records.otherCount)
        entry.otherType = records.otherType?.rawValue ?? 0
        entries[number] = entry
        blobs.set(number, name + records.a + records.aaaa + records.other)
        return found == nil ? 1 : 0
    }

    private mutating func insert(_ hash: UInt64) -> Int {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let number: Int
        if let free = freeEntries.popLast() {
            number = free
            entries[number] = Entry(hash: hash)
        } else {
            number = entries.count
            entries.append(Entry(hash: hash))
        }
        place(number, hash)
        count += 1
        return number
    }

    private mutating func place(_ number: Int, _ hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(truncatingIfNeeded: number)
    }

    private mutating func grow() {
        let numbers = slots.filter { $0 >= 0 }
        slots = Array(repeating: -1, count: slots.count * 2)
        for number in numbers { place(Int(number), entries[Int(number)].hash) }
    }

    private mutating func remove(_ number: Int) {
        let mask = slots.count - 1
        var hole = Int(truncatingIfNeeded: entries[number].hash) & mask
        while slots[hole] != Int32(truncatingIfNeeded: number) { hole = (hole + 1) & mask }
        // What follows moves up where it may, so that no search ends at the hole too early (Knuth, 6.4 R).
        var slot = (hole + 1) & mask
        while slots[slot] >= 0 {
            let home = Int(truncatingIfNeeded: entries[Int(slots[slot])].hash) & mask
            if (slot - home) & mask >= (slot - hole) & mask {
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = (slot + 1) & mask
        }
        slots[hole] = -1
        entries[number] = Entry()
        blobs.set(number, [])
        freeEntries.append(number)
        count -= 1
    }
}
