// Network namespaces as files, namespaces(7) and ioctl_nsfs(2).

internal import CLinux
internal import SystemPackage

/// Tells namespaces apart while they live; a number may be used again when one has ended.
package struct NamespaceIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The device of the nsfs file system.
    package let device: UInt64
    /// The file's number in it, as in `net:[4026531840]`.
    package let inode: UInt64

    /// `net:[4026531840]`.
    package var description: String { "net:[\(inode)]" }

    /// Identity of the file at a path, of whatever kind; nil: there is none. Opens nothing.
    package init?(ofFileAt path: String) {
        guard let status = Files.status(of: path, followsLinks: true) else { return nil }
        self.init(status)
    }

    /// Identity of a namespace by the numbers of its file.
    package init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// Namespace of the machine's first process, or of the container's if `/proc` is one's; nil: this process may not
    /// see it.
    package static var ofFirstProcess: NamespaceIdentity? { NamespaceIdentity(ofFileAt: "/proc/1/ns/net") }

    /// Namespace behind a descriptor: that of a namespace's file, or of a socket; nil: it is neither. It never waits.
    package init?(reachedBy descriptor: borrowing Descriptor) {
        if clinux_namespace_type(descriptor.rawValue) >= 0 {
            guard let status = try? Files.status(of: descriptor, "a namespace") else { return nil }
            self.init(status)
        } else {
            guard let namespace = try? NetworkNamespace(of: descriptor) else { return nil }
            self = namespace.identity
        }
    }

    fileprivate init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

/// A network namespace held open: it lives as long as this does.
package struct NetworkNamespace: ~Copyable, Sendable {
    /// The nsfs file.
    package let descriptor: Descriptor
    /// Identity of the namespace.
    package let identity: NamespaceIdentity

    /// Opens the namespace that a path names, like `/run/netns/web` or `/proc/1/ns/net`.
    ///
    /// Safe for any path: what it names is not touched before it is known to be a namespace.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/notANetworkNamespace`` when it is something else.
    package init(path: String) throws(LinuxError) {
        // O_PATH opens neither devices nor pipes, so it has no effect on them and never waits for a pipe's writer.
        let place = try Files.openPath(path)
        try Self.requireNamespaceFile(place, path)
        // The very file that was looked at, whatever the path names by now.
        let file = try Files.open("/proc/self/fd/\(place.rawValue)", O_RDONLY | O_NONBLOCK, subject: path)
        try self.init(adopting: file, path)
    }

    /// Opens the namespace of a process, and makes sure that it is this process's and not a later one's.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noSuchProcess`` when it has ended.
    package init(process: borrowing ProcessDescriptor) throws(LinuxError) {
        let gone = LinuxError(
            call: "open", errno: .noSuchProcess, subject: "pid \(process.pid)", kind: .noSuchProcess)
        let namespace: NetworkNamespace
        do throws(LinuxError) {
            namespace = try NetworkNamespace(path: "/proc/\(process.pid)/ns/net")
        } catch {
            throw process.isAlive ? error : gone
        }
        // Alive after the opening: the number meant this process then.
        guard process.isAlive else { throw gone }
        self = namespace
    }

    /// The namespace that a socket is of, wherever this thread is (SIOCGSKNS).
    /// - Throws: ``LinuxError``: `notPermitted` without CAP_NET_ADMIN over it.
    package init(of socket: borrowing Descriptor) throws(LinuxError) {
        let file = Descriptor(
            adopting: try system("ioctl SIOCGSKNS") { clinux_namespace_of_socket(socket.rawValue) })
        try self.init(adopting: file, "the namespace of a socket")
    }

    /// The namespace that this thread is in.
    /// - Throws: ``LinuxError``, for example when `/proc` is not mounted.
    package static func current() throws(LinuxError) -> NetworkNamespace {
        try NetworkNamespace(path: "/proc/thread-self/ns/net")
    }

    /// Takes over a descriptor that came from elsewhere. Safe for any: it is not touched before it is known to be a namespace.
    /// - Throws: ``LinuxError`` of kind ``LinuxError/Kind/notANetworkNamespace`` when it is something else, on `subject`.
    package init(passed descriptor: consuming Descriptor, _ subject: String) throws(LinuxError) {
        try Self.requireNamespaceFile(descriptor, subject)
        try self.init(adopting: descriptor, subject)
    }

    private init(adopting file: consuming Descriptor, _ path: String) throws(LinuxError) {
        guard clinux_namespace_type(file.rawValue) == CLONE_NEWNET else {
            throw LinuxError(call: "open", errno: .invalidArgument, subject: path, kind: .notANetworkNamespace)
        }
        identity = NamespaceIdentity(try Files.status(of: file, path))
        descriptor = file
    }

    /// Kind of a file that is no network namespace, for a message, as `a regular file`; nil where nobody can see it.
    package static func kindOfOtherFile(at path: String) -> String? {
        guard let place = try? Files.openPath(path) else { return nil }
        if let isNamespace = try? isNamespaceFile(place, path), isNamespace { return "a namespace of another kind" }
        return (try? Files.status(of: place, path))?.kindOfFile
    }

    private static func requireNamespaceFile(_ place: borrowing Descriptor, _ path: String) throws(LinuxError) {
        guard try isNamespaceFile(place, path) else {
            throw LinuxError(call: "open", errno: .invalidArgument, subject: path, kind: .notANetworkNamespace)
        }
    }

    private static func isNamespaceFile(_ place: borrowing Descriptor, _ path: String) throws(LinuxError) -> Bool {
        var information = statfs()
        // The kernel fills exactly one record.
        try system("fstatfs", path) { unsafe fstatfs(place.rawValue, &information) }
        return Int64(information.f_type) == Int64(NSFS_MAGIC)
    }
}
