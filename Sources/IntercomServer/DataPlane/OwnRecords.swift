// Records that the server gives of its own: the zone's SOA, localhost, the minimal answer to ANY.

import DNSWire

/// Records of ours that are no registry's, compiled once per configuration. Their owner is the question's name.
struct OwnRecords: Sendable {
    /// `A 127.0.0.1`, for localhost.
    let loopbackA: [UInt8]
    /// `AAAA ::1`, for localhost.
    let loopbackAAAA: [UInt8]
    /// `PTR localhost.`, for addresses of the loopback interface.
    let loopbackPointer: [UInt8]
    /// `HINFO "RFC8482" ""`: what ANY gets of a name that exists (RFC 8482 §4.2).
    let minimalAny: [UInt8]
    /// The SOA record that negative answers carry.
    var authority: ZoneAuthority

    /// - Parameter ttl: seconds that each may be kept.
    init(ttl: UInt32) {
        func record(_ type: RecordType, _ data: [UInt8]) -> [UInt8] { RecordBuilder.record(type, ttl: ttl, data) }
        loopbackA = record(.a, IPv4Address.loopback.octets)
        loopbackAAAA = record(.aaaa, IPv6Address.loopback.octets)
        loopbackPointer = record(.ptr, SpecialUseDomain.localhost.name.wire)
        minimalAny = record(.hinfo, RecordBuilder.strings("RFC8482", ""))
        authority = ZoneAuthority(ttl: ttl)
    }
}

/// The SOA record that lets clients keep our "no" (RFC 2308 §5).
///
/// Its owner is the domain for names under it, by a pointer into the question, else the root: an ancestor of every
/// name, as RFC 2308 §2 asks.
struct ZoneAuthority: Sendable {
    private let ofRoot: [UInt8]
    private var ofDomain: [UInt8]

    /// - Parameter ttl: seconds; both the record's TTL and its MINIMUM.
    init(ttl: UInt32) {
        let data = RecordBuilder.startOfAuthority(minimum: ttl)
        ofRoot = RecordBuilder.record(.soa, of: .root, ttl: ttl, data)
        ofDomain = RecordBuilder.record(.soa, ttl: ttl, data)
    }

    /// Adds the record to the authority section.
    /// - Parameter label: the label of the question's name at which the domain begins; nil for the root.
    mutating func write(for name: borrowing FoldedName, under label: Int?, into answer: inout AnswerWriter) {
        guard let label else {
            answer.append(authority: ofRoot.span)
            return
        }
        setOwner(Header.length + name.labelOffset(label))
        answer.append(authority: ofDomain.span)
    }

    /// Adds the record to the answer section: the question asks for it.
    mutating func write(into answer: inout AnswerWriter) {
        setOwner(Header.length)
        answer.append(one: ofDomain.span)
    }

    /// Makes the name at an offset of the message the owner.
    @inline(__always)
    private mutating func setOwner(_ offset: Int) {
        var record = ofDomain.mutableSpan
        record.set(CompressionPointer.word(to: offset), at: 0)
    }
}
