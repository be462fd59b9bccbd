// Memory of the process that nothing uses any more.

internal import CLinux

/// The heap of this process.
package enum Memory {
    /// Gives free pages of the heap back to the kernel (malloc_trim(3)): the C library keeps them between pages that are used.
    /// Takes a millisecond for 10 MiB; other threads that allocate meanwhile wait.
    package static func trim() { _ = malloc_trim(0) }
}
