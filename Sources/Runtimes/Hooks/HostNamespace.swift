// The namespace that a hook itself is in: the runtime's, which is the host's.

import LinuxNet

/// Network namespace of the host, as far as a hook is concerned.
enum HostNamespace {
    /// True when a process shares the hook's network namespace: `--network host`. It has the host's resolver then.
    static func holds(_ pid: Int32) -> Bool {
        // The link's text names type and inode, as net:[4026531840] (namespaces(7)).
        guard let own = Files.linkTarget("/proc/self/ns/net") else { return false }
        return own == Files.linkTarget("/proc/\(pid)/ns/net")
    }
}
