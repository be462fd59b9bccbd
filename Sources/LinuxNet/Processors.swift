// Resources of the process: processors, descriptors; and its end.

internal import CLinux

/// The processors of the machine.
package enum Processors {
    /// Number of processors that this process may run on (sched_getaffinity(2)); at least 1.
    package static var count: Int { max(1, Int(clinux_processor_count())) }
}

/// Limits of the process, getrlimit(2).
package enum Limits {
    /// Lets the process have as many open descriptors as the kernel lets anybody have, where it may (CAP_SYS_RESOURCE), else
    /// as many as its hard limit says: each namespace takes two.
    /// - Returns: the limit now.
    @discardableResult
    package static func raiseOpenFiles() -> Int {
        var limit = rlimit()
        // Each call reads or fills exactly one record.
        guard unsafe getrlimit(Int32(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        let most = (try? Files.readText("/proc/sys/fs/nr_open", limit: 64)).flatMap { $0 }?.split(separator: "\n").first
        let wanted = most.flatMap { rlim_t($0) } ?? limit.rlim_max
        for hard in [max(wanted, limit.rlim_max), limit.rlim_max] {
            var raised = rlimit(rlim_cur: hard, rlim_max: hard)
            if unsafe setrlimit(Int32(RLIMIT_NOFILE.rawValue), &raised) == 0 { return Int(clamping: hard) }
        }
        return Int(clamping: limit.rlim_cur)
    }
}

/// The end of the process.
package enum Exit {
    /// Ends the process with a status, 0...255, after what was printed is written out (exit(3)).
    package static func now(_ status: Int32) -> Never { exit(status) }
}

/// The command line of the process.
package enum ProcessArguments {
    /// All arguments, the program's name first; as main(3) has them, so that they are there without `/proc`.
    package static var all: [String] {
        var arguments: [String] = []
        // NUL-terminated strings, which live as long as the process; NULL behind the last.
        while let argument = unsafe clinux_argument(Int32(arguments.count)) {
            unsafe arguments.append(String(cString: argument))
        }
        return arguments
    }
}

/// Environment of the process.
package enum Environment {
    /// The value of a variable (getenv(3)); nil where it is not set.
    package static func value(of name: String) -> String? {
        // A NUL-terminated string of the C library, copied at once; nothing here changes the environment.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
