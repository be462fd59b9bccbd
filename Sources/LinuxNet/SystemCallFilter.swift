// System calls that a thread may make, seccomp(2): a thread that reads packets needs little.

internal import CLinux
internal import CSeccomp
internal import SystemPackage

/// Limits threads to a list of system calls.
package enum SystemCallFilter {
    /// Requests that are allowed in ioctl(2).
    package enum Request: Sendable {
        /// SIOCGIFINDEX: the number of an interface, netdevice(7).
        case interfaceIndex
        /// SIOCGIFFLAGS: the state of an interface, netdevice(7).
        case interfaceFlags
        /// NS_GET_NSTYPE: the type of a namespace, ioctl_nsfs(2).
        case namespaceType

        fileprivate var number: UInt64 {
            switch self {
            case .interfaceIndex: UInt64(SIOCGIFINDEX)
            case .interfaceFlags: UInt64(SIOCGIFFLAGS)
            case .namespaceType: UInt64(clinux_namespace_type_request())
            }
        }
    }

    /// Families that are allowed in socket(2): its first argument.
    package enum Family: Sendable {
        /// AF_INET.
        case ipv4
        /// AF_INET6.
        case ipv6

        fileprivate var number: UInt64 {
            switch self {
            case .ipv4: UInt64(AF_INET)
            case .ipv6: UInt64(AF_INET6)
            }
        }
    }

    /// Lets the calling thread, and those that it starts from now on, make no other calls than these; others fail with
    /// `operationNotPermitted`. There is no way back, and no new privileges come by execve(2) either.
    /// - Parameters:
    ///   - names: as in syscalls(2). Those that this machine does not have are passed over.
    ///   - requests: what ioctl(2) may be called for.
    ///   - families: what socket(2) may be called for, where `names` does not have it for all.
    /// - Throws: ``LinuxError`` where the kernel has no filters; the thread is not limited then.
    package static func limitThread(
        to names: [String], requests: [Request], families: [Family] = []
    ) throws(LinuxError) {
        // Owned here alone, and released at the end.
        guard let filter = unsafe seccomp_init(cseccomp_refuse(UInt16(EPERM))) else {
            throw LinuxError(call: "seccomp_init", errno: .noMemory)
        }
        defer { unsafe seccomp_release(filter) }
        // The filter lives until the end of this function.
        for name in names { try unsafe allow(name, in: filter) }
        for request in requests { try unsafe allow("ioctl", in: filter, argument: 1, request.number) }
        for family in families { try unsafe allow("socket", in: filter, argument: 0, family.number) }
        try checked("seccomp_load") { unsafe seccomp_load(filter) }
    }

    /// Allows a call; only with one value of an argument, compared as a whole, where that is given.
    private static func allow(
        _ name: String, in filter: scmp_filter_ctx, argument: UInt32? = nil, _ value: UInt64 = 0
    ) throws(LinuxError) {
        // The name is a NUL-terminated string while the call runs.
        let number = unsafe seccomp_syscall_resolve_name(name)
        guard number != __NR_SCMP_ERROR else { return }
        try checked("seccomp_rule_add", name) {
            guard let argument else {
                return unsafe seccomp_rule_add_array(filter, UInt32(SCMP_ACT_ALLOW), number, 0, nil)
            }
            var comparison = scmp_arg_cmp(arg: argument, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
            // One comparison, which is read while the call runs.
            return unsafe seccomp_rule_add_array(filter, UInt32(SCMP_ACT_ALLOW), number, 1, &comparison)
        }
    }

    /// libseccomp says its errors as negative numbers.
    private static func checked(
        _ name: String, _ subject: String? = nil, _ call: () -> Int32
    ) throws(LinuxError) {
        let returned = call()
        if returned < 0 { throw LinuxError(call: name, errno: Errno(rawValue: -returned), subject: subject) }
    }
}
