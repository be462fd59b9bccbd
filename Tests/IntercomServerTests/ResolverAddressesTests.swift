// Servers of a container's resolv.conf, and the questions that follow for the proof that its listener is heard.

import Attachment
import DNSWire
import Testing

@testable import IntercomServer

@Suite("The servers that a container's resolv.conf names")
struct ResolverAddressesTests {
    private struct Row: CustomTestStringConvertible, Sendable {
        /// `nameserver` lines.
        var names: String
        /// Addresses that rules lead here; empty: there are no rules.
        var led = ""
        /// Servers that are asked, `!` before one that is not led but may be, `~` before one of the container's own; or `not:` and
        /// those that its programs ask instead, `~` before them where interception would not help.
        var proof: String
        var testDescription: String { "\(names) [\(led)]" }
    }

    private static let rows = [
        Row(names: "", proof: "127.0.0.11"),
        Row(names: "127.0.0.11", proof: "127.0.0.11"),
        Row(names: "192.0.2.1", proof: "not:192.0.2.1"),
        Row(names: "192.0.2.1 fe80::1%eth0", proof: "not:192.0.2.1, fe80::1%eth0"),
        Row(names: "127.0.0.53", proof: "not:~127.0.0.53"),
        Row(names: "127.0.0.1 192.0.2.1", proof: "not:127.0.0.1, 192.0.2.1"),
        Row(names: "127.0.0.11 192.0.2.1", proof: "127.0.0.11 !192.0.2.1"),
        Row(names: "192.0.2.1 127.0.0.11", proof: "!192.0.2.1 127.0.0.11"),
        Row(names: "127.0.0.11 127.0.0.1", proof: "127.0.0.11 ~127.0.0.1"),
        // A libc asks three.
        Row(names: "192.0.2.1 192.0.2.2 192.0.2.3 127.0.0.11", proof: "not:192.0.2.1, 192.0.2.2, 192.0.2.3"),
        Row(names: "127.0.0.11 127.0.0.11 192.0.2.1", proof: "127.0.0.11 !192.0.2.1"),
        Row(names: "", led: "127.0.0.11", proof: "127.0.0.11"),
        Row(names: "192.0.2.1", led: "127.0.0.11 192.0.2.1", proof: "192.0.2.1 127.0.0.11"),
        Row(names: "fe80::1%eth0", led: "127.0.0.11 fe80::1", proof: "fe80::1%eth0 127.0.0.11"),
        Row(names: "10.1.0.2 192.0.2.1", led: "127.0.0.11 192.0.2.1", proof: "~10.1.0.2 192.0.2.1 127.0.0.11"),
        Row(names: "10.1.0.2", led: "127.0.0.11", proof: "not:~10.1.0.2"),
    ]

    @Test("are asked each; where none of their questions comes here, nobody needs to ask", arguments: rows)
    private func proof(_ row: Row) throws {
        var addresses = ResolverAddresses()
        let lines = row.names.split(separator: " ").map { "nameserver \($0)\n" }
        addresses.take(ResolverConfiguration(lines.joined()))
        addresses.intercepted = try row.led.split(separator: " ").map { try #require(IPAddress(String($0))) }
        switch addresses.proof {
        case .ask(let servers):
            let marks: [String] = servers.map { server, path in
                switch path {
                case .led: server.host
                case .mayBeLed: "!\(server.host)"
                case .own: "~\(server.host)"
                }
            }
            #expect(marks.joined(separator: " ") == row.proof)
        case .notAsked(let others):
            #expect("not:\(others.mayBeLed ? "" : "~")\(others.addresses)" == row.proof)
        }
    }

    @Test("are the last ones known while the file cannot be read; those that were declared take their place")
    func taken() {
        var addresses = ResolverAddresses()
        addresses.take(ResolverConfiguration("nameserver 192.0.2.1\n"), isHosts: true)
        #expect(addresses.areHosts)
        addresses.take([.v4(.intercom)])
        #expect(addresses.servers.map(\.host) == ["127.0.0.11"] && !addresses.areHosts)
        addresses.take(ResolverConfiguration((1...300).map { "nameserver 10.2.\($0 / 250).\($0 % 250)\n" }.joined()))
        #expect(addresses.servers.count == 8 && addresses.leftOut == 292)
    }
}
