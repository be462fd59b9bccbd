// The time of day, clock_gettime(2) with CLOCK_REALTIME, and as people read it, localtime_r(3).

internal import CLinux

/// Translates times of ``BootTime`` to the time of day.
package struct WallClock: Sendable {
    /// Nanoseconds from the host's start to 1970, less than 0 as the start was later.
    private let offset: Int64

    /// The clock as it is now.
    /// - Parameter bootTime: now, as ``BootTime`` has it: nanoseconds.
    package init(bootTime: Int64) {
        var time = timespec()
        // It fills exactly one record, and has no error for this clock.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        offset = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec) &- bootTime
    }

    /// Microseconds since 1970-01-01 00:00 UTC.
    /// - Parameter bootTime: nanoseconds.
    package func microseconds(at bootTime: Int64) -> Int {
        Int((bootTime &+ offset) / 1000)
    }

    /// The local time of day, as `14:05:01.123`.
    /// - Parameter microseconds: since 1970-01-01 00:00 UTC.
    package static func timeOfDay(_ microseconds: Int) -> String {
        var seconds = time_t(microseconds / 1_000_000)
        // Unsafe for its pointer to the zone's name, which is not read.
        var parts = unsafe tm()
        // It fills one record; a time that is out of its range leaves it empty.
        _ = unsafe localtime_r(&seconds, &parts)
        let fields = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map { digits(Int($0), 2) }
        return fields.joined(separator: ":") + "." + digits(microseconds / 1000 % 1000, 3)
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
