// Changes of the mount table, proc_pid_mountinfo(5): namespaces appear at their paths by mounts.

internal import CLinux

/// Tells when something was mounted or unmounted.
package struct MountTable: ~Copyable, Sendable {
    /// Has ``Epoll/Events/priority`` once after each change.
    package let descriptor: Descriptor

    /// - Throws: ``LinuxError``, for example when `/proc` is not mounted.
    package init() throws(LinuxError) {
        descriptor = try Files.open("/proc/self/mountinfo", O_RDONLY)
    }
}
