// A query of the daemon's own: for `intercomctl resolve`, and to probe upstreams.

import DNSWire

/// Writes queries as a stub resolver does: recursion desired, with EDNS.
enum OwnQuery {
    /// The octets of a query.
    /// - Parameters:
    ///   - name: the name that is asked about.
    ///   - type: the type of the records.
    ///   - id: the message's id.
    static func octets(of name: Name, _ type: RecordType, id: UInt16 = 0) -> [UInt8] {
        var flags = HeaderFlags()
        flags.rd = true
        return QueryMessage(
            id: id, flags: flags, name, type, edns: EDNS(udpPayloadSize: UInt16(Transport.maximumDatagram))
        ).octets
    }
}
