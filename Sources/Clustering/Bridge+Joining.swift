// Joining: this host's leases and its key in etcd are made, taken over from an earlier process, and made again when lost.

import ControlAPI
import EtcdWire

extension Bridge {
    var hostKey: [UInt8] { keyspace.octets(.host(settings.host)) }

    mutating func beginOwn(now: Duration) {
        own.step = .joining
        // etcd may be another store than before: nothing that was seen there holds.
        own.held = [:]
        forgetOwnCalls()
        guard identity.aliveLease != 0 else { return join(now: now) }
        call(.keepAlive(lease: identity.aliveLease), for: .checkAlive, now: now)
    }

    /// Makes leases that are missing, then looks at the host's key.
    mutating func join(now: Duration) {
        own.step = .joining
        if identity.aliveLease == 0 {
            // A host that does not know its containers yet has nothing to say to others.
            guard own.isTold else { return own.step = .idle }
            call(.grantLease(seconds: Int64(settings.ttl)), for: .grantAlive, now: now)
        } else if identity.keepLease == 0 {
            call(.grantLease(seconds: Int64(settings.keep)), for: .grantKeep, now: now)
        } else {
            call(.keepAlive(lease: identity.keepLease), for: .checkKeep, now: now)
        }
    }

    mutating func takeOwn(_ reply: EtcdReply, of purpose: Purpose, now: Duration) {
        switch (purpose, reply) {
        case (.checkAlive, .lease(let reply)):
            if reply.seconds <= 0 { identity.aliveLease = 0 }
            join(now: now)
        case (.checkKeep, .lease(let reply)):
            guard reply.seconds > 0 else {
                identity.keepLease = 0
                return join(now: now)
            }
            call(.range(RangeRequest(keys: KeyRange(key: hostKey))), for: .readHost, now: now)
        case (.grantAlive, .lease(let reply)):
            identity.aliveLease = reply.lease
            effects.append(.save(identity))
            join(now: now)
        case (.grantKeep, .lease(let reply)):
            identity.keepLease = reply.lease
            effects.append(.save(identity))
            join(now: now)
        case (.readHost, .range(let reply)): takeHost(reply, now: now)
        case (.claim, .transaction(let reply)): takeClaim(reply, now: now)
        case (.listOwn, .range(let reply)): takeOwnList(reply, now: now)
        case (.write(let keys), .transaction(let reply)): takeWritten(keys, reply, now: now)
        case (.announce, .transaction(let reply)):
            own.isAnnouncing = false
            guard reply.succeeded else { return rejoin(now: now) }
            own.hostRevision = reply.header.revision
        case (.renewAlive, .lease(let reply)):
            if reply.seconds <= 0 { loseLease(alive: true, now: now) }
        case (.renewKeep, .lease(let reply)):
            if reply.seconds <= 0 { loseLease(alive: false, now: now) }
        default: break
        }
    }

    mutating func takeHost(_ reply: RangeReply, now: Duration) {
        guard let pair = reply.pairs.first else { return claim(after: 0, now: now) }
        let value = HostValue(pair.value)
        // A key without a lease is of no host that lives: somebody has written it by hand.
        guard pair.lease != 0 else { return claim(after: pair.modified, now: now) }
        guard value?.instance == identity.instance else {
            let text = "another host is called \(settings.host)"
            if own.conflict == nil {
                effects.append(
                    .log(isWarning: true, "\(text): nothing is told of this one; give one of them another name (host)"))
            }
            own.conflict = text
            own.step = .taken(until: now + .seconds(settings.ttl))
            return report(.connected, text)
        }
        guard pair.lease == identity.aliveLease else { return claim(after: pair.modified, now: now) }
        own.hostRevision = pair.modified
        own.isAnnounced = value?.isSynced == true && value?.addresses == addresses
        joined(now: now)
    }

    var addresses: [String] {
        let address = settings.address.isEmpty ? own.address : settings.address
        return address.isEmpty ? [] : [address]
    }

    func hostValue(isSynced: Bool) -> [UInt8] {
        HostValue(
            instance: identity.instance, addresses: addresses, isSynced: isSynced, count: own.wanted.count,
            release: settings.release
        ).octets
    }

    private mutating func claim(after revision: Int64, now: Duration) {
        own.isAnnounced = false
        let put = Transaction.Change.put(key: hostKey, value: hostValue(isSynced: false), lease: identity.aliveLease)
        call(.transaction(Transaction(if: .modified(key: hostKey, revision), then: [put])), for: .claim, now: now)
    }

    mutating func takeClaim(_ reply: TransactionReply, now: Duration) {
        guard reply.succeeded else {
            // Somebody was faster: who, is seen in a moment.
            return own.step = .taken(until: now + .seconds(1))
        }
        own.hostRevision = reply.header.revision
        joined(now: now)
    }

    mutating func joined(now: Duration) {
        if own.conflict != nil {
            effects.append(.log(isWarning: false, "the name \(settings.host) is this host's now"))
        }
        own.conflict = nil
        if following.isWatching { report(.connected, nil) }
        own.renewAliveAt = now + renewalInterval
        own.checkAt = now + checkInterval
        own.renewKeepAt = now + min(.seconds(settings.keep) / 3, .seconds(3600))
        listOwn(now: now)
    }

    // MARK: - Lost leases

    mutating func rejoin(now: Duration) {
        guard own.step == .writing || own.step == .listing else { return }
        beginOwn(now: now)
    }

    mutating func loseLease(alive: Bool, now: Duration) {
        if alive { identity.aliveLease = 0 } else { identity.keepLease = 0 }
        effects.append(.log(isWarning: true, "etcd has lost a lease of this host: a new one is made"))
        own.held = [:]
        forgetOwnCalls()
        join(now: now)
    }

    /// Passes over replies of calls that are under way; their effects are seen in the listing and on the watch.
    private mutating func forgetOwnCalls() {
        link.calls = link.calls.filter { !$0.value.purpose.isOwn }
        (own.inFlight, own.isAnnouncing) = ([], false)
    }

    /// etcd knows no such lease: which one depends on what was called.
    mutating func failOwnLease(_ purpose: Purpose, now: Duration) -> Bool {
        switch purpose {
        case .checkAlive, .renewAlive, .claim, .announce: loseLease(alive: true, now: now)
        case .checkKeep, .renewKeep, .write: loseLease(alive: false, now: now)
        default: return false
        }
        return true
    }
}

extension Bridge.Purpose {
    /// True for calls about this host's own keys.
    var isOwn: Bool { self != .witness && self != .list }

    /// True for short calls that begin a connection.
    var isFirst: Bool { [.checkAlive, .checkKeep, .readHost, .witness].contains(self) }
}
