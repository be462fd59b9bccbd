// The workers as the control plane sees them: changes go to all of them, questions to some, and their replies come back.

import DNSWire
import LinuxNet
import Logging

/// Starts the workers, posts messages to them, and collects their replies.
///
/// Messages of a turn of the control thread are on their way with ``deliver()``, at the turn's end: a worker wakes once for all of them, and
/// does not take the processor from the thread that has more to post.
final class WorkerPool {
    /// Time for workers to answer a question. Their loops turn in microseconds.
    static let deadline = Duration.seconds(10)

    private struct Question {
        var remaining: Int
        var replies: [WorkerReply] = []
        let deadline: ContinuousClock.Instant
        let done: ([WorkerReply]) -> Void
    }

    private let workers: [WorkerHandle]
    /// Wakes all of them.
    private let bell: Bell
    private let replies: Mailbox<WorkerReply>
    private let logger: Logger
    private var questions: [UInt64: Question] = [:]
    private var lastToken: UInt64 = 0
    /// True for each worker that something was posted to since ``deliver()``.
    private var isAwaited: [Bool]

    /// Starts as many workers.
    /// - Throws: ``LinuxError`` when threads or their descriptors cannot be made.
    init(count: Int, settings: ServerSettings, logger: Logger) throws(LinuxError) {
        let replies = try Mailbox<WorkerReply>()
        let bell = try Bell()
        var workers: [WorkerHandle] = []
        for index in 0..<count {
            workers.append(
                try WorkerHandle(index: index, settings: settings, bell: bell, replies: replies, logger: logger))
        }
        self.workers = workers
        isAwaited = [Bool](repeating: false, count: count)
        self.bell = bell
        self.replies = replies
        self.logger = logger
    }

    /// Number of workers.
    var count: Int { workers.count }
    /// Their numbers.
    var indices: Range<Int> { workers.indices }

    /// Readable when replies have come; for ``takeReplies(_:)``.
    var descriptor: Descriptor {
        _read { yield replies.descriptor }
    }

    // MARK: - Messages

    /// Posts a message to one worker.
    func post(_ message: WorkerMessage, to worker: Int) {
        workers[worker].inbox.deposit(message)
        isAwaited[worker] = true
    }

    /// Posts a message to all workers.
    func post(_ message: WorkerMessage) {
        for worker in workers.indices { post(message, to: worker) }
    }

    /// Wakes the workers that something was posted to since the last time.
    func deliver() {
        if workers.count > 1, isAwaited.allSatisfy(\.self) {
            bell.ring()
        } else {
            for worker in workers.indices where isAwaited[worker] { workers[worker].inbox.wake() }
        }
        for worker in workers.indices { isAwaited[worker] = false }
    }

    /// Asks some workers; `done` is called with their replies once all have come, exactly once.
    func ask(
        _ indices: some Collection<Int>, _ message: (UInt64) -> WorkerMessage,
        then done: @escaping ([WorkerReply]) -> Void
    ) {
        if indices.isEmpty { return done([]) }
        lastToken &+= 1
        questions[lastToken] = Question(
            remaining: indices.count, deadline: .now + Self.deadline, done: done)
        for index in indices { post(message(lastToken), to: index) }
    }

    /// Takes what has come; what workers say unasked goes to `report`.
    func takeReplies(_ report: (WorkerReply) -> Void) {
        for reply in replies.takeAll() {
            guard let token = reply.token else {
                report(reply)
                continue
            }
            questions[token]?.replies.append(reply)
            questions[token]?.remaining -= 1
            if let question = questions[token], question.remaining == 0 {
                questions[token] = nil
                question.done(question.replies)
            }
        }
    }

    // MARK: - Deadlines

    /// Time at which ``expire()`` is due; nil: no question is open.
    var nextDeadline: ContinuousClock.Instant? { questions.values.lazy.map(\.deadline).min() }

    /// Ends questions that took too long, with the replies that have come.
    func expire() {
        let now = ContinuousClock.now
        for (token, question) in questions where question.deadline <= now {
            questions[token] = nil
            logger.error(
                "no reply of \(question.remaining) of \(DisplayText.counted(count, "worker"))",
                metadata: .about(limitedAs: "workers"))
            question.done(question.replies)
        }
    }

    /// Ends all workers and waits for their threads. Drops questions that are open: who asked them, who has this pool, would stay for
    /// ever.
    func stop() {
        post(.stop)
        deliver()
        for worker in workers { worker.join() }
        questions = [:]
    }
}

/// A worker that cannot go on. Its namespaces are served by nobody, so the daemon ends: the service manager starts it again.
struct WorkerFailure: Error, CustomStringConvertible {
    let worker: Int
    let cause: LinuxError

    var description: String {
        "worker \(worker) cannot wait for events: \(cause); the daemon ends, as nobody would answer its containers"
    }
}
