// Processes of this machine as proc(5) shows them, for a person who looks for one: who has a socket, who runs in a namespace
// of its own. No process is opened, and nothing of it is changed.

internal import CLinux

/// A process, as a person is told of it.
package struct ListedProcess: Hashable, Sendable {
    /// Its number.
    package let pid: Int32
    /// Its name (proc_pid_comm(5)): at most 15 octets, which it chooses itself.
    package let command: String
    /// Its network namespace.
    package let namespace: NamespaceIdentity
    /// Its control groups, a line each (proc_pid_cgroup(5)): the runtime that made them may be seen in their names.
    package let controlGroups: String
    /// True when a link leads from this thread's namespace into the process's: that has a number here.
    package let isPlugged: Bool
}

/// Processes, by `/proc`.
///
/// It takes CAP_SYS_PTRACE to see those of others. Each search is bounded: processes and their descriptors come and go as
/// hostile containers please.
package enum ProcessTable {
    /// Files about descriptors that one search reads: some tenths of a second.
    private static let maximumDescriptors = 20_000
    /// Octets of a file about a descriptor, or about a process, that are read. That of a socket has some hundred.
    private static let maximumText = 4096

    /// Facts about one process; nil: it has ended, or may not be seen.
    /// - Throws: ``LinuxError`` when no netlink socket can be made.
    package static func process(_ pid: Int32) throws(LinuxError) -> ListedProcess? {
        guard let namespace = NamespaceIdentity(ofFileAt: "/proc/\(pid)/ns/net") else { return nil }
        var netlink = try RouteNetlink()
        var buffer = RouteNetlink.makeBuffer()
        let number = try? netlink.knownNumber(ofNamespaceOf: pid, using: &buffer)
        return listed(pid, namespace, isPlugged: number.map { $0 != .notAssigned } ?? false)
    }

    /// The first process of each namespace that a link leads into from this thread's, in the order of their numbers.
    /// - Parameters:
    ///   - number: only processes with a higher number than this are looked at.
    ///   - limit: the most that are given and have `isWanted`.
    ///   - isWanted: picks among them.
    /// - Throws: ``LinuxError`` when `/proc` cannot be read, or no netlink socket can be made.
    package static func firstProcesses(
        after number: Int32, limit: Int, where isWanted: (ListedProcess) -> Bool
    ) throws(LinuxError) -> [ListedProcess] {
        var seen: Set<NamespaceIdentity> = []
        if let own = NamespaceIdentity(ofFileAt: "/proc/thread-self/ns/net") { seen.insert(own) }
        var netlink = try RouteNetlink()
        var buffer = RouteNetlink.makeBuffer()
        var found: [ListedProcess] = []
        for pid in try numbers() where pid > number && found.count < limit {
            guard let namespace = NamespaceIdentity(ofFileAt: "/proc/\(pid)/ns/net"), seen.insert(namespace).inserted,
                let known = try? netlink.knownNumber(ofNamespaceOf: pid, using: &buffer), known != .notAssigned
            else { continue }
            let process = listed(pid, namespace, isPlugged: true)
            if isWanted(process) { found.append(process) }
        }
        return found
    }

    /// The first processes of a namespace, in the order of their numbers.
    /// - Throws: ``LinuxError`` when `/proc` cannot be read.
    package static func processes(in namespace: NamespaceIdentity, limit: Int) throws(LinuxError) -> [ListedProcess] {
        var found: [ListedProcess] = []
        for pid in try numbers() where found.count < limit {
            guard NamespaceIdentity(ofFileAt: "/proc/\(pid)/ns/net") == namespace else { continue }
            found.append(listed(pid, namespace, isPlugged: false))
        }
        return found
    }

    /// Processes of other namespaces than this thread's that have no file mounted at a path, the first of each namespace none of
    /// whose processes that were looked at has it; in the order of their numbers. By proc_pid_mountinfo(5): no path of theirs is
    /// walked. Where a machine has thousands of mounts, only the first programs are looked at: a table takes milliseconds then.
    /// - Parameters:
    ///   - path: where the file would be.
    ///   - directory: the directory that it comes from, on its own file system.
    ///   - number: only processes with a higher number than this are given.
    ///   - limit: the most that are given.
    /// - Throws: ``LinuxError`` when `/proc` cannot be read.
    package static func processes(
        withoutMountAt path: String, from directory: String, after number: Int32, limit: Int
    ) throws(LinuxError) -> [ListedProcess] {
        guard let own = NamespaceIdentity(ofFileAt: "/proc/thread-self/ns/net") else { return [] }
        var first: [NamespaceIdentity: Int32] = [:]
        var served: Set<NamespaceIdentity> = []
        let end = MonotonicTime.now.microseconds + timeForMountTables
        // Programs that nobody gave mounts of their own share a table.
        var tables: [NamespaceIdentity: Bool] = [:]
        for pid in try numbers() {
            guard let namespace = NamespaceIdentity(ofFileAt: "/proc/\(pid)/ns/net"), namespace != own,
                !served.contains(namespace)
            else { continue }
            let mounts = NamespaceIdentity(ofFileAt: "/proc/\(pid)/ns/mnt")
            var hasFile = mounts.flatMap { tables[$0] }
            if hasFile == nil {
                guard MonotonicTime.now.microseconds < end else { break }
                let table = ((try? Files.readText("/proc/\(pid)/mountinfo", limit: maximumMountTable)) ?? nil) ?? ""
                hasFile = isMounted(at: path, from: directory, table)
                if let mounts { tables[mounts] = hasFile }
            }
            if hasFile == true {
                served.insert(namespace)
            } else if first[namespace] == nil {
                first[namespace] = pid
            }
        }
        let stray = first.filter { !served.contains($0.key) && $0.value > number }.sorted { $0.value < $1.value }
        return stray.prefix(limit).map { listed($0.value, $0.key, isPlugged: false) }
    }

    /// Microseconds in which one search reads tables of mounts.
    private static let timeForMountTables: UInt64 = 250_000
    /// Octets of a table of mounts that are read: 10,000 lines, of which each named namespace is one.
    private static let maximumMountTable = 1 << 20

    /// True where a table of mounts has a file of a directory at a path that has not been deleted since.
    static func isMounted(at path: String, from directory: String, _ table: String) -> Bool {
        table.split(separator: "\n").contains { line in
            // Number, parent, device, root, mount point.
            let fields = line.split(separator: " ", maxSplits: 5)
            return fields.count > 4 && fields[4] == path && fields[3].contains(directory)
                && !fields[3].hasSuffix("//deleted")
        }
    }

    /// Processes that have sockets open, by the inodes of these; what is not found within the bounds is left out.
    /// - Parameters:
    ///   - sockets: inodes, as sock_diag(7) gives them.
    ///   - namespace: the one whose processes are looked at first; a socket may also be held from outside.
    package static func owners(of sockets: Set<UInt64>, in namespace: NamespaceIdentity) -> [UInt64: ListedProcess] {
        guard !sockets.isEmpty, let mount = socketMount(), let numbers = try? numbers() else { return [:] }
        var owners: [UInt64: ListedProcess] = [:]
        var budget = maximumDescriptors
        func look(_ pid: Int32, _ place: NamespaceIdentity) {
            for file in (try? Files.entries(of: "/proc/\(pid)/fdinfo")) ?? [] {
                guard budget > 0, owners.count < sockets.count else { return }
                budget -= 1
                guard let facts = DescriptorFacts(ofFileAt: "/proc/\(pid)/fdinfo/\(file)", limit: maximumText),
                    facts.mount == mount, sockets.contains(facts.inode), owners[facts.inode] == nil
                else { continue }
                owners[facts.inode] = listed(pid, place, isPlugged: false)
            }
        }
        var others: [(Int32, NamespaceIdentity)] = []
        for pid in numbers {
            guard let place = NamespaceIdentity(ofFileAt: "/proc/\(pid)/ns/net") else { continue }
            if place == namespace { look(pid, place) } else { others.append((pid, place)) }
        }
        for (pid, place) in others where budget > 0 && owners.count < sockets.count { look(pid, place) }
        return owners
    }

    // MARK: - Files of processes

    private static func numbers() throws(LinuxError) -> [Int32] {
        try Files.entries(of: "/proc").compactMap { Int32($0) }.sorted()
    }

    private static func listed(_ pid: Int32, _ namespace: NamespaceIdentity, isPlugged: Bool) -> ListedProcess {
        func text(_ file: String) -> String {
            ((try? Files.readText("/proc/\(pid)/\(file)", limit: maximumText)) ?? nil) ?? ""
        }
        // One newline is the kernel's.
        return ListedProcess(
            pid: pid, command: String(text("comm").dropLast()), namespace: namespace, controlGroups: text("cgroup"),
            isPlugged: isPlugged)
    }

    /// The mount that all sockets are in (`sockfs`): a file elsewhere may have the same inode number.
    private static func socketMount() -> Int? {
        guard let socket = try? Descriptor.socket(AF_INET, SOCK_DGRAM) else { return nil }
        return DescriptorFacts(ofFileAt: "/proc/self/fdinfo/\(socket.rawValue)", limit: maximumText)?.mount
    }
}

/// The file behind a descriptor, as proc_pid_fdinfo(5) has it. `ino` is there since Linux 5.14.
struct DescriptorFacts: Equatable {
    /// Number of the mount.
    let mount: Int
    /// Number of the inode in it.
    let inode: UInt64

    /// Reads such a file; nil: it is gone, or has other lines.
    init?(ofFileAt path: String, limit: Int) {
        guard let text = (try? Files.readText(path, limit: limit)) ?? nil else { return nil }
        self.init(text)
    }

    /// Reads the text of such a file.
    init?(_ text: String) {
        var fields: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            // The kernel's own lines come first; a later one of the same name is no better.
            guard parts.count == 2, fields[parts[0]] == nil else { continue }
            fields[parts[0]] = parts[1].drop { $0 == "\t" || $0 == " " }
        }
        guard let mount = fields["mnt_id"].flatMap({ Int($0) }), let inode = fields["ino"].flatMap({ UInt64($0) })
        else { return nil }
        self.mount = mount
        self.inode = inode
    }
}
