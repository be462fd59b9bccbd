// The SOA record that lets clients keep our "no" (RFC 2308 §5).

import DNSWire

/// The authority section of negative answers, compiled once per configuration.
///
/// Its owner is the domain for names under it, by a pointer into the question, else the root: an ancestor of every
/// name, as RFC 2308 §2 asks. MNAME and RNAME are the root's; nobody transfers this zone.
struct NegativeAnswer: Sendable {
    private var underRoot: [UInt8]
    private var underDomain: [UInt8]

    /// - Parameter ttl: seconds; both the record's TTL and its MINIMUM.
    init(domain: Name, ttl: UInt32) {
        var record: [UInt8] = []
        func append(_ word: UInt32) {
            record += [UInt8(truncatingIfNeeded: word >> 24), UInt8(truncatingIfNeeded: word >> 16)]
            record += [UInt8(truncatingIfNeeded: word >> 8), UInt8(truncatingIfNeeded: word)]
        }
        append(UInt32(RecordType.soa.rawValue) << 16 | UInt32(RecordClass.in.rawValue))
        append(ttl)
        record += [0, 22]  // RDLENGTH
        record += [0, 0]  // MNAME, RNAME
        for word in [1, 3600, 600, 86400, ttl] as [UInt32] { append(word) }
        underRoot = [0] + record
        underDomain = [0xC0, 0x0C] + record
    }

    /// Adds the SOA record.
    /// - Parameter label: the label of the question's name at which the domain begins; nil for the root.
    mutating func write(for name: borrowing FoldedName, under label: Int?, into answer: inout AnswerWriter) {
        guard let label else {
            answer.append(authority: underRoot.span)
            return
        }
        let pointer = 0xC000 | (Header.length + name.labelOffset(label))
        underDomain[0] = UInt8(truncatingIfNeeded: pointer >> 8)
        underDomain[1] = UInt8(truncatingIfNeeded: pointer)
        answer.append(authority: underDomain.span)
    }
}
