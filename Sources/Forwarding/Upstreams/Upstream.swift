// One upstream, as it has behaved.

package import DNSWire

/// Kind of a failure of an upstream.
package enum UpstreamTrouble: Sendable, Hashable {
    /// No reply came in time.
    case silent
    /// An ICMP error came, or the connection was refused (ECONNREFUSED).
    case refused
    /// It could not be sent to: no route, no socket; or its connection broke.
    case unreachable
}

/// A server as it is reached from one namespace: how it has behaved, and the connection to it.
struct Upstream: Sendable {
    let server: ServerAddress
    let vantage: Vantage
    /// Its number in the ``TrafficTable``; nil: it is not counted.
    let traffic: Int?
    var roundTrip = RoundTrip()
    /// Its health over UDP and TCP together.
    var health = Health()
    /// Its health over TCP alone.
    var streamHealth = Health()
    /// Its last failure; it says nothing once there has been a reply.
    var lastTrouble: UpstreamTrouble?
    /// Time of the first failure since its last reply; it says nothing once there has been one.
    var failingSince = Moment(nanoseconds: 0)
    /// Time of the last one, likewise.
    var lastFailure = Moment(nanoseconds: 0)
    var edns = EDNSSupport()
    /// It repeats questions in another spelling than it was asked in: that proves nothing about its replies then.
    var respells = false
    /// The connection that the next question goes over, if there is one.
    var stream: SocketToken?
    /// Until then it is asked over TCP at once: UDP brought nothing where TCP did.
    private var streamUntil: Moment?

    /// The time that TCP is preferred before UDP is tried again: the filter on the way may be gone.
    private static let streamTime = Lapse.seconds(900)

    init(_ server: ServerAddress, from vantage: Vantage, traffic: Int?) {
        self.server = server
        self.vantage = vantage
        self.traffic = traffic
    }

    /// True when it is asked over TCP without a datagram before.
    func prefersStream(_ now: Moment) -> Bool { streamUntil.map { $0 > now } ?? false }

    /// Notes that it answered over TCP what it had not answered over UDP.
    mutating func preferStream(_ now: Moment) { streamUntil = now + Self.streamTime }

    /// Forgets that, as TCP has failed; gives whether there was anything to forget.
    mutating func forgetStreamPreference() -> Bool { streamUntil.take() != nil }
}

/// The state of an upstream, as people are shown it.
package struct UpstreamReport: Sendable, Hashable {
    /// Its address and port.
    package var server: ServerAddress
    /// The namespace that it is reached from.
    package var vantage: Vantage
    /// The smoothed round-trip time in microseconds; nil before the first reply.
    package var roundTrip: Int?
    /// Failures without any reply since.
    package var failures: Int
    /// The last of these failures; nil: there is none.
    package var trouble: UpstreamTrouble?
    /// Time of the first of these failures.
    package var failingSince: Moment?
    /// Time of the last of these failures.
    package var lastFailure: Moment?
    /// Time of its last reply; nil: there was none.
    package var lastReply: Moment?
    /// Messages since its last reply with another id or question than was asked, where there are failures.
    package var wrongReplies = 0
    /// Others are asked before it.
    package var isResting: Bool
    /// It is not asked, see ``Forwarder/avoid(_:)``.
    package var isAvoided = false
}

extension UpstreamReport {
    init(_ upstream: Upstream, isAvoided: Bool) {
        server = upstream.server
        vantage = upstream.vantage
        roundTrip = upstream.roundTrip.smoothed.map { Int($0.nanoseconds / 1000) }
        failures = upstream.health.failures
        trouble = failures > 0 ? upstream.lastTrouble : nil
        wrongReplies = failures > 0 ? Int(upstream.health.wrongReplies) : 0
        failingSince = failures > 0 ? upstream.failingSince : nil
        lastFailure = failures > 0 ? upstream.lastFailure : nil
        lastReply = upstream.health.lastReply
        isResting = upstream.health.isResting
        self.isAvoided = isAvoided
    }
}
