// Copy of what etcd has of all hosts: names go on while etcd is away, and a daemon that restarts is told all again.

/// Hosts and other hosts' containers as they were last seen, and those of them that changed since they were last taken.
///
/// A listing gives each entry a new generation; entries of older generations were not in it. They go when their host says
/// that it has written everything, so that a store that was emptied takes no name away.
struct Mirror {
    /// A container's value as it is in etcd.
    private struct Held {
        var value: [UInt8]
        var generation: UInt32
    }

    private struct Host {
        /// Last value of its key; nil: none was seen.
        var value: HostValue?
        /// True while its key is there.
        var isAlive = false
        /// Listing that the host was in as alive.
        var generation: UInt32 = 0
        var entries: [String: Held] = [:]
    }

    /// Bounds of what other hosts can have this one keep.
    struct Limits {
        /// Containers of all hosts: twice what the daemon takes unless it is told otherwise.
        var entries = 400_000
        /// Octets of their values.
        var octets = 128 << 20
        /// Hosts.
        var hosts = 20_000
    }

    private var hosts: [String: Host] = [:]
    /// Hosts with entries that no listing had, and the times at which those go.
    private var sweeps: [String: Duration] = [:]
    private var generation: UInt32 = 0
    private let limits: Limits
    /// Name of this host, of which no container is kept, and which stays when it is lost.
    private let ownHost: String
    /// Number of containers.
    private(set) var entryCount = 0
    /// Octets of their values.
    private(set) var octetCount = 0
    /// Hosts whose state has changed.
    private(set) var changedHosts: Set<String> = []
    /// Containers that have changed.
    private(set) var changedEntries: Set<ContainerKey> = []

    init(ownHost: String, limits: Limits = Limits()) {
        self.ownHost = ownHost
        self.limits = limits
    }

    /// Number of other hosts that are alive, or whose containers are kept.
    var hostCount: Int { hosts.count - (hosts[ownHost] == nil ? 0 : 1) }

    /// The last value of a host.
    func host(_ name: String) -> HostValue? { hosts[name]?.value }

    /// True for a host whose key is there.
    func isAlive(_ name: String) -> Bool { hosts[name]?.isAlive == true }

    /// Hosts that are alive and have not written everything, sorted.
    var unfinishedHosts: [String] {
        hosts.filter { $1.isAlive && $1.value?.isSynced == false }.keys.sorted()
    }

    /// True when anything is known of a host.
    func knows(_ name: String) -> Bool { hosts[name] != nil }

    /// The value of a container.
    func value(_ key: ContainerKey) -> [UInt8]? { hosts[key.host]?.entries[key.key]?.value }

    /// Calls `body` with each container and its value, in no order.
    func forEachEntry(_ body: (ContainerKey, [UInt8]) -> Void) {
        for (name, host) in hosts {
            for (key, held) in host.entries { body(ContainerKey(host: name, key: key), held.value) }
        }
    }

    /// Calls `body` with each host whose value was seen, and true for those that are alive, in no order.
    func forEachHost(_ body: (String, HostValue, Bool) -> Void) {
        for (name, host) in hosts {
            if let value = host.value { body(name, value, host.isAlive) }
        }
    }

    // MARK: - Changes

    /// Takes in a container's value.
    /// - Returns: why it was left out; nil: it was not.
    mutating func put(_ key: ContainerKey, _ value: [UInt8]) -> String? {
        guard value.count <= ClusterFormat.longestValue else {
            remove(key)
            return "has \(value.count) octets, more than \(ClusterFormat.longestValue)"
        }
        let old = hosts[key.host]?.entries[key.key]?.value
        let isOverLimit =
            octetCount - (old?.count ?? 0) + value.count > limits.octets
            || (old == nil && entryCount >= limits.entries) || !hasRoom(for: key.host)
        guard !isOverLimit else {
            remove(key)
            return "is one too many: \(entryCount) containers of \(hosts.count) hosts are kept"
        }
        if hosts[key.host] == nil { changedHosts.insert(key.host) }
        hosts[key.host, default: Host()].entries[key.key] = Held(value: value, generation: generation)
        entryCount += old == nil ? 1 : 0
        octetCount += value.count - (old?.count ?? 0)
        if old != value { changedEntries.insert(key) }
        return nil
    }

    /// Removes a container.
    mutating func remove(_ key: ContainerKey) {
        guard let held = hosts[key.host]?.entries.removeValue(forKey: key.key) else { return }
        entryCount -= 1
        octetCount -= held.value.count
        changedEntries.insert(key)
        forgetIfEmpty(key.host)
    }

    /// Takes in the value of a host that is alive.
    /// - Returns: why it was left out; nil: it was not.
    mutating func setHost(_ name: String, _ octets: [UInt8]) -> String? {
        guard let value = HostValue(octets) else { return "is malformed, or of another version" }
        guard hasRoom(for: name) else { return "is one too many: \(hosts.count) hosts are kept" }
        restore(name, value, isAlive: true)
        hosts[name]?.generation = generation
        if value.isSynced { sweep(name) }
        return nil
    }

    /// Takes in a host as a snapshot has it.
    mutating func restore(_ name: String, _ value: HostValue, isAlive: Bool) {
        if hosts[name]?.value != value || hosts[name]?.isAlive != isAlive { changedHosts.insert(name) }
        hosts[name, default: Host()].value = value
        hosts[name]?.isAlive = isAlive
    }

    /// Takes note that a host is not alive any more; its containers stay.
    mutating func loseHost(_ name: String) {
        guard isAlive(name) else { return }
        hosts[name]?.isAlive = false
        changedHosts.insert(name)
        forgetIfEmpty(name)
    }

    private func hasRoom(for host: String) -> Bool { hosts[host] != nil || hosts.count < limits.hosts }

    private mutating func forgetIfEmpty(_ name: String) {
        guard name != ownHost, let host = hosts[name], !host.isAlive, host.entries.isEmpty else { return }
        hosts[name] = nil
        sweeps[name] = nil
        changedHosts.insert(name)
    }

    /// True when these deletions leave nothing of a host that is alive and has several containers.
    func isEmptied(_ name: String, byDeletions count: Int) -> Bool {
        guard count > 1, let host = hosts[name], host.isAlive else { return false }
        return host.entries.count == count
    }

    /// Takes note that a container is not in etcd any more, and goes at a time unless it is there again before.
    mutating func remove(_ key: ContainerKey, at time: Duration) {
        guard hosts[key.host]?.entries[key.key] != nil else { return }
        hosts[key.host]?.entries[key.key]?.generation = generation &- 1
        sweeps[key.host] = min(sweeps[key.host] ?? time, time)
    }

    /// Removes a host's containers that the last listing and the changes since did not have.
    private mutating func sweep(_ name: String) {
        guard sweeps.removeValue(forKey: name) != nil, let host = hosts[name] else { return }
        for (key, held) in host.entries where held.generation != generation {
            remove(ContainerKey(host: name, key: key))
        }
    }

    // MARK: - Listings

    /// Begins a listing.
    mutating func beginListing() { generation &+= 1 }

    /// Ends a listing: what it did not have goes.
    /// - Parameters:
    ///   - keepsUntil: time until which unlisted containers stay whose host has not said that it wrote everything.
    ///   - isSameHistory: false: the store is another than before, so hosts that it does not know have not written anything yet.
    mutating func endListing(keepsUntil: Duration, isSameHistory: Bool) {
        for (name, host) in hosts {
            let isListed = host.isAlive && host.generation == generation
            if host.isAlive, !isListed { loseHost(name) }
            guard host.entries.values.contains(where: { $0.generation != generation }) else {
                sweeps[name] = nil
                continue
            }
            sweeps[name] = sweeps[name] ?? keepsUntil
            let hasToldAll = isListed ? host.value?.isSynced == true : isSameHistory
            if hasToldAll { sweep(name) }
        }
    }

    /// Time at which the next unlisted containers go.
    var nextSweep: Duration? { sweeps.values.min() }

    /// Removes unlisted containers whose time is over.
    mutating func sweep(now: Duration) {
        for (name, time) in sweeps where time <= now { sweep(name) }
    }

    // MARK: - Changes to tell

    /// Marks everything as changed.
    mutating func markAll() {
        for (name, host) in hosts {
            changedHosts.insert(name)
            for key in host.entries.keys { changedEntries.insert(ContainerKey(host: name, key: key)) }
        }
    }

    /// Takes some changed hosts.
    mutating func takeChangedHosts(atMost count: Int) -> [String] {
        let taken = Array(changedHosts.prefix(count))
        changedHosts.subtract(taken)
        return taken
    }

    /// Takes some changed containers.
    mutating func takeChangedEntries(atMost count: Int) -> [ContainerKey] {
        let taken = Array(changedEntries.prefix(count))
        changedEntries.subtract(taken)
        return taken
    }

    /// Marks containers as changed again, as they were not told after all.
    mutating func putBack(_ keys: some Sequence<ContainerKey>) { changedEntries.formUnion(keys) }
}
