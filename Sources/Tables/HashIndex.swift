// From hashes to numbers: the index of every table of names and answers.

/// An open-addressing hash table (Knuth, The Art of Computer Programming, volume 3, 6.4). A slot holds an entry's hash beside its
/// number, so that looking up, growing and removing touch no entry.
///
/// Hashes must be keyed by a secret: who can choose entries with equal hashes makes each look-up walk over all of them.
public struct HashIndex: Sendable {
    /// Goes through the numbers under one hash.
    public struct Probe {
        @usableFromInline let hash: UInt32
        @usableFromInline var slot: Int

        @inlinable
        init(hash: UInt32, slot: Int) {
            self.hash = hash
            self.slot = slot
        }
    }

    /// Hash in the upper half; in the lower the number, counted from 1. 0: free. Their count is a power of two, and one at
    /// least is free.
    @usableFromInline var slots: [UInt64] = [0]
    /// The number of entries.
    public private(set) var count = 0
    /// The most slots that there may be; a power of two, or none.
    private let maximumSlots: Int
    /// The factor by which the table grows: a power of two.
    private let growth: Int

    /// The slots that a table with entries begins with.
    private static var firstSlots: Int { 64 }
    /// The most numbers that there may be.
    private static var mostSlots: Int { 1 << 32 }

    /// A table that grows as it must.
    public init() {
        maximumSlots = Self.mostSlots
        growth = 2
    }

    /// A table of bounded size.
    ///
    /// It grows fourfold, so that the tables before, whose memory malloc may keep, never take more than a third of this one.
    /// - Parameter octets: the most memory that it may take.
    public init(octets: Int) {
        let most = octets / MemoryLayout<UInt64>.stride
        maximumSlots = most < 2 ? 0 : min(Self.mostSlots, 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount))
        growth = 4
    }

    /// The most memory that the table takes, in octets.
    public var maximumOctets: Int { maximumSlots * MemoryLayout<UInt64>.stride }

    /// True when an entry must go before another can come. A quarter of the slots stays free, so that searches are short.
    public var isFull: Bool { (count + 1) * 4 > maximumSlots * 3 }

    @inlinable var mask: Int { slots.count &- 1 }

    @inlinable
    static func word(_ hash: UInt32, _ number: Int) -> UInt64 {
        UInt64(hash) << 32 | UInt64(UInt32(truncatingIfNeeded: number &+ 1))
    }

    // MARK: - Looking up

    /// Begins to look for the entries with a hash.
    @inlinable
    @inline(__always)
    public func probe(_ hash: UInt32) -> Probe { Probe(hash: hash, slot: Int(hash) & mask) }

    /// The number of the next entry with this hash; nil behind the last.
    @inlinable
    @inline(__always)
    public func next(_ probe: inout Probe) -> Int? {
        while true {
            let word = slots[probe.slot]
            if word == 0 { return nil }
            probe.slot = (probe.slot &+ 1) & mask
            if UInt32(truncatingIfNeeded: word >> 32) == probe.hash {
                return Int(UInt32(truncatingIfNeeded: word)) &- 1
            }
        }
    }

    // MARK: - Changing

    /// Adds an entry; ``isFull`` must be false.
    /// - Parameters:
    ///   - hash: its hash.
    ///   - number: 0...4,294,967,294.
    public mutating func insert(_ hash: UInt32, _ number: Int) {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        put(Self.word(hash, number))
        count += 1
    }

    /// Gives an entry another number.
    public mutating func move(_ hash: UInt32, from source: Int, to target: Int) {
        guard let slot = slot(of: Self.word(hash, source)) else { return }
        slots[slot] = Self.word(hash, target)
    }

    /// Removes an entry, if it is there.
    public mutating func remove(_ hash: UInt32, _ number: Int) {
        guard var hole = slot(of: Self.word(hash, number)) else { return }
        // What follows moves up where it may, so that no search ends at the hole too early (Knuth, 6.4 R).
        var slot = (hole + 1) & mask
        while slots[slot] != 0 {
            let home = Int(truncatingIfNeeded: slots[slot] >> 32) & mask
            if (slot - home) & mask >= (slot - hole) & mask {
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = (slot + 1) & mask
        }
        slots[hole] = 0
        count -= 1
    }

    private func slot(of word: UInt64) -> Int? {
        var slot = Int(truncatingIfNeeded: word >> 32) & mask
        while slots[slot] != word {
            if slots[slot] == 0 { return nil }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private mutating func put(_ word: UInt64) {
        var slot = Int(truncatingIfNeeded: word >> 32) & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = word
    }

    private mutating func grow() {
        let words = slots
        slots = Array(repeating: 0, count: min(max(Self.firstSlots, slots.count * growth), max(1, maximumSlots)))
        for word in words where word != 0 { put(word) }
    }
}
