// The last descriptor of a process: given up so that who comes when there is no other is turned away, not left waiting.

internal import CLinux

/// A descriptor held in reserve.
///
/// A connection that cannot be accepted (accept(2): EMFILE, ENFILE) stays in the listener's queue and wakes the loop again
/// at once, for ever. So room is made for it, for as long as it takes to accept and close it.
package struct SpareDescriptor: ~Copyable, Sendable {
    private var descriptor: Descriptor?

    /// Takes one, if there is one.
    package init() {
        descriptor = Self.take()
    }

    /// Closes the connection that is next in a TCP or Unix listener's queue.
    package mutating func turnAwayNext(of listener: borrowing Descriptor) {
        descriptor = nil
        do throws(LinuxError) {
            _ = try acceptConnection(from: listener)
        } catch {
            // Another thread was faster. The loop comes again.
        }
        descriptor = Self.take()
    }

    private static func take() -> Descriptor? { try? Files.open("/dev/null", O_RDONLY) }
}
