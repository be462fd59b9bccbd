// One asking of one upstream: what was sent, and what may come back.

import DNSWire
import Tables

/// A question on its way to an upstream.
struct Attempt: Sendable {
    let upstream: Ticket
    let server: ServerAddress
    let transport: Transport
    let socket: SocketToken
    /// The message id that a reply must bear.
    let id: UInt16
    /// Name, type and class in the spelling that a reply must repeat.
    let question: [UInt8]
    /// True when the question goes out with an OPT record.
    private(set) var hasEDNS: Bool
    /// It was first sent with an OPT record, met with silence, and repeated without.
    private(set) var hasLeftOutEDNS = false
    let sent: Moment
    /// The moment after which a reply is late.
    let due: Moment
    /// Repetitions, and the moment of the last.
    private(set) var repeats = 0
    private(set) var lastSent: Moment
    /// The upstream has been blamed for its silence.
    var isLate = false
    /// It was on a connection that the peer closed, and has been put on another.
    var isRenewed = false

    /// The pause before a repetition: it is for lost packets, and for nobody's impatience.
    static let firstPause = Lapse.milliseconds(400)
    private static let maximumDoublings = 4
    private static let longestPause = Lapse.seconds(1)
    /// A connection takes a round trip more than a datagram: twice its patience, up to this.
    private static let longestStreamPatience = Lapse.seconds(1)

    init(
        _ upstream: Ticket, _ known: Upstream, over transport: Transport, _ socket: SocketToken, id: UInt16,
        question: [UInt8], edns: Bool, sent: Moment
    ) {
        self.upstream = upstream
        server = known.server
        self.transport = transport
        self.socket = socket
        self.id = id
        self.question = question
        hasEDNS = edns
        self.sent = sent
        lastSent = sent
        let patience = known.roundTrip.patience
        due = sent + (transport == .stream ? min(patience * 2, Self.longestStreamPatience) : patience)
    }

    /// The moment after which nobody waits for the reply who has an answer that was cut off.
    var lastDue: Moment { transport == .stream ? max(due, sent + Self.longestStreamPatience) : due }

    /// The moment from which it may be sent again.
    var repetition: Moment {
        lastSent + min(Self.firstPause * (1 << min(repeats, Self.maximumDoublings)), Self.longestPause)
    }

    /// Has repetitions go out without an OPT record.
    mutating func leaveOutEDNS() {
        hasLeftOutEDNS = hasEDNS
        hasEDNS = false
    }

    mutating func noteRepetition(_ now: Moment) {
        repeats += 1
        lastSent = now
    }
}
