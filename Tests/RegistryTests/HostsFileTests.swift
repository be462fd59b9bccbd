// Files in the form of hosts(5): which lines become records, and which are left out.

import DNSWire
import Registry
import Testing

@Suite("A hosts file")
struct HostsFileTests {
    private func records(_ text: String) -> [String] {
        HostsFile(text, path: "/etc/hosts.d/dev", network: nil).records.map { "\($0.name) \($0.type) \($0.text)" }
    }

    @Test(
        "gives each name its address, and the address the first name of its line",
        arguments: [
            (
                "10.1.0.9 api.test api",
                [
                    "9.0.1.10.in-addr.arpa PTR api.test.", "api.test A 10.1.0.9", "api A 10.1.0.9",
                ]
            ),
            ("10.1.0.9\tApi.test # of the team\r\n", ["9.0.1.10.in-addr.arpa PTR Api.test.", "Api.test A 10.1.0.9"]),
            (
                "fd00::9 six.test",
                [
                    "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR six.test.",
                    "six.test AAAA fd00::9",
                ]
            ),
            ("  10.1.0.9 a.test\n10.1.0.9 a.test", ["9.0.1.10.in-addr.arpa PTR a.test.", "a.test A 10.1.0.9"]),
            // The first line of an address names it.
            (
                "10.1.0.9 a.test\n10.1.0.9 b.test c.test",
                ["9.0.1.10.in-addr.arpa PTR a.test.", "a.test A 10.1.0.9", "b.test A 10.1.0.9", "c.test A 10.1.0.9"]
            ),
            // Nothing is at 0.0.0.0: it has no name.
            ("0.0.0.0 ads.test", ["ads.test A 0.0.0.0"]),
            ("# nothing\n\n10.1.0.9", []),
        ])
    func lines(_ text: String, _ expected: [String]) {
        #expect(records(text) == expected)
    }

    @Test(
        "leaves out what every host has for itself: loopback, multicast and link-local addresses",
        arguments: [
            "127.0.0.1 localhost web.test", "127.0.1.1 box", "::1 ip6-localhost", "ff02::1 ip6-allnodes",
            "fe80::1%eth0 near.test", "fe80::1 near.test", "169.254.1.1 near.test", "224.0.0.1 all.test",
        ])
    func ownAddresses(_ line: String) {
        let file = HostsFile(line, path: "/etc/hosts", network: nil)
        #expect(file.records.isEmpty && file.faults.isEmpty)
    }

    @Test("names the line of what cannot be in force, and takes the others")
    func faults() {
        let file = HostsFile(
            "10.1.0 a.test\n10.1.0.1 b.test\n10.1.0.2 bad..name\n" + String(repeating: "x\n", count: 10),
            path: "/etc/hosts", network: nil)
        #expect(file.records.map(\.name.description).contains("b.test"))
        #expect(file.faults.count == HostsFile.reportedFaults)
        #expect(file.faults.first?.hasPrefix("line 1: bad address '10.1.0'") == true, "\(file.faults)")
        #expect(file.faults.dropFirst().first?.hasPrefix("line 3: bad name 'bad..name'") == true, "\(file.faults)")
    }
}
