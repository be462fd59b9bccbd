// What is kept of a client's query until its answer is written.

import DNSWire

/// The parts of a query that its answer repeats or depends on.
struct ClientQuery: Sendable {
    /// What the client's OPT record says (RFC 6891 §6.1).
    struct EDNS: Sendable {
        /// The largest UDP message that the client takes, as it said.
        let udpPayloadSize: UInt16
        /// The DO bit (RFC 3225).
        let dnssecOK: Bool
    }

    let id: UInt16
    /// Recursion Desired and Checking Disabled, which every answer copies (RFC 1035 §4.1.1, RFC 4035 §3.2.2).
    let recursionDesired: Bool
    let checkingDisabled: Bool
    /// AD in a query: the client understands AD in the answer (RFC 6840 §5.7).
    let authenticData: Bool
    /// Name as the client spelled it, type and class.
    let question: [UInt8]
    /// Nil for a client without EDNS: its answer has no OPT record.
    let edns: EDNS?

    init(_ message: Span<UInt8>, _ query: Query) {
        id = query.header.id
        recursionDesired = query.header.flags.rd
        checkingDisabled = query.header.flags.cd
        authenticData = query.header.flags.ad
        // The first name of a message has nothing to point to: it is never compressed.
        var question: [UInt8] = []
        question.append(message, query.question.nameOffset..<query.question.endOffset)
        self.question = question
        edns = query.edns.map { EDNS(udpPayloadSize: $0.udpPayloadSize, dnssecOK: $0.dnssecOK) }
    }

    /// Whether the client wants to know that the data is authentic (RFC 6840 §5.8).
    var wantsAuthenticData: Bool { authenticData || edns?.dnssecOK == true }
}
