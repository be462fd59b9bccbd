// Writing: this host's containers go to etcd as the daemon tells of them, and what others changed there is mended.

import ControlAPI
import EtcdWire

extension Bridge {
    /// The most changes of one transaction; etcd takes 128 (embed/config.go, DefaultMaxTxnOps).
    static var changesAtOnce: Int { 100 }
    /// The most octets of one transaction; etcd takes 1.5 MiB.
    static var transactionOctets: Int { 256 << 10 }
    /// Keys of one page of a list.
    package static var pageSize: Int64 { 1000 }
    /// The shortest interval of listing the own keys without a reason.
    static var auditInterval: Duration { .seconds(600) }
    /// The interval of looking whether etcd has still a user for this host. It asks for rights when it is called, not while a watch stands.
    var checkInterval: Duration { .seconds(min(90, 3 * settings.ttl)) }

    /// The interval of renewing the lease of a living host. A renewal that fails leaves time for another one, over another connection: each costs
    /// some 740 octets on the wire.
    var renewalInterval: Duration { .seconds(settings.ttl) / 2 }

    // MARK: - The daemon's side

    mutating func takeLocal(_ told: Attach.Reply) {
        for entry in told.put ?? [] {
            let value = EntryValue(entry).octets
            own.toldKeys?.insert(entry.key)
            guard Keyspace.isName(entry.key.utf8), value.count <= ClusterFormat.longestValue else {
                effects.append(.log(isWarning: true, "\(entry.name) has too many names or addresses to be told"))
                setWanted(entry.key, nil)
                continue
            }
            setWanted(entry.key, value)
        }
        for key in told.gone ?? [] { setWanted(key, nil) }
        if told.synced == true {
            if let all = own.toldKeys {
                for key in Array(own.wanted.keys) where !all.contains(key) { setWanted(key, nil) }
            }
            own.toldKeys = nil
            own.isTold = true
        }
    }

    private mutating func setWanted(_ key: String, _ value: [UInt8]?) {
        own.wanted[key] = value
        compare(key)
    }

    /// Notes whether a key is to be written.
    mutating func compare(_ key: String) {
        let held = own.held[key]
        let isRight = held?.value == own.wanted[key] && (held == nil || held?.lease == identity.keepLease)
        if isRight { own.dirty.remove(key) } else { own.dirty.insert(key) }
    }

    mutating func setAddress(_ address: String) {
        guard settings.address.isEmpty, own.address != address else { return }
        own.address = address
        own.isAnnounced = false
    }

    // MARK: - Listing

    mutating func listOwn(now: Duration) {
        own.step = .listing
        own.listed = []
        own.listRevision = 0
        own.auditAt = now + Self.auditInterval * Double.random(in: 1...2, using: &random)
        let request = RangeRequest(keys: keyspace.entries(of: settings.host), limit: Self.pageSize)
        call(.range(request), for: .listOwn, now: now)
    }

    mutating func takeOwnList(_ reply: RangeReply, now: Duration) {
        if own.listRevision == 0 { own.listRevision = reply.header.revision }
        for pair in reply.pairs {
            guard case .entry(let key)? = keyspace.key(pair.key) else { continue }
            own.listed.insert(key.key)
            note(key.key, OwnKeys.Held(value: pair.value, lease: pair.lease, revision: pair.modified))
        }
        if reply.more, let last = reply.pairs.last {
            let rest = keyspace.entries(of: settings.host).after(last.key)
            let request = RangeRequest(keys: rest, limit: Self.pageSize, revision: own.listRevision)
            return call(.range(request), for: .listOwn, now: now)
        }
        for (key, held) in own.held where !own.listed.contains(key) && held.revision <= own.listRevision {
            own.held[key] = nil
        }
        for key in Set(own.held.keys).union(own.wanted.keys) { compare(key) }
        own.listed = []
        own.step = .writing
    }

    /// A key is in etcd so; older news is passed over.
    mutating func note(_ key: String, _ held: OwnKeys.Held) {
        guard held.revision >= own.held[key]?.revision ?? 0 else { return }
        own.held[key] = held
        compare(key)
    }

    // MARK: - Writing

    /// Writes what is new, if there is a connection and the rate allows it.
    mutating func writeOwn(now: Duration) {
        guard link.isUp else { return }
        if own.step == .idle, own.isTold, link.calls.isEmpty || !isJoining { join(now: now) }
        // Nothing is deleted before the daemon has told of all containers here.
        guard own.isTold, own.hasWork else { return }
        let rate = Double(settings.writeRate)
        own.tokens = min(rate * 2, own.tokens + (now - own.tokensAt) / .seconds(1) * rate)
        own.tokensAt = now
        guard own.tokens >= 1 else { return }
        own.tokens -= 1
        own.dirty.isEmpty ? announce(now: now) : writeSome(now: now)
    }

    private var isJoining: Bool { own.step == .joining }

    private mutating func announce(now: Duration) {
        (own.isAnnounced, own.isAnnouncing) = (true, true)
        let put = Transaction.Change.put(key: hostKey, value: hostValue(isSynced: true), lease: identity.aliveLease)
        transact([put], for: .announce, now: now)
    }

    private mutating func writeSome(now: Duration) {
        var changes: [Transaction.Change] = []
        var keys: [String] = []
        var octets = 0
        for key in own.dirty {
            let name = keyspace.octets(.entry(ContainerKey(host: settings.host, key: key)))
            let value = own.wanted[key]
            octets += name.count + (value?.count ?? 0)
            if !keys.isEmpty, octets > Self.transactionOctets { break }
            changes.append(value.map { .put(key: name, value: $0, lease: identity.keepLease) } ?? .delete(key: name))
            keys.append(key)
            if keys.count == Self.changesAtOnce { break }
        }
        own.inFlight = keys
        // The values that were written: the daemon may tell others before the reply.
        own.written = changes
        transact(changes, for: .write(keys: keys), now: now)
    }

    /// A change of own keys holds only while the host's key has this bridge's lease: one that was stopped for long, and
    /// goes on, changes nothing of its successor.
    mutating func transact(_ changes: [Transaction.Change], for purpose: Purpose, now: Duration) {
        let condition = Transaction.Condition.lease(key: hostKey, identity.aliveLease)
        call(.transaction(Transaction(if: condition, then: changes)), for: purpose, now: now)
    }

    mutating func takeWritten(_ keys: [String], _ reply: TransactionReply, now: Duration) {
        own.inFlight = []
        guard reply.succeeded else { return rejoin(now: now) }
        for (key, change) in zip(keys, own.written) {
            guard own.held[key]?.revision ?? 0 <= reply.header.revision else { continue }
            switch change {
            case .put(_, let value, let lease):
                own.held[key] = OwnKeys.Held(value: value, lease: lease, revision: reply.header.revision)
            case .delete: own.held[key] = nil
            }
            compare(key)
        }
        own.written = []
    }

    // MARK: - Time and the watch

    mutating func renewOnTime(_ now: Duration) {
        if case .taken(let time) = own.step, time <= now { beginOwn(now: now) }
        guard own.step == .writing else { return }
        if own.renewAliveAt <= now {
            own.renewAliveAt = now + renewalInterval
            call(.keepAlive(lease: identity.aliveLease), for: .renewAlive, now: now)
        }
        if own.renewKeepAt <= now {
            own.renewKeepAt = now + min(.seconds(settings.keep) / 3, .seconds(3600))
            call(.keepAlive(lease: identity.keepLease), for: .renewKeep, now: now)
        }
        if own.checkAt <= now {
            own.checkAt = now + checkInterval
            call(.range(RangeRequest(keys: KeyRange(key: hostKey))), for: .checkRights, now: now)
        }
        if own.auditAt <= now, own.inFlight.isEmpty { listOwn(now: now) }
    }

    /// The watch tells of this host's own key.
    mutating func takeOwnHostEvent(_ event: WatchReply.Event, now: Duration) {
        guard event.pair.modified > own.hostRevision, !own.isAnnouncing else { return }
        if event.isDeletion || event.pair.lease != identity.aliveLease { rejoin(now: now) }
    }

    /// The watch tells of a container of this host.
    mutating func takeOwnEvent(_ key: String, _ event: WatchReply.Event) {
        if event.isDeletion {
            guard event.pair.modified > own.held[key]?.revision ?? 0 else { return }
            own.held[key] = nil
            compare(key)
        } else {
            note(key, OwnKeys.Held(value: event.pair.value, lease: event.pair.lease, revision: event.pair.modified))
        }
    }
}

extension EntryValue {
    /// A container that the daemon tells of.
    init(_ entry: Entry) {
        self.init(
            name: entry.name, hostname: entry.hostname, id: entry.id,
            ports: entry.ports?.map { Port(port: $0.port, transport: $0.protocol ?? "tcp", service: $0.service) },
            draining: entry.draining, declared: entry.declared,
            places: entry.places.map { Place(network: $0.network, addresses: $0.addresses, aliases: $0.aliases) })
    }
}
