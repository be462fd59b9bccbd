// Addresses as text, as numbers and as names.

import Testing

@testable import DNSWire

struct AddressTests {
    @Test(
        "An IPv4 address is four decimal numbers",
        arguments: [
            ("0.0.0.0", 0), ("127.0.0.11", 0x7F00_000B), ("192.0.2.1", 0xC000_0201), ("255.255.255.255", 0xFFFF_FFFF),
        ] as [(String, UInt32)])
    func ipv4(text: String, bits: UInt32) {
        #expect(IPv4Address(text)?.bits == bits)
        #expect(IPv4Address(bits: bits).description == text)
    }

    @Test(
        "What is not quite an IPv4 address is refused",
        arguments: [
            "", ".", "1", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
            "1.2.3.04", "1.2.3.4 ", " 1.2.3.4", "0x7f.0.0.1", "1.2.3.-4", "1.2.3.+4", "1.2.3.１", "4294967296.0.0.1",
        ])
    func noIPv4(text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test(
        "An IPv6 address has one text (RFC 5952 §4, §5)",
        arguments: [
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0db8::0001", "2001:db8::1"),
            ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:DB8::AbCd", "2001:db8::abcd"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
            ("0:0:0:0:0:0:0:0", "::"),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::ffff:c000:201", "::ffff:192.0.2.1"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("fe80::1", "fe80::1"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:0:0:2:2:0:0:3", "1::2:2:0:0:3"), ("::13.1.68.3", "::d01:4403"),
        ])
    func ipv6(text: String, canonical: String) {
        #expect(IPv6Address(text)?.description == canonical)
        #expect(IPv6Address(canonical) == IPv6Address(text))
    }

    @Test(
        "What is not quite an IPv6 address is refused",
        arguments: [
            "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7:",
            ":1:2:3:4:5:6:7:8", ":1::", "1::2:", "::1 ", "fe80::1%eth0", "::1.2.3", "::1.2.3.4:5", "1.2.3.4::",
            "1:2:3:4:5:6:7:1.2.3.4", "::+1", "1:2:3:4::5:6:7:8", "[::1]", "::ffff:192.0.2.01",
        ])
    func noIPv6(text: String) {
        #expect(IPv6Address(text) == nil)
    }

    @Test("Addresses sort by number, IPv4 first")
    func order() {
        let sorted = ["0.0.0.1", "9.0.0.0", "10.0.0.0", "::1", "9::", "10::"].compactMap { IPAddress($0) }
        #expect(sorted.count == 6)
        #expect(sorted.shuffled().sorted() == sorted)
    }

    @Test(
        "An address and its reverse name are each other's (RFC 1035 §3.5, RFC 3596 §2.5)",
        arguments: [
            ("10.2.0.52", "52.0.2.10.in-addr.arpa"), ("0.0.0.0", "0.0.0.0.in-addr.arpa"),
            ("255.255.255.255", "255.255.255.255.in-addr.arpa"),
            (
                "4321:0:1:2:3:4:567:89ab",
                "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"
            ),
        ])
    func reverse(text: String, name: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.reverseName.description == name)
        #expect(Folded(address.reverseName).address == address)
        #expect(Folded(try Name(name.uppercased())).address == address)
    }

    @Test(
        "Other names under the reverse domains are no addresses",
        arguments: [
            ".", "arpa", "in-addr.arpa", "ip6.arpa", "2.0.192.in-addr.arpa", "1.2.3.4.5.in-addr.arpa",
            "01.2.0.192.in-addr.arpa", "256.2.0.192.in-addr.arpa", "x.2.0.192.in-addr.arpa", "1.2.0.192.in-addr.test",
            "0001.2.0.192.in-addr.arpa", "1.2.3.4.in-addr.arpb", "1.2.3.4.xin-addr.arpa", "1.2.0.192.in-addr.arpa.x",
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.ip6.arpa",
            "bb.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
            "g.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
        ])
    func noReverse(name: String) throws {
        #expect(Folded(try Name(name)).address == nil)
    }

    @Test(
        "A part of a reverse name is a block of addresses, whatever stands before it",
        arguments: [
            ("10.in-addr.arpa", "10.0.0.0", 8, 0), ("2.0.192.in-addr.arpa", "192.0.2.0", 24, 0),
            ("1.2.3.4.in-addr.arpa", "4.3.2.1", 32, 0), ("0.1.2.3.4.in-addr.arpa", "4.3.2.1", 32, 1),
            ("lb._dns-sd._udp.0.10.in-addr.arpa", "10.0.0.0", 16, 3), ("256.10.in-addr.arpa", "10.0.0.0", 8, 1),
            ("0/25.2.0.192.in-addr.arpa", "192.0.2.0", 24, 1), ("d.f.ip6.arpa", "fd00::", 8, 0),
            ("x.8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::", 32, 1), ("dd.f.ip6.arpa", "f000::", 4, 1),
        ])
    func reverseBlock(name: String, address: String, prefixLength: Int, labelsBefore: Int) throws {
        var folded = FoldedName()
        folded.set(try Name(name))
        let read = folded.reverseBlock
        let block = try #require(read)
        #expect(block.address.description == address)
        #expect(block.prefixLength == prefixLength && block.labelsBefore == labelsBefore)
    }

    @Test(
        "A server's address has port 53 unless it says otherwise",
        arguments: [
            ("10.0.0.1", "10.0.0.1:53"), ("10.0.0.1:5353", "10.0.0.1:5353"), ("fd00::1", "[fd00::1]:53"),
            ("[fd00::1]", "[fd00::1]:53"), ("[fd00::1]:5353", "[fd00::1]:5353"), ("fe80::1%eth0", "[fe80::1%eth0]:53"),
            ("[fe80::1%eth0]:54", "[fe80::1%eth0]:54"), ("::ffff:10.0.0.1", "[::ffff:10.0.0.1]:53"),
            ("fe80::1%2", "[fe80::1%2]:53"), ("fe80::1%]x", "[fe80::1%]x]:53"),
            ("[fe80::1%e]]:54", "[fe80::1%e]]:54"), ("fe80::1%\u{600}", "[fe80::1%\u{600}]:53"),
        ])
    func server(text: String, description: String) throws {
        let server = try ServerAddress(text)
        #expect(server.description == description)
        #expect(try ServerAddress(server.description) == server)
    }

    @Test(
        "What is no server's address says why",
        arguments: [
            ("", .notAnAddress("")), ("dns.example", .notAnAddress("dns.example")), ("10.0.0.1:", .badPort("")),
            ("10.0.0.1:0", .badPort("0")), ("10.0.0.1:65536", .badPort("65536")), ("10.0.0.1:+5", .badPort("+5")),
            ("[fd00::1", .missingBracket("[fd00::1")), ("[fd00::1]5", .notAnAddress("[fd00::1]5")),
            ("[10.0.0.1]:53", .notAnAddress("[10.0.0.1]:53")), ("fe80::1%", .badScope("fe80::1%")),
            ("10.0.0.1%eth0", .badScope("10.0.0.1%eth0")), ("fe80::1%a/b", .badScope("fe80::1%a/b")),
            ("fe80::1%a:b", .badScope("fe80::1%a:b")),
            ("10.0.0.1:53:53", .notAnAddress("10.0.0.1:53:53")),
        ] as [(String, AddressError)])
    func noServer(text: String, error: AddressError) {
        #expect(throws: error) { try ServerAddress(text) }
    }
}
