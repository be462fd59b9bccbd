// Questions of a worker that somebody watches: a bounded buffer, which the control plane empties in its own time.

import DNSWire
import Forwarding
import Registry

/// A question of a container, and its answer.
struct ObservedQuestion: Sendable, Equatable {
    /// The time of the answer.
    let answered: Moment
    /// The container that asked.
    let view: ViewID
    let transport: Transport
    /// Name and type; nil where the query could not be read.
    let asked: Asked?
    /// The code in the answer.
    let responseCode: ResponseCode
    /// The rule, the network, the cache or the upstream, in the words of `intercomctl resolve`.
    let decision: String
    /// Time from the reading of the question to its answer.
    let duration: Lapse
    /// The answer on the wire, where somebody wants it: see ``QuestionObserver/maximumMessage``.
    var message: [UInt8] = []
    /// True when a policy has denied it.
    var isDenied = false

    /// The subject of a question.
    struct Asked: Sendable, Equatable {
        /// In presentation form (RFC 1035 §5.1) and lower case: printable ASCII alone.
        let name: String
        let type: RecordType
    }
}

extension ObservedQuestion: CustomStringConvertible {
    /// As the log has it.
    var description: String {
        let what = asked.map { "query \($0.name) \($0.type)" } ?? "a message that is no query"
        let way = transport == .datagram ? "UDP" : "TCP"
        return "\(what) from view \(view.rawValue) over \(way): \(responseCode), \(decision), "
            + "\(duration.nanoseconds / 1000) µs"
    }
}

/// The containers whose questions are watched.
enum ObservedViews: Sendable, Equatable {
    case none
    case some(Set<ViewID>)
    case all

    func contains(_ view: ViewID) -> Bool {
        switch self {
        case .none: false
        case .some(let views): views.contains(view)
        case .all: true
        }
    }
}

/// The questions that a worker has observed since it was last asked for them.
struct ObservedQuestions: Sendable, Equatable {
    /// In the order of their answers.
    var questions: [ObservedQuestion] = []
    /// Numbers of further questions of each container: those for which there was no room.
    var missed: [ViewID: Int] = [:]
}

/// Decides which questions are observed, and keeps them. While nobody watches, nothing is kept, and the data plane pays for a
/// look at ``isActive``.
struct QuestionObserver: Sendable {
    /// Questions that are kept until the control plane takes them: with ``QuestionWatchers/interval`` 10,000 a second of each
    /// worker. What is beyond costs a count, so that a flood is not slower for being watched.
    static let capacity = 256
    /// Octets of an answer that are kept with its question; of longer ones none are.
    static let maximumMessage = 4096

    /// True when each question is written to the log (`--log-level trace`).
    let logs: Bool
    /// True when any question is to be observed.
    private(set) var isActive: Bool
    /// True when a policy is a gate.
    var hasGates = false {
        didSet { looksAtAnswers = isActive || hasGates }
    }
    /// True when answers are looked at before they go out: somebody watches, or a policy is a gate.
    private(set) var looksAtAnswers: Bool
    /// True when answers are kept as they are on the wire.
    private(set) var keepsMessages = false
    private var views = ObservedViews.none
    private var observed = ObservedQuestions()
    /// Questions in a row that were missed, of one container: most often the next is of the same.
    private var missedRun: (view: ViewID, count: Int)?

    /// - Parameter logs: true when each question is written to the log.
    init(logs: Bool) {
        self.logs = logs
        isActive = logs
        looksAtAnswers = logs
    }

    /// Keeps the questions of these containers from now on, and no others.
    /// - Parameters:
    ///   - views: the containers.
    ///   - withMessages: true when their answers are kept as they are on the wire.
    mutating func observe(_ views: ObservedViews, withMessages: Bool = false) {
        self.views = views
        keepsMessages = withMessages
        isActive = logs || views != .none
        looksAtAnswers = isActive || hasGates
        if views == .none {
            observed = ObservedQuestions()
            missedRun = nil
        }
    }

    /// True when a question of a container is to be described, for ``add(_:)``; where there is no room for it, it is counted.
    mutating func wants(_ view: ViewID) -> Bool {
        guard views.contains(view) else { return logs }
        if observed.questions.count < Self.capacity { return true }
        if missedRun?.view == view {
            missedRun?.count += 1
        } else {
            endMissedRun()
            missedRun = (view, 1)
        }
        return logs
    }

    private mutating func endMissedRun() {
        if let run = missedRun { observed.missed[run.view, default: 0] += run.count }
        missedRun = nil
    }

    /// Keeps a question, if its container is watched and there is room.
    mutating func add(_ question: ObservedQuestion) {
        guard observed.questions.count < Self.capacity, views.contains(question.view) else { return }
        observed.questions.append(question)
    }

    /// Gives away what was kept.
    mutating func take() -> ObservedQuestions {
        endMissedRun()
        defer { observed = ObservedQuestions() }
        return observed
    }
}
