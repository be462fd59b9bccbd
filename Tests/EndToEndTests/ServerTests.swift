// Servers that the world runs, as upstreams: nsd with answers that do not fit a datagram, dnsmasq.

import Foundation
import Testing

@Suite("A real server as upstream", .needsRoot)
struct ServerTests {
    @Test("nsd: answers that do not fit come whole over TCP, to us and to the client")
    func nsd() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            let zone =
                "@ 300 IN SOA ns host 1 3600 600 86400 60\n@ 300 IN NS ns\nns 300 IN A 192.0.2.53\n"
                + (1...200).map { "many 300 IN A 198.51.100.\($0)\n" }.joined()
                + (1...60).map { "texts 300 IN TXT \"\($0) \(String(repeating: "x", count: 240))\"\n" }.joined()
                + "alias 300 IN CNAME many\n*.wild 300 IN A 192.0.2.7\n"
            try house.startNSD(in: "house", at: "127.0.0.5", zone: "big.test", zone)
            try house.container("app", "--network", "n")
            for name in ["many.big.test", "alias.big.test"] {
                let cut = try house.dig("app", "+ignore", name)
                #expect(cut.flags.contains("tc") && cut.answer.count < 200, "\(cut)")
                for option in ["+notcp", "+tcp", "+bufsize=512", "+noedns"] {
                    let whole = try house.dig("app", option, name)
                    #expect(!whole.flags.contains("tc") && whole.data.count { $0.hasPrefix("198.51.100.") } == 200)
                }
            }
            #expect(try house.dig("app", "texts.big.test", "TXT").answer.count == 60)
            #expect(try house.dig("app", "x.wild.big.test").data == ["192.0.2.7"])
            let nothing = try house.dig("app", "nothing.big.test")
            #expect(nothing.status == "NXDOMAIN" && nothing.authority.first?.hasPrefix("big.test. 60 IN SOA") == true)
            #expect(try house.dig("app", "www.elsewhere.test").status == "REFUSED", "it serves one zone alone")
        }
    }

    @Test("dnsmasq: what it says passes as it is")
    func dnsmasq() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startDNSMasq(
                in: "house", at: "127.0.0.5", "--address=/lan.test/192.0.2.80", "--local=/lan.test/",
                "--local=/six.test/", "--local-ttl=60",
                "--txt-record=note.test,hello", "--host-record=six.test,2001:db8::6")
            try house.container("app", "--network", "n")
            #expect(try house.dig("app", "a.lan.test").answer == ["a.lan.test. 60 IN A 192.0.2.80"])
            #expect(try house.dig("app", "A.Lan.Test").answer == ["A.Lan.Test. 60 IN A 192.0.2.80"])
            #expect(try house.dig("app", "six.test", "AAAA").data == ["2001:db8::6"])
            #expect(try house.dig("app", "note.test", "TXT").data == ["\"hello\""])
            let none = try house.dig("app", "six.test", "A")
            #expect(none.status == "NOERROR" && none.answer == [])
            #expect(try house.dig("app", "www.elsewhere.test").status == "REFUSED", "it has nobody to ask")
        }
    }
}
