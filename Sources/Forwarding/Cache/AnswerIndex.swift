// From a question's hash to the places where its answer may lie.

/// An open-addressing hash table. A slot holds an entry's hash beside its place, so that looking up, growing and removing
/// touch no entry.
struct AnswerIndex: Sendable {
    /// Goes through the places under one hash.
    struct Probe {
        fileprivate let hash: UInt32
        fileprivate var slot: Int
    }

    /// Hash in the upper half; in the lower the place, counted from 1 in units of the ring's alignment. 0: free.
    private var slots: [UInt64] = []
    private(set) var count = 0
    /// The most slots that there may be; a power of two, or none.
    private let maximumSlots: Int

    /// - Parameter octets: the most memory that the table may take.
    init(octets: Int) {
        let most = octets / MemoryLayout<UInt64>.stride
        maximumSlots = most < 2 ? 0 : 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount)
    }

    /// The most memory that the table takes.
    var maximumOctets: Int { maximumSlots * MemoryLayout<UInt64>.stride }

    /// Whether an entry must go before another can come.
    var isFull: Bool { (count + 1) * 4 > maximumSlots * 3 }

    private var mask: Int { slots.count - 1 }

    private func word(_ hash: UInt32, _ place: Int) -> UInt64 {
        UInt64(hash) << 32 | UInt64(UInt32(truncatingIfNeeded: place / AnswerRing.alignment + 1))
    }

    @inline(__always)
    func probe(_ hash: UInt32) -> Probe {
        Probe(hash: hash, slot: slots.isEmpty ? 0 : Int(hash) & mask)
    }

    /// The next place of an entry with this hash; nil behind the last.
    @inline(__always)
    func next(_ probe: inout Probe) -> Int? {
        guard !slots.isEmpty else { return nil }
        while true {
            let word = slots[probe.slot]
            if word == 0 { return nil }
            probe.slot = (probe.slot + 1) & mask
            if UInt32(truncatingIfNeeded: word >> 32) == probe.hash {
                return (Int(UInt32(truncatingIfNeeded: word)) - 1) * AnswerRing.alignment
            }
        }
    }

    /// Adds an entry; ``isFull`` must be false.
    mutating func insert(_ hash: UInt32, at place: Int) {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        put(word(hash, place))
        count += 1
    }

    /// An entry is somewhere else now.
    mutating func move(_ hash: UInt32, from source: Int, to target: Int) {
        guard let slot = slot(of: word(hash, source)) else { return }
        slots[slot] = word(hash, target)
    }

    mutating func remove(_ hash: UInt32, at place: Int) {
        guard var hole = slot(of: word(hash, place)) else { return }
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
        guard !slots.isEmpty else { return nil }
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

    /// Fourfold, so that the tables before, whose memory malloc may keep, never take more than a third of this one.
    private mutating func grow() {
        let words = slots
        slots = Array(repeating: 0, count: min(max(64, slots.count * 4), maximumSlots))
        for word in words where word != 0 { put(word) }
    }
}
