// etcd as the model test has it: revisions, leases, watches from a revision on, compaction, and stores that are put back.

import Clustering
import EtcdWire

/// A store with the semantics that the bridge depends on (etcd, learning/api_guarantees.md).
struct FakeStore {
    struct Value: Hashable {
        var octets: [UInt8]
        var modified: Int64
        var lease: Int64
    }

    struct Lease {
        var seconds: Int64
        var endsAt: Duration
    }

    private(set) var cluster: UInt64 = 1
    private(set) var revision: Int64 = 1
    private(set) var keys: [[UInt8]: Value] = [:]
    private(set) var leases: [Int64: Lease] = [:]
    /// Changes by revision, those that are not compacted.
    private(set) var history: [(revision: Int64, events: [WatchReply.Event])] = []
    private(set) var compacted: Int64 = 0
    private var lastLease: Int64 = 0
    /// Values of all revisions that are not compacted, for reads of the past.
    private var past: [Int64: [[UInt8]: Value]] = [:]

    private var header: EtcdHeader { EtcdHeader(cluster: cluster, revision: revision) }

    // MARK: - Calls

    mutating func perform(_ call: EtcdCall, now: Duration) throws(EtcdFailure) -> EtcdReply {
        switch call {
        case .range(let request): return .range(try read(request))
        case .transaction(let transaction): return .transaction(try change(transaction))
        case .grantLease(let seconds):
            lastLease += 1
            let number = Int64(cluster) * 1_000_000 + lastLease
            leases[number] = Lease(seconds: seconds, endsAt: now + .seconds(seconds))
            return .lease(LeaseReply(header: header, lease: number, seconds: seconds))
        case .keepAlive(let number):
            guard let lease = leases[number] else {
                return .lease(LeaseReply(header: header, lease: number, seconds: 0))
            }
            leases[number]?.endsAt = now + .seconds(lease.seconds)
            return .lease(LeaseReply(header: header, lease: number, seconds: lease.seconds))
        case .revokeLease(let number):
            guard leases[number] != nil else { throw Self.noLease }
            revoke(number)
            return .lease(LeaseReply(header: header, lease: number, seconds: 0))
        }
    }

    private static var noLease: EtcdFailure {
        .status(GRPCStatus(number: 5, message: "etcdserver: requested lease not found"))
    }

    private func read(_ request: RangeRequest) throws(EtcdFailure) -> RangeReply {
        var source = keys
        if request.revision != 0 {
            guard request.revision <= revision else {
                throw .status(
                    GRPCStatus(number: 11, message: "etcdserver: mvcc: required revision is a future revision"))
            }
            guard request.revision >= compacted else {
                throw .status(GRPCStatus(number: 11, message: "etcdserver: mvcc: required revision has been compacted"))
            }
            source = past[request.revision] ?? [:]
        }
        let found = source.filter { request.keys.contains($0.key) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        let limit = request.limit == 0 ? found.count : Int(request.limit)
        let pairs = found.prefix(limit).map {
            KeyValue(key: $0.key, modified: $0.value.modified, value: $0.value.octets, lease: $0.value.lease)
        }
        var reply = RangeReply(header: header, pairs: pairs, more: found.count > limit)
        reply.count = Int64(found.count)
        return reply
    }

    private mutating func change(_ transaction: Transaction) throws(EtcdFailure) -> TransactionReply {
        let holds =
            switch transaction.condition {
            case .modified(let key, let revision): (keys[key]?.modified ?? 0) == revision
            // A key that is not there has no lease to compare with.
            case .lease(let key, let lease): keys[key].map { $0.lease == lease } ?? false
            }
        guard holds else { return TransactionReply(header: header, succeeded: false) }
        for case .put(_, _, let lease) in transaction.changes where lease != 0 && leases[lease] == nil {
            throw Self.noLease
        }
        commit(transaction.changes)
        return TransactionReply(header: header, succeeded: true)
    }

    // MARK: - Changes, also those of an administrator

    mutating func commit(_ changes: [Transaction.Change]) {
        var events: [WatchReply.Event] = []
        let next = revision + 1
        for change in changes {
            switch change {
            case .put(let key, let octets, let lease):
                keys[key] = Value(octets: octets, modified: next, lease: lease)
                let pair = KeyValue(key: key, modified: next, value: octets, lease: lease)
                events.append(WatchReply.Event(isDeletion: false, pair: pair))
            case .delete(let key):
                guard keys.removeValue(forKey: key) != nil else { continue }
                let pair = KeyValue(key: key, modified: next, value: [], lease: 0)
                events.append(WatchReply.Event(isDeletion: true, pair: pair))
            }
        }
        guard !events.isEmpty else { return }
        revision = next
        past[next] = keys
        history.append((next, events))
    }

    /// Ends a lease with its keys, in one revision.
    mutating func revoke(_ number: Int64) {
        leases[number] = nil
        commit(
            keys.filter { $0.value.lease == number }.keys.sorted { $0.lexicographicallyPrecedes($1) }.map {
                .delete(key: $0)
            })
    }

    /// Ends leases whose time is over.
    mutating func expire(now: Duration) {
        for (number, lease) in leases.sorted(by: { $0.key < $1.key }) where lease.endsAt <= now { revoke(number) }
    }

    mutating func compact() {
        compacted = revision
        history = []
        past = [revision: keys]
    }

    /// The store as after a restore of what it once was, with leases full again; another cluster if it is made anew.
    mutating func restore(_ former: FakeStore?, now: Duration) {
        let (next, last) = (cluster + 1, lastLease)
        self = former ?? FakeStore()
        // etcd never gives the number of a lease again: it has the time in it (pkg/idutil).
        lastLease = last
        if former == nil { cluster = next }
        for (number, lease) in leases { leases[number]?.endsAt = now + .seconds(lease.seconds) }
    }

    // MARK: - Watching

    /// The replies of a watch from a revision on, up to now.
    func replies(from revision: Int64) -> [WatchReply] {
        if revision <= compacted, revision <= self.revision {
            return [WatchReply(header: header, isCanceled: true, compacted: compacted + 1)]
        }
        return history.filter { $0.revision >= revision }.map { WatchReply(header: header, events: $0.events) }
    }
}
