// The parts of a query that its answer repeats or depends on.

import DNSWire

/// A client's query, but for its question.
struct ClientQuery: Sendable {
    /// The content of the client's OPT record (RFC 6891 §6.1).
    struct EDNS: Sendable {
        /// The DO bit (RFC 3225).
        let dnssecOK: Bool
    }

    let id: UInt16
    /// RD and CD are copied into every answer (RFC 1035 §4.1.1, RFC 4035 §3.2.2).
    var flags: HeaderFlags
    /// Nil for a client without EDNS: its answer has no OPT record.
    let edns: EDNS?
    /// The largest answer over UDP.
    let datagramLimit: Int

    init(_ query: Query) {
        id = query.header.id
        flags = query.header.flags
        edns = query.edns.map { EDNS(dnssecOK: $0.dnssecOK) }
        datagramLimit = query.answerLimit(over: .datagram)
    }

    /// The client wants to see DNSSEC records.
    var dnssecOK: Bool { edns?.dnssecOK == true }

    /// True when the client wants to know that the data is authentic: by AD, or by DO (RFC 6840 §5.7, §5.8).
    var wantsAuthenticData: Bool { flags.ad || dnssecOK }
}
