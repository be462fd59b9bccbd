// Routing domains: names that are asked elsewhere, and names that never leave.

import Foundation
import Testing

@Suite("A routing domain", .needsRoot)
struct RouteTests {
    private static let configuration = """
        [forward]
        upstreams = ["127.0.0.5"]
        [[route]]
        domain = "corp.example"
        upstreams = ["127.0.0.6"]
        [[route]]
        domain = "10.in-addr.arpa"
        upstreams = ["127.0.0.6"]
        [[network]]
        name = "front"
        subnets = ["10.1.0.0/16"]
        [[network]]
        name = "lab"
        routes = [{ domain = "eu.corp.example", upstreams = ["127.0.0.7"] }, { domain = "local", upstreams = ["127.0.0.7"] }]

        """

    @Test("is asked elsewhere, the longest first, by who may; and resolve says so")
    func longest() throws {
        try House.lend(configuration: Self.configuration) { house in
            for address in ["127.0.0.5", "127.0.0.6", "127.0.0.7"] { try house.startUpstream(address) }
            try house.container("app", "--network", "front")
            try house.container("dev", "--network", "front", "--network", "lab")
            for (container, name, upstream) in [
                ("app", "www.example", "127.0.0.5"), ("app", "notcorp.example", "127.0.0.5"),
                ("app", "corp.example", "127.0.0.6"), ("app", "www.eu.Corp.example", "127.0.0.6"),
                ("dev", "www.example", "127.0.0.5"), ("dev", "www.corp.example", "127.0.0.6"),
                ("dev", "www.eu.corp.example", "127.0.0.7"), ("app", "1.0.2.10.in-addr.arpa", "127.0.0.6"),
                ("app", "1.0.2.11.in-addr.arpa", "127.0.0.5"), ("dev", "host.local", "127.0.0.7"),
            ] {
                #expect(
                    try house.dig(container, name, "TXT").data == ["\"from \(upstream)\""], "\(container) \(name)")
            }
            for source in ["upstream 127.0.0.7:53", "cache"] {
                let resolved = try house.ctl("resolve", "mail.eu.corp.example", "TXT", "--from", "dev")
                #expect(
                    resolved.out.contains("answered by: route eu.corp.example → \(source)\n"), "\(resolved)")
            }
            #expect(
                try house.ctl("status").out.contains(
                    """
                    NETWORK  DOMAIN           FROM  SERVERS
                    any      any              host  127.0.0.5:53
                    any      corp.example     host  127.0.0.6:53
                    any      10.in-addr.arpa  host  127.0.0.6:53
                    lab      eu.corp.example  host  127.0.0.7:53
                    lab      local            host  127.0.0.7:53

                    """))
            let inspected = try house.ctl("network", "inspect", "lab").out
            #expect(inspected.contains("route eu.corp.example  127.0.0.7:53\n"), "\(inspected)")
        }
    }

    @Test("comes, goes and moves on reload; a wrong one changes nothing")
    func reload() throws {
        try House.lend(configuration: Self.configuration) { house in
            for address in ["127.0.0.5", "127.0.0.6", "127.0.0.7"] { try house.startUpstream(address) }
            try house.container("app", "--network", "front")
            #expect(try house.dig("app", "a.corp.example", "TXT").data == ["\"from 127.0.0.6\""])

            let wrong = Self.configuration + "[[route]]\ndomain = \"Corp.example.\"\nupstreams = []\n"
            try wrong.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            let refused = try house.ctl("reload")
            #expect(refused.status == 1 && refused.err.contains("\(house.configuration):16:10: domain: "), "\(refused)")
            #expect(try house.dig("app", "b.corp.example", "TXT").data == ["\"from 127.0.0.6\""])

            let moved = """
                [[route]]
                domain = "corp.example"
                upstreams = ["127.0.0.7"]
                [[route]]
                domain = "."
                upstreams = ["127.0.0.6"]
                [[network]]
                name = "front"

                """
            try moved.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try house.dig("app", "a.corp.example", "TXT").data == ["\"from 127.0.0.7\""])
            #expect(try house.dig("app", "www.example", "TXT").data == ["\"from 127.0.0.6\""])
        }
    }

    @Test("may be given to a network by the control socket; a bad one is refused in one line")
    func control() throws {
        try House.lend(configuration: "[forward]\nupstreams = [\"127.0.0.5\"]\n") { house in
            for address in ["127.0.0.5", "127.0.0.6"] { try house.startUpstream(address) }
            try house.mustCtl(
                "network", "create", "n", "--route", "corp.example=127.0.0.6,127.0.0.5", "--route", "lan=127.0.0.6:53")
            try house.container("app", "--network", "n")
            #expect(try house.dig("app", "www.corp.example", "TXT").data == ["\"from 127.0.0.6\""])
            #expect(try house.dig("app", "www.example", "TXT").data == ["\"from 127.0.0.5\""])
            #expect(try house.dig("app", "lan", "TXT").data == ["\"from 127.0.0.6\""], "a single label that is routed")
            for (route, message) in [
                ("a..b=127.0.0.5", "empty label"), ("corp.example=dns.example", "not an IP address"),
                ("corp.example=", "at least one upstream"),
                ("Internal=127.0.0.5", "never forwarded"), ("fe.example=fe80::1", "on every link"),
            ] {
                let refused = try house.ctl("network", "create", "m", "--route", route)
                #expect(refused.status == 1 && refused.err.contains(message), "\(route): \(refused)")
            }
            #expect(try house.ctl("network", "create", "m", "--route", "=127.0.0.5").status == 2)
            // In the daemon's own namespace 127.0.0.11 may be Docker's server.
            try house.mustCtl("network", "create", "m", "--upstream", "127.0.0.11:53")
        }
    }

    @Test("is needed for names that do not leave: local, and single labels")
    func local() throws {
        try House.lend(configuration: Self.configuration) { house in
            for address in ["127.0.0.5", "127.0.0.6"] { try house.startUpstream(address) }
            try house.container("app", "--network", "front")
            for name in ["printer.local", "local", "_ipp._tcp.local", "corp"] {
                #expect(try house.dig("app", name, "TXT").status == "NXDOMAIN", "\(name)")
            }
            #expect(try house.ctl("resolve", "printer.local", "--from", "app").out.contains("RFC 6762"))
            #expect(house.queries(of: "127.0.0.5") == ["ready"] && house.queries(of: "127.0.0.6") == ["ready"])
            let open = Self.configuration.replacingOccurrences(of: "[forward]\n", with: "[forward]\nlocal = true\n")
            try open.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try house.dig("app", "printer.local", "TXT").data == ["\"from 127.0.0.5\""])
        }
    }
}
