// A gate: what a container with a policy asks for, and what leaves the host for it.

import Foundation
import Testing

@Suite("A container behind a policy", .needsRoot)
struct PolicyTests {
    private static let configuration = """
        [forward]
        upstreams = ["127.0.0.5"]
        [[route]]
        domain = "lab.example"
        upstreams = ["127.0.0.5"]
        [[network]]
        name = "n"
        subnets = ["10.0.0.0/24"]
        host = ["10.0.0.1"]
        [[policy]]
        name = "sandbox"
        allow = ["allowed.example", "*.up.example", "*.lab.example"]
        deny = ["no.up.example"]
        [[container]]
        name = "ai"
        networks = [{ name = "n", ip = ["10.0.0.9"] }]
        """

    @Test(
        "sends nothing that no rule allows, however it asks: no type, class, transport, spelling or octet goes round it"
    )
    func nothingLeaves() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("box", "--network", "n", "--policy", "sandbox")
            let output = try house.run(in: "box", ["python3", House.kit("gate.py")], within: 120)
            #expect(output.status == 0, "\(output)")
            let lines = output.lines.filter { !$0.isEmpty }
            #expect(lines.count == 1 && Int(lines.first ?? "").map { $0 > 2000 } == true, "\(lines.prefix(20))")
            #expect(house.queries(of: "127.0.0.5") == ["ready"])
            // The log has some of it, not all.
            let denials = house.log.split(separator: "\n").filter { $0.contains("denied to box by policy sandbox") }
            #expect((10...100).contains(denials.count), "\(denials.count)")
            #expect(house.log.contains("evil.example A denied to box by policy sandbox: default deny"))
        }
    }

    @Test("gets what a rule allows, its neighbours, and the whole of a chain; another container is not concerned")
    func allowed() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("box", "--network", "n", "--policy", "sandbox")
            try house.container("free", "--network", "n")
            for name in ["allowed.example", "ALLOWED.example", "a.up.example", "a.b.up.example"] {
                #expect(try house.dig("box", name).data == ["192.0.2.1"], "\(name)")
            }
            #expect(try house.dig("box", "ai").data == ["10.0.0.9"])
            #expect(try house.dig("box", "chain.up.example").data == ["192.0.2.1", "target.evil.example."])
            // Where an upstream's CNAME leads to a record of ours, the name that was asked for is judged, not that.
            try house.mustCtl("record", "add", "rec.test", "A", "10.9.0.7")
            #expect(try house.dig("box", "alias-rec--test.up.example").data == ["10.9.0.7", "rec.test."])
            #expect(try house.dig("box", "rec.test").status == "NXDOMAIN")
            // In the cache for another container, and denied to this one all the same.
            #expect(try house.dig("free", "www.evil.example").data == ["192.0.2.1"])
            let denied = try house.dig("box", "www.evil.example")
            #expect(denied.status == "NXDOMAIN" && denied.authority.count == 1)
            #expect(denied.output.out.contains("EDE: 15 (Blocked): (policy sandbox: default deny)"), "\(denied)")
            let ruled = try house.dig("box", "no.up.example", "+tcp")
            #expect(ruled.output.out.contains("EDE: 15 (Blocked): (policy sandbox: deny no.up.example)"), "\(ruled)")
            #expect(try house.dig("box", "no.up.example", "+noedns").status == "NXDOMAIN")
            #expect(!house.queries(of: "127.0.0.5").contains { $0.contains("no.up") })
            let explained = try house.ctl("explain", "www.evil.example", "--from", "box")
            #expect(
                explained.status == 1
                    && explained.out.contains(
                        "denied-by-policy: www.evil.example is denied by policy sandbox: default deny")
                    && explained.out.contains("intercomctl policy allow sandbox www.evil.example"), "\(explained)")
        }
    }

    @Test("is denied chains to names that are not allowed, and private addresses, where its policy says so")
    func answers() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.mustCtl(
                "policy", "set", "strict", "--allow", "*.up.example", "--allow", "*.lab.example", "--strict-cname",
                "--private-addresses", "deny")
            try house.container("box", "--network", "n", "--policy", "strict")
            try house.container("free", "--network", "n")
            // As it comes from the upstream, from the cache, over TCP, and without EDNS.
            for option in ["+notcp", "+notcp", "+tcp", "+noedns"] {
                let chain = try house.dig("box", "chain.up.example", option)
                #expect(chain.status == "NXDOMAIN" && chain.answer.isEmpty, "\(chain)")
                #expect(
                    option == "+noedns"
                        || chain.output.out.contains("EDE: 15 (Blocked): (policy strict: default deny, as CNAME)"),
                    "\(chain)")
                #expect(try house.dig("box", "mixed.up.example", option).data == ["192.0.2.1"])
                let inside = try house.dig("box", "inside.up.example", option)
                #expect(inside.status == "NOERROR" && inside.answer.isEmpty, "\(inside)")
                #expect(try house.dig("box", "inside.lab.example", option).data == ["10.0.0.1", "169.254.169.254"])
                #expect(try house.dig("free", "chain.up.example", option).data.count == 2)
                #expect(try house.dig("free", "inside.up.example", option).data.count == 2)
            }
            let metrics = try house.ctl("metrics").out
            let dropped = metrics.split(separator: "\n").first {
                $0.hasPrefix("intercom_policy_dropped_addresses_total ")
            }
            #expect(dropped.map { !$0.hasSuffix(" 0") } == true, "\(metrics)")
            try house.mustCtl("policy", "allow", "strict", "target.evil.example")
            #expect(try house.dig("box", "chain.up.example").data == ["192.0.2.1", "target.evil.example."])
        }
    }

    @Test("under audit gets everything; what it would need is logged, counted and learned, and is a policy that holds")
    func audit() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.mustCtl("policy", "set", "gate", "--audit", "--deny", "*.bad.example")
            try house.container("box", "--network", "n", "--policy", "gate")
            for name in ["one.example", "two.example", "x.bad.example"] {
                #expect(try house.dig("box", name).data == ["192.0.2.1"], "\(name)")
            }
            #expect(
                eventually { house.log.contains("two.example A would be denied to box by policy gate: default deny") })
            var text = ""
            #expect(
                eventually {
                    text = (try? house.ctl("policy", "learn", "box").out) ?? ""
                    return text.contains("x.bad.example")
                })
            #expect(
                text == """
                    [[policy]]
                    name = "gate"
                    default = "deny"
                    allow = [
                        "one.example",
                        "two.example",
                    ]
                    deny = [
                        "*.bad.example",
                    ]
                    # asked for, and denied by a rule or by types: "x.bad.example"

                    """)
            let metrics = try house.ctl("metrics").out
            #expect(metrics.contains(#"intercom_policy_denials_total{action="audited"} 3"#), "\(metrics)")
            #expect(metrics.contains(#"intercom_policy_denials_total{action="denied"} 0"#))
            try house.mustCtl("policy", "set", "gate", "--no-audit", "--allow", "one.example", "--allow", "two.example")
            #expect(try house.dig("box", "one.example").data == ["192.0.2.1"])
            #expect(try house.dig("box", "x.bad.example").status == "NXDOMAIN")
            #expect(try house.ctl("policy", "learn", "box").status == 1)
        }
    }

    @Test("is watched by a monitor of what is denied")
    func monitor() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("box", "--network", "n", "--policy", "sandbox")
            let monitor = try house.start(
                in: house.host,
                [
                    "\(House.binaries)/intercomctl", "--socket", house.socket, "monitor", "--queries", "--denied",
                    "--json",
                ],
                log: "monitor")
            defer { House.kill(monitor) }
            func seen() -> String { (try? String(contentsOfFile: "\(house.directory)/monitor", encoding: .utf8)) ?? "" }
            #expect(eventually { seen().contains("ready") })
            _ = try house.dig("box", "ai")
            _ = try house.dig("box", "one.evil.example")
            #expect(eventually { seen().contains("one.evil.example") })
            #expect(seen().contains("denied by policy sandbox: default deny") && !seen().contains(#""ai""#))
        }
    }
}
