// CLOCK_BOOTTIME as a number, clock_gettime(2): how the data plane counts time.

internal import CLinux

/// The time since the host started, with the time that it was suspended: what is kept for a while ages in that, too.
package enum BootTime {
    /// Nanoseconds.
    package static var now: Int64 {
        var time = timespec()
        // It fills exactly one record, and has no error for this clock.
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
