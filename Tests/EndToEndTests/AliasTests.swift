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
            #expect(resolved.out.contains("CNAME to alias-www--example--com.example"), "\(resolved)")
        }
    }

    @Test(
        "of an upstream that lead to a name of ours are followed there, on the asker's networks alone, from memory too")
    func ofUpstreams() throws {
        try House.lend(configuration: Self.routes) { house in
            for address in ["127.0.0.5", "127.0.0.6"] { try house.startUpstream(address) }
            try house.container("app", "--network", "n")
            try house.container("web", "--network", "n,ip=10.1.0.2")
            try house.container("safe", "--network", "other,ip=10.2.0.9")
            try house.container("db", "--network", "other,ip=10.2.0.2")
            try house.mustCtl("record", "add", "shop.test", "A", "10.9.0.1")
            try house.mustCtl("record", "add", "www.site.test", "CNAME", "alias-web.example")
            for (name, end) in [
                ("alias-web.example", "web. IN A 10.1.0.2"),
                ("alias-web--n--internal.example", "web.n.internal. IN A 10.1.0.2"),
                ("alias-shop--test.example", "shop.test. IN A 10.9.0.1"),
                ("alias-mail--corp--example.example", "mail.corp.example. IN A 192.0.2.1"),
                // Through two upstream groups and back to a container.
                ("alias-alias-web--corp--example.example", "web. IN A 10.1.0.2"),
                // Those that lead nowhere else, and to a name of another network, stay as the upstream gives them.
                ("alias-www--example--com.example", "www.example.com. IN A 192.0.2.66"),
                ("alias-db--other--internal.example", "db.other.internal. IN A 192.0.2.66"),
                ("www.site.test", "web. IN A 10.1.0.2"),
            ] {
                for way in ["+notcp", "+tcp", "+notcp", "+tcp"] {
                    let reply = try house.dig("app", name, way, "+nottlid")
                    #expect(reply.status == "NOERROR" && reply.answer.last == end, "\(name) \(way) \(reply)")
                    #expect(reply.answer.first?.hasPrefix("\(name). IN CNAME ") == true, "\(reply)")
                }
            }
            // What was put together for one container is not in the memory that others share.
            let other = try house.dig("safe", "alias-web.example", "+nottlid")
            #expect(other.data == ["192.0.2.66", "web."], "\(other)")
            let alone = try house.dig("app", "alias-web.example", "CNAME", "+nottlid")
            #expect(alone.answer == ["alias-web.example. IN CNAME web."], "\(alone)")
            let resolved = try house.ctl("resolve", "alias-web.example", "--from", "app")
            #expect(resolved.out.contains("CNAME to web → network n"), "\(resolved)")
        }
    }

    @Test("keep the meaning of DO and CD, and no answer with one of our own says that all of it was validated")
    func security() throws {
        try lend { house in
            try house.mustCtl("record", "add", "sec.test", "CNAME", "signed.example.com")
            try house.mustCtl("record", "add", "bad.test", "CNAME", "bogus.example.com")
            let signature = "signed.example.com. IN RRSIG A 8 3 300 20380101000000 20200101000000 1 example.com. AAAA"
            let chain = ["sec.test. IN CNAME signed.example.com.", "signed.example.com. IN A 192.0.2.1"]
            // Twice: from the upstream, then from the cache.
            for way in ["+notcp", "+tcp", "+notcp", "+tcp"] {
                let plain = try house.dig("app", "sec.test", way, "+nottlid")
                #expect(plain.answer == chain, "\(way) \(plain)")
                let signed = try house.dig("app", "sec.test", way, "+nottlid", "+dnssec", "+adflag")
                #expect(signed.answer == chain + [signature], "\(way) \(signed)")
                #expect(signed.output.out.contains("flags: do;") && !signed.flags.contains("ad"), "\(way) \(signed)")
                #expect(try house.dig("app", "signed.example.com", way, "+adflag").flags.contains("ad"), "by itself")

                #expect(try house.dig("app", "bad.test", way).status == "SERVFAIL")
                let unchecked = try house.dig("app", "bad.test", way, "+cdflag")
                #expect(unchecked.status == "NOERROR" && unchecked.flags.contains("cd"), "\(way) \(unchecked)")
                #expect(unchecked.data == ["192.0.2.1", "bogus.example.com."])
                // An upstream's alias of a container: the container's address is not signed.
                let ours = try house.dig("app", "alias-web.example", way, "+nottlid", "+dnssec", "+adflag")
                #expect(ours.data == ["10.1.0.2", "web."] && !ours.flags.contains("ad"), "\(way) \(ours)")
            }
        }
    }

    @Test("that lead in a circle between our records and an upstream are answered with SERVFAIL")
    func circleOutside() throws {
        try lend { house in
            try house.mustCtl("record", "add", "round.test", "CNAME", "alias-round--test.example")
            for _ in 1...2 {
                let reply = try house.dig("app", "round.test")
                #expect(reply.status == "SERVFAIL" && reply.output.out.contains("EDE: 0"), "\(reply)")
                #expect(try house.dig("app", "web").answer.count == 1)
            }
        }
    }

    private static let routes = """
        [forward]
        upstreams = ["127.0.0.5"]
        [[route]]
        domain = "corp.example"
        upstreams = ["127.0.0.6"]
        [[network]]
        name = "n"
        [[network]]
        name = "other"
        """

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
