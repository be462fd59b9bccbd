// Reading whole messages.

import Testing

@testable import DNSWire

struct ReaderTests {
    @Test("A query with EDNS is read in one go")
    func digQuery() throws {
        let bytes = Packet.queries[0].bytes
        var name = FoldedName()
        let query = try Query(bytes.span, name: &name)
        #expect(query.header.id == 0x3236 && query.header.flags.rd && query.header.flags.ad)
        #expect(query.header.flags.opcode == .query && !query.header.flags.isResponse)
        #expect(query.question == Question(nameOffset: 12, endOffset: 30, type: .a, recordClass: .in))
        #expect(Folded(name).wire == (try Name("web.frontend").wire))
        let edns = try #require(query.edns)
        #expect(edns.udpPayloadSize == 1232 && edns.version == 0 && !edns.dnssecOK)
        #expect(edns.recordOffset == 30 && edns.optionsOffset == 41 && edns.optionsLength == 12 && edns.recordEnd == 53)
        #expect(try options(edns, in: bytes) == [EDNS.Option(code: .cookie, offset: 45, length: 8)])
    }

    @Test("A query without EDNS has none")
    func plainQuery() throws {
        #expect(try query(Packet.queries[1].bytes).edns == nil)
    }

    @Test("All test queries and replies are read", arguments: Packet.all)
    func all(packet: Packet) throws {
        _ = try query(packet.bytes)
        #expect(try reply(packet.bytes).end == packet.bytes.count)
        #expect(!describe(packet.bytes).contains("malformed"))
    }

    @Test(
        "A message that is no query says what is wrong",
        arguments: [
            ("nothing", "", .truncated(offset: 0)),
            ("11 octets", "0000 0000 0001 0000 0000 00", .truncated(offset: 0)),
            ("no question", "0000 0000 0000 0000 0000 0000", .questionCount(0)),
            ("two questions", "0000 0000 0002 0000 0000 0000 00 0001 0001 00 0001 0001", .questionCount(2)),
            ("no QCLASS", "0000 0000 0001 0000 0000 0000 00 0001", .truncated(offset: 13)),
            (
                "two OPT records",
                "0000 0000 0001 0000 0000 0002 00 0001 0001 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000",
                .secondOptionRecord(offset: 28)
            ),
            (
                "OPT not at the root",
                "0000 0000 0001 0000 0000 0001 0161 00 0001 0001 c00c 0029 04d0 00000000 0000",
                .optionRecordNotAtRoot(offset: 19)
            ),
            (
                "OPT among the answers", "0000 0000 0001 0001 0000 0000 00 0001 0001 00 0029 04d0 00000000 0000",
                .misplacedOptionRecord(offset: 17)
            ),
            (
                "an option longer than its record",
                "0000 0000 0001 0000 0000 0001 00 0001 0001 00 0029 04d0 00000000 0005 000a 0002 00",
                .badOption(offset: 28)
            ),
            (
                "half an option's header",
                "0000 0000 0001 0000 0000 0001 00 0001 0001 00 0029 04d0 00000000 0003 000a 00",
                .badOption(offset: 28)
            ),
            ("a record that is not there", "0000 0000 0001 0000 0000 0001 00 0001 0001", .truncated(offset: 17)),
            (
                "RDLENGTH past the end", "0000 0000 0001 0000 0000 0001 00 0001 0001 00 0029 04d0 00000000 0001",
                .truncated(offset: 17)
            ),
        ] as [(String, String, WireError)])
    func bad(what: String, bytes: String, error: WireError) {
        #expect(throws: error) { try query(hex(bytes)) }
    }

    @Test("What stands behind the last record is not looked at")
    func trailing() throws {
        #expect(try query(Packet.queries[0].bytes + [1, 2, 3]) == query(Packet.queries[0].bytes))
    }

    @Test("65,535 records that are not there cost no more than the message")
    func countsLie() {
        let bytes = hex("0000 0000 0001 ffff ffff ffff 00 0001 0001")
        #expect(throws: WireError.truncated(offset: 17)) { try query(bytes) }
    }

    @Test("A reply knows where its body ends and OPT begins")
    func replyIsTakenApart() throws {
        let cname = try reply(Packet.replies[0].bytes)
        #expect(cname.optIsLast && cname.bodyEnd == Packet.replies[0].bytes.count - 11)
        #expect(cname.header.flags.aa && cname.responseCode == .noError)
        let addresses = try reply(Packet.replies[1].bytes)
        #expect(!addresses.optIsLast && addresses.bodyEnd == addresses.end && addresses.edns == nil)
        let early = try reply(Packet.replies[14].bytes)
        #expect(!early.optIsLast && early.edns != nil && early.bodyEnd == early.end)
    }

    @Test("The response code has twelve bits with EDNS, and its Extended DNS Error is found")
    func extended() throws {
        #expect(try reply(Packet.replies[12].bytes).responseCode == .badVersion)
        let failed = try reply(Packet.replies[11].bytes)
        #expect(failed.responseCode == .serverFailure)
        #expect(try extendedError(Packet.replies[11].bytes) == .noReachableAuthority)
        #expect(failed.edns?.dnssecOK == true)
    }

    @Test(
        "A reply whose data do not have their type's form is refused",
        arguments: [
            ("A of 3 octets", 1, "0a0000"), ("A of 5 octets", 1, "0a00000001"), ("AAAA of 4 octets", 28, "0a000001"),
            ("CNAME of nothing", 5, ""), ("CNAME with octets behind it", 5, "0161 00 00"), ("CNAME cut off", 5, "0361"),
            ("PTR with a pointer forward", 12, "c030"), ("MX without a name", 15, "000a"),
            ("SOA without numbers", 6, "00 00"),
            ("SRV without a name", 33, "0000 0000 0035"),
            ("TXT longer than it is", 16, "0561"), ("HINFO of one string", 13, "036f6e65"),
            ("HINFO of three strings", 13, "0161 0162 0163"),
        ] as [(String, UInt16, String)])
    func badData(what: String, type: UInt16, data: String) {
        let rdata = hex(data)
        let bytes =
            hex("0000 8180 0001 0001 0000 0000 0161 00 0001 0001 c00c")
            + [UInt8(type >> 8), UInt8(type & 0xFF)] + hex("0001 00000005") + [0, UInt8(rdata.count)] + rdata
        #expect(throws: WireError.self) { try reply(bytes) }
        // As text it is shown all the same, if it has a record's form.
        #expect(describe(bytes).contains(rdata.isEmpty ? "\\# 0" : "\\# \(rdata.count) "))
    }

    @Test("Records are read section by section, with their places")
    func recordsAreViews() throws {
        let bytes = Packet.replies[5].bytes
        let read = try records(bytes)
        #expect(read.map(\.section) == [.authority, .additional])
        #expect(read.map(\.type) == [.soa, .opt])
        #expect(read[0].ttl == 300 && read[0].rdataLength == 39)
        #expect(Array(bytes[read[0].ttlOffset..<read[0].ttlOffset + 4]) == [0, 0, 1, 0x2C])
        #expect(read[1].nameOffset == read[0].endOffset && read[1].endOffset == bytes.count)
    }

    @Test("A message is described as dig does")
    func text() {
        #expect(
            describe(Packet.replies[5].bytes) == """
                ;; opcode: QUERY, status: NXDOMAIN, id: 17185
                ;; flags: qr aa rd ra; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 1
                ;; QUESTION SECTION:
                ;nothing.example.test. IN AAAA
                ;; AUTHORITY SECTION:
                example.test. 300 IN SOA ns1.example.test. hostmaster.example.test. 2026010101 7200 900 1209600 300
                ;; ADDITIONAL SECTION:
                ; EDNS: version 0, udp 1232

                """)
    }

    @Test(
        "Record data are described as in a zone file",
        arguments: [
            (0, "www.example.test. 300 IN CNAME web.example.test."),
            (1, "web.example.test. 300 IN A 192.0.2.11"),
            (2, "example.test. 3600 IN NS ns2.example.test."),
            (3, "example.test. 3600 IN MX 20 mail2.example.test."),
            (4, "example.test. 3600 IN TXT \"v=spf1 -all\" \"second; \\\"quoted\\\"\""),
            (6, "_http._tcp.example.test. 60 IN SRV 0 5 8080 web.example.test."),
            (7, "example.test. 60 IN HTTPS 1 . alpn=\"h2\" ipv4hint=192.0.2.10"),
            (8, "10.2.0.192.in-addr.arpa. 3600 IN PTR web.example.test."),
            (9, "ns1.example.test. 3600 IN AAAA 2001:db8::1"),
            (10, "version.bind. 0 CH TXT \"unbound 1.17.1\""),
            (11, "; EDNS: version 0, udp 1232, flags do, EDE 22 (No Reachable Authority): \"no upstream spoke\""),
            (12, "; EDNS: version 0, udp 1232, extended rcode 1"),
            (13, "web. 5 IN HINFO \"RFC8482\" \"\""),
            (14, "test. 1 IN TYPE65535 \\# 3 abcdef"),
        ])
    func recordText(index: Int, line: String) {
        let lines = describe(Packet.replies[index].bytes).split(separator: "\n").map(String.init)
        #expect(lines.contains(line), "\(lines)")
    }
}
