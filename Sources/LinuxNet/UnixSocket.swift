// The control socket, unix(7).

internal import CLinux
internal import SystemPackage

/// Peer of a Unix socket, as it was when it connected.
package struct PeerCredentials: Hashable, Sendable {
    /// The process.
    package let pid: Int32
    /// Its effective user.
    package let uid: UInt32
    /// Its effective group.
    package let gid: UInt32
    /// Its supplementary groups.
    package let groups: [UInt32]
}

/// Two sockets that are connected with each other.
package struct SocketPair: ~Copyable, Sendable {
    /// Non-blocking.
    package let first: Descriptor
    /// Blocking; may be taken out.
    package var second: Descriptor?

    /// Gives up the first.
    package consuming func takeFirst() -> Descriptor { first }
}

/// Makes Unix stream sockets.
package enum UnixSocket {
    /// A socket that clients connect to at a path; its directory is made if absent. Non-blocking, close-on-exec.
    ///
    /// A socket that a daemon left behind is replaced; one that somebody listens on is not, nor is any other file.
    /// The path has the permissions `mode`, such as 0o660, and belongs to `group`. Where the host has no such group, it stays
    /// with the process's own: fewer may connect then, never more.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/alreadyListening`` when somebody listens at the path.
    package static func listen(path: String, mode: UInt32, group: String?) throws(LinuxError) -> Descriptor {
        try listen(SOCK_STREAM, path, mode, group)
    }

    /// The same for messages with boundaries (SOCK_SEQPACKET), for the owner alone.
    /// - Throws: ``LinuxError``, as ``listen(path:mode:group:)``.
    package static func listenForMessages(path: String) throws(LinuxError) -> Descriptor {
        try listen(SOCK_SEQPACKET, path, 0o600, nil)
    }

    private static func listen(
        _ type: __socket_type, _ path: String, _ mode: UInt32, _ group: String?
    ) throws(LinuxError) -> Descriptor {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Files.makeDirectories(String(path[..<slash]))
        }
        let socket = try Descriptor.socket(AF_UNIX, type)
        // The path is made with the permissions of the socket: from the first moment it is the owner's alone.
        try system("fchmod", path) { fchmod(socket.rawValue, 0o600) }
        do throws(LinuxError) {
            try bind(socket, path)
        } catch  where error.errno == .addressInUse {
            try removeStale(path, type)
            try bind(socket, path)
        }
        do throws(LinuxError) {
            if let group, let gid = Groups.id(of: group) {
                // The path is a NUL-terminated string while the call runs; so below.
                try system("chown", path) { unsafe chown(path, uid_t.max, gid) }
            }
            try system("chmod", path) { unsafe chmod(path, mode) }
            try system("listen", path) { CLinux.listen(socket.rawValue, SOMAXCONN) }
        } catch {
            try? Files.unlink(path)
            throw error
        }
        return socket
    }

    /// A socket that datagrams are sent to at a path. Non-blocking, close-on-exec.
    /// - Throws: ``LinuxError``, for example `addressInUse` when there is something at the path.
    package static func datagrams(at path: String) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(AF_UNIX, SOCK_DGRAM)
        try bind(socket, path)
        return socket
    }

    /// A socket that datagrams are sent from. Non-blocking, close-on-exec.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package static func sender() throws(LinuxError) -> Descriptor { try Descriptor.socket(AF_UNIX, SOCK_DGRAM) }

    /// Sends a datagram to the socket at a path.
    /// - Returns: false where its queue is full: it is lost.
    /// - Throws: ``LinuxError``, for example when nobody has a socket there.
    package static func send(
        _ bytes: Span<UInt8>, to path: String, from socket: borrowing Descriptor
    ) throws(LinuxError) -> Bool {
        let descriptor = socket.rawValue
        var isSent = false
        try unsafe withAddress(path) { address throws(LinuxError) in
            isSent =
                try systemUnlessBlocked("sendto", path) {
                    // The span's storage and the address live while the call runs.
                    unsafe bytes.withUnsafeBytes {
                        unsafe sendto(
                            descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL), address,
                            socklen_t(MemoryLayout<sockaddr_un>.size))
                    }
                } != nil
        }
        return isSent
    }

    /// Takes over a socket that another process made for clients to connect to: it is non-blocking from now on.
    /// - Returns: whether it is one.
    package static func adopt(_ socket: borrowing Descriptor) -> Bool {
        guard (try? socket.option(SOL_SOCKET, SO_DOMAIN)) == AF_UNIX,
            (try? socket.option(SOL_SOCKET, SO_ACCEPTCONN)) == 1
        else { return false }
        return clinux_set_nonblocking(socket.rawValue) == 0
    }

    /// The next connection, non-blocking and close-on-exec; nil when none waits.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package static func accept(from listener: borrowing Descriptor) throws(LinuxError) -> Descriptor? {
        try acceptConnection(from: listener)
    }

    /// A blocking connection to who listens at a path.
    /// - Throws: ``LinuxError``: `noSuchFileOrDirectory` or `connectionRefused` when nobody does.
    package static func connect(path: String) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(AF_UNIX, SOCK_STREAM, isBlocking: true)
        try connect(socket, path)
        return socket
    }

    /// A connection to who listens at a path, of which every call waits so long at most: connecting and writing are errors
    /// (`wouldBlock`) then, or nil, and so is reading.
    /// - Throws: ``LinuxError``: `noSuchFileOrDirectory` or `connectionRefused` when nobody listens.
    package static func connect(path: String, timeout: Duration) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(AF_UNIX, SOCK_STREAM, isBlocking: true)
        try socket.setTimeouts(timeout)
        try connect(socket, path)
        return socket
    }

    /// A non-blocking connection to who listens at a path.
    /// - Throws: ``LinuxError``: `noSuchFileOrDirectory` or `connectionRefused` when nobody does; `wouldBlock` when too many
    ///   wait for it.
    package static func connectAtOnce(path: String) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(AF_UNIX, SOCK_STREAM)
        try connect(socket, path)
        return socket
    }

    /// A connection for messages with boundaries to who listens at a path; each message is waited for so long at most, and
    /// is nil then.
    /// - Throws: ``LinuxError``: `noSuchFileOrDirectory` or `connectionRefused` when nobody listens.
    package static func connectForMessages(path: String, timeout: Duration) throws(LinuxError) -> Descriptor {
        let socket = try Descriptor.socket(AF_UNIX, SOCK_SEQPACKET, isBlocking: true)
        try socket.setTimeouts(timeout)
        try connect(socket, path)
        return socket
    }

    /// Two sockets for messages with boundaries that are connected with each other (socketpair(2)); the second is blocking.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package static func pairForMessages() throws(LinuxError) -> SocketPair {
        var numbers: (Int32, Int32) = (-1, -1)
        let type = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        try system("socketpair") {
            // The kernel writes two numbers, which is what the tuple has.
            unsafe withUnsafeMutableBytes(of: &numbers) {
                unsafe socketpair(AF_UNIX, type, 0, $0.assumingMemoryBound(to: Int32.self).baseAddress)
            }
        }
        let pair = SocketPair(first: Descriptor(adopting: numbers.0), second: Descriptor(adopting: numbers.1))
        try system("fcntl") { clinux_set_nonblocking(pair.first.rawValue) }
        return pair
    }

    /// The user who owns the path that a socket is bound to; nil where that cannot be seen.
    package static func owner(of socket: borrowing Descriptor) -> UInt32? {
        var address = sockaddr_un()
        var length = socklen_t(MemoryLayout<sockaddr_un>.size)
        // The kernel writes at most `length` octets, which is what `address` has.
        let failure = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(socket.rawValue, $0, &length)
            }
        }
        guard failure == 0 else { return nil }
        let path = unsafe withUnsafeBytes(of: &address.sun_path) { unsafe $0.prefix { $0 != 0 }.map { $0 } }
        return Files.owner(of: String(decoding: path, as: UTF8.self))
    }

    /// Credentials of the peer (SO_PEERCRED, SO_PEERGROUPS).
    /// - Throws: ``LinuxError`` when it is no Unix socket.
    package static func peerCredentials(of socket: borrowing Descriptor) throws(LinuxError) -> PeerCredentials {
        var credentials = clinux_credentials()
        var length = socklen_t(MemoryLayout<clinux_credentials>.size)
        // The kernel writes at most `length` octets, which is what `credentials` has.
        try system("getsockopt SO_PEERCRED") {
            unsafe getsockopt(socket.rawValue, SOL_SOCKET, SO_PEERCRED, &credentials, &length)
        }
        return PeerCredentials(
            pid: credentials.pid, uid: credentials.uid, gid: credentials.gid, groups: try peerGroups(of: socket))
    }

    private static func peerGroups(of socket: borrowing Descriptor) throws(LinuxError) -> [UInt32] {
        // NGROUPS_MAX is 65,536; the kernel says ERANGE to less room than it needs.
        for room in [64, 65_536] {
            var groups = [UInt32](repeating: 0, count: room)
            var length = socklen_t(room * MemoryLayout<UInt32>.size)
            do throws(LinuxError) {
                // The kernel writes at most `length` octets, which is what `groups` has.
                try system("getsockopt SO_PEERGROUPS") {
                    unsafe getsockopt(socket.rawValue, SOL_SOCKET, SO_PEERGROUPS, &groups, &length)
                }
                return Array(groups.prefix(Int(length) / MemoryLayout<UInt32>.size))
            } catch  where error.errno == .outOfRange {}
        }
        throw LinuxError(call: "getsockopt SO_PEERGROUPS", errno: .outOfRange)
    }

    // MARK: - Paths

    /// Removes a socket that nobody listens on.
    private static func removeStale(_ path: String, _ type: __socket_type) throws(LinuxError) {
        guard Files.isSocket(path) else {
            throw LinuxError(call: "bind", errno: .fileExists, subject: path)
        }
        // Non-blocking: a daemon whose queue is full is one that listens.
        let probe = try Descriptor.socket(AF_UNIX, type)
        do throws(LinuxError) {
            try connect(probe, path)
        } catch {
            switch error.errno {
            case .connectionRefused: return try Files.unlink(path)
            case .noSuchFileOrDirectory: return
            case .wouldBlock: break
            default: throw error
            }
        }
        throw LinuxError(call: "bind", errno: .addressInUse, subject: path, kind: .alreadyListening)
    }

    private static func bind(_ socket: borrowing Descriptor, _ path: String) throws(LinuxError) {
        let descriptor = socket.rawValue
        try unsafe withAddress(path) { address throws(LinuxError) in
            try system("bind", path) {
                unsafe CLinux.bind(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func connect(_ socket: borrowing Descriptor, _ path: String) throws(LinuxError) {
        let descriptor = socket.rawValue
        try unsafe withAddress(path) { address throws(LinuxError) in
            try system("connect", path) {
                unsafe CLinux.connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// Lends a path as the kernel's form of an address.
    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>) throws(LinuxError) -> Void
    ) throws(LinuxError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        let bytes = Array(path.utf8)
        // One octet is left for the NUL. An empty path would bind a name of the kernel's choice.
        guard !bytes.isEmpty, !bytes.contains(0) else {
            throw LinuxError(call: "bind", errno: .invalidArgument, subject: path)
        }
        guard bytes.count < room else { throw LinuxError(call: "bind", errno: .fileNameTooLong, subject: path) }
        // The path fits, as just checked.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        // `sockaddr` is the common beginning of all address types; the length says how much there is.
        try unsafe withUnsafePointer(to: &address) { address throws(LinuxError) in
            try unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address throws(LinuxError) in
                try unsafe body(address)
            }
        }
    }
}
