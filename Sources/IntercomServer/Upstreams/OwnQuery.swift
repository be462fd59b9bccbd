// A query of the daemon's own: for `intercomctl resolve` and systemd-resolved, and to probe upstreams.

import DNSWire

/// Writes queries as a stub resolver does: recursion desired, with EDNS.
enum OwnQuery {
    /// The octets of a query.
    /// - Parameters:
    ///   - name: the name that is asked about.
    ///   - type: the type of the records.
    ///   - id: the message's id.
    ///   - isRecursive: RD; a query without it is not forwarded.
    static func octets(of name: Name, _ type: RecordType, id: UInt16 = 0, isRecursive: Bool = true) -> [UInt8] {
        var flags = HeaderFlags()
        flags.rd = isRecursive
        return QueryMessage(
            id: id, flags: flags, name, type, edns: EDNS(udpPayloadSize: UInt16(Transport.maximumDatagram))
        ).octets
    }
}
