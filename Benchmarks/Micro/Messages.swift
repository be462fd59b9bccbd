// Messages as clients and upstreams send them.

import DNSWire

/// A query for a name with labels between dots.
func query(_ name: String, _ type: RecordType = .a, speaksEDNS: Bool = false) throws -> [UInt8] {
    var flags = HeaderFlags()
    flags.rd = true
    return QueryMessage(
        id: 4711, flags: flags, try Name(name), type, edns: speaksEDNS ? EDNS(udpPayloadSize: 1232) : nil
    ).octets
}

/// An answer to a query: as many addresses as that, for an hour.
func reply(to query: [UInt8], addresses: Int) -> [UInt8] {
    // Labels here have no zero in them: the first one is the root, with type and class behind it.
    let root = query[Header.length...].firstIndex(of: 0) ?? 0
    var reply = Array(query[..<(root + 5)])
    reply[2] |= 0x80
    reply[3] |= 0x80
    reply[7] = UInt8(addresses)
    for number in 0..<addresses {
        reply += [0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0x0E, 0x10, 0, 4, 192, 0, 2, UInt8(number)]
    }
    return reply + query[(root + 5)...]
}

extension FoldedName {
    /// A name as it would have been read.
    init(_ text: String) throws {
        self.init()
        set(try Name(text))
    }
}
