// Courtesy of a thread that computes for long to others on its core.

internal import CLinux

/// Has a thread that computes for long let others on its core go on now and then.
///
/// A thread that wakes while another computes on its core may have to wait for the next tick of the clock, up to 4 ms, however short its
/// turns are. One that gives way loses the rest of its own turn: it does so after a while only, never after each small piece of work.
package struct Pace {
    private static let stretch: UInt64 = 400
    private var since = MonotonicTime.now.microseconds

    /// Begins with work now.
    package init() {}

    /// Lets a thread run that waits for the same core, if there is one (sched_yield(2)) and 400 µs have passed since the last time.
    package mutating func giveWay() {
        guard MonotonicTime.now.microseconds >= since &+ Self.stretch else { return }
        _ = sched_yield()
        since = MonotonicTime.now.microseconds
    }
}
