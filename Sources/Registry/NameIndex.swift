// From a name in a scope to its entry: what is known of it, and its records.

import DNSWire
import Tables

/// Finds entries by scope, kind and folded name. Entries keep their numbers while they live.
///
/// The hash is seeded, so that nobody outside can choose names that collide.
struct NameIndex: Sendable {
    /// Properties of a name, beside its octets.
    struct Entry: Sendable {
        /// Of scope, kind and name, as ``NameIndex/index`` has it.
        var hash: UInt32 = 0
        var scope: UInt32 = 0
        /// Names beneath it, where it is there for them alone.
        var beneath: UInt32 = 0
        /// Octets of the name, without the root's.
        var nameLength: UInt16 = 0
        var kind: UInt8 = 0
    }

    private let hashing: NameHash
    /// The numbers of entries.
    private var index = HashIndex()
    private(set) var entries: [Entry] = []
    /// Each entry's octets: the name without its root, then its records type by type.
    private(set) var blobs = RunTable<UInt8>()
    /// Each entry's records, a run for each type.
    private(set) var runs = RunTable<RecordRun>()
    private var freeEntries: [Int] = []
    /// Number of names, those without records included.
    var count: Int { index.count }
    /// Number of names that exist only because there are names beneath them.
    private(set) var emptyCount = 0
    /// Marks of these, and of whatever else has names beneath it (``Directory``).
    var marksAbove = NameMarks()
    /// State of the generator that says which record begins a round.
    private var random: UInt64

    /// - Parameter seed: a secret that nobody outside knows.
    init(seed: UInt64) {
        hashing = NameHash(seed: seed)
        random = seed
    }

    // MARK: - Looking up

    /// The hash of octets of a name, without a scope.
    @inline(__always)
    func hash(_ name: Span<UInt8>) -> UInt64 { hashing.hash(name) }

    /// The hash of the first label of a folded name, together with its length.
    @inline(__always)
    func hashOfFirstLabel(_ name: Span<UInt8>) -> UInt64 {
        hashing.hash(name.extracting(first: name.isEmpty ? 0 : min(Int(name[0]) &+ 1, name.count)))
    }

    /// The hash of octets of a name together with a further word.
    @inline(__always)
    func hash(_ name: Span<UInt8>, with word: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: hashing.mix(hash(name), word))
    }

    @inline(__always)
    private func mix(_ hash: UInt64, _ scope: UInt32, _ kind: UInt8) -> UInt32 {
        // A kind has three bits.
        UInt32(truncatingIfNeeded: hashing.mix(hash, UInt64(scope) << 3 | UInt64(kind)))
    }

    /// The number of a name's entry.
    /// - Parameters:
    ///   - name: folded, without the root.
    ///   - nameHash: what ``hash(_:)`` gives for it.
    @inline(__always)
    func find(_ name: Span<UInt8>, _ nameHash: UInt64, scope: UInt32, kind: RecordKey.Kind) -> Int? {
        var probe = index.probe(mix(nameHash, scope, kind.rawValue))
        while let number = index.next(&probe) {
            if matches(number, name, scope, kind.rawValue) { return number }
        }
        return nil
    }

    @inline(__always)
    private func matches(_ number: Int, _ name: Span<UInt8>, _ scope: UInt32, _ kind: UInt8) -> Bool {
        guard entries[number].scope == scope, entries[number].kind == kind,
            Int(entries[number].nameLength) == name.count
        else { return false }
        let start = Int(blobs.runs[number].start)
        return blobs.elements.span.extracting(start..<start + name.count).isEqual(to: name)
    }

    /// The name of an entry, without its root; empty where there is none of this number.
    @_lifetime(borrow self)
    func name(_ number: Int) -> Span<UInt8> {
        let start = Int(blobs.runs[number].start)
        return blobs.elements.span.extracting(start..<start + Int(entries[number].nameLength))
    }

    // MARK: - Turns

    /// The record that comes first in an answer with the records of a run.
    ///
    /// In a round of as many answers as there are records each comes first once. Each round begins with a record chosen at
    /// random: a client that uses every second answer only, or every third, meets all of them as well.
    /// - Parameter run: its position in the table of all runs; it has two records at least.
    @inline(__always)
    mutating func takeTurn(of run: Int) -> Int {
        if runs.elements[run].left == 0 { beginRound(of: run) }
        let start = runs.elements[run].next
        let next = start &+ runs.elements[run].step
        let count = runs.elements[run].count
        runs.elements[run].next = next >= count ? next &- count : next
        runs.elements[run].left &-= 1
        return Int(start)
    }

    @inline(never)
    private mutating func beginRound(of run: Int) {
        let count = runs.elements[run].count
        runs.elements[run].next = UInt16(truncatingIfNeeded: takeRandom(below: Int(count)))
        runs.elements[run].left = count
    }

    /// The record that comes first in an answer that has not room for all. It takes no turn: most clients ask once more over TCP,
    /// and use that answer alone. For those that do not it is chosen at random.
    /// - Parameter run: its position in the table of all runs.
    @inline(never)
    mutating func takeChance(of run: Int) -> Int { takeRandom(below: Int(runs.elements[run].count)) }

    private mutating func takeRandom(below bound: Int) -> Int {
        // SplitMix64: the numbers need to be evenly spread, not secret.
        random &+= 0x9E37_79B9_7F4A_7C15
        var word = random
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: (word ^ word >> 31).multipliedFullWidth(by: UInt64(bound.magnitude)).high)
    }

    // MARK: - Changing

    /// Sets the records of a name, or removes it.
    /// - Returns: 1 where the name is new, -1 where it is gone, else 0.
    mutating func set(_ key: RecordKey, _ records: RecordSet?) -> Int {
        let folded = key.name.folded
        let length = folded.count - 1
        let nameHash = hash(folded.span.extracting(first: length))
        let found = find(folded.span.extracting(first: length), nameHash, scope: key.scope.rawValue, kind: key.kind)
        guard let records else {
            if let found { remove(found) }
            return found == nil ? 0 : -1
        }
        let number = found ?? insert(length, nameHash, scope: key.scope.rawValue, kind: key.kind)
        var octets: [UInt8] = []
        octets.reserveCapacity(records.runs.reduce(length) { $0 + $1.octets.count })
        octets += folded[..<length]
        var table: [RecordRun] = []
        table.reserveCapacity(records.runs.count)
        for run in records.runs {
            let start = UInt32(truncatingIfNeeded: octets.count)
            octets += run.octets
            table.append(
                RecordRun(
                    type: run.type.rawValue, count: UInt16(truncatingIfNeeded: run.count),
                    stride: UInt16(truncatingIfNeeded: run.stride),
                    // Against the A records, so that the two answers of one lookup do not keep step.
                    step: UInt16(truncatingIfNeeded: run.type == .aaaa ? max(1, run.count - 1) : 1), start: start,
                    end: UInt32(truncatingIfNeeded: octets.count)))
        }
        blobs.set(number, octets)
        runs.set(number, table)
        return found == nil ? 1 : 0
    }

    /// Counts a name that has come or gone beneath all names above it in its scope.
    /// - Parameters:
    ///   - key: the name; a wildcard is beneath what stands behind its `*`.
    ///   - difference: 1 or -1.
    mutating func countBeneath(_ key: RecordKey, _ difference: Int) {
        let name = key.name.folded
        let isWildcard = key.kind == .wildcard || key.kind == .recordWildcard
        var start = isWildcard ? 0 : Int(name[0]) + 1
        while start < name.count - 1 {
            countBeneath(name[start..<name.count - 1], scope: key.scope.rawValue, difference)
            start += Int(name[start]) + 1
        }
    }

    private mutating func countBeneath(_ name: ArraySlice<UInt8>, scope: UInt32, _ difference: Int) {
        let nameHash = hash(name.span)
        let found = find(name.span, nameHash, scope: scope, kind: .empty)
        if difference > 0 {
            if found == nil {
                emptyCount += 1
                marksAbove.count(name, 1)
            }
            let number = found ?? insert(name.count, nameHash, scope: scope, kind: .empty)
            if found == nil { blobs.set(number, name) }
            entries[number].beneath += 1
        } else if let found {
            entries[found].beneath -= 1
            guard entries[found].beneath == 0 else { return }
            emptyCount -= 1
            marksAbove.count(name, -1)
            remove(found)
        }
    }

    /// Makes an entry for a name of a length; its octets follow.
    private mutating func insert(
        _ nameLength: Int, _ nameHash: UInt64, scope: UInt32, kind: RecordKey.Kind
    ) -> Int {
        let number = insert(mix(nameHash, scope, kind.rawValue))
        entries[number].scope = scope
        entries[number].kind = kind.rawValue
        entries[number].nameLength = UInt16(truncatingIfNeeded: nameLength)
        return number
    }

    private mutating func insert(_ hash: UInt32) -> Int {
        let number: Int
        if let free = freeEntries.popLast() {
            number = free
            entries[number] = Entry(hash: hash)
        } else {
            number = entries.count
            entries.append(Entry(hash: hash))
        }
        index.insert(hash, number)
        return number
    }

    private mutating func remove(_ number: Int) {
        index.remove(entries[number].hash, number)
        entries[number] = Entry()
        blobs.set(number, [])
        runs.set(number, [])
        freeEntries.append(number)
    }
}
