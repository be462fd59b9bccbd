// Data of records as people write them, on the wire and back; dnspython reads each.

import Testing

@testable import DNSWire

@Suite("Data of a record, as text")
struct RecordTextTests {
    /// A type, the data as they are written, RDATA, and the data as they are shown.
    static let cases: [(type: String, texts: [String], hex: String, shown: String)] = [
        ("A", ["10.1.0.9"], "0a010009", "10.1.0.9"),
        ("AAAA", ["fd00::9"], "fd000000000000000000000000000009", "fd00::9"),
        ("PTR", ["Web.test."], "03576562047465737400", "Web.test."),
        ("MX", ["10 mail.test"], "000a046d61696c047465737400", "10 mail.test."),
        ("MX", ["10", "."], "000a00", "10 ."),
        ("SRV", ["0", "5", "8080", "web.test"], "000000051f90037765620474657374" + "00", "0 5 8080 web.test."),
        ("TXT", ["two words"], "0974776f20776f726473", "\"two words\""),
        ("TXT", ["one", ""], "036f6e6500", "\"one\" \"\""),
        (
            "TXT", ["\"one\" two \"a \\\"b\\\" \\059\""], "036f6e650374776f076120226222203b",
            "\"one\" \"two\" \"a \\\"b\\\" ;\""
        ),
        ("TXT", ["v=spf1; \\\\"], "0976" + "3d737066313b205c", "\"v=spf1; \\\\\""),
        (
            "CAA", ["0 issue \"ca.example; x=1\""], "000569737375656361" + "2e6578616d706c653b20783d31",
            "0 issue \"ca.example; x=1\""
        ),
        ("HTTPS", ["0 svc.test"], "00000373766304746573" + "7400", "0 svc.test."),
        (
            "HTTPS", ["1 . port=8443 alpn=\"h2,h3\""], "0001000001000602683202683300030002" + "20fb",
            "1 . alpn=\"h2,h3\" port=8443"
        ),
        (
            "SVCB",
            ["2", "a.test", "ipv4hint=10.0.0.1,10.0.0.2", "ipv6hint=fd00::1", "mandatory=ipv4hint", "key667=\"x y\""],
            "0002016104746573740000000002000400040008" + "0a0000010a000002" + "00060010"
                + "fd000000000000000000000000000001"
                + "029b0003" + "782079",
            "2 a.test. mandatory=ipv4hint ipv4hint=10.0.0.1,10.0.0.2 ipv6hint=fd00::1 key667=\"x y\""
        ),
        (
            "SVCB", ["1 . alpn=h2 no-default-alpn ech=AAT+DQAA"],
            "000100" + "0001000302" + "6832" + "00020000" + "00050006" + "0004fe0d0000",
            "1 . alpn=\"h2\" no-default-alpn ech=AAT+DQAA"
        ),
        ("TYPE65280", ["\\# 3 0a0b0c"], "0a0b0c", "\\# 3 0a0b0c"),
        ("TYPE65280", ["\\#", "4", "0a0b", "0c0d"], "0a0b0c0d", "\\# 4 0a0b0c0d"),
        ("TYPE65280", ["\\# 0"], "", "\\# 0"),
        ("A", ["\\# 4 0A000001"], "0a000001", "10.0.0.1"),
        ("TLSA", ["\\# 3 030100"], "030100", "\\# 3 030100"),
    ]

    @Test("is read, and shown as it reads back", arguments: cases.indices)
    func reading(index: Int) throws {
        let (typeText, texts, hex, shown) = Self.cases[index]
        let type = try #require(RecordType(text: typeText))
        let data = try RecordText.data(of: type, texts)
        #expect(data.map { Self.hex($0) }.joined() == hex)
        #expect(RecordText.text(of: data, type) == shown)
        #expect(try RecordText.data(of: type, [shown]) == data, "it reads back")
    }

    @Test("means to dnspython what it means here")
    func dnspython() throws {
        let lines = try Self.cases.map { "\(try #require(RecordType(text: $0.type)).rawValue) x\($0.hex) \($0.shown)" }
        let answers = try DNSPythonTests.python(
            [
                "-c",
                #"""
                import sys, dns.rdata, dns.name
                for line in sys.stdin:
                    number, octets, shown = line.rstrip("\n").split(" ", 2)
                    octets = bytes.fromhex(octets[1:])
                    read = dns.rdata.from_wire(1, int(number), octets, 0, len(octets))
                    text = dns.rdata.from_text(1, int(number), shown, relativize=False)
                    print("alike" if read.to_wire() == text.to_wire() else "%s is not %s" % (read, text))
                """#,
            ], lines)
        #expect(answers == Array(repeating: "alike", count: lines.count))
    }

    @Test(
        "that a type cannot have is refused, with the reason",
        arguments: [
            ("A", "10.1.0", "expected an IPv4 address"), ("A", "fd00::1", "expected an IPv4 address"),
            ("A", "10.1.0.9 10.1.0.8", "more than a record"), ("A", "", "expected an IPv4 address"),
            ("AAAA", "10.1.0.9", "expected an IPv6 address"), ("MX", "mail.test", "a preference of 0 to 65535"),
            ("MX", "70000 mail.test", "a preference"), ("MX", "10", "expected a name"),
            ("MX", "10 a..b", "empty label"),
            ("PTR", String(repeating: "a", count: 64), "longer than 63"),
            ("SRV", "0 0 web.test", "a port"), ("TXT", "\"open", "not closed"), ("TXT", "\\999", "bad escape"),
            ("CAA", "0 is-sue x", "a tag of letters"), ("CAA", "256 issue x", "flags of 0 to 255"),
            ("HTTPS", "1 . port=http", "no value of parameter port"), ("HTTPS", "1 . alpn=h2 alpn=h3", "there twice"),
            ("HTTPS", "1 . colour=red", "'colour' is no parameter"), ("SVCB", "1 . mandatory=port", "not there"),
            ("SVCB", "1 . no-default-alpn", "needs alpn"), ("SVCB", "1 . ech=*", "no value of parameter ech"),
            ("TYPE65280", "0a0b", "\\# LENGTH HEX"), ("TYPE65280", "\\# 3 0a0b", "it says 3 octets"),
            ("TYPE65280", "\\# 1 0x", "hexadecimal"), ("A", "\\# 3 0a0b0c", "not those of a record of this type"),
            // A pointer in a name would lead anywhere.
            ("PTR", "\\# 2 c00c", "not those of a record of this type"), ("MX", "\\# 4 000ac00c", "not those"),
            ("SVCB", "\\# 4 0001c00c", "not those"), ("TXT", "\\# 2 0561", "not those"),
            ("CAA", "\\# 2 0005", "not those"),
            ("SOA", ". . 1 1 1 1 1", "belongs to a zone"), ("NS", "a.test", "belongs to a zone"),
            ("ANY", "x", "only questions"), ("OPT", "\\# 0", "about a message"), ("TYPE0", "\\# 0", "only questions"),
            ("DNAME", "a.test", "wildcard"),
        ])
    func refusals(type: String, text: String, reason: String) throws {
        let type = try #require(RecordType(text: type))
        let error = #expect(throws: RecordTextError.self) { try RecordText.data(of: type, [text]) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test("is cut into strings of 255 octets where one text of TXT is longer")
    func longText() throws {
        let data = try RecordText.data(of: .txt, [String(repeating: "x", count: 300)])
        #expect(data.count == 302 && data[0] == 255 && data[256] == 45)
        let error = #expect(throws: RecordTextError.self) {
            try RecordText.data(of: .txt, [String(repeating: "x", count: 70_000)])
        }
        #expect(error?.description.contains("more than 65535") == true)
    }

    @Test(
        "that is damaged is shown by its octets", arguments: ["0001", "000101", "0001c0ff", "000100000100", "00010001"])
    func damaged(hex: String) {
        let digits = Array(hex)
        let data = stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
        #expect(RecordText.text(of: data, .https) == "\\# \(data.count) \(hex)")
        #expect(RecordText.text(of: [0, 0], .caa) == "\\# 2 0000")
    }

    private static func hex(_ octet: UInt8) -> String {
        let text = String(octet, radix: 16)
        return text.count == 1 ? "0" + text : text
    }
}
