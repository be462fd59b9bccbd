// The start: all that was there before is there again when the first question is answered, or as much as can be had soon.

/// Progress of the start: facts in, the next step out.
struct Start {
    /// Time to wait for the opener's socket that observes the kernel, before anything is attached.
    static let patienceForKernel = Duration.seconds(1)
    /// The opener may be away: listeners that were kept answer after this time with what there is.
    static let patience = Duration.seconds(3)

    /// Time for a bridge to other hosts to attach: it is there already, and tries again after a fraction of a second.
    static let patienceForBridge = Duration.seconds(1)

    typealias Instant = ContinuousClock.Instant

    /// Knowledge of other hosts' containers, without which names of theirs would be answered with SERVFAIL.
    enum OtherHosts {
        /// Everything has been told, or nobody here asks for it.
        case known
        /// A bridge has attached, and tells.
        case beingTold
        /// No bridge has attached.
        case untold
    }

    /// Something to do now.
    enum Step: Equatable {
        /// Declare what configuration and state say, and look for namespaces.
        case declare
        /// All that was declared and found has been tried once: let go of what nobody has claimed.
        case complete
        /// Answer questions and take calls.
        case answer
        /// Call ``takeUnsettled()``.
        case settle
    }

    /// Time at which the daemon began.
    let began: Instant
    private var hasDeclared = false
    private var isComplete = false
    private var hasAnswered = false
    /// True while all that is missing is a bridge.
    private var waitsForBridge = false
    /// Calls that wait until nothing that was declared or found is being entered for the first time.
    private var unsettled: [() -> Void] = []
    /// Time from which on ``unsettled`` waits no longer.
    private var settleTime: Instant?

    init(now: Instant) {
        began = now
    }

    /// The next step; nil: nothing is to do before something happens, or before ``nextDeadline``.
    /// - Parameters:
    ///   - isKernelKnown: true when it was tried once to observe the kernel, or nothing is to be observed: each
    ///     namespace is then entered only once.
    ///   - isOpening: true while something that was declared or found is being entered for the first time. It is looked
    ///     at only where that matters: it costs time in proportion to the containers.
    ///   - otherHosts: what is known of them. Queries wait for it in the listeners' sockets, which costs the data plane nothing.
    ///   - now: the time.
    mutating func next(
        isKernelKnown: Bool, isOpening: @autoclosure () -> Bool, otherHosts: @autoclosure () -> OtherHosts, now: Instant
    ) -> Step? {
        if !hasDeclared {
            guard isKernelKnown || now >= began + Self.patienceForKernel else { return nil }
            hasDeclared = true
            return .declare
        }
        if let settleTime, now >= settleTime || !isOpening() {
            self.settleTime = nil
            return .settle
        }
        if !isComplete, !isOpening() {
            isComplete = true
            return .complete
        }
        if !hasAnswered, now >= began + Self.patience || isComplete && isInformed(otherHosts(), now) {
            hasAnswered = true
            waitsForBridge = false
            return .answer
        }
        return nil
    }

    /// True when other hosts are known, or no bridge comes to tell of them.
    private mutating func isInformed(_ otherHosts: OtherHosts, _ now: Instant) -> Bool {
        waitsForBridge = otherHosts == .untold
        return otherHosts == .known || waitsForBridge && now >= began + Self.patienceForBridge
    }

    /// Time at which the next step is due at the latest; nil: it waits for no time.
    var nextDeadline: Instant? {
        let answer = began + (waitsForBridge ? Self.patienceForBridge : Self.patience)
        let start = hasDeclared ? (hasAnswered ? nil : answer) : began + Self.patienceForKernel
        guard let start else { return settleTime }
        return settleTime.map { min($0, start) } ?? start
    }

    // MARK: - Later

    /// Calls `done` when nothing that was declared or found is being entered for the first time, or a moment later.
    mutating func whenSettled(now: Instant, _ done: @escaping () -> Void) {
        unsettled.append(done)
        settleTime = settleTime ?? now + Self.patienceForKernel
    }

    /// The calls that have waited.
    mutating func takeUnsettled() -> [() -> Void] {
        defer { unsettled = [] }
        return unsettled
    }
}
