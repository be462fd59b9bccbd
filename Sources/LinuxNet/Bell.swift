// One signal to the loops of many threads.

/// A wake-up of all loops that watch it, by one system call. With a signal for each, the first thread that wakes may take the
/// processor from the one that is about to signal to the second.
package final class Bell: Sendable {
    private let event: EventFD

    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package init() throws(LinuxError) {
        event = try EventFD()
    }

    /// Wakes each loop once that watches. Any thread may call it.
    package func ring() { event.signal() }

    /// Has a loop wake whenever it rings.
    /// - Throws: ``LinuxError``, for example when the loop watches it already.
    package func wake(_ loop: borrowing Epoll, token: UInt64) throws(LinuxError) {
        // The counter is never read: each ring is a change, which is what a loop is told of that watches edges (epoll(7)).
        try loop.add(event.descriptor, token: token, interest: [.readable, .edgeTriggered])
    }
}
