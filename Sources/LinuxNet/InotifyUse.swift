// Inotify objects of this process, and how many its user may have: inotify(7), "/proc interfaces".

/// Use of inotify by this process, beside the kernel's limits, which hold for all processes of its user together.
package struct InotifyUse: Hashable, Sendable {
    /// Paths that are watched.
    package let watches: Int
    /// `fs.inotify.max_user_watches`.
    package let watchLimit: Int
    /// Inotify objects, each a descriptor.
    package let instances: Int
    /// `fs.inotify.max_user_instances`.
    package let instanceLimit: Int

    /// Octets of the file about an object: a line of some hundred for each watch.
    private static let maximumText = 64 << 20
    private static let maximumNumber = 64

    /// Looks at each descriptor: some tenths of a second for 100,000. Not for a thread that others wait for.
    /// - Returns: nil where `/proc` does not say.
    package static func read() -> InotifyUse? {
        guard let watchLimit = number("max_user_watches"), let instanceLimit = number("max_user_instances"),
            let descriptors = try? Files.entries(of: "/proc/self/fd")
        else { return nil }
        var (watches, instances) = (0, 0)
        for descriptor in descriptors where Files.linkTarget("/proc/self/fd/\(descriptor)") == "anon_inode:inotify" {
            instances += 1
            let text = (try? Files.readText("/proc/self/fdinfo/\(descriptor)", limit: maximumText)) ?? nil
            watches += text.map { count(ofWatches: $0) } ?? 0
        }
        return InotifyUse(
            watches: watches, watchLimit: watchLimit, instances: instances, instanceLimit: instanceLimit)
    }

    /// Counts the watches in a file about an object (proc_pid_fdinfo(5)): lines as `inotify wd:3 ino:…`.
    static func count(ofWatches text: String) -> Int {
        text.split(separator: "\n").count { $0.hasPrefix("inotify ") }
    }

    private static func number(_ name: String) -> Int? {
        let text = (try? Files.readText("/proc/sys/fs/inotify/\(name)", limit: maximumNumber)) ?? nil
        return text.flatMap { Int($0.prefix { $0.isNumber }) }
    }
}
