// Threads of our own, pthreads(7): an event loop each, or one errand in another namespace.

internal import CLinux
internal import Synchronization
internal import SystemPackage

/// Starts threads.
package enum Thread {
    /// Has the calling thread wait, less than a second, between two looks (nanosleep(2)).
    package static func pause(milliseconds: Int) {
        var time = timespec(tv_sec: 0, tv_nsec: min(max(milliseconds, 0), 999) * 1_000_000)
        // The kernel reads one record.
        _ = unsafe nanosleep(&time, nil)
    }

    /// Runs `body` on a new thread. Its signals are blocked as in the thread that starts it; `ps -T` shows its name, of which
    /// there may be 15 octets.
    /// - Returns: the thread, to wait for its end; it may be dropped.
    /// - Throws: ``LinuxError`` when the system has no room for a thread.
    @discardableResult
    package static func start(
        name: String, _ body: sending @escaping () -> Void
    ) throws(LinuxError) -> ThreadHandle {
        // The new thread owns this one reference and lets go of it when its body has ended.
        let start = unsafe Unmanaged.passRetained(ThreadBody(name: name, body: body))
        var thread: pthread_t = 0
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                // The pointer that was made from a `ThreadBody` above, used once.
                unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, start.toOpaque())
        guard failure == 0 else {
            unsafe start.release()
            throw LinuxError(call: "pthread_create", errno: Errno(rawValue: failure), subject: name)
        }
        return ThreadHandle(thread)
    }
}

extension Thread {
    /// Has the scheduler give the calling thread shorter turns, and those sooner: where others compute on the same core it
    /// does not wait until they have had theirs (sched_setattr(2) `sched_runtime`; since Linux 6.12). Its share of the
    /// time stays the same.
    /// - Throws: ``LinuxError``, for example `notPermitted` where a filter of system calls forbids it.
    package static func preferShortTurns() throws(LinuxError) {
        try system("sched_setattr") { clinux_request_slice(shortestSlice) }
    }

    /// Nanoseconds; the kernel grants no less.
    static var shortestSlice: UInt64 { 100_000 }
}

/// A thread that was started; its end can be waited for once.
package final class ThreadHandle: Sendable {
    private let thread: Mutex<pthread_t?>

    fileprivate init(_ thread: pthread_t) {
        self.thread = Mutex(thread)
    }

    /// Waits until the thread has ended; at once if that was waited for before.
    package func join() {
        guard let thread = take() else { return }
        // Valid: nobody has joined or detached it, since `take` gives it out once.
        pthread_join(thread, nil)
    }

    private func take() -> pthread_t? {
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
    }

    deinit {
        if let thread = take() { pthread_detach(thread) }
    }
}

/// Argument of a new thread.
private final class ThreadBody {
    let name: String
    let body: () -> Void

    init(name: String, body: @escaping () -> Void) {
        self.name = name
        self.body = body
    }

    func run() {
        // Fails for names over 15 octets, and then the thread keeps the name of the one that started it.
        _ = unsafe clinux_name_thread(String(name.prefix(15)))
        body()
    }
}
