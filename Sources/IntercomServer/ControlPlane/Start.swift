// The start: all that was there before is there again when the first question is answered, or as much as can be had soon.

/// Progress of the start: facts in, the next step out.
struct Start {
    /// Time to wait for the opener's socket that observes the kernel, before anything is attached.
    static let patienceForKernel = Duration.seconds(1)
    /// The opener may be away: listeners that were kept answer after this time with what there is.
    static let patience = Duration.seconds(3)

    typealias Instant = ContinuousClock.Instant

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
    ///   - now: the time.
    mutating func next(isKernelKnown: Bool, isOpening: @autoclosure () -> Bool, now: Instant) -> Step? {
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
        if !hasAnswered, isComplete || now >= began + Self.patience {
            hasAnswered = true
            return .answer
        }
        return nil
    }

    /// Time at which the next step is due at the latest; nil: it waits for no time.
    var nextDeadline: Instant? {
        let start = hasDeclared ? (hasAnswered ? nil : began + Self.patience) : began + Self.patienceForKernel
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
