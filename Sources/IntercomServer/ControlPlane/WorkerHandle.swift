// A worker as the control plane sees it: a mailbox and a thread.

import LinuxNet
import Logging

/// Starts a worker's thread and takes messages for it.
struct WorkerHandle {
    let inbox: Mailbox<WorkerMessage>
    private let thread: ThreadHandle

    /// - Parameter bell: rings when messages lie in the inboxes of all workers.
    /// - Throws: ``LinuxError`` when the thread or its descriptors cannot be made.
    init(
        index: Int, settings: ServerSettings, bell: Bell, replies: Mailbox<WorkerReply>, logger: Logger
    ) throws(LinuxError) {
        let inbox = try Mailbox<WorkerMessage>()
        self.inbox = inbox
        let epoll = try Epoll()
        try epoll.add(inbox.descriptor, token: Token(.inbox).word, interest: [.readable])
        try bell.wake(epoll, token: Token(.bell).word)
        let level = logger.logLevel
        let workerLogger = Logger(label: "worker-\(index)") { _ in WorkerLog(replies, level: level) }
        let worker = Handover(
            Worker(
                index: index, settings: settings, inbox: inbox, control: replies, epoll: epoll, logger: workerLogger))
        thread = try Thread.start(name: "worker-\(index)") {
            guard var worker = worker.take() else { return }
            do throws(LinuxError) {
                try Thread.preferShortTurns()
            } catch {
                logger.debug("worker \(index) waits for its turn as long as any thread: \(error)")
            }
            limitThread(to: AllowedSystemCalls.worker, logger)
            do throws(LinuxError) {
                try worker.run()
            } catch {
                replies.post(.ended(worker: index, error))
            }
        }
    }

    /// Waits for the thread to end; ``WorkerMessage/stop`` was sent before.
    func join() { thread.join() }
}
