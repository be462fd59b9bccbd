// A file descriptor that has one owner and is closed when the owner lets go of it.

internal import CLinux

/// An open file descriptor: closed exactly once, when its owner ends.
package struct Descriptor: ~Copyable, Sendable {
    /// The number, for calls that this room does not wrap. It is good as long as the descriptor is.
    package let rawValue: Int32

    /// Takes over a descriptor that nobody else closes.
    package init(adopting rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Gives up ownership: the caller closes the number that is returned.
    package consuming func release() -> Int32 {
        let rawValue = rawValue
        discard self
        return rawValue
    }

    /// A second descriptor for the same open file, close-on-exec (fcntl(2) F_DUPFD_CLOEXEC).
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package func duplicate() throws(LinuxError) -> Descriptor {
        Descriptor(adopting: try system("fcntl") { clinux_duplicate(rawValue) })
    }

    deinit {
        // Linux frees the number even when close(2) fails, so it is never called again.
        _ = close(rawValue)
    }
}
