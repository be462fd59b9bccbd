// A quick look at the first labels of many names: most names that begin with another are told apart by one hash.

/// Counts names by some bits of the hash of their first labels. Names that share them are looked up as if there were no marks.
struct LabelMarks: Sendable {
    /// Marks for each name at least: four of five names of other first labels end here, or more.
    private static let marksForName = 4
    /// As many as fit in a page with a word each.
    private static let fewest = 1024

    /// A power of two, once there is a name.
    private var counts: [UInt32] = []
    private var nameCount = 0

    /// True where names have come to have less room than they need: ``reset()``, and count all of them again.
    var isCrowded: Bool { nameCount * Self.marksForName > counts.count }

    /// False where no name begins with the label; true where one may.
    /// - Parameter hash: of the label with its length.
    @inline(__always)
    func mayContain(_ hash: UInt64) -> Bool { !counts.isEmpty && counts[mark(hash)] > 0 }

    @inline(__always)
    private func mark(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (counts.count &- 1) }

    /// Adds a name that begins with the label, or removes one that was added.
    /// - Parameter difference: 1 or -1.
    mutating func count(_ hash: UInt64, _ difference: Int) {
        nameCount += difference
        if counts.isEmpty { counts = Array(repeating: 0, count: Self.fewest) }
        counts[mark(hash)] &+= UInt32(truncatingIfNeeded: difference)
    }

    /// Forgets all names, and has room for twice as many as there were.
    mutating func reset() {
        counts = Array(repeating: 0, count: max(counts.count * 2, Self.fewest))
        nameCount = 0
    }
}
