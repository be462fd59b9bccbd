// Signals as something to read in the loop, signalfd(2).

internal import CLinux

/// A signal that a daemon is told things by, signal(7).
package enum Signal: Hashable, Sendable, CaseIterable, CustomStringConvertible {
    /// SIGTERM: end.
    case terminate
    /// SIGINT: end, from the terminal.
    case interrupt
    /// SIGHUP: read the configuration again.
    case hangUp
    /// SIGUSR2: end, for another process takes over.
    case user2

    var number: Int32 {
        switch self {
        case .terminate: SIGTERM
        case .interrupt: SIGINT
        case .hangUp: SIGHUP
        case .user2: SIGUSR2
        }
    }

    /// `SIGTERM`.
    package var description: String {
        switch self {
        case .terminate: "SIGTERM"
        case .interrupt: "SIGINT"
        case .hangUp: "SIGHUP"
        case .user2: "SIGUSR2"
        }
    }
}

/// Takes signals away from their default effect and gives them to a loop.
package struct SignalFD: ~Copyable, Sendable {
    /// Readable when a signal has come.
    package let descriptor: Descriptor

    /// Blocks the signals in this thread and in all threads that it starts from now on; so call it before others start.
    /// SIGPIPE is ignored from now on: writing to who has gone is an error, not the end of the process.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    package init(_ signals: [Signal]) throws(LinuxError) {
        var set = sigset_t()
        // `set` is a local value that each call reads or fills while it runs.
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal.number) }
        descriptor = Descriptor(
            adopting: try system("signalfd") {
                unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
            })
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        clinux_ignore_sigpipe()
    }

    /// The next signal that has come; nil when there is none.
    package mutating func read() -> Signal? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        // The kernel writes whole records of exactly this type.
        let count = try? uninterrupted { unsafe CLinux.read(descriptor.rawValue, &information, size) }
        guard count == size else { return nil }
        return Signal.allCases.first { $0.number == Int32(information.ssi_signo) }
    }
}
