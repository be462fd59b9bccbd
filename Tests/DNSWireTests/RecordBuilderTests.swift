// Records and queries that are built ahead of any message: octet by octet as the RFCs have them.

import DNSWire
import Testing

@Suite("What is built ahead of any message")
struct RecordBuilderTests {
    private static func data(_ address: IPAddress) -> [UInt8] { RecordBuilder.data(address).data }

    static let records: [(String, [UInt8], String)] = [
        (
            "A of the question's name (RFC 1035 §3.4.1)",
            RecordBuilder.record(.a, ttl: 5, data(.v4(IPv4Address(bits: 0x0A01_0002)))),
            "c00c 0001 0001 00000005 0004 0a010002"
        ),
        (
            "AAAA (RFC 3596 §2.2)", RecordBuilder.record(.aaaa, ttl: 5, data(.v6(.loopback))),
            "c00c 001c 0001 00000005 0010 00000000000000000000000000000001"
        ),
        (
            "SRV, its target not compressed (RFC 2782)",
            RecordBuilder.record(.srv, ttl: 5, RecordBuilder.service(at: (try? Name("web.x")) ?? .root, port: 8080)),
            "c00c 0021 0001 00000005 000d 0000 0000 1f90 03776562 0178 00"
        ),
        (
            "SOA of the root (RFC 1035 §3.3.13)",
            RecordBuilder.record(.soa, of: .root, ttl: 7, RecordBuilder.startOfAuthority(minimum: 7)),
            "00 0006 0001 00000007 0016 00 00 00000001 00000e10 00000258 00015180 00000007"
        ),
        (
            "HINFO, the minimal answer to ANY (RFC 8482 §4.2)",
            RecordBuilder.record(.hinfo, ttl: 5, RecordBuilder.strings("RFC8482", "")),
            "c00c 000d 0001 00000005 0009 07 52464338343832 00"
        ),
        (
            "TXT of class CHAOS (RFC 4892 §2)",
            RecordBuilder.record(.txt, .ch, ttl: 0, RecordBuilder.strings("a")), "c00c 0010 0003 00000000 0002 01 61"
        ),
        (
            "OPT (RFC 6891 §6.1.2)", RecordBuilder.record(EDNS(udpPayloadSize: 1232)), "00 0029 04d0 00000000 0000"
        ),
        (
            "OPT with DO (RFC 3225 §3)", RecordBuilder.record(EDNS(udpPayloadSize: 1232, dnssecOK: true)),
            "00 0029 04d0 00008000 0000"
        ),
        (
            "nothing of what no record can hold",
            RecordBuilder.record(.txt, ttl: 0, [UInt8](repeating: 0, count: 65_536)),
            ""
        ),
    ]

    @Test("is a record", arguments: records)
    func record(what: String, octets: [UInt8], expected: String) {
        #expect(hex(octets) == hex(hex(expected)), "\(what)")
    }

    @Test("is a query, with EDNS and without")
    func query() throws {
        var flags = HeaderFlags()
        flags.rd = true
        let name = try Name("Web.x")
        let plain = QueryMessage(id: 0x1234, flags: flags, name, .aaaa, edns: nil)
        #expect(hex(plain.octets) == hex(hex("1234 0100 0001 0000 0000 0000 03576562 0178 00 001c 0001")))
        let modern = QueryMessage(id: 7, flags: flags, name, .a, edns: EDNS(udpPayloadSize: 1232, dnssecOK: true))
        #expect(
            hex(modern.octets)
                == hex(hex("0007 0100 0001 0000 0000 0001 03576562 0178 00 0001 0001 00 0029 04d0 00008000 0000")))
        #expect(plain.count == plain.octets.count && modern.count == modern.octets.count)
        var stream: [UInt8] = [0, 0]
        modern.write(to: &stream)
        #expect(stream == [0, 0] + modern.octets)
    }
}
