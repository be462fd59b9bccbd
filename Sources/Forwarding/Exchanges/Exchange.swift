// One question on its way: who waits for it, which upstreams were asked, what they said.

import DNSWire
import Tables

/// A question that upstreams are being asked, until it is answered. All who ask the same meanwhile wait for it, too.
///
/// It is one thing, whoever looks at it: a class, as its parts are many and each step looks at a few.
final class Exchange {
    /// A client that waits, who pays for it, and what its answer must look like.
    struct Place: Sendable {
        let client: Client
        let namespace: UInt32
        let query: ClientQuery
        /// As the client spelled it.
        let question: [UInt8]
    }

    /// A body and the upstream that sent it.
    struct Saying: Sendable {
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

        /// Of two failures the one that says more.
        func isBetterComplaint(than other: Saying?) -> Bool {
            other.map { rank < $0.rank } ?? true
        }

        /// Of two incomplete answers the one with a whole answer section.
        func isBetterFallback(than other: Saying?) -> Bool {
            other.map { $0.body.isTruncated && !body.isTruncated } ?? true
        }
    }

    /// The key that its answer is cached under.
    let key: QuestionKey
    let query: UpstreamQuery
    let group: UInt32
    /// The view whose namespace it is asked from, where the group says so.
    let view: UInt32
    /// The namespace whose question began it; nil where an answer is renewed.
    let payer: UInt32?
    let began: Moment
    /// Those who wait; nobody where an answer is renewed.
    var places: [Place] = []
    /// The cache has an answer that is past its life, for when nobody answers.
    var hasStaleAnswer = false

    /// The upstreams in the order in which they are asked, with what each was sent.
    var order: [Contact] = []
    /// The scope that `order` was made for; 0: none yet.
    var scope: UInt32 = 0
    var vantage = Vantage.host
    /// True from when the group that stands in is asked: its own servers cannot be reached.
    var hasStandIn = false
    /// Questions go over TCP alone.
    var usesStreams = false
    /// After this the client is told that nobody answered.
    var patience = UpstreamList.usualPatience
    /// Attempts that may still bring the answer: for each upstream at most a datagram and a connection.
    var attempts: [Attempt] = []
    /// The upstream whose lateness lets the next one be asked. Replies of the others count, too.
    var current: Ticket?
    /// The best failure that an upstream answered with.
    var complaint: Saying?
    /// The best answer that is not whole: better than a failure, once nothing better can come.
    var fallback: Saying?
    /// A reply came that could not be read.
    var hasDamage = false
    /// Datagrams that were no replies to what was asked.
    var wrongReplies = 0
    /// Questions to upstreams that their replies led to, beside the first to each.
    var followUps = 0
    /// The moment at which an upstream was asked last.
    var lastAsked: Moment

    init(_ key: QuestionKey, _ query: UpstreamQuery, group: UInt32, view: UInt32, payer: UInt32?, began: Moment) {
        self.key = key
        self.query = query
        self.group = group
        self.view = view
        self.payer = payer
        self.began = began
        lastAsked = began
    }
}

// MARK: - Upstreams

extension Exchange {
    /// The position of an upstream in the order.
    func position(of upstream: Ticket) -> Int? { order.firstIndex { $0.upstream == upstream } }

    /// Changes what is known of the dealings with one upstream.
    func note(_ upstream: Ticket, _ change: (inout Contact) -> Void) {
        if let position = position(of: upstream) { change(&order[position]) }
    }

    /// True while a question to an upstream is under way.
    func isAsking(_ upstream: Ticket) -> Bool { attempts.contains { $0.upstream == upstream } }

    /// The next upstream in the order that was not asked yet.
    var candidate: Ticket? { order.first { $0.isListed && $0.isFresh }?.upstream }

    /// The next upstream in the order that datagrams do not reach.
    var streamCandidate: Ticket? { order.first { $0.isListed && $0.isLeftToTCP }?.upstream }

    /// True while a reply may lead to one more question: so whatever upstreams reply, they are asked at most twice as often
    /// as there are upstreams, and once more.
    var mayFollowUp: Bool { followUps <= order.count }

    /// The most datagrams of one exchange, repetitions included: as often as replies may lead to.
    private var maximumDatagrams: Int { 2 * order.count + 1 }

    /// True when the question may be sent once more to an upstream over UDP.
    func mayRepeat(_ contact: Contact) -> Bool {
        contact.datagrams < Contact.maximumDatagrams
            && order.reduce(0) { $0 + $1.datagrams } < maximumDatagrams
    }
}

// MARK: - Time

extension Exchange {
    /// After this an answer that is past its life serves (RFC 8767 §5, "client response timer").
    private static let stalePatience = Lapse.milliseconds(1800)

    /// The moment at which the waiting clients get SERVFAIL.
    var end: Moment { began + patience }

    /// The moment at which the waiting clients get an answer that is past its life; nil where there is none, or nobody waits.
    var staleTime: Moment? { hasStaleAnswer && !places.isEmpty ? began + Self.stalePatience : nil }

    /// True when anybody of a namespace waits for it.
    func isAwaited(in namespace: UInt32) -> Bool { places.contains { $0.namespace == namespace } }

    /// The position of the attempt over UDP that is to be repeated next, or followed by one over TCP.
    var repetition: Int? {
        var next: Int?
        for position in attempts.indices where attempts[position].transport == .datagram {
            guard next.map({ attempts[position].repetition < attempts[$0].repetition }) ?? true,
                let contact = self.position(of: attempts[position].upstream).map({ order[$0] }),
                contact.stream == nil || mayRepeat(contact)
            else { continue }
            next = position
        }
        return next
    }

    /// The moment of that repetition.
    var repetitionTime: Moment? {
        repetition.map { max(attempts[$0].repetition, lastAsked + Attempt.firstPause) }
    }

    /// The moment from which an answer that is not whole is good enough: all who could give a better one are late.
    var fallbackTime: Moment? {
        guard let fallback else { return nil }
        // To a client that asks over TCP an answer that was cut off is worth little: a connection gets its time.
        return attempts.reduce(began) { max($0, fallback.body.isTruncated ? $1.lastDue : $1.due) }
    }

    /// The moment of the next step; nil while there is only to wait.
    var nextStep: Moment? {
        if candidate != nil || streamCandidate != nil {
            return attempts.first { $0.upstream == current }?.due ?? began
        }
        var next = repetitionTime
        if let time = fallbackTime { next = min(next ?? time, time) }
        for attempt in attempts where attempt.transport == .stream && !attempt.isLate {
            // UDP may be tried in its stead.
            next = min(next ?? attempt.due, attempt.due)
        }
        return next
    }

    /// The moment at which it has to be looked at next.
    var deadline: Moment {
        var deadline = end
        if let nextStep { deadline = min(deadline, nextStep) }
        if let staleTime { deadline = min(deadline, staleTime) }
        return deadline
    }
}
