// DNS over TCP: each message behind its length in two octets (RFC 1035 §4.2.2, RFC 7766 §8).

/// Puts the messages of a byte stream together again, however the stream is cut.
///
/// Holds at most one message (65,535 octets) and never reserves room for octets that have only been announced.
struct StreamFraming: Sendable {
    private var message: [UInt8] = []
    private var length = 0
    /// The number of the two length octets that have come.
    private var lengthOctets = 0

    /// Takes octets from `bytes`, from `offset` on, until a message is complete or the bytes are used up. `offset` moves
    /// past what was taken.
    mutating func next(_ bytes: Span<UInt8>, from offset: inout Int) -> [UInt8]? {
        while lengthOctets < 2 {
            guard offset < bytes.count else { return nil }
            length = length << 8 | Int(bytes[offset])
            lengthOctets += 1
            offset += 1
        }
        let end = min(bytes.count, offset + length - message.count)
        while offset < end {
            message.append(bytes[offset])
            offset += 1
        }
        guard message.count == length else { return nil }
        defer { self = StreamFraming() }
        return message
    }
}
