// The message that an upstream is sent.

import DNSWire

/// The query of one exchange to every upstream: the client's question, nothing of the client's other options (client subnet
/// and cookies end here).
struct UpstreamQuery: Sendable {
    /// Name, type and class as the client spelled them.
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

    /// The message of one attempt; behind its length in two octets where it goes over a stream (RFC 1035 §4.2.2).
    func message(_ attempt: Attempt) -> [UInt8] {
        var flags = HeaderFlags()
        flags.rd = recursionDesired
        flags.cd = checkingDisabled
        // Asks to be told whether the data is authentic (RFC 6840 §5.7); a client that does not ask us is not told.
        flags.ad = true
        let message = QueryMessage(
            id: attempt.id, flags: flags, question: attempt.question,
            edns: attempt.hasEDNS
                ? EDNS(udpPayloadSize: UInt16(Transport.maximumDatagram), dnssecOK: dnssecOK) : nil)
        var octets: [UInt8] = []
        octets.reserveCapacity(Transport.lengthPrefix + message.count)
        if attempt.transport == .stream { octets.append(word: UInt16(truncatingIfNeeded: message.count)) }
        message.write(to: &octets)
        return octets
    }
}

extension [UInt8] {
    /// A question's name with each letter in upper or lower case by chance: a reply that repeats the spelling was made by
    /// who saw it (draft-vixie-dnsext-dns0x20 §2).
    mutating func randomizeCase(_ random: inout Randomness) {
        var bits: UInt8 = 0
        for index in 0..<Swift.max(0, count - Question.fixedLength) {
            if index % 8 == 0 { bits = random.octet() }
            // Length octets are at most 63 and so never letters.
            let lower = self[index] | 0x20
            if 0x61...0x7A ~= lower, self[index] >= 0x41 { self[index] = bits & 1 == 1 ? lower : lower & ~0x20 }
            bits >>= 1
        }
    }
}
