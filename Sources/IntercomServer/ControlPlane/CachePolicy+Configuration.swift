// The cache that the configuration asks for.

import Forwarding

extension CachePolicy {
    /// Each worker's share of the cache.
    init(_ cache: Configuration.Cache, for workers: Int) {
        self.init(
            capacity: cache.size / max(1, workers), minimumTTL: cache.minimumTTL, maximumTTL: cache.maximumTTL,
            maximumNegativeTTL: cache.maximumNegativeTTL, servesStale: cache.servesStale,
            prefetches: cache.prefetches)
    }
}
