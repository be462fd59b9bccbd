// Threads for calls that may hang: they come with work, and go a moment after it.

import DequeModule
import LinuxNet
import Synchronization

/// Threads that carry out jobs, each one at a time. One that has nothing to do stays for a moment: at a start there are
/// thousands of jobs, one after the other, and a new thread for each costs more than most of them.
final class LingeringThreads: Sendable {
    /// Time that a thread waits for another job.
    private static let lingering = Duration.milliseconds(100)

    fileprivate struct State {
        var queue: Deque<@Sendable () -> Void> = []
        var running = 0
        /// Running threads that wait for a job.
        var idle = 0
    }

    private let name: String
    private let limit: Int
    private let state = Mutex(State())
    /// Signalled when an idle thread has a job.
    private let hasJob: EventFD

    /// - Parameters:
    ///   - name: the name of each thread, at most 15 octets.
    ///   - limit: the most threads; further jobs wait.
    /// - Throws: ``LinuxError`` when the process has too many open files.
    init(name: String, limit: Int) throws(LinuxError) {
        self.name = name
        self.limit = limit
        hasJob = try EventFD()
    }

    /// Has a job carried out, with a thread of its own while there are fewer than the limit: others may hang. To be called by
    /// one thread alone.
    /// - Throws: ``LinuxError`` when no thread can be started; the job is not carried out then.
    func run(_ job: @escaping @Sendable () -> Void) throws(LinuxError) {
        let (needsThread, hasIdle) = state.withLock { state in
            state.queue.append(job)
            let needsThread = state.queue.count > state.idle && state.running < limit
            if needsThread { state.running += 1 }
            return (needsThread, state.idle > 0)
        }
        // A thread that is busy looks for the next job by itself.
        guard needsThread else { return hasIdle ? hasJob.signal() : () }
        do throws(LinuxError) {
            try Thread.start(name: name) { [self] in
                while let job = next() { job() }
            }
        } catch {
            // Where another thread has taken the job meanwhile, it is carried out all the same.
            let isTaken = state.withLock { state in
                state.running -= 1
                return state.queue.popLast() == nil
            }
            if !isTaken { throw error }
        }
    }

    /// The next job; nil where none has come for a moment, and the thread ends.
    private func next() -> (@Sendable () -> Void)? {
        let end = ContinuousClock.now + Self.lingering
        var isIdle = false
        while true {
            let left = ContinuousClock.now.duration(to: end)
            let (job, hasMore) = state.withLock { $0.take(isIdle: isIdle, ends: left <= .zero) }
            // One signal may have been for several jobs.
            if hasMore { hasJob.signal() }
            if job != nil || left <= .zero { return job }
            isIdle = true
            // Whoever takes the signal looks for a job afterwards, so that no job waits for another one.
            hasJob.wait(atMost: left)
            hasJob.drain()
        }
    }
}

extension LingeringThreads.State {
    /// Takes a job for a thread.
    /// - Parameters:
    ///   - isIdle: true where the thread was counted as idle.
    ///   - ends: true where the thread ends if there is none.
    /// - Returns: the job; and whether an idle thread has another one to take.
    fileprivate mutating func take(isIdle: Bool, ends: Bool) -> (job: (@Sendable () -> Void)?, hasMore: Bool) {
        if isIdle { idle -= 1 }
        if let job = queue.popFirst() { return (job, !queue.isEmpty && idle > 0) }
        if ends { running -= 1 } else { idle += 1 }
        return (nil, false)
    }
}
