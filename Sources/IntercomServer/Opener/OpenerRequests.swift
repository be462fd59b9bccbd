// Requests to the opener: each on a thread of its own, so that the control thread waits for none of them.

import DequeModule
import LinuxNet
import Synchronization

/// Carries out calls of an ``Opener`` elsewhere, and hands in what came of them on the thread that asked.
///
/// Each request ends exactly once: by its result, or by its deadline, after which a late result is dropped.
final class OpenerRequests {
    /// Time for a request, the opener's own time-outs included.
    static let deadline = Duration.seconds(8)

    private static let slowThreadLimit = 4

    private struct Waiting {
        let finish: () -> Void
        let expire: () -> Void
    }

    let opener: any Opener
    /// Fewer for namespaces that have been slow before, so that they cannot take all; as many in all as the opener serves at
    /// once.
    private let usualThreads: LingeringThreads
    /// Number of these threads.
    static let usualThreadLimit = OpenerWork.limit - slowThreadLimit
    private let slowThreads: LingeringThreads
    private let finished: Mailbox<UInt64>
    private var waiting: [UInt64: Waiting] = [:]
    /// In the order of their deadlines: all have the same time.
    private var deadlines: Deque<(time: ContinuousClock.Instant, number: UInt64)> = []
    private var lastNumber: UInt64 = 0
    /// Requests that wait until one before them has ended, by what they are about.
    private var chains: [String: Deque<() -> Void>] = [:]

    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    init(_ opener: any Opener) throws(LinuxError) {
        self.opener = opener
        usualThreads = try LingeringThreads(name: "opener", limit: Self.usualThreadLimit)
        slowThreads = try LingeringThreads(name: "opener", limit: Self.slowThreadLimit)
        finished = try Mailbox()
    }

    /// Readable when results have come; for ``takeResults()``.
    var descriptor: Descriptor {
        _read { yield finished.descriptor }
    }

    /// True while so much is under way, as at the start, that what is less urgent should wait.
    var isCrowded: Bool { waiting.count > 4 * OpenerWork.limit }

    /// True while nothing is under way.
    var isIdle: Bool { waiting.isEmpty && chains.isEmpty }

    /// Makes a request.
    /// - Parameters:
    ///   - isSlow: true for a namespace whose last request came late: these have few threads, so that they cannot take all.
    ///   - work: calls the opener, on another thread.
    ///   - late: is called in the place of `done` when the deadline has passed.
    func request<Made: Sendable>(
        isSlow: Bool = false, _ work: @escaping @Sendable (any Opener) -> Made, late: @escaping () -> Void,
        done: @escaping (Made) -> Void
    ) {
        lastNumber &+= 1
        let number = lastNumber
        let result = RequestResult<Made>()
        waiting[number] = Waiting(finish: { if let made = result.take() { done(made) } }, expire: late)
        deadlines.append((.now + Self.deadline, number))
        // Where no thread can be started, the request ends by its deadline.
        try? (isSlow ? slowThreads : usualThreads).run { [opener, finished] in
            result.put(work(opener))
            finished.post(number)
        }
    }

    /// Makes a request that is carried out together with others of its kind while so many wait that each has to wait anyway.
    func request<Order: Sendable, Made: Sendable>(
        _ order: Order, together gathering: GatheredRequests<Order, Made>, late: @escaping () -> Void,
        done: @escaping (Made) -> Void
    ) {
        lastNumber &+= 1
        let number = lastNumber
        let result = RequestResult<Made>()
        waiting[number] = Waiting(finish: { if let made = result.take() { done(made) } }, expire: late)
        deadlines.append((.now + Self.deadline, number))
        gathering.add(order) { [finished] made in
            result.put(made)
            finished.post(number)
        }
        // Where no thread can be started, another one takes it along, or it ends by its deadline.
        try? usualThreads.run { [opener] in gathering.carryOutSome(by: opener) }
    }

    /// Makes a request that begins when all before it that are about the same have ended.
    /// - Parameter subject: a file, or the rules of a namespace.
    func request<Made: Sendable>(
        about subject: String, _ work: @escaping @Sendable (any Opener) -> Made, late: @escaping () -> Void,
        done: @escaping (Made) -> Void
    ) {
        inOrder(about: subject) { [unowned self] ended in
            request(work) {
                late()
                ended()
            } done: {
                done($0)
                ended()
            }
        }
    }

    /// Begins something when all requests before it that are about the same have ended.
    /// - Parameters:
    ///   - subject: a file, or the rules of a namespace.
    ///   - begin: begins it; it is given what is to be called once, at its end.
    func inOrder(about subject: String, _ begin: @escaping (_ ended: @escaping () -> Void) -> Void) {
        let start = { [unowned self] in begin { [unowned self] in goOn(subject) } }
        guard chains[subject] == nil else {
            chains[subject]?.append(start)
            return
        }
        chains[subject] = []
        start()
    }

    /// Calls `body` when the requests about some subjects that were made until now have ended; at once where none is under way.
    func whenEnded(about subjects: [String], _ body: @escaping () -> Void) {
        guard let subject = subjects.first(where: { chains[$0] != nil }) else { return body() }
        chains[subject]?.append { [unowned self] in
            goOn(subject)
            whenEnded(about: subjects.filter { $0 != subject }, body)
        }
    }

    private func goOn(_ subject: String) {
        guard let next = chains[subject]?.popFirst() else {
            chains[subject] = nil
            return
        }
        next()
    }

    /// Hands in the results that have come, in the order in which they were requested.
    func takeResults() {
        for number in finished.takeAll().sorted() { waiting.removeValue(forKey: number)?.finish() }
        dropFinished()
    }

    /// Time at which ``expire()`` is due.
    var nextDeadline: ContinuousClock.Instant? { deadlines.first?.time }

    /// Gives up what has taken too long.
    func expire() {
        let now = ContinuousClock.now
        while let first = deadlines.first, first.time <= now {
            deadlines.removeFirst()
            waiting.removeValue(forKey: first.number)?.expire()
        }
        dropFinished()
    }

    private func dropFinished() {
        while let first = deadlines.first, waiting[first.number] == nil { deadlines.removeFirst() }
    }

    /// Waits for what is under way, at the daemon's end.
    func finishAll(within time: Duration) {
        guard !isIdle, var loop = try? Epoll() else { return }
        do throws(LinuxError) {
            try loop.add(finished.descriptor, token: 0, interest: [.readable])
            let end = ContinuousClock.now + time
            while !isIdle {
                let left = ContinuousClock.now.duration(to: end)
                guard left > .zero else { return }
                _ = try loop.wait(timeoutMilliseconds: Int(left.components.seconds) * 1000 + 100)
                takeResults()
            }
        } catch {
            return
        }
    }
}

/// Carries a result from one thread to another.
private final class RequestResult<Made: Sendable>: Sendable {
    private let made = Mutex<Made?>(nil)

    func put(_ new: Made) { made.withLock { $0 = new } }

    func take() -> Made? {
        made.withLock { made in
            defer { made = nil }
            return made
        }
    }
}
