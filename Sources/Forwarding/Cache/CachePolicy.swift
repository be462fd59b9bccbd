// Rules of caching: which answers of upstreams, and for how long.

/// The rules of one worker's cache. Times are seconds.
package struct CachePolicy: Sendable, Hashable {
    /// Octets for answers and all that is needed to find them; 0: nothing is kept.
    package var capacity: Int
    /// TTLs below are raised to this; a TTL of 0 is not.
    package var minimumTTL: UInt32
    /// TTLs above are lowered to this.
    package var maximumTTL: UInt32
    /// The longest life of "no such name" and "no such data" (RFC 2308 §5).
    package var maximumNegativeTTL: UInt32
    /// True when an expired answer serves while no upstream answers (RFC 8767).
    package var servesStale: Bool
    /// True when an answer that is asked for often is renewed before it expires.
    package var prefetches: Bool

    package init(
        capacity: Int = 16 << 20, minimumTTL: UInt32 = 0, maximumTTL: UInt32 = 86_400,
        maximumNegativeTTL: UInt32 = 300, servesStale: Bool = true, prefetches: Bool = true
    ) {
        self.capacity = capacity
        self.minimumTTL = minimumTTL
        self.maximumTTL = maximumTTL
        self.maximumNegativeTTL = maximumNegativeTTL
        self.servesStale = servesStale
        self.prefetches = prefetches
    }
}
