// Following etcd: a list of everything by pages of one revision, then a watch from there on; after a break from the last revision.

import EtcdWire

/// Progress of following etcd.
struct Following: Sendable {
    enum Step: Equatable {
        case idle
        /// Read of the last value that was seen, at its revision: is it the same store?
        case checking
        /// Wait until this time, then a list.
        case waiting(until: Duration)
        case listing
        case watching
    }

    var step = Step.idle
    /// True once a watch was asked for.
    var isWatching = false
    /// True once everything has been listed, by this process or by the one that left a snapshot.
    var isComplete = false
    /// True from the moment at which changes were missed until everything has been listed.
    var needsList = true
    /// Revision up to which all changes have been seen; 0: none.
    var cursor: Int64 = 0
    /// Number of etcd's cluster, which a store that is made anew does not share.
    var cluster: UInt64 = 0
    /// Key of the last value that was seen, and its revision.
    var witness: (key: [UInt8], revision: Int64) = ([], 0)
    /// Number of containers that the first list will have, as etcd counts them; 0: not known.
    var expected = 0
    /// Keys that the list has still to begin with; nil: it has begun with all.
    var rest: KeyRange?
    /// Revision of the pages of the list.
    var listRevision: Int64 = 0
    /// False: the store that is listed is another than before.
    var isSameHistory = true
    /// Time at which the watch is asked for a sign of life.
    var progressAt = Duration.zero
    /// Time by which that, or the watch itself, has to be there; nil: nothing is waited for.
    var overdueAt: Duration?

    /// Silence after which the watch is asked for a sign of life.
    static let quiet = Duration.seconds(90)

    var nextDeadline: Duration? {
        switch step {
        case .idle, .checking, .listing: nil
        case .waiting(let time): time
        case .watching: overdueAt ?? progressAt
        }
    }

    func isOverdue(_ now: Duration) -> Bool {
        guard step == .watching, let overdueAt else { return false }
        return overdueAt <= now
    }
}

extension Bridge {
    mutating func beginFollowing(now: Duration) {
        guard !following.needsList, following.witness.revision > 0 else { return list(now: now) }
        following.step = .checking
        let request = RangeRequest(keys: KeyRange(key: following.witness.key), revision: following.witness.revision)
        call(.range(request), for: .witness, now: now)
    }

    mutating func takeWitness(_ reply: RangeReply, now: Duration) {
        let isSame =
            reply.header.cluster == following.cluster && reply.header.revision >= following.cursor
            && reply.pairs.first?.modified == following.witness.revision
        if isSame { watch(now: now) } else { historyIsOther(now: now) }
    }

    /// Handles that a revision is not there: it was compacted, or the store is an older one.
    mutating func historyIsGone(_ status: GRPCStatus, now: Duration) {
        if status.message.contains("future") { historyIsOther(now: now) } else { listLater(now: now) }
    }

    private mutating func historyIsOther(now: Duration) {
        effects.append(
            .log(
                isWarning: true,
                "etcd has another history than before: everything is listed, and told again by each host"))
        following.isSameHistory = false
        listLater(now: now)
    }

    /// Lists everything after a while, which differs from host to host.
    private mutating func listLater(now: Duration) {
        following.needsList = true
        let longest = min(Duration.seconds(settings.spread), .milliseconds(10) * mirror.hostCount)
        following.step = .waiting(until: now + longest * Double.random(in: 0...1, using: &random))
    }

    mutating func followOnTime(_ now: Duration) {
        switch following.step {
        case .waiting(let time) where time <= now: list(now: now)
        case .watching where following.overdueAt == nil && following.progressAt <= now:
            effects.append(.askProgress)
            following.overdueAt = now + Self.callTimeout
        default: break
        }
    }

    // MARK: - Listing

    private mutating func list(now: Duration) {
        following.step = .listing
        following.needsList = true
        following.listRevision = 0
        following.witness = ([], 0)
        mirror.beginListing()
        rules.beginListing()
        // Hosts and rules come first: without them nothing can be told of containers.
        following.rest = keyspace.allEntries
        call(.range(RangeRequest(keys: keyspace.allButEntries, limit: Self.pageSize)), for: .list, now: now)
    }

    mutating func takeList(_ reply: RangeReply, now: Duration) {
        if following.listRevision == 0 { following.listRevision = reply.header.revision }
        if following.rest == nil, following.expected == 0 { following.expected = Int(clamping: reply.count) }
        following.cluster = reply.header.cluster
        for pair in reply.pairs {
            noteWitness(pair)
            switch keyspace.key(pair.key) {
            case .host(let host): leftOut.note("h/\(host)", mirror.setHost(host, pair.value))
            case .entry(let key) where key.host != settings.host: put(key, pair.value)
            case .network(let network): putRule(network, pair.value)
            default: break
            }
        }
        if let keys = nextPage(after: reply) {
            let request = RangeRequest(keys: keys, limit: Self.pageSize, revision: following.listRevision)
            return call(.range(request), for: .list, now: now)
        }
        mirror.endListing(keepsUntil: now + .seconds(settings.keep), isSameHistory: following.isSameHistory)
        if rules.endListing() { mirror.markAll() }
        (following.isSameHistory, following.isComplete, following.needsList) = (true, true, false)
        following.cursor = following.listRevision
        watch(now: now)
    }

    /// Keys of the next page of the list; nil: that was the last.
    private mutating func nextPage(after reply: RangeReply) -> KeyRange? {
        if reply.more, let last = reply.pairs.last {
            return (following.rest == nil ? keyspace.allEntries : keyspace.allButEntries).after(last.key)
        }
        defer { following.rest = nil }
        return following.rest
    }

    private mutating func put(_ key: ContainerKey, _ value: [UInt8]) {
        leftOut.note("e/\(key.host)/\(key.key)", mirror.put(key, value))
    }

    /// Takes in a record; all that was told under other rules is told anew.
    private mutating func putRule(_ network: String, _ value: [UInt8]) {
        let (isNew, refusal) = rules.put(network, value)
        leftOut.note("n/\(network)", refusal)
        if isNew { mirror.markAll() }
    }

    private mutating func noteWitness(_ pair: KeyValue) {
        if pair.modified > following.witness.revision { following.witness = (pair.key, pair.modified) }
    }

    // MARK: - Watching

    private mutating func watch(now: Duration) {
        following.step = .watching
        following.isWatching = true
        following.overdueAt = now + Self.callTimeout
        effects.append(.watch(keys: keyspace.all, from: following.cursor + 1))
    }

    mutating func takeWatch(_ reply: WatchReply, now: Duration) {
        guard following.step == .watching else { return }
        following.overdueAt = nil
        following.progressAt = now + Following.quiet
        if reply.compacted > 0 {
            following.isWatching = false
            effects.append(.endWatch)
            effects.append(.log(isWarning: false, "etcd has compacted what was missed: everything is listed again"))
            return listLater(now: now)
        }
        guard !reply.isCanceled else { return lose(.unreachable("etcd ended the watch: \(reply.reason)"), now: now) }
        if reply.isCreated { noteConnected() }
        let emptied = emptiedHosts(by: reply.events)
        for event in reply.events {
            // After a break a member may send again what it sent before (etcd, CHANGELOG-3.4, 3.4.24).
            guard event.pair.modified > following.cursor else { continue }
            take(event, emptied, now: now)
        }
        noteChange(now: now)
        following.cursor = max(following.cursor, reply.events.last?.pair.modified ?? 0)
    }

    /// Time that a host has to write its containers again when all of them were deleted at once.
    private static let mendingTime = Duration.seconds(1)

    /// Hosts that are alive and lose all of their containers in one revision: their lease was revoked, or somebody deleted their keys.
    /// They write them again at once, so no name has to go meanwhile.
    private func emptiedHosts(by events: [WatchReply.Event]) -> Set<String> {
        var counts: [String: Int] = [:]
        for event in events where event.isDeletion && event.pair.modified == events.last?.pair.modified {
            if case .entry(let key)? = keyspace.key(event.pair.key) { counts[key.host, default: 0] += 1 }
        }
        return Set(counts.filter { mirror.isEmptied($0, byDeletions: $1) }.keys)
    }

    private mutating func take(_ event: WatchReply.Event, _ emptied: Set<String>, now: Duration) {
        if !event.isDeletion { noteWitness(event.pair) }
        switch keyspace.key(event.pair.key) {
        case .host(let host):
            if event.isDeletion {
                mirror.loseHost(host)
            } else {
                leftOut.note("h/\(host)", mirror.setHost(host, event.pair.value))
            }
            if host == settings.host { takeOwnHostEvent(event, now: now) }
        case .entry(let key) where key.host == settings.host: takeOwnEvent(key.key, event)
        case .entry(let key):
            if !event.isDeletion {
                put(key, event.pair.value)
            } else if emptied.contains(key.host) {
                mirror.remove(key, at: now + Self.mendingTime)
            } else {
                mirror.remove(key)
            }
        case .network(let network):
            if !event.isDeletion {
                putRule(network, event.pair.value)
            } else if rules.remove(network) {
                mirror.markAll()
            }
        case nil: break
        }
    }
}
