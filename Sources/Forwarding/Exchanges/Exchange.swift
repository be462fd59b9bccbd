// One question on its way: who waits for it, who was asked, what they said.

import DNSWire

/// The number of one who waits for an answer, in the forwarder's list of clients.
package typealias Waiter = UInt32

/// A question that upstreams are being asked, until it is answered.
///
/// It has a list of places, not one: clients that ask the same can share it.
struct Exchange: Sendable {
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
        let code: ResponseCode
        let body: AnswerBody?
        let upstream: ServerAddress

        /// SERVFAIL says something about the name, REFUSED about us, anything else about neither.
        private var rank: Int {
            switch code {
            case .serverFailure: 0
            case .refused: 1
            default: 2
            }
        }

        func isBetter(than other: Complaint?) -> Bool {
            other.map { rank < $0.rank } ?? true
        }
    }

    /// What to do next for an exchange whose last attempt came to nothing or stays silent.
    enum Step {
        case ask(ServerAddress)
        case remind(SocketToken)
        /// Everything that is left goes over TCP, which does its own reminding.
        case wait
        case giveUp
    }

    var places: [Place]
    let query: UpstreamQuery
    /// What its answer is kept under.
    let key: QuestionKey
    let group: UInt32
    /// Where its sockets are made.
    let vantage: Vantage
    /// When the waiters get SERVFAIL.
    let end: Moment
    private(set) var upstreams: UpstreamList
    /// The position in the list of the upstream that was asked last; -1 before the first.
    private var position = -1
    /// The sockets that may still bring the answer: at most one for each upstream.
    var sockets: [SocketToken] = []
    /// The socket of the attempt that is waited for before the next upstream is asked. The others are listened to.
    var current: SocketToken?
    /// The upstreams that failed or said that they would not answer: not asked again for this question.
    var spent: [ServerAddress] = []
    var bestComplaint: Complaint?

    init(
        _ place: Place, _ key: QuestionKey, query: UpstreamQuery, group: UInt32, vantage: Vantage,
        upstreams: UpstreamList,
        end: Moment
    ) {
        places = [place]
        self.query = query
        self.key = key
        self.group = group
        self.vantage = vantage
        self.upstreams = upstreams
        self.end = end
    }

    /// Goes on with another list, from its beginning. Who was asked already is still listened to.
    mutating func take(_ list: UpstreamList?) {
        guard let list, list != upstreams else { return }
        upstreams = list
        position = -1
    }

    /// Goes around the list, past those that are spent.
    mutating func nextStep(_ attempts: Slots<Attempt>) -> Step {
        let servers = upstreams.servers
        for distance in 0..<servers.count {
            let candidate = (position + 1 + distance) % servers.count
            let server = servers[candidate]
            if spent.contains(server) { continue }
            guard let socket = sockets.first(where: { attempts[$0.slot]?.upstream == server }) else {
                position = candidate
                return .ask(server)
            }
            if attempts[socket.slot]?.transport == .datagram {
                position = candidate
                return .remind(socket)
            }
        }
        return sockets.isEmpty ? .giveUp : .wait
    }
}
