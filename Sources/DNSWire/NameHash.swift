// The hash by which tables find names.

/// A hash of a name's octets, keyed by a secret: who does not know it cannot choose names that collide.
///
/// Eight octets are mixed in at a time, by a multiplication to 128 bits whose halves are folded together (as wyhash does).
public struct NameHash: Sendable {
    @usableFromInline let start: UInt64
    @usableFromInline let factor: UInt64

    /// - Parameter seed: the secret; random bits.
    public init(seed: UInt64) {
        start = seed
        // Odd, so that it loses nothing; and another for every seed.
        factor = Self.fold(seed ^ 0x2545_F491_4F6C_DD1D, 0x9E37_79B9_7F4A_7C15) | 1
    }

    /// The hash of octets: equal octets have equal hashes.
    @inlinable
    public func hash(_ octets: Span<UInt8>) -> UInt64 {
        let count = octets.count
        var hash = start ^ UInt64(truncatingIfNeeded: count)
        var index = 0
        while index &+ 8 < count {
            hash = mix(hash, octets.word64(index))
            index &+= 8
        }
        // The end overlaps with what was mixed in before: it is read in whole words.
        switch count {
        case 8...: hash = mix(hash, octets.word64(count &- 8))
        case 4...:
            hash = mix(hash, UInt64(octets.word32(0)) << 32 | UInt64(octets.word32(count &- 4)))
        case 2...: hash = mix(hash, UInt64(octets.word16(0)) << 16 | UInt64(octets.word16(count &- 2)))
        case 1: hash = mix(hash, UInt64(octets[0]))
        default: break
        }
        return hash
    }

    /// Mixes a further word into a hash.
    @inlinable
    public func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        Self.fold(hash ^ word, factor)
    }

    @inlinable
    static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }
}
