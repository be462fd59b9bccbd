// The event loop of the control thread: descriptors with tokens, signals, and tasks that are due after a while.

import LinuxNet

/// Work that a part of the control plane puts off, and that no descriptor tells of.
enum ControlTask: Hashable, CaseIterable {
    /// See whether the paths of containers lead to their namespaces still.
    case lookForAbsent
    /// Read again what notifications of the kernel were lost of.
    case catchUp
    /// Subscribe to the kernel's notifications once more.
    case subscribe
    /// Read a part of the default routes.
    case readRoutes
    /// Read default routes again, for one may have gone with its link.
    case outletHasChanged
    /// Give back memory that the start has used.
    case trimMemory
}

/// Waits for events of descriptors and for deadlines. While there is neither, the thread sleeps.
final class EventLoop {
    /// Watches descriptors by the word of a ``ControlToken``.
    private(set) var epoll: Epoll
    private var signals: SignalFD
    private var tasks: [ControlTask: ContinuousClock.Instant] = [:]
    private var isPastDeadline = false

    /// - Parameter taken: signals that come to ``nextSignal()``. They are blocked in all threads made from now on, so no
    ///   other thread may be there yet.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    init(signals taken: [Signal]) throws(LinuxError) {
        signals = try SignalFD(taken)
        epoll = try Epoll()
        try watch(signals.descriptor, as: .signals)
    }

    // MARK: - Descriptors

    /// Watches a descriptor; its events carry the token. Closing the descriptor ends that.
    /// - Throws: ``LinuxError``, for example when it is watched already.
    func watch(
        _ descriptor: borrowing Descriptor, as token: ControlToken, for interest: Epoll.Events = [.readable]
    ) throws(LinuxError) {
        try epoll.add(descriptor, token: token.word, interest: interest)
    }

    /// Watches a descriptor no more.
    /// - Throws: ``LinuxError``, for example when it is not watched.
    func unwatch(_ descriptor: borrowing Descriptor) throws(LinuxError) { try epoll.remove(descriptor) }

    /// The next signal that has come; nil when there is none.
    func nextSignal() -> Signal? { signals.read() }

    // MARK: - Tasks

    /// Has a task carried out after a while; one that is scheduled already stays as it is.
    func schedule(_ task: ControlTask, after delay: Duration) {
        if tasks[task] == nil { tasks[task] = .now + delay }
    }

    /// The tasks that are due, in the order of their declaration; each is taken once.
    func takeDueTasks() -> [ControlTask] {
        guard !tasks.isEmpty else { return [] }
        let now = ContinuousClock.now
        let due = ControlTask.allCases.filter { tasks[$0].map { $0 <= now } ?? false }
        for task in due { tasks[task] = nil }
        return due
    }

    // MARK: - Waiting

    /// True when a deadline of the last ``wait(until:)`` has passed, or a task is due.
    var isAnythingDue: Bool {
        if isPastDeadline { return true }
        if tasks.isEmpty { return false }
        let now = ContinuousClock.now
        return tasks.values.contains { $0 <= now }
    }

    /// Waits until a descriptor is ready or something is due.
    /// - Parameter deadlines: those of the control plane's parts; nil: that part waits for nothing.
    /// - Returns: the tokens of the descriptors that are ready, at most ``LinuxNet/Epoll/capacity``.
    /// - Throws: ``LinuxError`` of epoll_wait(2).
    func wait(until deadlines: [ContinuousClock.Instant?]) throws(LinuxError) -> [ControlToken] {
        let next = (deadlines.compactMap(\.self) + tasks.values).min()
        let count = try epoll.wait(timeoutMilliseconds: next.map(Self.milliseconds))
        isPastDeadline = next.map { $0 <= .now } ?? false
        return (0..<count).compactMap { ControlToken(word: epoll.event($0).token) }
    }

    /// Milliseconds until a time, rounded up, so that it has come when we wake for it.
    private static func milliseconds(until time: ContinuousClock.Instant) -> Int {
        let left = ContinuousClock.now.duration(to: time)
        guard left > .zero else { return 0 }
        return Int(left.components.seconds) * 1000 + Int(left.components.attoseconds / 1_000_000_000_000_000) + 1
    }
}
