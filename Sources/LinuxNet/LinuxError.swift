// Errors of system calls, and the one place where a call that a signal interrupted is made again.

internal import CLinux
package import SystemPackage

/// A call that failed: which one, on what, and why. Its description is a message for the operator.
package struct LinuxError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Distinctions beyond `errno`.
    package enum Kind: String, Codable, Sendable {
        /// The kernel refused; `errno` says why.
        case system
        /// The path exists, but it is no network namespace: a file, a pipe, a namespace of another type.
        case notANetworkNamespace
        /// The process has ended, or there never was one with this number.
        case noSuchProcess
        /// Another process listens on this socket.
        case alreadyListening
        /// Another process has taken it for itself.
        case inUse
        /// nftables could not be changed: its library is not here, or the kernel's is not; the subject says why.
        case noNftables
        /// The namespace is the host's or the daemon's own, where nothing is made.
        case hostNamespace
        /// The opener, which was to make the call, does not answer.
        case openerAway
    }

    /// The name of the call, as in its manual page.
    package let call: String
    /// errno(3).
    package let errno: Errno
    /// Object of the call: an address, a path.
    package let subject: String?
    /// Kind of failure.
    package let kind: Kind

    /// The failure of `call` on `subject`.
    package init(call: String, errno: Errno, subject: String? = nil, kind: Kind = .system) {
        self.call = call
        self.errno = errno
        self.subject = subject
        self.kind = kind
    }

    /// For example `bind 127.0.0.11:53: Address already in use`.
    package var description: String {
        let what = subject.map { "\(call) \($0)" } ?? call
        switch kind {
        case .system, .hostNamespace: return "\(what): \(errno)\(remedy.map { "; raise \($0)" } ?? "")"
        case .notANetworkNamespace: return "\(what): not a network namespace"
        case .noSuchProcess: return "\(what): no such process"
        case .alreadyListening: return "\(what): another process listens there"
        case .inUse: return "\(what): another process uses it"
        case .noNftables: return what
        case .openerAway: return "the opener does not answer (\(what): \(errno))"
        }
    }

    /// The limit that was met, as administrators know it.
    private var remedy: String? {
        switch (errno, call) {
        case (.tooManyOpenFiles, "inotify_init1"):
            "sysctl fs.inotify.max_user_instances, or the limit of open files (LimitNOFILE=)"
        case (.tooManyOpenFiles, _): "the limit of open files (LimitNOFILE= of the unit, or ulimit -n)"
        case (.tooManyOpenFilesInSystem, _): "sysctl fs.file-max"
        case (.noSpace, "inotify_add_watch"): "sysctl fs.inotify.max_user_watches"
        default: nil
        }
    }
}

/// Makes a call; again when a signal interrupted it (EINTR, signal(7)).
/// - Throws: the call's error when it returns a negative number.
@inline(__always)
func uninterrupted<Returned: FixedWidthInteger & SignedInteger>(_ call: () -> Returned) throws(Errno) -> Returned {
    while true {
        let returned = call()
        if returned >= 0 { return returned }
        let error = Errno(rawValue: clinux_errno())
        if error != .interrupted { throw error }
    }
}

/// Makes a call that is not expected to fail; again when a signal interrupted it.
/// - Throws: ``LinuxError`` with the call's name and subject.
@discardableResult
@inline(__always)
func system<Returned: FixedWidthInteger & SignedInteger>(
    _ name: String, _ subject: @autoclosure () -> String? = nil, _ call: () -> Returned
) throws(LinuxError) -> Returned {
    do throws(Errno) {
        return try uninterrupted(call)
    } catch {
        throw LinuxError(call: name, errno: error, subject: subject())
    }
}

/// Makes a call on a non-blocking descriptor; nil when it would block.
/// - Throws: ``LinuxError`` with the call's name and subject.
@inline(__always)
func systemUnlessBlocked<Returned: FixedWidthInteger & SignedInteger>(
    _ name: String, _ subject: @autoclosure () -> String? = nil, _ call: () -> Returned
) throws(LinuxError) -> Returned? {
    do throws(Errno) {
        return try uninterrupted(call)
    } catch {
        // EAGAIN and EWOULDBLOCK are one number on Linux.
        if error == .wouldBlock { return nil }
        throw LinuxError(call: name, errno: error, subject: subject())
    }
}
