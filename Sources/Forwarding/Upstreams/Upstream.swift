// What is known of one upstream.

package import DNSWire

/// A server as it is reached from one namespace: how it has behaved, and the sockets to it.
struct Upstream: Sendable {
    let server: ServerAddress
    let vantage: Vantage
    var roundTrip = RoundTrip()
    var health = Health()
    /// Until then it is asked without EDNS, which it does not understand.
    private(set) var plainUntil: Moment?
    /// It repeats questions in another spelling than it was asked in: that proves nothing about its replies then.
    var respells = false
    /// Datagram sockets that wait for the next question.
    var idleSockets: [SocketToken] = []
    /// The connection that the next question goes over, if there is one.
    var stream: SocketToken?

    /// How long it is remembered that an upstream does not understand EDNS: it may be replaced by one that does.
    private static let plainTime = Lapse.seconds(900)

    init(_ server: ServerAddress, from vantage: Vantage) {
        self.server = server
        self.vantage = vantage
    }

    func understandsEDNS(_ now: Moment) -> Bool { plainUntil.map { $0 <= now } ?? true }

    /// It understood a question without EDNS that it had not understood with it (RFC 6891 §7).
    mutating func noteAsPlain(_ now: Moment) {
        plainUntil = now + Self.plainTime
    }
}

/// What people are shown of an upstream.
package struct UpstreamReport: Sendable, Hashable {
    /// Its address and port.
    package var server: ServerAddress
    /// The namespace that it is reached from.
    package var vantage: Vantage
    /// The smoothed round-trip time in microseconds; nil before the first reply.
    package var roundTrip: Int?
    /// Failures without any reply since.
    package var failures: Int
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
        isResting = upstream.health.isResting
        self.isAvoided = isAvoided
    }
}
