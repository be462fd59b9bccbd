// The adapter's one thread waits here: for descriptors, signals and times.

package import LinuxNet

/// An epoll instance and the signals that end an adapter.
package final class Poller {
    /// A descriptor that is ready.
    package struct Event {
        /// Number under which it was added.
        package let token: UInt64
        /// Events for which it is ready.
        package let events: Epoll.Events
    }

    private static let signalToken = UInt64.max
    private var epoll: Epoll
    private var signals: SignalFD
    /// True once the process is to end (SIGTERM, SIGINT).
    package private(set) var isEnded = false

    /// Takes SIGTERM and SIGINT from now on.
    /// - Throws: `LinuxError`, for example when the process has too many open files.
    package init() throws(LinuxError) {
        epoll = try Epoll()
        signals = try SignalFD([.terminate, .interrupt])
        try epoll.add(signals.descriptor, token: Self.signalToken, interest: [.readable])
    }

    /// Watches a descriptor until it is closed.
    /// - Parameters:
    ///   - descriptor: watched by this instance alone.
    ///   - token: number that its events carry; not the largest there is.
    ///   - interest: what is waited for.
    /// - Throws: `LinuxError`, for example when it is watched already.
    package func add(
        _ descriptor: borrowing Descriptor, token: UInt64, interest: Epoll.Events
    ) throws(LinuxError) {
        try epoll.add(descriptor, token: token, interest: interest)
    }

    /// Changes what is waited for.
    /// - Parameters:
    ///   - descriptor: one that is watched.
    ///   - token: number that its events carry.
    ///   - interest: what is waited for from now on.
    /// - Throws: `LinuxError`, for example when it is not watched.
    package func modify(
        _ descriptor: borrowing Descriptor, token: UInt64, interest: Epoll.Events
    ) throws(LinuxError) {
        try epoll.modify(descriptor, token: token, interest: interest)
    }

    /// Waits until a descriptor is ready or a time has come.
    /// - Parameter time: the time; nil: none.
    /// - Returns: the descriptors that are ready.
    /// - Throws: `LinuxError`.
    package func wait(until time: MonotonicTime?) throws(LinuxError) -> [Event] {
        let timeout = time.map { time -> Int in
            let now = MonotonicTime.now
            guard time.microseconds > now.microseconds else { return 0 }
            // Rounded up: a time that is all but there would be waited for in vain again and again.
            return Int(clamping: (time.microseconds - now.microseconds) / 1000 + 1)
        }
        var ready: [Event] = []
        for index in 0..<(try epoll.wait(timeoutMilliseconds: timeout)) {
            let (token, events) = epoll.event(index)
            if token == Self.signalToken {
                while signals.read() != nil { isEnded = true }
            } else {
                ready.append(Event(token: token, events: events))
            }
        }
        return ready
    }
}
