// One socket's worth of asking: what was sent to which upstream, and what may come back.

import DNSWire

/// One question put to one upstream on one socket.
struct Attempt: Sendable {
    let exchange: Slot
    let upstream: ServerAddress
    let transport: Transport
    /// The message id that a reply must bear.
    let id: UInt16
    /// Whether the question went out with an OPT record.
    let hasEDNS: Bool
    /// The reply, as far as it has come over the stream.
    var framing = StreamFraming()
}

extension Attempt {
    /// What goes over this attempt's socket.
    func message(_ query: UpstreamQuery) -> [UInt8] {
        query.message(id: id, edns: hasEDNS, transport: transport)
    }
}
