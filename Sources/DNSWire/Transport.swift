// The ways that a message travels, and how large it may be.

/// The two ways of classic DNS (RFC 1035 §4.2, RFC 7766).
public enum Transport: Sendable, Hashable {
    /// UDP: a datagram each.
    case datagram
    /// TCP: each message behind its length.
    case stream

    /// The largest datagram for a receiver that says nothing else (RFC 1035 §4.2.1). Every receiver takes it.
    @inlinable public static var plainDatagram: Int { 512 }
    /// The largest datagram that we ask for: it passes every path without fragments, of which forgers could send the second
    /// (RFC 9715 §3).
    @inlinable public static var maximumDatagram: Int { 1232 }
    /// The largest datagram that we send to a client. We are on its loopback interface, whose MTU is 65,536 octets: nothing
    /// is fragmented there.
    @inlinable public static var maximumAnswer: Int { 16_384 }
    /// The largest message: over TCP its length stands before it in two octets (RFC 1035 §4.2.2).
    @inlinable public static var maximumMessage: Int { 65_535 }
    /// The octets of that length.
    @inlinable public static var lengthPrefix: Int { 2 }
}

extension Query {
    /// The largest answer that this client takes: over UDP 512 octets without EDNS (RFC 1035 §4.2.1), else what it said, at
    /// least 512 (RFC 6891 §6.2.3) and at most ``Transport/maximumAnswer``.
    @inlinable
    public func answerLimit(over transport: Transport) -> Int {
        switch transport {
        case .datagram: min(max(Int(edns?.udpPayloadSize ?? 0), Transport.plainDatagram), Transport.maximumAnswer)
        case .stream: Transport.maximumMessage
        }
    }
}
