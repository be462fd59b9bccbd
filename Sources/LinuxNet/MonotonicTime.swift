// CLOCK_MONOTONIC as a number, clock_gettime(2): how the service manager and timers count time.

internal import CLinux

/// A time since the host started, without the time that it was suspended.
package struct MonotonicTime: Hashable, Sendable {
    /// Since the host started.
    package let microseconds: UInt64

    package init(microseconds: UInt64) {
        self.microseconds = microseconds
    }

    /// The time now.
    package static var now: MonotonicTime {
        var time = timespec()
        // It fills exactly one record, and has no error for this clock.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(microseconds: UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000)
    }
}
