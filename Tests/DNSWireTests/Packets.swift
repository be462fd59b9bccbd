// Messages as they are on the wire, from real clients and servers and from the RFCs.

import Testing

@testable import DNSWire

/// Octets with a name for the test's report.
struct Packet: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]

    init(_ name: String, _ hex: String) {
        testDescription = name
        bytes = DNSWireTests.hex(hex)
    }
}

/// Octets of their hexadecimal digits; anything else between them is skipped.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

extension Packet {
    static let queries = [
        Packet(
            "dig Web.Frontend, with EDNS and a cookie",
            """
            3236 0120 0001 0000 0000 0001 03576562 0846726f6e74656e64 00 0001 0001
            00 0029 04d0 00000000 000c 000a 0008 a674d9c0d15428c4
            """),
        Packet("dig +noedns web", "1210 0120 0001 0000 0000 0000 03776562 00 0001 0001"),
        Packet("nslookup web", "e81a 0100 0001 0000 0000 0000 03776562 00 0001 0001"),
        Packet(
            "dig +dnssec +subnet=192.0.2.0/24 -x 192.0.2.53",
            """
            2066 0120 0001 0000 0000 0001 023533 0130 0132 03313932 07696e2d61646472 0461727061 00 000c 0001
            00 0029 04d0 00008000 0017 0008 0007 00011800c00002 000a 0008 9a2b50a695935a2e
            """),
        Packet(
            "dig +nsid SRV _http._tcp.web",
            """
            95b3 0120 0001 0000 0000 0001 055f68747470 045f746370 03776562 00 0021 0001
            00 0029 04d0 00000000 0010 000a 0008 9d54b7f9e14c5e8d 0003 0000
            """),
        Packet(
            "dig CH TXT version.bind",
            """
            03ff 0120 0001 0000 0000 0001 0776657273696f6e 0462696e64 00 0010 0003
            00 0029 04d0 00000000 000c 000a 0008 b7de66c9b6ded658
            """),
        Packet(
            "IXFR with the client's SOA in the authority section (RFC 1995 §3)",
            """
            0007 0000 0001 0000 0001 0000 04 7a6f6e65 00 00fb 0001
            c00c 0006 0001 00000000 0018 c00c c00c 00000001 00000000 00000000 00000000 00000000
            """),
    ]

    static let replies = [
        Packet(
            "CNAME",
            """
            4321 8580 0001 0001 0000 0001 03777777 076578616d706c65 0474657374 00 0001 0001
            c00c 0005 0001 0000012c 0006 03776562 c010
            00 0029 04d0 00000000 0000
            """),
        Packet(
            "two addresses",
            """
            4321 8580 0001 0002 0000 0000 03776562 076578616d706c65 0474657374 00 0001 0001
            c00c 0001 0001 0000012c 0004 c000020b
            c00c 0001 0001 0000012c 0004 c000020a
            """),
        Packet(
            "NS",
            """
            4321 8580 0001 0002 0000 0001 076578616d706c65 0474657374 00 0002 0001
            c00c 0002 0001 00000e10 0006 036e7332 c00c
            c00c 0002 0001 00000e10 0006 036e7331 c00c
            00 0029 04d0 00000000 0000
            """),
        Packet(
            "MX",
            """
            4321 8580 0001 0002 0000 0001 076578616d706c65 0474657374 00 000f 0001
            c00c 000f 0001 00000e10 000a 0014 056d61696c32 c00c
            c00c 000f 0001 00000e10 0009 000a 046d61696c c00c
            00 0029 04d0 00000000 0000
            """),
        Packet(
            "TXT",
            """
            4321 8580 0001 0001 0000 0001 076578616d706c65 0474657374 00 0010 0001
            c00c 0010 0001 00000e10 001d 0b763d73706631202d616c6c 107365636f6e643b202271756f74656422
            00 0029 04d0 00000000 0000
            """),
        Packet(
            "NXDOMAIN with SOA",
            """
            4321 8583 0001 0000 0001 0001 076e6f7468696e67 076578616d706c65 0474657374 00 001c 0001
            c014 0006 0001 0000012c 0027 036e7331 c014 0a686f73746d6173746572 c014
            78c275f5 00001c20 00000384 00127500 0000012c
            00 0029 04d0 00000000 0000
            """),
        Packet(
            "SRV",
            """
            4321 8580 0001 0001 0000 0001 055f68747470 045f746370 076578616d706c65 0474657374 00 0021 0001
            c00c 0021 0001 0000003c 0018 0000 0005 1f90 03776562 076578616d706c65 0474657374 00
            00 0029 04d0 00000000 0000
            """),
        Packet(
            "HTTPS",
            """
            4321 8580 0001 0001 0000 0001 076578616d706c65 0474657374 00 0041 0001
            c00c 0041 0001 0000003c 0012 0001 00 0001 0003 026832 0004 0004 c000020a
            00 0029 04d0 00000000 0000
            """),
        Packet(
            "PTR",
            """
            4321 8580 0001 0001 0000 0000 023130 0132 0130 03313932 07696e2d61646472 0461727061 00 000c 0001
            c00c 000c 0001 00000e10 0012 03776562 076578616d706c65 0474657374 00
            """),
        Packet(
            "AAAA",
            """
            4321 8580 0001 0001 0000 0000 036e7331 076578616d706c65 0474657374 00 001c 0001
            c00c 001c 0001 00000e10 0010 20010db8000000000000000000000001
            """),
        Packet(
            "CHAOS version.bind",
            """
            9999 8180 0001 0001 0000 0000 0776657273696f6e 0462696e64 00 0010 0003
            c00c 0010 0003 00000000 000f 0e756e626f756e6420312e31372e31
            """),
        Packet(
            "SERVFAIL with an Extended DNS Error (RFC 8914 §2)",
            """
            4321 8182 0001 0000 0000 0001 03777777 0474657374 00 0001 0001
            00 0029 04d0 00008000 0017 000f 0013 0016 6e6f20757073747265616d2073706f6b65
            """),
        Packet(
            "BADVERS (RFC 6891 §6.1.3)",
            "4321 8180 0001 0000 0000 0001 0474657374 00 0001 0001 00 0029 04d0 01000000 0000"),
        Packet(
            "minimal ANY (RFC 8482 §4.2)",
            """
            4321 8580 0001 0001 0000 0000 03776562 00 00ff 0001
            c00c 000d 0001 00000005 0009 07524643383438 3200
            """),
        Packet(
            "OPT before another additional record (RFC 6891 §6.1.1 lets it be anywhere there)",
            """
            4321 8180 0001 0000 0000 0002 0474657374 00 0001 0001
            00 0029 04d0 00000000 0000
            c00c ffff 0001 00000001 0003 abcdef
            """),
    ]

    static let all = queries + replies
}
