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
    /// True while a call is under way: changes meanwhile are collected, and only their newest state is told.
    var isWaiting = false
    var step = Step.new
}

extension Bridge {
    /// The most hosts of one call.
    private static var hostsAtOnce: Int { 256 }
    /// The most octets of values in one call: JSON may write an octet as six, and the message has 1 MiB.
    private static var octetsAtOnce: Int { 128 << 10 }

    mutating func beginFeed() {
        feed = Feed(isAttached: true)
        own.toldKeys = []
        if let reported = link.reported { effects.append(.report(reported.state, reported.message)) }
    }

    /// Tells the daemon what is next, if it waits for nothing.
    mutating func pumpFeed() {
        guard feed.isAttached, !feed.isWaiting, following.isComplete else { return }
        switch feed.step {
        case .new:
            feed.step = .telling
            mirror.markAll()
            tell(.begin(expected: mirror.entryCount))
        case .telling, .told:
            if let changes = takeChanges() {
                tell(.apply(changes))
            } else if feed.step == .telling {
                feed.step = .told
                tell(.complete(cursor: "\(following.cursor)", keep: mirror.unfinishedHosts))
            }
        }
    }

    private mutating func tell(_ telling: BridgeEffect.Telling) {
        feed.isWaiting = true
        effects.append(.tell(telling))
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
        let keys = mirror.takeChangedEntries(atMost: Apply.entryLimit)
        for (index, key) in keys.enumerated() {
            let value = mirror.value(key)
            octets += value?.count ?? 0
            guard index == 0 || octets <= Self.octetsAtOnce else {
                mirror.putBack(keys[index...])
                break
            }
            let entry = value.flatMap { EntryValue($0) }
            if value != nil, entry == nil {
                leftOut.note("e/\(key.host)/\(key.key)", "is malformed, or of another version")
            }
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
