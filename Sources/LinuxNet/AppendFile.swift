// A file that grows at its end, whole pieces at a time: what a journal is kept in.

internal import CLinux
internal import SystemPackage

/// A file that pieces are added to. What was added outlives this process at once, and the host's power after
/// ``Files/synchronize(_:)``.
package struct AppendFile: ~Copyable, Sendable {
    /// Room is taken in pieces of this many octets.
    private static let roomStep = 64 * 1024

    private let descriptor: Descriptor
    private let path: String
    /// Octets that it has.
    package private(set) var size: Int
    /// The size up to which the file system has promised room.
    private var room: Int

    /// Opens the file, or makes an empty one with the permissions `mode`, such as 0o600.
    /// - Throws: ``LinuxError``: `readOnlyFileSystem`, `permissionDenied` …
    package init(path: String, mode: UInt32) throws(LinuxError) {
        let file = try Files.open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, mode: mode)
        size = Int(try Files.status(of: file, path).st_size)
        room = size
        descriptor = file
        self.path = path
    }

    /// Makes sure that this many octets can be appended: the disk is not full when they come (fallocate(2)).
    /// - Throws: ``LinuxError``: `noSpace`, `diskQuotaExceeded` …
    package mutating func reserve(_ octets: Int) throws(LinuxError) {
        guard size + octets > room else { return }
        let length = max(octets, Self.roomStep)
        do throws(LinuxError) {
            try system("fallocate", path) { clinux_reserve(descriptor.rawValue, off_t(size), off_t(length)) }
        } catch  where error.errno == .notSupportedOnSocket || error.errno == .notSupported {
            // The file system promises nothing; the write itself may fail.
        }
        room = size + length
    }

    /// Adds octets at the end: all of them or, when this throws, none.
    /// - Throws: ``LinuxError``, for example `noSpace` where nothing was reserved.
    package mutating func append(_ bytes: [UInt8]) throws(LinuxError) {
        var written = 0
        do throws(LinuxError) {
            while written < bytes.count {
                // The rest of the array, which lives while the call runs.
                written += try system("write", path) {
                    unsafe bytes.withUnsafeBytes {
                        unsafe CLinux.write(
                            descriptor.rawValue, $0.baseAddress.map { unsafe $0 + written }, bytes.count - written)
                    }
                }
            }
        } catch {
            if written > 0 { try system("ftruncate", path) { ftruncate(descriptor.rawValue, off_t(size)) } }
            throw error
        }
        size += bytes.count
    }

    /// Another descriptor of the same file, for a thread that calls ``Files/synchronize(_:)``.
    package func duplicate() throws(LinuxError) -> Descriptor { try descriptor.duplicate() }
}

extension Files {
    /// Waits until all that was written to a file is on the disk (fdatasync(2)).
    /// - Throws: ``LinuxError``, for example when the disk fails.
    package static func synchronize(_ file: borrowing Descriptor) throws(LinuxError) {
        try system("fdatasync") { fdatasync(file.rawValue) }
    }

    /// Takes a directory for this process alone, for as long as the descriptor is open (flock(2)).
    /// - Returns: nil where another process has it.
    /// - Throws: ``LinuxError`` when it cannot be opened.
    package static func lock(directory path: String) throws(LinuxError) -> Descriptor? {
        let directory = try open(path, O_RDONLY | O_DIRECTORY)
        let taken = try systemUnlessBlocked("flock", path) { flock(directory.rawValue, LOCK_EX | LOCK_NB) }
        if taken == nil { return nil }
        return directory
    }

    /// Writes a file as ``writeAtomically(_:_:mode:)`` does, and waits until it is on the disk under its name.
    /// - Throws: ``LinuxError``; what the path named is unchanged then.
    package static func writeDurably(_ path: String, _ bytes: [UInt8], mode: UInt32) throws(LinuxError) {
        try replace(path, bytes, mode: mode) { file throws(LinuxError) in
            try system("fsync", path) { fsync(file) }
        }
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = try open(slash == path.startIndex ? "/" : String(path[..<slash]), O_RDONLY | O_DIRECTORY)
        try system("fsync", path) { fsync(directory.rawValue) }
    }
}
