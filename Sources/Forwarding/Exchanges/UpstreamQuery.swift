// The message that an upstream is sent.

import DNSWire

/// What every upstream of one exchange is asked: the client's question in the client's spelling, nothing of the client's
/// other options (client subnet and cookies end here).
struct UpstreamQuery: Sendable {
    /// Name, type and class: what the reply must repeat octet for octet.
    let question: [UInt8]
    let recursionDesired: Bool
    let checkingDisabled: Bool
    let dnssecOK: Bool

    init(_ question: [UInt8], _ client: ClientQuery) {
        self.question = question
        recursionDesired = client.flags.rd
        checkingDisabled = client.flags.cd
        dnssecOK = client.dnssecOK
    }

    /// The message with this id; behind its length in two octets where it goes over a stream (RFC 1035 §4.2.2).
    func message(id: UInt16, edns: Bool, transport: Transport) -> [UInt8] {
        var flags = HeaderFlags()
        flags.rd = recursionDesired
        flags.cd = checkingDisabled
        // Asks to be told whether the data is authentic (RFC 6840 §5.7); a client that does not ask us is not told.
        flags.ad = true
        let header = Header(id: id, flags: flags, questionCount: 1, additionalCount: edns ? 1 : 0)
        var message: [UInt8] = []
        let length = Header.length + question.count + (edns ? EDNS.minimumLength : 0)
        message.reserveCapacity(length + 2)
        if transport == .stream { message.append(word16: UInt16(truncatingIfNeeded: length)) }
        message.append(header)
        message += question
        if edns { message.appendOPT(dnssecOK: dnssecOK) }
        return message
    }
}

extension [UInt8] {
    /// Appends an OPT record without options (RFC 6891 §6.1.2). Its size passes every path, so that no reply comes in
    /// fragments.
    fileprivate mutating func appendOPT(dnssecOK: Bool) {
        append(0)
        append(word16: RecordType.opt.rawValue)
        append(word16: UInt16(Transport.maximumDatagram))
        append(word16: 0)
        append(word16: dnssecOK ? 0x8000 : 0)
        append(word16: 0)
    }
}
