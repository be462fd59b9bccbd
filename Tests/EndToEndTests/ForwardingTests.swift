// Forwarded questions: the reply comes back as it was, and a question without a reply is answered all the same.

import Foundation
import Testing

@Suite("A question that is not ours", .needsRoot)
struct ForwardingTests {
    static func configuration(_ upstreams: String...) -> String {
        """
        [forward]
        upstreams = [\(upstreams.map { "\"\($0)\"" }.joined(separator: ", "))]
        [[network]]
        name = "n"
        [[network]]
        name = "inner"
        internal = true
        [[container]]
        name = "ai"
        networks = [{ name = "n", ip = ["10.0.0.9"] }]
        """
    }

    @Test("is answered by an upstream: any type, any size, names like those of containers too")
    func passesThrough() throws {
        try House.lend(configuration: Self.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            #expect(try house.dig("app", "www.example").answer == ["www.example. 300 IN A 192.0.2.1"])
            #expect(try house.dig("app", "MAIL.eXample").answer == ["MAIL.eXample. 300 IN A 192.0.2.1"])
            #expect(
                try house.dig("app", "x.example", "TYPE65280").answer == ["x.example. 77 IN TYPE65280 \\# 4 DEADBEEF"])
            #expect(try house.dig("app", "nic.ai").data == ["192.0.2.1"], "a container named ai leaves nic.ai alone")
            let nothing = try house.dig("app", "nothing.example")
            #expect(nothing.status == "NXDOMAIN" && nothing.authority.count == 1, "\(nothing)")
            #expect(try house.dig("app", "www.example", "MX").status == "NOERROR")
            #expect(
                try Set(house.dig("app", "truncated.example").data).count == 100,
                "TC from upstream: asked again over TCP")
            let big = try house.dig("app", "+noedns", "+ignore", "big.example")
            #expect(big.flags.contains("tc") && big.answer.count > 5 && big.answer.count < 100, "\(big)")
            #expect(try house.dig("app", "big.example").data.count == 100)
            #expect(try house.dig("app", "+tcp", "www.example").data == ["192.0.2.1"])
            #expect(
                try house.dig("app", "spoofed.example").data == ["192.0.2.1"],
                "wrong replies are passed over, the right one is awaited")
        }
    }

    @Test("is not denied by an upstream where names of the container's networks are beneath it (RFC 8020)")
    func emptyNames() throws {
        let configuration = """
            [forward]
            upstreams = ["127.0.0.5"]
            [[network]]
            name = "n"
            [[network]]
            name = "other"
            [[container]]
            name = "ai"
            networks = [{ name = "n", ip = ["10.0.0.9"], alias = ["*.nothing.example"] }]
            """
        try House.lend(configuration: configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            try house.container("stranger", "--network", "other")
            #expect(try house.dig("app", "x.nothing.example").data == ["10.0.0.9"])
            // As it comes from the upstream, from the cache, and over TCP.
            for option in ["+notcp", "+notcp", "+tcp", "+noedns"] {
                let reply = try house.dig("app", "nothing.example", option)
                #expect(reply.status == "NOERROR" && reply.answer.isEmpty && reply.authority.count == 1, "\(reply)")
            }
            #expect(try house.ctl("resolve", "nothing.example", "--from", "app").status == 0)
            let denied = try house.dig("stranger", "nothing.example")
            #expect(denied.status == "NXDOMAIN", "to who does not see those names, it does not exist: \(denied)")
        }
    }

    @Test("is asked over TCP where its reply comes in fragments: nobody knows who sent the second")
    func fragments() throws {
        try House.lend(configuration: Self.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            // 100 addresses in a datagram of 1,600 octets and more, which the upstream sends whatever was asked for.
            #expect(try house.dig("app", "big.example").data.count == 100)
            #expect(!house.queries(of: "127.0.0.5").contains { $0.hasPrefix("tcp") }, "it came whole")
            #expect(try house.ip("link set lo mtu 1280").status == 0)
            try house.mustCtl("cache", "flush")
            #expect(try house.dig("app", "big.example").data.count == 100)
            #expect(house.queries(of: "127.0.0.5").last?.hasPrefix("tcp") == true, "\(house.queries(of: "127.0.0.5"))")
        }
    }

    @Test("never includes a local name, whatever its type, nor a single label, nor the domain")
    func keepsOursHere() throws {
        try House.lend(configuration: Self.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("app", "--network", "n")
            try house.container("cellar", "--network", "inner")
            for question in [
                ["ai", "MX"], ["ai", "HTTPS"], ["ai.n.internal"], ["nobody"], ["x.internal"], ["_http._tcp.ai", "SRV"],
            ] {
                _ = try house.run(in: "app", ["dig", "@127.0.0.11", "+timeout=6", "+tries=1"] + question)
            }
            let blocked = try house.dig("cellar", "www.example")
            #expect(blocked.status == "NXDOMAIN" && blocked.output.out.contains("EDE: 15 (Blocked)"), "\(blocked)")
            #expect(house.queries(of: "127.0.0.5") == ["ready"])
        }
    }

    @Test(
        "goes to the next upstream when one refuses, fails or is silent", arguments: ["refused", "servfail", "silent"])
    func failsOver(mode: String) throws {
        try House.lend(configuration: Self.configuration("127.0.0.5", "127.0.0.6")) { house in
            try house.startUpstream("127.0.0.5", mode: mode)
            try house.startUpstream("127.0.0.6")
            try house.container("app", "--network", "n")
            #expect(try house.dig("app", "www.example", "TXT").data == ["\"from 127.0.0.6\""])
            #expect(house.queries(of: "127.0.0.5").count == 2)
        }
    }

    @Test("is SERVFAIL with its reason when no upstream answers, before a client's 5 seconds are over")
    func noUpstreamAnswers() throws {
        try House.lend(configuration: Self.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5", mode: "silent")
            try house.container("app", "--network", "n,ip=10.0.0.2")
            let start = ContinuousClock.now
            let reply = try house.dig("app", "www.example")
            let took = ContinuousClock.now - start
            #expect(
                reply.status == "SERVFAIL" && reply.output.out.contains("EDE: 22 (No Reachable Authority)"), "\(reply)")
            #expect(took > .seconds(4) && took < .seconds(5), "\(took)")
            #expect(try house.ctl("resolve", "www.example", "--from", "app").status == 1)
        }
    }

    @Test("is SERVFAIL at once past 256 of one namespace, while local names are answered")
    func limits() throws {
        try House.lend(configuration: Self.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5", mode: "silent")
            try house.container("app", "--network", "n")
            let output = try house.python(
                in: "app",
                """
                import socket, struct
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(2)
                def query(number, name):
                    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
                    s.sendto(struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\\0\\0\\1\\0\\1", ("127.0.0.11", 53))
                for number in range(300):
                    query(number, "q%d.example" % number)
                codes = [s.recv(512)[3] & 15 for _ in range(44)]
                print(len(codes), set(codes))
                query(999, "ai")
                reply = s.recv(512)
                print(struct.unpack("!H", reply[:2])[0], reply[3] & 15)
                """)
            #expect(output.lines == ["44 {2}", "999 0"], "\(output)")
        }
    }

    @Test("goes to the upstreams of the container's own network, without a word to the others")
    func networkUpstreams() throws {
        try House.lend(configuration: Self.configuration("127.0.0.5")) { house in
            try house.startUpstream("127.0.0.5")
            try house.startUpstream("127.0.0.6")
            try house.mustCtl("network", "create", "own", "--upstream", "127.0.0.6")
            try house.container("app", "--network", "own")
            try house.container("other", "--network", "n", "--network", "own")
            #expect(try house.dig("app", "www.example", "TXT").data == ["\"from 127.0.0.6\""])
            #expect(try house.dig("other", "www.example", "TXT").data == ["\"from 127.0.0.5\""])
            for source in ["upstream 127.0.0.6:53", "cache"] {
                let resolved = try house.ctl("resolve", "mail.example", "TXT", "--from", "app")
                #expect(resolved.out.contains("answered by: \(source)\n"), "\(resolved)")
            }
        }
    }
}
