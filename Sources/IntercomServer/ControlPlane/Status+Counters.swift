// Counters of workers, as `status` shows them.

import ControlAPI
import Forwarding

extension Status.Guests {
    /// Sum over all workers; nil where no guest has asked.
    init?(_ counters: [WorkerCounters]) {
        var sum = GuestCounts()
        for worker in counters { sum.add(worker.guests) }
        guard sum.ofContainers &+ sum.ofStrangers &+ sum.offLink > 0 else { return nil }
        self.init(
            containers: Int(clamping: sum.ofContainers), strangers: Int(clamping: sum.ofStrangers),
            elsewhere: Int(clamping: sum.offLink), paced: Int(clamping: sum.paced))
    }
}

extension Status.Cache {
    /// - Parameter limit: octets that all workers together may take.
    init(_ workers: [WorkerCounters], limit: Int) {
        func sum(_ counter: (CacheCounters) -> UInt64) -> Int {
            Int(clamping: workers.reduce(0) { $0 &+ counter($1.cache) })
        }
        self.init(
            entries: sum { UInt64($0.entries) }, octets: sum { UInt64($0.octets) }, limit: limit,
            hits: sum(\.hits), stale: sum(\.stale), misses: sum(\.misses), coalesced: sum(\.coalesced),
            prefetches: sum(\.prefetches), evictions: sum(\.evictions))
    }
}

extension Status.Worker {
    init(_ counters: WorkerCounters) {
        self.init(
            worker: counters.worker, listeners: counters.listeners, queries: Int(clamping: counters.queries),
            local: Int(clamping: counters.local), cached: Int(clamping: counters.cached),
            forwarded: Int(clamping: counters.forwarded),
            negative: Int(clamping: counters.negative), failed: Int(clamping: counters.failed),
            dropped: Int(clamping: counters.dropped), tcpConnections: counters.tcpConnections,
            inFlight: counters.inFlight)
    }
}
