// A quick look at a set of names: most names that are not in it are told apart by a few octets.

import DNSWire

/// Counts the names of a set by a mark of few bits, so that most questions about other names end before they are hashed.
///
/// Names of one mark are no fault, and somebody may choose them: those are looked up as if there were no marks.
struct NameMarks: Equatable, Sendable {
    /// A power of two: about 1 KiB for each worker.
    private static var count: Int { 256 }

    private var counts: [UInt32] = Array(repeating: 0, count: Self.count)

    /// The mark of a name by its length, its first octet and its last one.
    @inline(__always)
    private static func mark(_ length: Int, _ first: UInt8, _ last: UInt8) -> Int {
        (length &* 37 ^ Int(first) &* 5 ^ Int(last)) & (count &- 1)
    }

    /// False where the labels `0..<end` of a name are not in the set; true where they may be.
    @inline(__always)
    func mayContain(_ name: borrowing FoldedName, _ end: Int) -> Bool {
        let length = name.labelOffset(end)
        // A name that is not empty has a label's length and an octet at least.
        return length > 1 && counts[Self.mark(length, name[1], name[length &- 1])] > 0
    }

    /// Adds a name, or removes one that was added.
    /// - Parameters:
    ///   - name: folded, without the root.
    ///   - difference: 1 or -1.
    mutating func count(_ name: ArraySlice<UInt8>, _ difference: Int) {
        guard name.count > 1, let last = name.last else { return }
        let mark = Self.mark(name.count, name[name.startIndex + 1], last)
        counts[mark] &+= UInt32(truncatingIfNeeded: difference)
    }

    /// Adds a name and all names above it but the root, or removes them.
    mutating func countEnds(of name: ArraySlice<UInt8>, _ difference: Int) {
        var end = name
        while let length = end.first {
            count(end, difference)
            end = end.dropFirst(Int(length) + 1)
        }
    }
}
