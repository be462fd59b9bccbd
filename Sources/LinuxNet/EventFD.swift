// A counter that one thread raises to wake another's loop, eventfd(2).

internal import CLinux

/// A wake-up: readable from ``signal()`` until ``drain()``.
package struct EventFD: ~Copyable, Sendable {
    /// Readable while signalled.
    package let descriptor: Descriptor

    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package init() throws(LinuxError) {
        descriptor = Descriptor(
            adopting: try system("eventfd") { eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    /// Makes the descriptor readable. Any thread may call it.
    package func signal() {
        // Fails only when the counter is full, and then the descriptor is readable already.
        _ = try? uninterrupted { eventfd_write(descriptor.rawValue, 1) }
    }

    /// Waits until it is signalled, at most so long (poll(2)); any thread may.
    package func wait(atMost time: Duration) {
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(clamping: Int((time / .milliseconds(1)).rounded(.up)))
        // One record, which the kernel reads and fills while the call runs. What it returns is of no use: who waits looks again.
        _ = try? uninterrupted { unsafe CLinux.poll(&poll, 1, milliseconds) }
    }

    /// Makes the descriptor unreadable again.
    package func drain() {
        var value: eventfd_t = 0
        // The kernel writes the eight octets of `value`; it fails only when nothing was signalled.
        _ = try? uninterrupted { unsafe eventfd_read(descriptor.rawValue, &value) }
    }
}
