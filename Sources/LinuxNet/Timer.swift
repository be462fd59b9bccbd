// Time as something to wait for in the loop, timerfd_create(2).

internal import CLinux

/// Becomes readable again and again, at equal intervals of CLOCK_MONOTONIC.
package struct Timer: ~Copyable, Sendable {
    /// Readable when an interval has passed.
    package let descriptor: Descriptor

    /// - Parameter interval: more than zero.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package init(every interval: Duration) throws(LinuxError) {
        let timer = Descriptor(
            adopting: try system("timerfd_create") {
                timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
            })
        let (seconds, attoseconds) = interval.components
        let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        var setting = itimerspec(it_interval: time, it_value: time)
        // One record, which the kernel reads while the call runs.
        try system("timerfd_settime") { unsafe timerfd_settime(timer.rawValue, 0, &setting, nil) }
        descriptor = timer
    }

    /// Makes the descriptor unreadable until the next interval has passed.
    package func drain() {
        var expirations: UInt64 = 0
        // The kernel writes the eight octets of the number; it fails only when no interval has passed.
        _ = try? uninterrupted { unsafe CLinux.read(descriptor.rawValue, &expirations, 8) }
    }
}
