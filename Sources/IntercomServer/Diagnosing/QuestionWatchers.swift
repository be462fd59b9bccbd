// Watching of questions by clients (`intercomctl monitor --queries`) and for the log: which workers observe what, and who is told.

import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
import Registry
import Tables
import Varlink

/// Asks workers for the questions that they have observed, while anybody watches, and sends them to each client that wants
/// them. Neither a worker nor the control plane ever waits for a client: what does not fit is missed, and counted.
final class QuestionWatchers {
    /// Time between two such turns: soon enough for people, and a bound of what watching costs (see
    /// ``QuestionObserver/capacity``).
    static let interval = Duration.milliseconds(25)

    private let workers: WorkerPool
    private let publisher: Publisher
    private let socket: ControlSocket
    /// The log of questions, which takes part in each turn while it is on.
    let log: QueryLog
    /// The journal of questions that policies deny.
    let denials: PolicyJournal
    /// The gates that answers wait for.
    let gates: PolicyGates
    /// The name of the container that each client watches; nil: all.
    private var containers: [Ticket: String?] = [:]
    /// Clients that watch questions alone that policies have denied.
    private var ofDenied: Set<Ticket> = []
    /// The containers whose questions workers observe.
    private var observed = ObservedViews.none
    /// True when workers keep answers as they are on the wire.
    private var keepsMessages = false
    /// The next turn; nil while nobody watches, or workers have not replied yet.
    private(set) var nextDeadline: ContinuousClock.Instant?

    init(
        workers: WorkerPool, publisher: Publisher, socket: ControlSocket, log: QueryLog, denials: PolicyJournal,
        gates: PolicyGates
    ) {
        self.workers = workers
        self.publisher = publisher
        self.socket = socket
        self.log = log
        self.denials = denials
        self.gates = gates
    }

    /// Sends a client questions from now on.
    /// - Parameters:
    ///   - client: watches the control socket already.
    ///   - container: whose questions; nil: those of all.
    ///   - isDenied: true for those alone that a policy has denied.
    func add(_ client: Ticket, of container: String?, isDenied: Bool = false) {
        if isDenied { ofDenied.insert(client) } else { ofDenied.remove(client) }
        let isFirst = containers.isEmpty && !log.isOn
        containers[client] = .some(container)
        updateObserved()
        if isFirst { nextDeadline = .now + Self.interval }
    }

    /// Logs questions from now on as the configuration says.
    func configure(_ settings: Configuration.Log) {
        let wasIdle = containers.isEmpty && !log.isOn
        log.configure(settings)
        updateObserved()
        if wasIdle, log.isOn { nextDeadline = .now + Self.interval }
    }

    /// Asks workers for what they have observed, when that is due.
    func turn() {
        guard let deadline = nextDeadline, deadline <= .now else { return }
        nextDeadline = nil
        containers = containers.filter { socket.isWatching($0.key) }
        ofDenied = ofDenied.filter { containers[$0] != nil }
        updateObserved()
        guard !containers.isEmpty || log.isOn else { return }
        workers.ask(workers.indices, { .takeQuestions(token: $0) }) { [unowned self] replies in
            tell(
                replies.compactMap { reply -> ObservedQuestions? in
                    if case .questions(_, let questions) = reply { questions } else { nil }
                })
            nextDeadline = .now + Self.interval
        }
    }

    /// The containers that a client watches now: its name may be another's, or nobody's, since.
    private func views(of container: String?) -> ObservedViews {
        guard let container else { return .all }
        return .some((try? publisher.container(named: container)).map { [$0.id.view] } ?? [])
    }

    private func updateObserved() {
        var wanted = log.isOn ? ObservedViews.all : .none
        for container in containers.values { wanted.formUnion(views(of: container)) }
        guard wanted != observed || log.needsMessages != keepsMessages else { return }
        observed = wanted
        keepsMessages = log.needsMessages
        workers.post(.observe(wanted, withMessages: keepsMessages))
    }

    private func tell(_ observed: [ObservedQuestions]) {
        let clock = WallClock(bootTime: BootTime.now)
        if log.isOn { log.write(observed, of: publisher.registry, clock) }
        guard !containers.isEmpty else { return }
        let questions = observed.flatMap(\.questions).sorted { $0.answered < $1.answered }
        let missed = observed.flatMap { Array($0.missed) }
        guard !questions.isEmpty || !missed.isEmpty else { return }
        let messages = questions.map { question in
            (
                question,
                Monitor.message(of: Monitor.Question(question, of: name(of: question.view), clock))
            )
        }
        for (client, container) in containers {
            let views = views(of: container)
            let isDenied = ofDenied.contains(client)
            let wanted = messages.filter { views.contains($0.0.view) && (!isDenied || $0.0.isDenied) }
            socket.stream(wanted.map(\.1), to: client)
            let count = missed.reduce(0) { views.contains($1.key) ? $0 + $1.value : $0 }
            if count > 0 { socket.miss(count, by: client) }
        }
    }

    /// The name of a view's container; nil where it has gone meanwhile.
    private func name(of view: ViewID) -> String? { publisher.registry[ContainerID(of: view)]?.name }
}

extension ObservedViews {
    fileprivate mutating func formUnion(_ other: ObservedViews) {
        switch (self, other) {
        case (.all, _), (_, .all): self = .all
        case (.some(let mine), .some(let others)): self = .some(mine.union(others))
        case (.none, _): self = other
        case (_, .none): break
        }
    }
}

extension Monitor {
    /// Message of one question after which more follow: as ``VarlinkReply`` encodes it, much faster.
    static func message(of question: Question) -> [UInt8] {
        var record = VarlinkRecord(named: "question")
        record.add("container", question.container)
        record.add("decidedBy", question.decidedBy)
        record.add("microseconds", question.microseconds)
        record.add("name", question.name)
        record.add("rcode", question.rcode)
        record.add("time", question.time)
        record.add("transport", question.transport)
        record.add("type", question.type)
        return record.message()
    }
}

extension Monitor.Question {
    /// - Parameters:
    ///   - question: what a worker has observed.
    ///   - container: the name of its container.
    ///   - clock: gives the time of day of its answer.
    init(_ question: ObservedQuestion, of container: String?, _ clock: WallClock) {
        self.init(
            time: clock.microseconds(at: question.answered.nanoseconds), container: container,
            transport: question.transport == .datagram ? "udp" : "tcp", name: question.asked?.name,
            type: question.asked.map { "\($0.type)" }, rcode: "\(question.responseCode)",
            decidedBy: question.decision, microseconds: Int(question.duration.nanoseconds / 1000))
    }
}
