// Open files of this process, and how many it may have: getrlimit(2) RLIMIT_NOFILE.

internal import CLinux

/// Descriptors of this process.
package enum OpenFiles {
    /// The most that it may have open; nil: not known.
    package static var limit: Int? {
        var limit = rlimit()
        // The kernel fills exactly one record.
        guard unsafe getrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    /// Those that are open, listed one by one: some tenths of a second for 100,000. Not for a thread that others wait for.
    package static var count: Int? { (try? Files.entries(of: "/proc/self/fd"))?.count }
}
