// Choosing kept answers, to be shown or forgotten.

package import DNSWire

/// The cached answers that are meant.
package enum CacheSelection: Sendable, Hashable {
    /// All that is kept.
    case everything
    /// All answers about one name.
    case name(Name)
    /// All answers about a name and the names under it.
    case suffix(Name)

    /// True when an answer about this name is meant.
    /// - Parameter name: folded, on the wire, root included.
    func includes(_ name: Span<UInt8>) -> Bool {
        switch self {
        case .everything: true
        case .name(let other): name.count == other.wire.count && Self.ends(name, with: other, from: 0)
        case .suffix(let other): Self.isUnder(name, other)
        }
    }

    private static func isUnder(_ name: Span<UInt8>, _ other: Name) -> Bool {
        var offset = 0
        while name.count - offset > other.wire.count { offset += Int(name[offset]) + 1 }
        return name.count - offset == other.wire.count && ends(name, with: other, from: offset)
    }

    private static func ends(_ name: Span<UInt8>, with other: Name, from offset: Int) -> Bool {
        let folded = other.folded
        for index in folded.indices where name[offset + index] != folded[index] { return false }
        return true
    }
}
