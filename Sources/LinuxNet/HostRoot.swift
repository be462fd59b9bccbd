// The host's root directory, for a process whose own root lacks what is mounted in the host.

internal import CLinux

/// The host's `/` by a descriptor: standard input, where the service manager has opened it (`StandardInput=file:/`).
///
/// Each network namespace in `/run/netns` is a mount, and systemd goes through all mounts for each entry of a unit's sandbox. So
/// the unit's root has none of them. What is mounted in the host is reached by the descriptor, which was opened there.
package enum HostRoot {
    /// A magic link of the kernel's, proc_pid_fd(5): it leads to the very directory, with the mounts below it.
    private static let link = "/proc/self/fd/0"
    /// Directories that are taken from the host; a file may be mounted over `/etc/resolv.conf`.
    private static let directories = ["/etc", "/run"]
    /// Links to such directories: absolute ones would lead into this process's own root (FHS 3.0 §5.13).
    private static let aliases = ["/var/run": "/run"]

    /// True where standard input is a directory, and so the host's root.
    package static let isPassed: Bool = {
        var status = stat()
        // The kernel fills exactly one record.
        return unsafe fstat(STDIN_FILENO, &status) == 0
            && status.st_mode & UInt32(bitPattern: S_IFMT) == UInt32(bitPattern: S_IFDIR)
    }()

    /// The path that leads to what `path` names in the host.
    static func path(_ path: String) -> String { isPassed ? pathByDescriptor(path) : path }

    /// The path by the descriptor, of what is in a directory of the host's; any other path as it is.
    static func pathByDescriptor(_ path: String) -> String {
        for (alias, directory) in aliases where isIn(alias, path) {
            return link + directory + path.dropFirst(alias.count)
        }
        return directories.contains { isIn($0, path) } ? link + path : path
    }

    private static func isIn(_ directory: String, _ path: String) -> Bool {
        path == directory || path.hasPrefix(directory + "/")
    }
}
