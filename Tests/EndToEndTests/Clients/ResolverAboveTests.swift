// Resolvers in a container that ask us for everything: what they conclude from our answers must not lose or forge a name.

import Foundation
import Testing

@Suite("A resolver that a container has put above us", .needsRoot)
struct ResolverAboveTests {
    /// `dev` is a container, and a top-level domain of the world; `frontend` is a network.
    private static let configuration =
        House.undiscovered + """
            [forward]
            upstreams = ["127.0.0.5"]
            [[network]]
            name = "frontend"
            subnets = ["10.1.0.0/16"]
            [[container]]
            name = "dev"
            networks = [{ name = "frontend", ip = ["10.1.0.9"], alias = ["www.shop.test"] }]
            [[container]]
            name = "web"
            networks = [{ name = "frontend", ip = ["10.1.0.3"] }]
            ports = ["80=http"]

            """

    /// Makes a signed root zone with a signed `dev` in it, and starts the world's server with both.
    /// - Returns: the key of the root, base 64.
    private func startWorld(in house: House) throws -> String {
        let place = "\(house.directory)/world"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let soa = "$TTL 300\n@ SOA ns.dev. host.dev. 1 3600 600 86400 300\n@ NS ns.dev.\n"
        let zones = [
            ("dev", soa + "ns A 127.0.0.5\nnic A 192.0.2.80\nweb A 192.0.2.81\n"),
            (".", soa + "dev. NS ns.dev.\nns.dev. A 127.0.0.5\n$INCLUDE dsset-dev.\n"),
        ]
        for (zone, text) in zones {
            let file = zone == "." ? "root" : zone
            try text.write(toFile: "\(place)/\(file)", atomically: true, encoding: .utf8)
            for role in [["-f", "KSK"], []] {
                try Command.must(["dnssec-keygen", "-q", "-K", place, "-a", "ECDSAP256SHA256"] + role + [zone])
            }
            try Command.must([
                "env", "-C", place, "dnssec-signzone", "-q", "-S", "-K", place, "-o", zone, "-f", "\(file).signed",
                file,
            ])
        }
        try house.startUnbound(
            in: "house", at: "127.0.0.5", ["module-config: iterator"],
            zones.map { zone, _ in
                """
                auth-zone:
                  name: "\(zone)"
                  zonefile: "\(place)/\(zone == "." ? "root" : zone).signed"
                  for-upstream: no
                  for-downstream: yes

                """
            }.joined())
        let names = try FileManager.default.contentsOfDirectory(atPath: place)
        for name in names where name.hasPrefix("K.+") && name.hasSuffix(".key") {
            let lines = try String(contentsOfFile: "\(place)/\(name)", encoding: .utf8).split(separator: "\n")
            if let line = lines.first(where: { $0.contains("DNSKEY 257 ") }) {
                return line.split(separator: " ").dropFirst(6).joined()
            }
        }
        throw CommandFailure(command: "dnssec-keygen", output: Output(status: 1, out: "\(names)", err: ""))
    }

    @Test("delv, validates nic.dev from the root on, beside a container that is called dev")
    func delv() throws {
        try House.lend(configuration: Self.configuration) { house in
            let key = try startWorld(in: house)
            try house.container("app", "--network", "frontend,ip=10.1.0.2")
            let anchors = "\(house.directory)/anchors"
            try "trust-anchors { \".\" static-key 257 3 13 \"\(key)\"; };\n"
                .write(toFile: anchors, atomically: true, encoding: .utf8)
            #expect(try house.dig("app", "dev").data == ["10.1.0.9"])
            for _ in 1...2 {
                let output = try house.run(in: "app", ["delv", "@127.0.0.11", "-a", anchors, "+root=.", "nic.dev"])
                #expect(output.out.contains("; fully validated") && output.out.contains("192.0.2.80"), "\(output)")
            }
        }
    }

    @Test("unbound, validates the world and finds containers with the exceptions that intercomd(8) names")
    func unbound() throws {
        try House.lend(configuration: Self.configuration) { house in
            let key = try startWorld(in: house)
            try house.container("app", "--network", "frontend,ip=10.1.0.2")
            let exceptions = ["internal", "frontend", "1.10.in-addr.arpa"].map { "domain-insecure: \"\($0)\"" }
            try house.startUnbound(
                in: "app", at: "127.0.0.1",
                [
                    "trust-anchor: \". DNSKEY 257 3 13 \(key)\"", "do-not-query-localhost: no",
                    "local-zone: \"10.in-addr.arpa.\" nodefault",
                ] + exceptions, "forward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.11")
            func ask(_ question: [String]) throws -> Reply {
                Reply(try house.run(in: "app", ["dig", "@127.0.0.1", "+adflag"] + question))
            }
            let world = try ask(["nic.dev"])
            #expect(world.data == ["192.0.2.80"] && world.flags.contains("ad"), "\(world)")
            for _ in 1...2 {
                for (question, data) in [
                    (["frontend"], []), (["web.frontend"], ["10.1.0.3"]), (["internal"], []),
                    (["web.internal"], ["10.1.0.3"]), (["web.frontend.internal"], ["10.1.0.3"]),
                    (["_tcp.web.internal"], []),
                    (["_http._tcp.web.internal", "SRV"], ["0 0 80 web.frontend.internal."]),
                    (["-x", "10.1.0.3"], ["web.frontend.internal."]),
                ] {
                    let reply = try ask(question)
                    #expect(reply.data == data && reply.status == "NOERROR", "\(question): \(reply)")
                }
            }
            #expect(try ask(["nic.dev"]).data == ["192.0.2.80"])
        }
    }

    @Test(
        "PowerDNS Recursor, does not lose web.frontend after frontend was asked", .needsClients,
        arguments: ["off", "process"])
    func recursor(dnssec: String) throws {
        guard Programs.isThere("pdns_recursor") else { return }
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "frontend,ip=10.1.0.2")
            try house.start(
                in: "app",
                [
                    "pdns_recursor", "--config-dir=\(house.directory)", "--socket-dir=\(house.directory)",
                    "--local-address=127.0.0.1", "--forward-zones-recurse=.=127.0.0.11", "--dnssec=\(dnssec)",
                    "--serve-rfc1918=no", "--dont-query=", "--daemon=no", "--setuid=", "--setgid=",
                    "--threads=1", "--security-poll-suffix=",
                ], log: "recursor")
            try house.awaitServer(in: "app", at: "127.0.0.1")
            // Without AD, as a libc asks: with "process" it validates for who asks with AD or DO alone.
            func ask(_ question: String...) throws -> Reply {
                Reply(try house.run(in: "app", ["dig", "@127.0.0.1", "+noadflag"] + question))
            }
            for _ in 1...2 {
                for (name, data) in [
                    ("frontend", []), ("web.frontend", ["10.1.0.3"]), ("internal", []), ("frontend.internal", []),
                    ("web.frontend.internal", ["10.1.0.3"]), ("web.internal", ["10.1.0.3"]), ("web", ["10.1.0.3"]),
                    ("_tcp.web.internal", []), ("test", []), ("www.shop.test", ["10.1.0.9"]), ("dev", ["10.1.0.9"]),
                    ("nic.dev", ["192.0.2.1"]), ("www.example", ["192.0.2.1"]),
                ] {
                    let reply = try ask(name)
                    #expect(reply.data == data && reply.status == "NOERROR", "\(name): \(reply)")
                }
                #expect(try ask("_http._tcp.web.internal", "SRV").data == ["0 0 80 web.frontend.internal."])
                #expect(try ask("-x", "10.1.0.3").data == ["web.frontend.internal."])
                #expect(try ask("nobody").status == "NXDOMAIN")
                #expect(try ask("nobody.frontend.internal").status == "NXDOMAIN")
            }
        }
    }
}
