// Directories held open: what is below them is reached name by name, and no link leads elsewhere, openat2(2).

internal import CLinux
internal import SystemPackage

/// A directory in which this process may write files for others: nobody but root and this user can change its names.
///
/// A path that was checked may lead elsewhere a moment later. So each directory on the way is opened from the one above it,
/// without following symbolic links, and what was opened is what is used.
package struct OwnDirectory: ~Copyable, Sendable {
    private let descriptor: Descriptor
    /// The owner of the directory that the operator has named.
    private let owner: UInt32
    /// The path by which it was opened, for messages.
    package let path: String

    /// Opens a directory that the operator has named; links in its path are the operator's own, and so is its owner.
    /// - Throws: ``LinuxError``; `permissionDenied` where others may change it.
    package init(path: String) throws(LinuxError) {
        let file = try Files.open(path, O_RDONLY | O_DIRECTORY)
        owner = try Self.requireOwn(file, path, owner: nil)
        descriptor = file
        self.path = path
    }

    private init(adopting descriptor: consuming Descriptor, owner: UInt32, path: String) {
        self.descriptor = descriptor
        self.owner = owner
        self.path = path
    }

    /// Opens a directory in this one.
    /// - Parameters:
    ///   - name: one component, neither `.` nor `..`.
    ///   - makes: makes it where it is absent, mode 0755 less the umask.
    /// - Throws: ``LinuxError``: `tooManySymbolicLinkLevels` for a link, `permissionDenied` where others may change it.
    package func directory(_ name: String, makes: Bool) throws(LinuxError) -> OwnDirectory {
        let subject = "\(path)/\(name)"
        try Self.requireName(name, subject)
        if makes {
            do throws(LinuxError) {
                // The name is a NUL-terminated string while the call runs; so below.
                try system("mkdir", subject) { unsafe mkdirat(descriptor.rawValue, name, 0o755) }
            } catch  where error.errno == .fileExists {}
        }
        let opened = try open(name, O_RDONLY | O_DIRECTORY)
        try Self.requireOwn(opened, subject, owner: owner)
        return OwnDirectory(adopting: opened, owner: owner, path: subject)
    }

    // MARK: - Files

    /// The text of a regular file in this directory, which has no other name; nil where there is no file.
    /// - Throws: ``LinuxError``: `invalidArgument` for what is no such file, `fileTooLarge` over the limit.
    package func text(of name: String, limit: Int) throws(LinuxError) -> String? {
        let subject = "\(path)/\(name)"
        try Self.requireName(name, subject)
        let file: Descriptor
        do throws(LinuxError) {
            // O_PATH first: what it is is known before it is opened.
            let place = try open(name, clinux_path_flag())
            try Self.requireFile(place, subject)
            file = try open(name, O_RDONLY | O_NONBLOCK)
        } catch  where error.errno == .noSuchFileOrDirectory {
            return nil
        }
        try Self.requireFile(file, subject)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while let count = try file.read(into: &buffer), count > 0 {
            bytes += buffer[..<count]
            if bytes.count > limit { throw LinuxError(call: "read", errno: .fileTooLarge, subject: subject) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Makes a file so that a reader sees all of the text or no file, mode 0644.
    /// - Parameters:
    ///   - name: one component, neither `.` nor `..`.
    ///   - text: all that the file is to have.
    /// - Throws: ``LinuxError``: `fileExists` where something has that name.
    package func create(_ name: String, _ text: String) throws(LinuxError) {
        try write(name, text, replaces: false)
    }

    /// Gives a file another text in place: whoever has it mounted over a file of a container sees the new text, too, which
    /// a file that is renamed to this name would not give (mount(2) MS_BIND is for the inode). Where only the directory may be
    /// written, a new file takes its place.
    /// - Parameters:
    ///   - name: one component, neither `.` nor `..`.
    ///   - text: all that the file is to have.
    /// - Throws: ``LinuxError``: `invalidArgument` for what is no regular file of one name.
    package func rewrite(_ name: String, _ text: String) throws(LinuxError) {
        let subject = "\(path)/\(name)"
        try Self.requireName(name, subject)
        guard unsafe faccessat(descriptor.rawValue, name, W_OK, AT_EACCESS) == 0 else {
            return try write(name, text, replaces: true)
        }
        let file = try open(name, O_WRONLY | O_NONBLOCK)
        try Self.requireFile(file, subject)
        // Written over first and cut then: a reader never sees an empty file.
        let bytes = Array(text.utf8)
        try Files.writeAll(bytes, to: file.rawValue, subject)
        try system("ftruncate", subject) { ftruncate(file.rawValue, bytes.count) }
    }

    private func write(_ name: String, _ text: String, replaces: Bool) throws(LinuxError) {
        let subject = "\(path)/\(name)"
        try Self.requireName(name, subject)
        let temporary = ".\(name).\(String(Entropy.word(), radix: 36))"
        let file = try open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        do throws(LinuxError) {
            try Files.writeAll(Array(text.utf8), to: file.rawValue, subject)
            try system("fchmod", subject) { fchmod(file.rawValue, 0o644) }
            try system("rename", subject) {
                unsafe clinux_rename(descriptor.rawValue, temporary, name, replaces ? 0 : 1)
            }
        } catch {
            try? remove(temporary)
            throw error
        }
    }

    /// Removes a file (unlinkat(2)).
    /// - Throws: ``LinuxError``, for example when there is none.
    package func remove(_ name: String) throws(LinuxError) {
        try system("unlink", "\(path)/\(name)") { unsafe unlinkat(descriptor.rawValue, name, 0) }
    }

    /// Removes an empty directory (unlinkat(2) AT_REMOVEDIR).
    /// - Throws: ``LinuxError``, for example when it is not empty.
    package func removeDirectory(_ name: String) throws(LinuxError) {
        try system("rmdir", "\(path)/\(name)") { unsafe unlinkat(descriptor.rawValue, name, AT_REMOVEDIR) }
    }

    // MARK: - Checks

    private func open(_ name: String, _ flags: Int32, mode: UInt32 = 0) throws(LinuxError) -> Descriptor {
        Descriptor(
            adopting: try system("open", "\(path)/\(name)") {
                unsafe clinux_open_below(descriptor.rawValue, name, flags | O_CLOEXEC | O_NOFOLLOW, mode)
            })
    }

    /// One name of one directory.
    private static func requireName(_ name: String, _ subject: String) throws(LinuxError) {
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(0), !name.utf8.contains(UInt8(ascii: "/"))
        else { throw LinuxError(call: "open", errno: .invalidArgument, subject: subject) }
    }

    /// Whoever may change a directory may have it lead elsewhere: root, this user, or `owner`; where that is nil, any one user.
    /// - Returns: the owner.
    @discardableResult
    private static func requireOwn(
        _ directory: borrowing Descriptor, _ subject: String, owner: UInt32?
    ) throws(LinuxError) -> UInt32 {
        let status = try Files.status(of: directory, subject)
        let groupAndOthersWrite: UInt32 = 0o022
        // In a sticky directory others can make names, and neither take away nor replace those of others.
        let isSticky = status.st_mode & UInt32(S_ISVTX) != 0
        guard [0, geteuid(), owner ?? status.st_uid].contains(status.st_uid),
            status.st_mode & groupAndOthersWrite == 0 || isSticky
        else {
            throw LinuxError(
                call: "open", errno: .permissionDenied, subject: "\(subject) (others may change this directory)")
        }
        return status.st_uid
    }

    /// A regular file with one name: another name of it (link(2)) would show the text elsewhere, or be somebody else's.
    private static func requireFile(_ file: borrowing Descriptor, _ subject: String) throws(LinuxError) {
        let status = try Files.status(of: file, subject)
        guard status.st_mode & UInt32(bitPattern: S_IFMT) == UInt32(bitPattern: S_IFREG), status.st_nlink == 1 else {
            throw LinuxError(
                call: "open", errno: .invalidArgument, subject: "\(subject) (not a regular file of one name)")
        }
    }
}
