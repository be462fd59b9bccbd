// Files as a container's programs see them: below the root directory of a process, and never outside.

internal import CLinux
internal import SystemPackage

/// The root directory of a process, proc_pid_root(5).
///
/// All that is below it is the container's, and hostile: each name on a path is opened by itself, without being followed
/// (O_PATH, O_NOFOLLOW), and symbolic links are resolved here, with this root in the place of `/`. So nothing outside is
/// ever opened, no magic link of `/proc` is followed, and neither a device nor a pipe is touched. openat2(2) with
/// RESOLVE_IN_ROOT would do the same; systemd's `RestrictSUIDSGID=` takes it away.
package struct ContainerRoot: ~Copyable, Sendable {
    /// Symbolic links on one path: as many as the kernel follows (path_resolution(7)).
    private static let maximumLinks = 40
    /// Names on one path, those of links included: a path has at most 4,095 octets (PATH_MAX, linux/limits.h).
    private static let maximumNames = 4096
    /// Octets read at once.
    private static let pieceLength = 16 * 1024

    private let root: Descriptor
    /// The process, for messages.
    private let pid: Int32

    /// The root of a process as it is now.
    /// - Throws: ``LinuxError``: `permissionDenied` without CAP_SYS_PTRACE over a process of somebody else; of kind
    ///   ``LinuxError/Kind/noSuchProcess`` when it has ended.
    package init(of process: borrowing ProcessDescriptor) throws(LinuxError) {
        pid = process.pid
        let path = "/proc/\(process.pid)/root"
        let opened: Descriptor
        do throws(LinuxError) {
            opened = try Files.openPath(path)
        } catch {
            guard !process.isAlive else { throw error }
            throw LinuxError(call: "open", errno: .noSuchProcess, subject: path, kind: .noSuchProcess)
        }
        // Alive after the opening: the number meant this process then.
        guard process.isAlive else {
            throw LinuxError(call: "open", errno: .noSuchProcess, subject: path, kind: .noSuchProcess)
        }
        root = opened
    }

    /// True where the process has the same root directory as this one: the host's, as a container's first process has it until
    /// its runtime has made it a root of its own.
    package var isOwn: Bool {
        guard let own = Files.identity(of: "/"), let status = try? Files.status(of: root, "the root of pid \(pid)")
        else { return false }
        return own == Files.Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// The octets of a regular file. It never waits for a pipe's writer; a file system of the container's own (FUSE) may have
    /// it wait for ever.
    /// - Parameters:
    ///   - path: from the root on, `/etc/resolv.conf`.
    ///   - limit: the most octets that the file may have.
    /// - Returns: nil when there is no such file.
    /// - Throws: ``LinuxError``: `fileTooLarge` over the limit, `invalidArgument` when it is no regular file,
    ///   `tooManySymbolicLinkLevels`, or what the kernel says.
    package func bytes(of path: String, limit: Int) throws(LinuxError) -> [UInt8]? {
        let subject = "\(path) of pid \(pid)"
        guard let place = try place(of: path, subject) else { return nil }
        let status = try Files.status(of: place, subject)
        guard status.st_mode & UInt32(bitPattern: S_IFMT) == UInt32(bitPattern: S_IFREG) else {
            throw LinuxError(call: "read", errno: .invalidArgument, subject: "\(subject) (not a regular file)")
        }
        guard status.st_size <= limit else { throw Self.tooLarge(subject) }
        try Self.refuseProcessFiles(place, subject)
        // The very file that was looked at, whatever the path names by now.
        let file = try Files.open(
            "/proc/self/fd/\(place.rawValue)", O_RDONLY | O_NONBLOCK | O_NOCTTY, subject: subject)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Self.pieceLength)
        while let count = try file.read(into: &buffer), count > 0 {
            bytes += buffer[..<count]
            if bytes.count > limit { throw Self.tooLarge(subject) }
        }
        return bytes
    }

    private static func tooLarge(_ subject: String) -> LinuxError {
        LinuxError(call: "read", errno: .fileTooLarge, subject: subject)
    }

    /// Files of `/proc` are regular, and made by the kernel of what this process may see: they are not the container's.
    private static func refuseProcessFiles(_ place: borrowing Descriptor, _ subject: String) throws(LinuxError) {
        var information = statfs()
        // The kernel fills exactly one record.
        try system("fstatfs", subject) { unsafe fstatfs(place.rawValue, &information) }
        guard Int64(information.f_type) != Int64(PROC_SUPER_MAGIC) else {
            throw LinuxError(call: "read", errno: .invalidArgument, subject: "\(subject) (a file of /proc)")
        }
    }

    // MARK: - Resolving a path

    /// The file that a path names, by O_PATH; nil: there is none.
    private func place(of path: String, _ subject: String) throws(LinuxError) -> Descriptor? {
        var names = path.split(separator: "/").map(String.init)[...]
        var way = Way(from: root.rawValue)
        var links = 0
        var steps = 0
        while let name = names.popFirst() {
            steps += 1
            guard steps <= Self.maximumNames else {
                throw LinuxError(call: "open", errno: .fileNameTooLong, subject: subject)
            }
            if name == "." { continue }
            if name == ".." {
                way.goUp()
                continue
            }
            guard let next = try Self.open(name, in: way.directory, subject) else { return nil }
            let kind = try Files.status(of: next, subject).st_mode & UInt32(bitPattern: S_IFMT)
            switch Int32(bitPattern: kind) {
            case S_IFLNK:
                links += 1
                guard links <= Self.maximumLinks, let target = Self.target(of: next) else {
                    throw LinuxError(call: "open", errno: .tooManySymbolicLinkLevels, subject: subject)
                }
                if target.hasPrefix("/") { way.goToRoot() }
                names = target.split(separator: "/").map(String.init) + names
            case S_IFDIR: way.enter(next)
            default:
                if names.isEmpty { return consume next }
                return nil
            }
        }
        throw LinuxError(call: "open", errno: .isDirectory, subject: subject)
    }

    private static func open(_ name: String, in directory: Int32, _ subject: String) throws(LinuxError) -> Descriptor? {
        guard !name.utf8.contains(0) else { return nil }
        do throws(LinuxError) {
            // The name is one component, and a NUL-terminated string while the call runs.
            let opened = try system("open", subject) {
                unsafe clinux_open_below(directory, name, clinux_path_flag() | O_NOFOLLOW | O_CLOEXEC, 0)
            }
            return Descriptor(adopting: opened)
        } catch  where [.noSuchFileOrDirectory, .notDirectory].contains(error.errno) {
            return nil
        }
    }

    /// Text of a symbolic link that is open by O_PATH (readlink(2)); what is not UTF-8 in it is U+FFFD, and names nothing.
    private static func target(of link: borrowing Descriptor) -> String? {
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
        // An empty name means the descriptor itself; the call writes at most the array's count of octets.
        let length = unsafe target.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return -1 }
            return unsafe readlinkat(link.rawValue, "", base, buffer.count)
        }
        return length > 0 ? String(decoding: target[..<length], as: UTF8.self) : nil
    }

    /// The directories from the root to where a path has led: `..` leads back along them, and never above the root.
    private struct Way: ~Copyable {
        private let root: Int32
        private var directories: [Int32] = []

        /// - Parameter root: lives longer than this.
        init(from root: Int32) {
            self.root = root
        }

        var directory: Int32 { directories.last ?? root }

        mutating func enter(_ directory: consuming Descriptor) { directories.append(directory.release()) }

        mutating func goUp() {
            if let last = directories.popLast() { _ = Descriptor(adopting: last) }
        }

        mutating func goToRoot() {
            while !directories.isEmpty { goUp() }
        }

        deinit {
            for directory in directories { _ = Descriptor(adopting: directory) }
        }
    }
}
