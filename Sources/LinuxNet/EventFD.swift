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

    /// Makes the descriptor unreadable again.
    package func drain() {
        var value: eventfd_t = 0
        // The kernel writes the eight octets of `value`; it fails only when nothing was signalled.
        _ = try? uninterrupted { unsafe eventfd_read(descriptor.rawValue, &value) }
    }
}
