// Counters of the cache.

/// Counted since the worker began; `entries` and `octets` are as they are now.
package struct CacheCounters: Sendable, Hashable {
    /// Questions answered from memory.
    package var hits: UInt64 = 0
    /// Of them with an answer past its life (RFC 8767), and those that got one after nobody had answered.
    package var stale: UInt64 = 0
    /// Questions that upstreams had to be asked for.
    package var misses: UInt64 = 0
    /// Questions that waited for what was being asked already.
    package var coalesced: UInt64 = 0
    /// Answers renewed before anybody missed them.
    package var prefetches: UInt64 = 0
    /// Answers that went to make room.
    package var evictions: UInt64 = 0
    /// Answers that are kept now.
    package var entries = 0
    /// Octets of the answers, with all that is kept of them.
    package var octets = 0

    package init() {}
}
