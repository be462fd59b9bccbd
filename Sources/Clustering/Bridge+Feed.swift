// Telling the daemon of other hosts: everything after Attach, then each change, one call after another.

import ControlAPI

/// Progress of telling the daemon.
struct Feed: Sendable {
    enum Step: Equatable {
        /// Begin comes next.
        case new
        /// Calls of Apply with everything, then Complete.
        case telling
        /// Calls of Apply with changes.
        case told
    }

    var isAttached = false
    /// Number of calls that are under way. Changes meanwhile are collected, and only their newest state is told.
    var underWay = 0
    var step = Step.new
    /// Time at which the oldest change was received that has not been told; nil: there is none.
    var changedAt: Duration?
    /// The same of the calls that are under way, in their order.
    var tellingSince: [Duration?] = []
    /// Milliseconds that the last change took from its receipt until it was in force; nil: there was none.
    var lag: Int?
    /// Time from which on the daemon is told of the lag again.
    var lagReportAt = Duration.zero

    /// The shortest time between two reports of the lag.
    static let lagInterval = Duration.seconds(10)

    /// True when another call may be made: while everything is told, the next one is made ready as the daemon does the last.
    var hasRoom: Bool { underWay < (step == .told ? 1 : 2) }
}

extension Bridge {
    /// The most hosts of one call.
    private static var hostsAtOnce: Int { 256 }
    /// The most entries of one call: a millisecond's work of the daemon, and as much of the bridge.
    static var entriesAtOnce: Int { 64 }
    /// The most octets of values in one call: JSON may write an octet as six, and the message has 1 MiB.
    private static var octetsAtOnce: Int { 128 << 10 }

    mutating func beginFeed() {
        feed = Feed(isAttached: true)
        own.toldKeys = []
        if let reported = link.reported { effects.append(.report(reported.state, reported.message, lag: nil)) }
    }

    /// Takes note of a change that the watch has brought.
    mutating func noteChange(now: Duration) {
        guard feed.step == .told, feed.changedAt == nil else { return }
        if !mirror.changedHosts.isEmpty || !mirror.changedEntries.isEmpty { feed.changedAt = now }
    }

    /// Takes note that the last call is in force.
    mutating func takeTold(now: Duration) {
        feed.underWay -= feed.underWay > 0 ? 1 : 0
        guard !feed.tellingSince.isEmpty, let since = feed.tellingSince.removeFirst() else { return }
        feed.lag = Int((now - since) / .milliseconds(1))
        guard feed.lagReportAt <= now, feed.isAttached, let reported = link.reported else { return }
        feed.lagReportAt = now + Feed.lagInterval
        effects.append(.report(reported.state, reported.message, lag: feed.lag))
    }

    /// Tells the daemon what is next, as long as it has room. At the first list it is told of each page as it comes.
    mutating func pumpFeed() {
        guard feed.isAttached, following.isComplete || following.expected > 0 else { return }
        while feed.hasRoom, let (next, since) = nextTelling() {
            feed.underWay += 1
            feed.tellingSince.append(since)
            effects.append(.tell(next))
        }
    }

    /// The next call of the daemon, and the time at which the oldest change in it was received; nil: there is nothing to tell now.
    private mutating func nextTelling() -> (BridgeEffect.Telling, since: Duration?)? {
        if feed.step == .new {
            feed.step = .telling
            mirror.markAll()
            return (.begin(expected: max(mirror.entryCount, following.expected)), nil)
        }
        if let changes = takeChanges() {
            defer { feed.changedAt = nil }
            return (.apply(changes), feed.changedAt)
        }
        guard feed.step == .telling, following.isComplete else { return nil }
        feed.step = .told
        return (.complete(cursor: "\(following.cursor)", keep: mirror.unfinishedHosts), nil)
    }

    private mutating func takeChanges() -> Apply.Parameters? {
        guard !mirror.changedHosts.isEmpty || !mirror.changedEntries.isEmpty else { return nil }
        var apply = Apply.Parameters(session: 0)
        takeHosts(into: &apply)
        // The daemon refuses an entry of a host that it was not told of: hosts go first.
        if mirror.changedHosts.isEmpty { takeEntries(into: &apply) }
        if feed.step == .told { apply.cursor = "\(following.cursor)" }
        return apply
    }

    private mutating func takeHosts(into apply: inout Apply.Parameters) {
        for name in mirror.takeChangedHosts(atMost: Self.hostsAtOnce) {
            if mirror.knows(name) {
                let state = mirror.isAlive(name) ? Host.State.alive : .lost
                apply.hosts =
                    (apply.hosts ?? []) + [Host(host: name, state: state, address: mirror.host(name)?.addresses.first)]
            } else {
                apply.goneHosts = (apply.goneHosts ?? []) + [name]
            }
        }
    }

    private mutating func takeEntries(into apply: inout Apply.Parameters) {
        var (put, gone): ([Entry], [ControlAPI.EntryKey]) = ([], [])
        var octets = 0
        let keys = mirror.takeChangedEntries(atMost: Self.entriesAtOnce)
        for (index, key) in keys.enumerated() {
            let value = mirror.value(key)
            octets += value?.count ?? 0
            guard index == 0 || octets <= Self.octetsAtOnce else {
                mirror.putBack(keys[index...])
                break
            }
            var entry = value.flatMap { EntryValue($0) }
            if value != nil, entry == nil {
                leftOut.note("e/\(key.host)/\(key.key)", "is malformed, or of another version")
            }
            restrict(&entry, key)
            if let entry {
                put.append(Entry(entry, key: key))
            } else if mirror.knows(key.host) {
                gone.append(ControlAPI.EntryKey(host: key.host, key: key.key))
            }
        }
        if !put.isEmpty { apply.put = put }
        if !gone.isEmpty { apply.gone = gone }
    }
}

extension Bridge {
    /// Removes what a record of its network does not allow; nothing is left of a container that is on no other.
    private mutating func restrict(_ entry: inout EntryValue?, _ key: ContainerKey) {
        guard var restricted = entry, let reason = rules.restrict(&restricted, of: key.host) else { return }
        leftOut.note("e/\(key.host)/\(key.key)", reason)
        entry = restricted.places.isEmpty ? nil : restricted
    }
}

extension Entry {
    /// A container of another host, as its value says; the daemon checks what that says.
    init(_ value: EntryValue, key: ContainerKey) {
        self.init(
            host: key.host, key: key.key, name: value.name, hostname: value.hostname, id: value.id,
            ports: value.ports?.map { Port(port: $0.port, protocol: $0.transport, service: $0.service) },
            draining: value.draining, declared: value.declared,
            places: value.places.map { Place(network: $0.network, addresses: $0.addresses, aliases: $0.aliases) })
    }
}
