// System calls that the daemon's threads may make, within what their unit allows: syscalls(2).
//
// A thread that reads packets of containers starts no program, opens no file, enters no namespace, sends no signal.

import LinuxNet
import Logging

/// The system calls that a kind of thread makes.
struct AllowedSystemCalls {
    let names: [String]
    let requests: [SystemCallFilter.Request]
    /// Families of sockets that the thread may make, where `names` does not have `socket` for all.
    var families: [SystemCallFilter.Family] = []

    /// Memory, time, locks, and the end of a thread: what the C library and Swift's runtime do for anybody.
    private static let runtime = [
        "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "futex", "sched_yield", "membarrier", "clock_gettime",
        "clock_nanosleep", "nanosleep", "getrandom", "getpid", "gettid", "tgkill", "rt_sigaction", "rt_sigprocmask",
        "rt_sigreturn", "sigaltstack", "restart_syscall", "rseq", "set_robust_list", "exit", "exit_group",
    ]

    /// Waiting for descriptors, moving octets by them, and what is done to sockets that are there.
    private static let exchange = [
        "epoll_wait", "epoll_pwait", "epoll_ctl", "poll", "ppoll", "read", "write", "writev", "close", "fcntl", "bind",
        "listen", "connect", "accept", "accept4", "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt",
        "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg", "sendmmsg",
    ]

    /// A worker: sockets of the Internet and nothing else. It reaches no program of this machine by a path: what it logs is
    /// written by the control plane (``WorkerLog``).
    static let worker = AllowedSystemCalls(
        names: runtime + exchange, requests: [.interfaceIndex], families: [.ipv4, .ipv6])

    /// The control plane that asks an opener: also files of its own, sockets of any family, and threads.
    static let controlPlane = AllowedSystemCalls(
        names: runtime + exchange + [
            "socket",
            // State, resolv.conf, configuration, paths of namespaces.
            "open", "openat", "openat2", "stat", "fstat", "newfstatat", "statx", "statfs", "fstatfs", "lseek",
            "getdents64",
            "readlink", "readlinkat", "faccessat", "faccessat2", "access", "getcwd", "unlink", "unlinkat", "rename",
            "renameat", "renameat2", "mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "chown", "fchownat",
            "umask", "ftruncate", "fallocate", "fsync", "fdatasync", "flock", "pread64", "dup",
            // Watches.
            "inotify_init1", "inotify_add_watch", "inotify_rm_watch", "timerfd_create", "timerfd_settime", "eventfd2",
            "epoll_create1", "pidfd_open", "memfd_create", "socketpair", "pipe2",
            // Threads, users and groups.
            "clone", "clone3", "prctl", "prlimit64", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
            "uname",
            "sysinfo", "getuid", "geteuid", "getgid", "getegid", "getppid",
        ], requests: [.interfaceIndex, .interfaceFlags, .namespaceType])
}

/// Limits the calling thread. Without the means it goes on as it is, and says so.
func limitThread(to allowed: AllowedSystemCalls, _ logger: Logger) {
    do throws(LinuxError) {
        try SystemCallFilter.limitThread(
            to: allowed.names, requests: allowed.requests, families: allowed.families)
    } catch {
        logger.warning("cannot install the system call filter of a thread: \(error)")
    }
}
