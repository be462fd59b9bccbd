// Small files: configuration, resolv.conf, what goes to standard output and error.

internal import CLinux
internal import SystemPackage

/// Reads and writes small text files.
package enum Files {
    /// A standard stream of the process, stdio(3).
    package enum Stream: Int32, Sendable {
        /// Descriptor 1.
        case standardOutput = 1
        /// Descriptor 2.
        case standardError = 2
    }

    /// The text of a regular file of at most `limit` octets; what is not UTF-8 in it becomes U+FFFD.
    /// - Returns: nil when there is no such file.
    /// - Throws: ``LinuxError``: `fileTooLarge` over the limit, `invalidArgument` when it is no regular file.
    package static func readText(_ path: String, limit: Int) throws(LinuxError) -> String? {
        try readBytes(path, limit: limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The octets of a regular file, at most `limit`.
    /// - Returns: nil when there is no such file.
    /// - Throws: ``LinuxError``, as ``readText(_:limit:)``.
    package static func readBytes(_ path: String, limit: Int) throws(LinuxError) -> [UInt8]? {
        let file: Descriptor
        do throws(LinuxError) {
            // O_NONBLOCK: a pipe is not waited for.
            file = try open(path, O_RDONLY | O_NONBLOCK)
        } catch  where error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory {
            return nil
        }
        let status = try status(of: file, path)
        guard status.isKind(S_IFREG) else {
            throw LinuxError(call: "read", errno: .invalidArgument, subject: "\(path) (not a regular file)")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while let count = try file.read(into: &buffer), count > 0 {
            bytes += buffer[..<count]
            if bytes.count > limit { throw LinuxError(call: "read", errno: .fileTooLarge, subject: path) }
        }
        return bytes
    }

    /// Writes a file so that a reader sees all of the old text or all of the new; it replaces what the path named.
    ///
    /// Its permissions are `mode`, such as 0o644, whatever the umask. It is not forced to disk: what it is for does not outlive
    /// a restart of the host.
    /// - Throws: ``LinuxError``; what the path named is unchanged then.
    package static func writeAtomically(_ path: String, _ text: String, mode: UInt32) throws(LinuxError) {
        try replace(path, Array(text.utf8), mode: mode) { _ in }
    }

    /// Replaces a regular file that is there; its owner and permissions stay. A reader sees all of the old or all of the new.
    /// - Throws: ``LinuxError``; the file is as it was then.
    package static func rewrite(_ path: String, _ bytes: [UInt8]) throws(LinuxError) {
        let old = try status(of: try open(path, O_RDONLY | O_NONBLOCK), path)
        try replace(path, bytes, mode: old.st_mode & 0o7777) { file throws(LinuxError) in
            try system("fchown", path) { fchown(file, old.st_uid, old.st_gid) }
        }
    }

    /// Writes a new file and gives it the name of the old one.
    /// - Parameter finish: called with the file's number before it has the name.
    static func replace(
        _ path: String, _ bytes: [UInt8], mode: UInt32, _ finish: (Int32) throws(LinuxError) -> Void
    ) throws(LinuxError) {
        let temporary = "\(path).\(String(Entropy.word(), radix: 36))"
        let file = try open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, subject: path)
        do throws(LinuxError) {
            try writeAll(bytes, to: file.rawValue, path)
            try system("fchmod", path) { fchmod(file.rawValue, mode) }
            try finish(file.rawValue)
            // Both paths are NUL-terminated strings while the call runs.
            try system("rename", path) { unsafe CLinux.rename(temporary, path) }
        } catch {
            try? unlink(temporary)
            throw error
        }
    }

    /// Writes text to a standard stream, all of it if the stream takes it; what it does not take is lost.
    package static func write(_ text: String, to stream: Stream) {
        try? writeAll(Array(text.utf8), to: stream.rawValue, "")
    }

    /// Writes one line to a standard stream if the stream takes it at once: a pipe that nobody reads, or a stopped
    /// terminal, is not waited for.
    /// - Parameters:
    ///   - line: with its newline; cut so that a pipe takes all of it or nothing (PIPE_BUF, pipe(7)).
    ///   - stream: standard output or standard error.
    /// - Returns: false where the line is lost.
    package static func writeUnlessBlocked(_ line: String, to stream: Stream) -> Bool {
        var bytes = Array(line.utf8)
        if bytes.count > Int(PIPE_BUF) { bytes = bytes.prefix(Int(PIPE_BUF) - 1) + [UInt8(ascii: "\n")] }
        // A pipe is writable where it has room for PIPE_BUF octets.
        guard clinux_is_writable(stream.rawValue) == 1 else { return false }
        // The array's own storage and its count, used only while the call runs.
        let written = unsafe bytes.withUnsafeBytes { unsafe CLinux.write(stream.rawValue, $0.baseAddress, $0.count) }
        return written == bytes.count
    }

    /// A second descriptor for what a standard stream goes to (fcntl(2) F_DUPFD_CLOEXEC).
    /// - Throws: ``LinuxError`` where the stream is closed.
    package static func duplicate(_ stream: Stream) throws(LinuxError) -> Descriptor {
        Descriptor(adopting: try system("fcntl") { clinux_duplicate(stream.rawValue) })
    }

    /// True when a standard stream goes to a terminal (isatty(3)).
    package static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }

    /// The columns of the terminal that a standard stream goes to (ioctl_tty(2)); nil where it goes to none.
    package static func terminalWidth(_ stream: Stream) -> Int? {
        let width = clinux_terminal_width(stream.rawValue)
        return width > 0 ? Int(width) : nil
    }

    /// The device and the number of the file that a standard stream goes to; nil where it is closed.
    package static func identity(of stream: Stream) -> (device: UInt64, inode: UInt64)? {
        var status = stat()
        // The kernel fills exactly one record.
        guard unsafe fstat(stream.rawValue, &status) == 0 else { return nil }
        return (UInt64(status.st_dev), UInt64(status.st_ino))
    }

    /// True when a path names something, of whatever kind.
    package static func exists(_ path: String) -> Bool { status(of: path, followsLinks: true) != nil }

    /// The paths that lead from one to what it names: the path itself, where it is a symbolic link also what that links to
    /// (readlink(2)), and so on. Links of directories on the way are not looked at, nor those of `/proc`, which are none.
    package static func trail(of path: String) -> [String] {
        var trail = [path]
        // As many as the kernel follows (path_resolution(7)).
        while trail.count <= 40, let last = trail.last, !last.hasPrefix("/proc/"), let target = linkTarget(last) {
            let directory = last[..<(last.lastIndex(of: "/").map(last.index(after:)) ?? last.startIndex)]
            trail.append(target.hasPrefix("/") ? target : directory + target)
        }
        return trail
    }

    /// The names in a directory, without `.` and `..`, in no order (readdir(3)); what is not UTF-8 in them is U+FFFD.
    /// - Throws: ``LinuxError``, for example when there is no such directory.
    package static func entries(of directory: String) throws(LinuxError) -> [String] {
        // The path is a NUL-terminated string while the call runs; the stream is closed below and nowhere else.
        guard let stream = unsafe opendir(HostRoot.path(directory)) else {
            throw LinuxError(call: "opendir", errno: Errno(rawValue: clinux_errno()), subject: directory)
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            // The name is NUL-terminated within the record, which is good until the next call. The record ends with the name, so
            // `d_name` is read where it stands and not copied as the 256 octets that its type has.
            guard let offset = MemoryLayout.offset(of: \dirent.d_name) else { break }
            let start = unsafe UnsafeRawPointer(entry) + offset
            let name = unsafe String(decodingCString: start.assumingMemoryBound(to: UInt8.self), as: UTF8.self)
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// True when a path is a directory, or a link to one.
    package static func isDirectory(_ path: String) -> Bool {
        status(of: path, followsLinks: true).map { $0.isKind(S_IFDIR) } ?? false
    }

    /// Target of a symbolic link (readlink(2)); nil for all else.
    package static func linkTarget(_ path: String) -> String? {
        var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
        // The path is a NUL-terminated string while the call runs, which writes at most the array's count of octets.
        let length = unsafe target.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return -1 }
            return unsafe readlink(HostRoot.path(path), base, buffer.count)
        }
        return length > 0 ? String(decoding: target[..<length], as: UTF8.self) : nil
    }

    /// True when a path names something, a link that leads nowhere too.
    package static func isThere(_ path: String) -> Bool { status(of: path, followsLinks: false) != nil }

    /// The user who owns a path; nil where it names nothing.
    static func owner(of path: String) -> UInt32? { status(of: path, followsLinks: false)?.st_uid }

    /// A file whatever its path: device and inode (inode(7)).
    struct Identity: Equatable, Sendable {
        let device: UInt64
        let inode: UInt64
    }

    /// The file that a path names, through symbolic links; nil where there is none.
    static func identity(of path: String) -> Identity? {
        status(of: path, followsLinks: true).map { Identity(device: UInt64($0.st_dev), inode: UInt64($0.st_ino)) }
    }

    /// True when a path is a socket.
    static func isSocket(_ path: String) -> Bool {
        status(of: path, followsLinks: false).map { $0.isKind(S_IFSOCK) } ?? false
    }

    /// Removes a file (unlink(2)).
    /// - Throws: ``LinuxError``, for example when there is none.
    package static func unlink(_ path: String) throws(LinuxError) {
        // The path is a NUL-terminated string while the call runs; so below.
        try system("unlink", path) { unsafe CLinux.unlink(path) }
    }

    /// Gives a file another name (rename(2)); what had that name is replaced.
    /// - Throws: ``LinuxError``, for example when the directory may not be written.
    package static func rename(_ path: String, to other: String) throws(LinuxError) {
        try system("rename", path) { unsafe CLinux.rename(path, other) }
    }

    /// Removes an empty directory (rmdir(2)).
    /// - Throws: ``LinuxError``, for example when it is not empty.
    package static func removeDirectory(_ path: String) throws(LinuxError) {
        try system("rmdir", path) { unsafe rmdir(path) }
    }

    /// Makes a directory and those above it where they are absent (mkdir(2)), mode 0755 less the umask.
    /// - Throws: ``LinuxError``, for example when a file is in the way.
    package static func makeDirectories(_ path: String) throws(LinuxError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            do throws(LinuxError) {
                try system("mkdir", made) { unsafe mkdir(made, 0o755) }
            } catch  where error.errno == .fileExists {
                guard let status = status(of: made, followsLinks: true), status.isKind(S_IFDIR) else {
                    throw LinuxError(call: "mkdir", errno: .notDirectory, subject: made)
                }
            }
        }
    }

    // MARK: - For this room

    /// open(2), close-on-exec.
    static func open(
        _ path: String, _ flags: Int32, mode: UInt32 = 0, subject: String? = nil
    ) throws(LinuxError) -> Descriptor {
        guard !path.utf8.contains(0) else {
            throw LinuxError(call: "open", errno: .invalidArgument, subject: "a path with a NUL in it")
        }
        return Descriptor(
            adopting: try system("open", subject ?? path) {
                unsafe clinux_open(HostRoot.path(path), flags | O_CLOEXEC, mode)
            })
    }

    /// open(2) with O_PATH, close-on-exec: the file is not opened itself.
    static func openPath(_ path: String) throws(LinuxError) -> Descriptor {
        guard !path.utf8.contains(0) else {
            throw LinuxError(call: "open", errno: .invalidArgument, subject: "a path with a NUL in it")
        }
        // The path is a NUL-terminated string while the call runs.
        return Descriptor(adopting: try system("open", path) { unsafe clinux_open_path(HostRoot.path(path)) })
    }

    /// fstat(2).
    static func status(of file: borrowing Descriptor, _ path: String) throws(LinuxError) -> stat {
        var status = stat()
        // The kernel fills exactly one record.
        try system("fstat", path) { unsafe fstat(file.rawValue, &status) }
        return status
    }

    /// stat(2) or lstat(2); nil when the path names nothing that we may see.
    static func status(of path: String, followsLinks: Bool) -> stat? {
        var status = stat()
        // The path is a NUL-terminated string while the call runs, which fills exactly one record.
        let failure = unsafe fstatat(
            AT_FDCWD, HostRoot.path(path), &status, followsLinks ? 0 : AT_SYMLINK_NOFOLLOW)
        return failure == 0 ? status : nil
    }

    static func writeAll(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(LinuxError) {
        var written = 0
        while written < bytes.count {
            // The rest of the array, which lives while the call runs.
            written += try system("write", path) {
                unsafe bytes.withUnsafeBytes {
                    unsafe CLinux.write(descriptor, $0.baseAddress.map { unsafe $0 + written }, bytes.count - written)
                }
            }
        }
    }
}

extension stat {
    /// True for a file of one kind, inode(7).
    fileprivate func isKind(_ kind: Int32) -> Bool { st_mode & UInt32(bitPattern: S_IFMT) == UInt32(bitPattern: kind) }

    /// The kind of the file in words, inode(7).
    var kindOfFile: String {
        let kinds = [
            (S_IFREG, "a regular file"), (S_IFDIR, "a directory"), (S_IFLNK, "a symbolic link"),
            (S_IFSOCK, "a socket"), (S_IFIFO, "a FIFO"),
        ]
        return kinds.first { isKind($0.0) }?.1 ?? "a device"
    }
}
