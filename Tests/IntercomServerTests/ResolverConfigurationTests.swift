// resolv.conf: what the host's means to us, and what a container's says.

import DNSWire
import Testing

@testable import IntercomServer

@Suite("A resolv.conf")
struct ResolverConfigurationTests {
    @Test(
        "is read as libc does",
        arguments: [
            ("", "", "", ""),
            ("nameserver 192.0.2.1\nnameserver 2001:db8::1\n", "192.0.2.1:53 [2001:db8::1]:53", "", ""),
            ("nameserver\tfe80::1%eth0", "[fe80::1%eth0]:53", "", ""),
            (
                "nameserver   192.0.2.1   # router\r\nsearch a.example\t b.example\r\n", "192.0.2.1:53",
                "a.example b.example", ""
            ),
            ("; comment\n#nameserver 192.0.2.1\n nameserver 192.0.2.2\nnameserver 192.0.2.3", "192.0.2.3:53", "", ""),
            ("nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch .", "127.0.0.53:53", ".", "edns0 trust-ad"),
            ("nameserver 127.0.0.11\nnameserver 192.0.2.1", "127.0.0.11:53 192.0.2.1:53", "", ""),
            (
                "nameserver 127.1\nnameserver 010.001.0.053\nnameserver 0x7f.1",
                "127.0.0.1:53 8.1.0.43:53 127.0.0.1:53", "", ""
            ),
            ("nameserver 192.0.2\nnameserver 2130706433", "192.0.0.2:53 127.0.0.1:53", "", ""),
            (
                "nameserver\nnameserver dns.example\nnameserver 08.8.8.8\nnameserver 192.0.2.1:5353\nnameserver [::1]:53",
                "", "", ""
            ),
            (
                "nameserver 1.2.3.256\nnameserver 1.2.65536\nnameserver 4294967296\nnameserver 1..2\nnameserver 0x", "",
                "", ""
            ),
            (
                "nameservers 192.0.2.1\nNAMESERVER 192.0.2.1\nnameserver=192.0.2.1\nsortlist 192.0.2.0\nlookup file",
                "", "", ""
            ),
            ("domain a.example b.example", "", "a.example", ""),
            ("domain a.example\nsearch b.example c.example", "", "b.example c.example", ""),
            ("search b.example\ndomain a.example\nsearch", "", "a.example", ""),
            ("options rotate\noptions ndots:2 timeout:1", "", "", "rotate ndots:2 timeout:1"),
            (
                "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4",
                "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53 192.0.2.4:53", "", ""
            ),
            ("\u{0}\u{FFFD}\n\n\nnameserver 192.0.2.1\u{0}\noptions # none", "", "", ""),
        ])
    func reading(_ text: String, _ nameservers: String, _ search: String, _ options: String) {
        let configuration = ResolverConfiguration(text)
        #expect(configuration.nameservers.map(\.description).joined(separator: " ") == nameservers)
        #expect(configuration.search.joined(separator: " ") == search)
        #expect(configuration.options.joined(separator: " ") == options)
    }

    @Test(
        "says how long its libc waits for a server",
        arguments: [
            ("", nil), ("options rotate timeout:7 attempts:3", 7), ("options timeout:1\noptions timeout:9", 9),
            ("options timeout:600", 30), ("options timeout:0", nil), ("options timeout:", nil),
            ("options timeout:-1", nil), ("options timeout", nil), ("options timeout:soon", nil),
        ] as [(String, Int?)])
    func timeout(_ text: String, _ seconds: Int?) {
        #expect(ResolverConfiguration(text).timeout == seconds)
    }

    private static let firstLine = "# Written by intercom: 127.0.0.11 answers container names and forwards the rest."

    @Test(
        "of a container asks us, and has the host's search list and options",
        arguments: [
            ("", true, ["options ndots:0"]),
            ("nameserver 192.0.2.1", true, ["options ndots:0"]),
            (
                "search a.example b.example\noptions edns0 trust-ad", true,
                ["search a.example b.example", "options ndots:0 edns0 trust-ad"]
            ),
            ("search a.example", false, ["options ndots:0"]),
            (
                "domain a.example\noptions ndots:5 rotate ndots:1 ndots", true,
                ["search a.example", "options ndots:0 rotate"]
            ),
        ])
    func rendering(_ host: String, _ carriesSearch: Bool, _ lines: [String]) {
        let text = ResolverConfiguration(host).render(carryingSearch: carriesSearch)
        #expect(text == ([Self.firstLine, "nameserver 127.0.0.11"] + lines).joined(separator: "\n") + "\n")
        #expect(ResolverConfiguration.isOurs(text))
        // In such a container the outer daemon is the upstream, as Docker's server would be.
        #expect(ResolverConfiguration(text).nameservers == [ServerAddress(address: .v4(.intercom))])
    }

    @Test(
        "is ours by its first line alone",
        arguments: [
            ("# Written by intercom\n", true), ("# Written by intercom", true),
            ("# Written by intercom 1.0 for web\n", true),
            ("", false), ("nameserver 127.0.0.11\n", false), ("# Written by intercoms\n", false),
            ("# written by intercom\n", false),
            ("\n# Written by intercom\n", false), (" # Written by intercom\n", false),
            ("nameserver ::1\n# Written by intercom\n", false),
        ])
    func ours(_ text: String, _ isOurs: Bool) {
        #expect(ResolverConfiguration.isOurs(text) == isOurs)
    }
}
