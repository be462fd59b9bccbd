// Gates of containers whose policy lets them reach told addresses alone: decided here, set by the opener, told to the workers.

import Attachment
import LinuxNet
import Logging
import Registry
import SystemPackage

/// The gates of this machine's containers. One that cannot be set is tried again; until then its container is told no address.
///
/// Gates outlive the daemon, with the addresses in their sets: a container that is not served is not set free. At the start those
/// are removed that no container needs any more.
final class PolicyGates {
    private struct Gate {
        var cookie: UInt64
        /// The order that is to be in force; nil: it cannot be set.
        var wanted: GateOrder?
        /// The order that is.
        var inForce: GateOrder?
        /// State that the workers know.
        var told: GateState?
        var isBusy = false
        /// True when the gate in force may have been changed by somebody else.
        var isDoubtful = false
        var backoff = Backoff()
        var retry: ContinuousClock.Instant?
        /// Time at which addresses made room for others; nil: there was room for all.
        var madeRoom: ContinuousClock.Instant?
    }

    private let containers: Containers
    private let requests: OpenerRequests
    private let publisher: Publisher
    private let workers: WorkerPool
    private let logger: Logger
    private var gates: [ContainerID: Gate] = [:]
    /// The namespace from which upstreams are asked where a network does not say.
    var forwardsFrom: ForwardFrom {
        didSet { if forwardsFrom != oldValue { for container in gates.keys { follow(container) } } }
    }
    /// Workers' connections to threads of the opener.
    let connections: GateConnections
    private let queue: GateQueue
    /// The earliest time at which a gate is tried again, or an earlier one.
    private var nextRetry: ContinuousClock.Instant?
    /// Time at which gates that a daemon before has left are looked for; nil: that was done.
    private var reconciliation: ContinuousClock.Instant?
    /// True while all tables are being removed: nothing is set meanwhile.
    private var isClearing = false

    /// - Parameter forwardsFrom: the namespace from which upstreams are asked where a network does not say.
    init(
        forwardsFrom: ForwardFrom, containers: Containers, requests: OpenerRequests, loop: EventLoop,
        publisher: Publisher, workers: WorkerPool,
        logger: Logger
    ) {
        self.forwardsFrom = forwardsFrom
        self.containers = containers
        self.requests = requests
        connections = GateConnections(requests: requests, loop: loop, workers: workers, logger: logger)
        queue = GateQueue(requests: requests)
        self.publisher = publisher
        self.workers = workers
        self.logger = logger
        connections.opened = { [unowned self] in for container in gates.keys { follow(container) } }
        connections.failed = { [unowned self] reason in
            for (container, gate) in gates where gate.wanted != nil && gate.inForce == nil {
                tell(container, .failed(reason))
            }
        }
    }

    // MARK: - Lookups

    /// Subject of requests by which a gate is made and removed.
    static func subject(_ cookie: UInt64) -> String { "gate of \(cookie)" }
    /// Subject of requests about all gates.
    static let all = "gates"

    /// Subjects of all requests that a gate may wait for.
    static func subjects(_ cookie: UInt64) -> [String] { [GateConnections.subject, all, subject(cookie)] }

    /// Subjects of the requests by which gates of a policy's containers are made and removed.
    func requestSubjects(ofPolicy name: String) -> [String] {
        [GateConnections.subject, Self.all]
            + publisher.registry.containers(ofPolicy: name).compactMap { containers.attached($0)?.cookie.rawValue }
            .map(Self.subject)
    }

    /// Containers whose gates are not in force though their policies say so, with the reason, in the order of their names.
    var failures: [(container: String, policy: String, reason: String)] {
        gates.compactMap { container, gate in
            guard case .failed(let reason)? = gate.told else { return nil }
            return (publisher.name(of: container), publisher.registry[container]?.policy ?? "", reason)
        }.sorted { $0.0 < $1.0 }
    }

    /// Time for which a set counts as full after its last addresses had to make room.
    private static let memory = Duration.seconds(3600)

    /// Containers that were told more addresses within an hour than their sets hold, in the order of their names.
    var full: [(container: String, policy: String)] {
        let now = ContinuousClock.now
        return gates.compactMap { container, gate in
            guard let madeRoom = gate.madeRoom, madeRoom + Self.memory > now else { return nil }
            return (publisher.name(of: container), publisher.registry[container]?.policy ?? "")
        }.sorted { $0.0 < $1.0 }
    }

    /// State of a container's gate; nil: it has none.
    func state(of container: ContainerID) -> GateState? {
        guard let gate = gates[container] else { return nil }
        return gate.told ?? .failed("it is being set")
    }

    /// The reason for which a container's gate is not in force; nil: it is, or it has none.
    func failure(of container: ContainerID) -> String? {
        if case .failed(let reason)? = gates[container]?.told { return reason }
        return nil
    }

    // MARK: - Following

    /// Follows what has changed of policies, networks and addresses.
    func follow() {
        for container in publisher.registry.takeGateChanges() { follow(container) }
    }

    /// Follows a container: its policy, its networks, its links.
    func follow(_ container: ContainerID) {
        switch publisher.registry.gate(of: container) {
        case .open: remove(container)
        case .asItIs: break
        case .gated(let terms):
            guard let attached = containers.attached(container) else {
                return want(nil, of: container, cookie: 0, "intercom sees none of its links")
            }
            let cookie = attached.cookie.rawValue
            guard !publisher.registry.asksFromNamespace(container, byDefault: forwardsFrom) else {
                return want(
                    nil, of: container, cookie: cookie,
                    "its questions are asked from its own namespace (from = \"namespace\"), where its root can answer them"
                )
            }
            switch containers.discovery.waysOut(of: attached.number) {
            case .unguarded(let reason): want(nil, of: container, cookie: cookie, reason)
            case .devices(let devices):
                // One that its root has moved on leads out as before.
                let moved = (gates[container]?.inForce?.devices ?? []).filter {
                    !devices.contains($0) && containers.discovery.leadsElsewhere($0, but: attached.number)
                }
                want(
                    GateOrder(cookie: cookie, devices: (devices + moved).sorted(), terms: terms), of: container,
                    cookie: cookie, "")
            }
        }
    }

    /// The links of a container have changed.
    func linksChanged(of container: ContainerID) {
        // One without a policy is of no concern.
        if gates[container] != nil { follow(container) }
    }

    private func want(_ order: GateOrder?, of container: ContainerID, cookie: UInt64, _ reason: String) {
        if let old = gates[container], old.cookie != cookie { remove(container) }
        var gate = gates[container] ?? Gate(cookie: cookie)
        gate.wanted = order
        gates[container] = gate
        guard order != nil else { return tell(container, .failed(reason)) }
        set(container)
    }

    private func tell(_ container: ContainerID, _ state: GateState?) {
        guard gates[container]?.told != state else { return }
        gates[container]?.told = state
        if case .failed(let reason)? = state {
            // A guest asks at the listener of a gateway, which any worker may have.
            workers.post(.gate(container.view, state))
            let name = publisher.name(of: container)
            logger.warning(
                "container \(name): no address can be told to it, as its gate is not in force: \(reason)",
                metadata: .about(container: name, limitedAs: "gate \(name)"))
        } else {
            workers.post(.gate(container.view, state), to: publisher.worker(of: container.view))
        }
    }

    // MARK: - Setting

    /// Has the opener set what is wanted, if that is not in force.
    private func set(_ container: ContainerID) {
        guard !isClearing, let gate = gates[container], !gate.isBusy, var order = gate.wanted else { return }
        if !gate.isDoubtful, gate.inForce == order { return tell(container, .ready(cookie: gate.cookie)) }
        guard connections.areOpen else { return connections.open() }
        order.formerDevices = (gate.inForce?.devices ?? []).filter { !order.devices.contains($0) }
        gates[container]?.isBusy = true
        gates[container]?.retry = nil
        gates[container]?.isDoubtful = false
        queue.set(order, about: Self.subject(gate.cookie)) { [self, order] in hasBeenSet(container, order, $0) }
    }

    private func hasBeenSet(_ container: ContainerID, _ order: GateOrder, _ failure: LinuxError?) {
        guard gates[container]?.isBusy == true, gates[container]?.cookie == order.cookie else { return }
        gates[container]?.isBusy = false
        if let error = failure {
            // A link that has just gone is told of next.
            let delay = gates[container]?.backoff.next() ?? .seconds(1)
            gates[container]?.retry = .now + delay
            nextRetry = min(nextRetry ?? .now + delay, .now + delay)
            gates[container]?.isDoubtful = true
            if gates[container]?.wanted != nil { tell(container, .failed("\(error)")) }
            return
        }
        var inForce = order
        inForce.formerDevices = []
        let isAnew = gates[container]?.inForce != nil
        gates[container]?.inForce = inForce
        gates[container]?.backoff = Backoff()
        guard gates[container]?.wanted != nil else { return }
        // Sets that somebody removed are there again, and empty.
        if isAnew { gates[container]?.told = nil }
        tell(container, .ready(cookie: order.cookie))
        set(container)
    }

    private func remove(_ container: ContainerID) {
        guard let gate = gates.removeValue(forKey: container) else { return }
        if gate.told != nil { workers.post(.gate(container.view, nil)) }
        guard gate.inForce != nil || gate.isBusy else { return }
        let devices = (gate.inForce?.devices ?? []) + (gate.wanted?.devices ?? [])
        removeGates(AddressGates.Listing(cookies: [gate.cookie], devices: Array(Set(devices)).sorted()))
    }

    private func removeGates(_ listing: AddressGates.Listing) {
        let subject = listing.cookies.first.map(Self.subject) ?? Self.all
        requests.request(about: subject) { opener in
            Result { () throws(LinuxError) in try opener.removeGates(listing) }
        } late: { [self] in
            logger.error("cannot remove a gate: the opener does not reply", metadata: .about(limitedAs: "gates"))
            reconciliation = .now + .seconds(5)
        } done: { [self] (result: Result<Void, LinuxError>) in
            if case .failure(let error) = result {
                logger.error("cannot remove a gate: \(error)", metadata: .about(limitedAs: "gates"))
                reconciliation = .now + .seconds(5)
            }
            clear()
        }
    }

    /// Removes the tables once no container needs one.
    private func clear() {
        guard gates.isEmpty, reconciliation == nil, !isClearing else { return }
        isClearing = true
        let done = { [self] in
            isClearing = false
            for container in gates.keys { set(container) }
        }
        requests.request(about: Self.all) { opener in
            Result { () throws(LinuxError) in try opener.removeAllGates() }
        } late: {
            done()
        } done: { (_: Result<Void, LinuxError>) in
            done()
        }
    }

    // MARK: - What goes wrong

    /// A worker has lost its connection: the opener has ended, and another is there at the next call.
    func connectionLost(of worker: Int) { connections.lost(by: worker, isNeeded: !gates.isEmpty) }

    /// An address could not be let through the gate of a container: it may have been removed.
    func failed(_ container: ContainerID, errno: Int32) {
        // The opener was slower than what may wait: nothing is wrong with the gate.
        guard gates[container] != nil, Errno(rawValue: errno) != .resourceTemporarilyUnavailable else { return }
        gates[container]?.isDoubtful = true
        if gates[container]?.retry == nil { set(container) }
    }

    /// Addresses of a container have made room for others: its sets are full.
    func madeRoom(in container: ContainerID) {
        guard gates[container] != nil else { return }
        gates[container]?.madeRoom = .now
        let name = publisher.name(of: container)
        let policy = publisher.registry[container]?.policy ?? ""
        logger.warning(
            "container \(name): it was told more than \(AddressGate.capacity) addresses; those whose time ends first cannot be reached any more",
            metadata: .about(container: name, policy: policy, limitedAs: "gate room \(name)"))
    }

    /// Takes changes of nftables: gates that somebody has removed are set anew.
    func takeEvents() {
        switch connections.takeChange() {
        case .none: break
        case .removed:
            if !gates.isEmpty {
                logger.warning(
                    "the gates of policies were removed from the host's nftables; setting them again",
                    metadata: .about(limitedAs: "gates"))
            }
            setAllAnew()
        case .unknown: reconciliation = reconciliation ?? .now + .seconds(1)
        }
    }

    private func setAllAnew() {
        for container in gates.keys {
            gates[container]?.isDoubtful = true
            follow(container)
        }
    }

    // MARK: - Time

    /// Time at which ``tick(now:)`` is due.
    var nextDeadline: ContinuousClock.Instant? {
        [nextRetry, connections.retry, reconciliation].compactMap(\.self).min()
    }

    /// Tries again what is due.
    func tick(now: ContinuousClock.Instant) {
        guard let deadline = nextDeadline, deadline <= now else { return }
        connections.tick(now: now, isNeeded: !gates.isEmpty)
        if let due = nextRetry, due <= now {
            nextRetry = nil
            for (container, gate) in gates {
                guard let retry = gate.retry else { continue }
                if retry <= now {
                    gates[container]?.retry = nil
                    follow(container)
                } else {
                    nextRetry = min(nextRetry ?? retry, retry)
                }
            }
        }
        if let due = reconciliation, due <= now { reconcile() }
    }

    // MARK: - What a daemon before has left

    /// Has gates removed that the daemon before has left and no container needs.
    func begin() { reconciliation = .now }

    private func reconcile() {
        // A namespace that is being entered may have one.
        guard !containers.room.isOpening, !gates.values.contains(where: \.isBusy) else {
            reconciliation = .now + .seconds(1)
            return
        }
        reconciliation = nil
        list(after: 0)
    }

    private func list(after cookie: UInt64) {
        requests.request(about: Self.all) { opener in
            Result { () throws(LinuxError) in try opener.listGates(after: cookie) }
        } late: { [self] in
            reconciliation = .now + .seconds(5)
        } done: { [self] (result: Result<AddressGates.Listing, LinuxError>) in
            // Without nftables there are none.
            guard case .success(let listing) = result else { return }
            compare(listing)
            if listing.cookies.count == OpenerCalls.maximumGates, let last = listing.cookies.last { list(after: last) }
        }
    }

    private func compare(_ listing: AddressGates.Listing) {
        var cookies: Set<UInt64> = []
        var devices: Set<UInt32> = []
        for gate in gates.values {
            cookies.insert(gate.cookie)
            devices.formUnion((gate.inForce?.devices ?? []) + (gate.wanted?.devices ?? []))
        }
        // Those of containers whose policy nobody has declared stay as they are.
        for container in publisher.registry.containers where publisher.registry.gate(of: container.id) == .asItIs {
            guard let attached = containers.attached(container.id) else { continue }
            cookies.insert(attached.cookie.rawValue)
            if case .devices(let ways) = containers.discovery.waysOut(of: attached.number) { devices.formUnion(ways) }
        }
        var stale = AddressGates.Listing(
            cookies: listing.cookies.filter { !cookies.contains($0) },
            devices: listing.devices.filter { !devices.contains($0) })
        let moved = stale.devices.filter { containers.discovery.leadsElsewhere($0) }
        if !moved.isEmpty {
            // Their containers are not known any more: the chains that they lead to stay with them.
            stale = AddressGates.Listing(devices: stale.devices.filter { !moved.contains($0) })
        }
        let isWhole = listing.cookies.count < OpenerCalls.maximumGates
        for (container, gate) in gates where gate.inForce != nil && isWhole && !listing.cookies.contains(gate.cookie) {
            gates[container]?.isDoubtful = true
            set(container)
        }
        if stale.cookies.isEmpty && stale.devices.isEmpty { return }
        logger.info("removing \(stale.cookies.count) gates that no container needs any more")
        removeGates(stale)
    }
}
