// The heap of this process: how the C library shares it out, and gives back what nothing uses any more.

internal import CLinux

/// The heap of this process.
package enum Memory {
    /// Has threads share heaps (mallopt(3)). Called before there is a second thread.
    ///
    /// The C library gives each thread a heap of its own, up to eight for each processor, and never joins them again: threads
    /// that entered a namespace once would leave 130 KiB each.
    /// - Parameter heaps: one for each thread that allocates all the time; others use these, too.
    package static func share(heaps: Int) { _ = mallopt(M_ARENA_MAX, Int32(clamping: heaps)) }

    /// Gives free pages of the heap back to the kernel (malloc_trim(3)): the C library keeps them between pages that are used.
    /// Takes a millisecond for 10 MiB; other threads that allocate meanwhile wait.
    package static func trim() { _ = malloc_trim(0) }
}
