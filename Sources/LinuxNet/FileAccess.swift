// Files that a thread may open, landlock(7): fewer than its user may.

internal import CLinux

/// Limits the files that threads open.
package enum FileAccess {
    /// Has the calling thread, and those that it starts from now on, open only files below these directories; others fail with
    /// `permissionDenied`. There is no way back. Programs cannot be started any more, nor device files, sockets or links made.
    ///
    /// What is open stays usable. Paths can still be looked up (stat(2)), watched (inotify(7)) and connected to (connect(2)), as
    /// far as this user may.
    /// - Parameters:
    ///   - reading: directories; those that are not there, or are no directories, are passed over.
    ///   - writing: directories below which files are also written, made and removed.
    /// - Throws: ``LinuxError``: `noFunction` or `notSupported` where the kernel has no Landlock or it is turned off; the
    ///   thread is not limited then.
    package static func limitThread(reading: [String], writing: [String]) throws(LinuxError) {
        let ruleset = Descriptor(adopting: try system("landlock_create_ruleset") { clinux_landlock_create() })
        for path in reading { try allow(path, writes: false, by: ruleset) }
        for path in writing { try allow(path, writes: true, by: ruleset) }
        try system("landlock_restrict_self") { clinux_landlock_obey(ruleset.rawValue) }
    }

    private static func allow(_ path: String, writes: Bool, by ruleset: borrowing Descriptor) throws(LinuxError) {
        guard Files.isDirectory(path) else { return }
        let directory = try Files.openPath(path)
        try system("landlock_add_rule", path) {
            clinux_landlock_allow(ruleset.rawValue, directory.rawValue, writes ? 1 : 0)
        }
    }
}
