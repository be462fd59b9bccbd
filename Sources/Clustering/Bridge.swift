// The bridge between one daemon and etcd as a value: events in, effects out, and a time at which it wants to be called again.

internal import ControlAPI
internal import EtcdWire

/// One host's side of the cluster: it writes this host's containers to etcd, and tells the daemon of all others'.
package struct Bridge: Sendable {
    /// Purposes of calls.
    enum Purpose: Hashable {
        case checkAlive, checkKeep, grantAlive, grantKeep, readHost, claim, listOwn
        case write(keys: [String]), announce, checkRights
        case renewAlive, renewKeep
        case witness, list
    }

    let settings: BridgeSettings
    let keyspace: Keyspace
    /// State that outlives the process.
    package internal(set) var identity: BridgeIdentity
    var random: SplitMix64
    var effects: [BridgeEffect] = []
    var link = Link()
    var own = OwnKeys()
    var following = Following()
    var mirror: Mirror
    var rules = NetworkRules()
    var feed = Feed()
    var leftOut = LeftOut()

    /// A bridge that has done nothing; the first ``handle(_:now:)`` makes it connect.
    /// - Parameters:
    ///   - settings: its settings.
    ///   - identity: identity of this installation.
    ///   - snapshot: other hosts as an earlier process knew them; nil: nothing is known.
    ///   - seed: seed of its random choices.
    package init(settings: BridgeSettings, identity: BridgeIdentity, snapshot: BridgeSnapshot? = nil, seed: UInt64) {
        self.settings = settings
        self.identity = identity
        keyspace = Keyspace(prefix: settings.prefix)
        random = SplitMix64(seed)
        mirror = Mirror(ownHost: settings.host)
        own.tokens = Double(settings.writeRate * 2)
        if let snapshot { restore(snapshot) }
    }

    /// Number of other hosts that are known.
    package var hostCount: Int { mirror.hostCount }
    /// Number of containers of other hosts that are known.
    package var entryCount: Int { mirror.entryCount }

    /// Revision of etcd up to which all changes are known; 0: none.
    package var revision: Int64 { following.cursor }

    /// Takes an event in.
    /// - Parameters:
    ///   - event: the event.
    ///   - now: time of a monotonic clock.
    package mutating func handle(_ event: BridgeEvent, now: Duration) {
        switch event {
        case .reply(let number, let reply):
            if let purpose = link.calls.removeValue(forKey: number)?.purpose { take(reply, of: purpose, now: now) }
        case .failed(let number, let failure):
            if let purpose = link.calls.removeValue(forKey: number)?.purpose { fail(purpose, failure, now: now) }
        case .watch(let reply): if link.isUp { takeWatch(reply, now: now) }
        case .watchEnded(let failure): if link.isUp, following.isWatching { lose(failure, now: now) }
        case .attached: beginFeed()
        case .local(let told): takeLocal(told)
        case .detached: feed.isAttached = false
        case .told: takeTold(now: now)
        case .localAddress(let address): setAddress(address)
        case .tick: break
        }
        passTime(now)
        writeOwn(now: now)
        pumpFeed()
        if let text = leftOut.message(now: now) { effects.append(.log(isWarning: true, text)) }
    }

    /// Takes the effects since the last call, in their order.
    package mutating func takeEffects() -> [BridgeEffect] {
        defer { effects = [] }
        return effects
    }

    /// Time at which the next ``BridgeEvent/tick`` is due; nil: none is.
    package var nextDeadline: Duration? {
        guard link.isUp else { return link.retryAt }
        return [
            link.calls.values.map(\.deadline).min(), own.nextDeadline(settings), following.nextDeadline,
            mirror.nextSweep,
        ].compactMap(\.self).min()
    }

    private mutating func passTime(_ now: Duration) {
        if !link.isUp, now >= link.retryAt { connect(now: now) }
        guard link.isUp else { return }
        if link.calls.values.contains(where: { $0.deadline <= now }) || following.isOverdue(now) {
            return lose(.unreachable("etcd does not answer"), now: now)
        }
        followOnTime(now)
        renewOnTime(now)
        mirror.sweep(now: now)
    }

    // MARK: - The connection

    /// The most time of one call.
    static let callTimeout = Duration.seconds(5)
    /// The most time of a call that finds out whether etcd is there: a member that lost its leader keeps it for seven seconds, also when there
    /// is another one meanwhile (etcd 3.4, etcdserver/v3_server.go, linearizableReadLoop).
    static let firstCallTimeout = Duration.seconds(3)

    mutating func call(_ call: EtcdCall, for purpose: Purpose, now: Duration) {
        link.lastNumber += 1
        let time = purpose.isFirst ? Self.firstCallTimeout : Self.callTimeout
        link.calls[link.lastNumber] = (purpose, now + time)
        effects.append(.call(link.lastNumber, call))
    }

    private mutating func connect(now: Duration) {
        link.isUp = true
        report(link.wasConnected ? .away : .connecting, link.failure)
        beginOwn(now: now)
        beginFollowing(now: now)
    }

    /// Ends all calls and the watch, and connects again after a while, to another member.
    mutating func lose(_ failure: EtcdFailure, now: Duration) {
        let text = failure.explanation(for: settings.host)
        link.calls = [:]
        link.isUp = false
        following.isWatching = false
        following.step = .idle
        own.step = .idle
        own.inFlight = []
        // Full jitter: hosts that lost a member at once do not come back at once.
        let longest = min(Link.longestWait, Link.firstWait * (1 << min(link.attempts, 10)))
        link.retryAt = now + longest * Double.random(in: 0.1...1, using: &random)
        link.attempts += 1
        effects.append(.disconnect)
        if link.failure != text {
            effects.append(.log(isWarning: true, "\(text); names stay as they are, tried again"))
        }
        link.failure = text
        report(link.wasConnected ? .away : .connecting, text)
    }

    /// Takes note that the watch stands: etcd is there.
    mutating func noteConnected() {
        if link.failure != nil || !link.wasConnected { effects.append(.log(isWarning: false, "connected to etcd")) }
        (link.failure, link.attempts, link.wasConnected) = (nil, 0, true)
        report(.connected, own.conflict)
    }

    mutating func report(_ state: Report.State, _ message: String?) {
        guard link.reported?.state != state || link.reported?.message != message else { return }
        link.reported = (state, message)
        if feed.isAttached { effects.append(.report(state, message, lag: feed.lag)) }
    }

    private mutating func take(_ reply: EtcdReply, of purpose: Purpose, now: Duration) {
        switch (purpose, reply) {
        case (.witness, .range(let reply)): takeWitness(reply, now: now)
        case (.list, .range(let reply)): takeList(reply, now: now)
        default: takeOwn(reply, of: purpose, now: now)
        }
    }

    private mutating func fail(_ purpose: Purpose, _ failure: EtcdFailure, now: Duration) {
        if case .status(let status) = failure {
            if purpose == .witness || purpose == .list, status.code == .outOfRange {
                return historyIsGone(status, now: now)
            }
            if status.code == .notFound, failOwnLease(purpose, now: now) { return }
        }
        lose(failure, now: now)
    }
}

/// The connection to etcd.
struct Link: Sendable {
    static let firstWait = Duration.milliseconds(100)
    static let longestWait = Duration.seconds(2)

    var isUp = false
    /// True once a watch stood.
    var wasConnected = false
    /// Time to connect again; the first time at once.
    var retryAt = Duration.zero
    /// Failures since etcd was there last.
    var attempts = 0
    /// Sentence about the last failure.
    var failure: String?
    var lastNumber: UInt64 = 0
    var calls: [UInt64: (purpose: Bridge.Purpose, deadline: Duration)] = [:]
    var reported: (state: Report.State, message: String?)?
}

/// Keys of other hosts that were left out, counted, so that one line in the log tells of many.
struct LeftOut: Sendable {
    /// The shortest time between two lines.
    static let interval = Duration.seconds(60)

    private(set) var count = 0
    private var last = ""
    private var logged = 0
    private var logsAt = Duration.zero

    /// Notes a key, if there is a reason to leave it out.
    mutating func note(_ key: String, _ reason: String?) {
        guard let reason else { return }
        count += 1
        last = "\(key) \(reason)"
    }

    /// A line about keys since the last line, if it is time for one.
    mutating func message(now: Duration) -> String? {
        guard count > logged, now >= logsAt else { return nil }
        defer { (logged, logsAt) = (count, now + Self.interval) }
        return "\(count - logged) values of other hosts were left out; the last: \(last)"
    }
}

/// A generator of numbers that a seed repeats (SplitMix64, public domain, Sebastiano Vigna).
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator that begins at a seed.
    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
