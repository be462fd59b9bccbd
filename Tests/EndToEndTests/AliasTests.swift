// CNAME records: what a container's programs get, over UDP and TCP, from memory and from an upstream.

import Foundation
import Testing

@Suite("CNAME records", .needsRoot)
struct AliasTests {
    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            try house.container("web", "--network", "n,ip=10.1.0.2")
            try body(house)
        }
    }

    @Test("lead to a container, to a record and to a name of outside, and the answer has the whole chain")
    func chains() throws {
        try lend { house in
            try house.mustCtl("record", "add", "shop.test", "CNAME", "web")
            try house.mustCtl("record", "add", "old.test", "CNAME", "shop.test", "--ttl", "60")
            try house.mustCtl("record", "add", "cdn.test", "CNAME", "alias-www--example--com.example")
            try house.mustCtl("record", "add", "post.test", "CNAME", "mail.example.com")
            let local = try house.dig("app", "old.test")
            #expect(
                local.answer == [
                    "old.test. 60 IN CNAME shop.test.", "shop.test. 5 IN CNAME web.", "web. 5 IN A 10.1.0.2",
                ])
            // Twice: the second answer's last part is from the cache.
            for way in ["+notcp", "+tcp", "+notcp", "+tcp"] {
                let far = try house.dig("app", "cdn.test", way, "+nottlid")
                #expect(
                    far.answer == [
                        "cdn.test. IN CNAME alias-www--example--com.example.",
                        "alias-www--example--com.example. IN CNAME www.example.com.",
                        "www.example.com. IN A 192.0.2.66",
                    ], "\(far)")
                let post = try house.dig("app", "post.test", "MX", way, "+nottlid")
                #expect(
                    Set(post.answer) == [
                        "post.test. IN CNAME mail.example.com.", "mail.example.com. IN MX 10 mail.example.com.",
                        "mail.example.com. IN MX 20 www.mail.example.com.",
                    ],
                    "\(post)")
            }
            let missing = try house.dig("app", "cdn.test", "AAAA")
            #expect(missing.status == "NOERROR" && missing.answer.count == 2, "\(missing)")
            let resolved = try house.ctl("resolve", "cdn.test", "--from", "app")
            #expect(resolved.out.contains("record, CNAME to alias-www--example--com.example"), "\(resolved)")
        }
    }

    @Test("stand alone: beside another record they are refused, and others beside them")
    func alone() throws {
        try lend { house in
            try house.mustCtl("record", "add", "one.test", "CNAME", "web")
            let beside = try house.ctl("record", "add", "one.test", "A", "10.9.0.1")
            #expect(beside.status == 1 && beside.err.contains("a CNAME stands alone"), "\(beside)")
            try house.mustCtl("record", "add", "two.test", "A", "10.9.0.1")
            let alias = try house.ctl("record", "add", "two.test", "CNAME", "web")
            #expect(alias.status == 1 && alias.err.contains("a CNAME stands alone"), "\(alias)")
        }
    }

    @Test("that lead in a circle are answered with SERVFAIL, and the daemon goes on")
    func circle() throws {
        try lend { house in
            try house.mustCtl("record", "add", "a.test", "CNAME", "b.test")
            try house.mustCtl("record", "add", "b.test", "CNAME", "a.test")
            #expect(try house.dig("app", "a.test").status == "SERVFAIL")
            #expect(try house.dig("app", "web").answer.count == 1)
        }
    }
}
