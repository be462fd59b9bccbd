// One question on its way: who waits for it, who was asked, what they said.

import DNSWire

/// The number of one who waits for an answer, in the forwarder's list of clients.
package typealias Waiter = UInt32

/// A question that upstreams are being asked, until it is answered. All who ask the same meanwhile wait for it, too.
///
/// It is one thing, whoever looks at it: a class, as its parts are many and each step looks at a few.
final class Exchange {
    /// A waiter, who pays for it, and what its answer must look like.
    struct Place: Sendable {
        let waiter: Waiter
        let namespace: UInt32
        let client: ClientQuery
        /// As the client spelled it.
        let question: [UInt8]
    }

    /// What an upstream said that would not answer.
    struct Complaint: Sendable {
        let body: AnswerBody
        let upstream: ServerAddress

        /// SERVFAIL says something about the name, REFUSED about us, anything else about neither.
        private var rank: Int {
            switch body.responseCode {
            case .serverFailure: 0
            case .refused: 1
            default: 2
            }
        }

        func isBetter(than other: Complaint?) -> Bool {
            other.map { rank < $0.rank } ?? true
        }
    }

    /// What its answer is kept under.
    let key: QuestionKey
    let query: UpstreamQuery
    let group: UInt32
    /// Whose namespace it is asked from, where the group says so.
    let view: UInt32
    let began: Moment
    /// Those who wait; nobody where an answer is renewed.
    var places: [Place] = []
    /// The cache has an answer that is past its life, for when nobody answers.
    var hasStaleAnswer = false

    /// The upstreams in the order in which they are asked.
    var order: [Slot] = []
    /// What `order` was made for; 0: nothing yet.
    var scope: UInt32 = 0
    var vantage = Vantage.host
    /// After this the client is told that nobody answered.
    var patience = UpstreamList.usualPatience
    /// What may still bring the answer: at most one for each upstream.
    var attempts: [Attempt] = []
    /// The attempt whose lateness lets the next upstream be asked, by its upstream. The others are listened to.
    var current: Slot?
    /// The upstreams that failed or said that they would not answer: not asked again for this question.
    var spent: [Slot] = []
    var bestComplaint: Complaint?
    /// Datagrams that were no replies to what was asked.
    var wrongReplies = 0
    /// When somebody was asked last.
    var lastAsked: Moment

    init(_ key: QuestionKey, _ query: UpstreamQuery, group: UInt32, view: UInt32, began: Moment) {
        self.key = key
        self.query = query
        self.group = group
        self.view = view
        self.began = began
        lastAsked = began
    }
}

extension Exchange {
    /// After this an answer that is past its life serves (RFC 8767 §5, "client response timer").
    private static let stalePatience = Lapse.milliseconds(1800)

    /// When the waiters get SERVFAIL.
    var end: Moment { began + patience }

    /// When those who wait get an answer that is past its life; nil where there is none, or nobody waits.
    var staleTime: Moment? { hasStaleAnswer && !places.isEmpty ? began + Self.stalePatience : nil }

    /// Whether anybody of a namespace waits for it.
    func isAwaited(in namespace: UInt32) -> Bool { places.contains { $0.namespace == namespace } }

    /// The next upstream in the order that was not asked yet.
    var candidate: Slot? {
        order.first { slot in !spent.contains(slot) && !attempts.contains { $0.upstream == slot } }
    }

    /// The position of the attempt that is to be repeated next.
    var repetition: Int? {
        attempts.indices.filter { attempts[$0].transport == .datagram }.min {
            attempts[$0].repetition < attempts[$1].repetition
        }
    }

    /// When somebody is to be asked next; nil while there is only to wait.
    var nextStep: Moment? {
        if candidate != nil { return attempts.first { $0.upstream == current }?.due ?? began }
        return repetition.map { max(attempts[$0].repetition, lastAsked + Attempt.firstPause) }
    }

    /// When it has to be looked at next.
    var deadline: Moment { [nextStep, staleTime].compactMap { $0 }.reduce(end) { min($0, $1) } }
}
