// The cache in the control interface: what is kept of upstreams' answers, and forgetting it.

/// Selects kept answers: all, those about one name, or those about a name and everything under it.
package struct KeptAnswersSelection: Codable, Equatable, Sendable {
    /// A domain name in presentation form; absent: all.
    package var name: String?
    /// True: names under it are meant, too; absent: false.
    package var suffix: Bool?

    package init(name: String? = nil, suffix: Bool? = nil) {
        self.name = name
        self.suffix = suffix
    }
}

/// Forgets kept answers: all, those about one name, or those about a name and everything under it.
package enum FlushCache: ControlMethod {
    package static let definition = """
        # Forgets kept answers: all, or those about a name, or (suffix) about a name and all names under it.
        method FlushCache(name: ?string, suffix: ?bool) -> (flushed: int)
        """

    package typealias Parameters = KeptAnswersSelection

    package struct Reply: Codable, Equatable, Sendable {
        /// Number of answers that were forgotten.
        package var flushed: Int

        package init(flushed: Int) {
            self.flushed = flushed
        }
    }
}

/// Shows kept answers: all, those about one name, or those about a name and everything under it.
package enum ListCache: ControlMethod {
    package static let definition = """
        # Kept answers: all, or those about a name, or (suffix) about a name and all names under it; further: answers that are
        # left out. Each worker keeps its own: a name may be there several times.
        method ListCache(name: ?string, suffix: ?bool) -> (answers: []CacheEntry, further: int)
        """
    package static let types: [any ControlType.Type] = [CacheEntry.self]

    package typealias Parameters = KeptAnswersSelection

    package struct Reply: Codable, Equatable, Sendable {
        /// By name and type.
        package var answers: [CacheEntry]
        /// Number of answers that are left out.
        package var further: Int

        package init(answers: [CacheEntry], further: Int) {
            self.answers = answers
            self.further = further
        }
    }

    /// One kept answer.
    package struct CacheEntry: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # A kept answer. type: absent of NXDOMAIN, which holds for all types; network, domain: those of the upstream group that
            # gave it, container: whose namespace it was asked from; age: seconds since it came, left: seconds of its life, 0 where
            # it serves only while nobody answers.
            type CacheEntry (
              name: string,
              type: ?string,
              rcode: string,
              network: ?string,
              domain: ?string,
              container: ?string,
              age: int,
              left: int,
              octets: int
            )
            """

        /// The name in question.
        package var name: String
        /// The record type, as `AAAA`; absent: all types.
        package var type: String?
        /// The response code, as `NOERROR`.
        package var rcode: String
        /// The network whose upstreams gave it; absent: any.
        package var network: String?
        /// The routing domain whose upstreams gave it; absent: any.
        package var domain: String?
        /// The container whose namespace it was asked from; absent: the host's.
        package var container: String?
        /// Seconds since it came.
        package var age: Int
        /// Seconds of its life that are left.
        package var left: Int
        /// Memory that it takes.
        package var octets: Int

        package init(
            name: String, type: String?, rcode: String, network: String?, domain: String?, container: String?, age: Int,
            left: Int, octets: Int
        ) {
            self.name = name
            self.type = type
            self.rcode = rcode
            self.network = network
            self.domain = domain
            self.container = container
            self.age = age
            self.left = left
            self.octets = octets
        }
    }
}

extension Status {
    /// Entries of the cache now, and counters of the caches of all workers since the daemon started.
    package struct Cache: ControlType, Codable, Equatable, Sendable {
        package static let definition = """
            # Kept answers of upstreams now: how many, the memory that they take and may take; and since the daemon started:
            # questions answered from memory (stale: past their life, RFC 8767), questions that upstreams were asked, questions
            # that waited for what was asked already, answers renewed in time, answers that made room for others.
            type Cache (
              entries: int,
              octets: int,
              limit: int,
              hits: int,
              stale: int,
              misses: int,
              coalesced: int,
              prefetches: int,
              evictions: int
            )
            """

        /// Answers that are kept.
        package var entries: Int
        /// Memory that they take.
        package var octets: Int
        /// Memory that they may take; 0: nothing is kept.
        package var limit: Int
        /// Questions answered from memory.
        package var hits: Int
        /// Of them with answers past their life (RFC 8767).
        package var stale: Int
        /// Questions that upstreams were asked.
        package var misses: Int
        /// Questions that waited for what was being asked already.
        package var coalesced: Int
        /// Answers renewed before anybody missed them.
        package var prefetches: Int
        /// Answers that made room for others.
        package var evictions: Int

        package init(
            entries: Int, octets: Int, limit: Int, hits: Int, stale: Int, misses: Int, coalesced: Int, prefetches: Int,
            evictions: Int
        ) {
            self.entries = entries
            self.octets = octets
            self.limit = limit
            self.hits = hits
            self.stale = stale
            self.misses = misses
            self.coalesced = coalesced
            self.prefetches = prefetches
            self.evictions = evictions
        }
    }
}
