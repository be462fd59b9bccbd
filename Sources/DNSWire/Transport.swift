// How a message travels, and how large it may be.

/// The two ways of classic DNS (RFC 1035 §4.2, RFC 7766).
public enum Transport: Sendable, Hashable {
    /// UDP: a datagram each.
    case datagram
    /// TCP: each message behind its length.
    case stream

    /// The largest datagram that we ask for: it passes every path without fragments (RFC 9715 §3).
    public static let maximumDatagram = 1232
    /// The largest datagram that we send to a client. We are on its loopback interface, whose MTU is 65,536 octets: nothing
    /// is fragmented there.
    public static let maximumAnswer = 16_384
}

extension Query {
    /// The largest answer that this client takes: over UDP 512 octets without EDNS (RFC 1035 §4.2.1), else what it said, at
    /// least 512 (RFC 6891 §6.2.3) and at most ``Transport/maximumAnswer``.
    @inlinable
    public func answerLimit(over transport: Transport) -> Int {
        switch transport {
        case .datagram: min(max(Int(edns?.udpPayloadSize ?? 512), 512), Transport.maximumAnswer)
        case .stream: 65_535
        }
    }
}
