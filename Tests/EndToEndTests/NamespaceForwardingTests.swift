// forward-from = "namespace": upstreams that only the container itself can reach, as behind a VPN in it.

import Foundation
import Testing

@Suite("A container that forwards from its own namespace", .needsRoot)
struct NamespaceForwardingTests {
    private static let configuration = """
        [forward]
        upstreams = ["127.0.0.5"]
        [[network]]
        name = "plain"
        [[network]]
        name = "vpn"
        upstreams = ["10.9.0.53"]
        from = "namespace"
        [[network]]
        name = "vpn6"
        from = "namespace"
        upstreams = ["fe80::53%tun0"]
        routes = [{ domain = "corp.example", upstreams = ["fd09::53"] }]

        """

    /// Gives a container an interface that nobody else can reach, with addresses.
    private func tunnel(_ house: House, _ container: String, _ addresses: String...) throws {
        try house.ip(in: container, "link add tun0 type veth peer name far0")
        for address in addresses {
            try house.ip(in: container, "addr add \(address) dev tun0\(address.contains(":") ? " nodad" : "")")
        }
        for link in ["far0", "tun0"] { try house.ip(in: container, "link set \(link) up") }
    }

    @Test("asks servers that it alone reaches, over UDP and TCP, and is told what they say to it")
    func reaches() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            for container in ["one", "two"] {
                try house.container(container, "--network", "vpn")
                try tunnel(house, container, "10.9.0.53/24")
                try house.startUpstream("10.9.0.53", in: container, as: container)
            }
            try house.mustCtl("network", "create", "host", "--upstream", "10.9.0.53", "--forward-from", "host")
            try house.container("three", "--network", "host")
            try house.container("four", "--network", "plain")
            // The same question, each time: what one namespace was told is never told to another.
            for _ in 1...2 {
                #expect(try house.dig("one", "www.example", "TXT").data == ["\"from one\""])
                #expect(try house.dig("two", "www.example", "TXT").data == ["\"from two\""])
                #expect(try house.dig("three", "www.example", "TXT").status == "SERVFAIL")
                #expect(try house.dig("four", "www.example", "TXT").data == ["\"from 127.0.0.5\""])
            }
            #expect(try house.dig("one", "truncated.example").data.count == 100, "over TCP")
            #expect(try house.ctl("resolve", "www.example", "TXT", "--from", "two").out.contains("from two"))
            #expect(try house.ctl("network", "inspect", "vpn").out.contains("forwards from  namespace\n"))
            #expect(try house.ctl("network", "create", "x", "--forward-from", "nowhere").status == 2)
        }
    }

    @Test("asks many things at once")
    func burst() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "vpn")
            try tunnel(house, "app", "10.9.0.53/24")
            try house.startUpstream("10.9.0.53", in: "app")
            let output = try house.python(
                in: "app",
                """
                import dns.message, socket
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(4)
                for n in range(200):
                    query = dns.message.make_query("q%d.example." % n, "A")
                    query.id = n
                    s.sendto(query.to_wire(), ("127.0.0.11", 53))
                replies = [dns.message.from_wire(s.recv(4096)) for n in range(200)]
                print(len({(reply.id, reply.answer[0].name, reply.answer[0][0]) for reply in replies}))
                """)
            #expect(output.text == "200", "\(output)")
        }
    }

    @Test("asks a server on a link of its own, and its network's routes, over IPv6 alone")
    func ipv6() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "vpn6")
            try tunnel(house, "app", "fe80::53/64", "fd09::53/64")
            try house.startUpstream("fe80::53%tun0", in: "app")
            try house.startUpstream("fd09::53", in: "app")
            #expect(try house.dig("app", "www.example", "TXT").data == ["\"from fe80::53%tun0\""])
            #expect(try house.dig("app", "www.corp.example", "TXT").data == ["\"from fd09::53\""])
        }
    }

    @Test("does not ask the host's loopback, which is another there")
    func loopback() throws {
        let configuration = "[forward]\nfrom = \"namespace\"\n[[network]]\nname = \"n\"\n"
        try House.lend(configuration: configuration, resolver: "nameserver 127.0.0.53\n") { house in
            try house.container("app", "--network", "n")
            try house.startUpstream("127.0.0.53", in: "app")
            #expect(try house.dig("app", "www.example").status == "SERVFAIL")
            #expect(house.queries(of: "127.0.0.53") == ["ready"])
            #expect(house.log.contains("warning: upstreams of /etc/resolv.conf on the host's loopback"))
        }
    }

    @Test("ends whole: no socket that asks from its namespace outlives it")
    func ends() throws {
        let configuration = """
            [[network]]
            name = "n"
            upstreams = ["10.8.0.1"]
            from = "namespace"

            """
        try House.lend(configuration: configuration) { house in
            try house.container("app", "--network", "n")
            try house.ip("link add peer type veth peer name eth0 netns app")
            for (namespace, link, address) in [(house.host, "peer", "10.8.0.1/24"), ("app", "eth0", "10.8.0.2/24")] {
                try house.ip(in: namespace, "addr add \(address) dev \(link)")
                try house.ip(in: namespace, "link set \(link) up")
            }
            try house.startUpstream("10.8.0.1")
            #expect(try house.dig("app", "www.example", "TXT").data == ["\"from 10.8.0.1\""])
            // One that waits for its answer, when the namespace ends under it.
            let asking = Process()
            asking.executableURL = URL(fileURLWithPath: "\(House.binaries)/intercomctl")
            asking.arguments = ["--socket", house.socket, "resolve", "silent.example", "--from", "app"]
            asking.standardOutput = FileHandle.nullDevice
            try Command.start(asking)
            #expect(eventually { house.queries(of: "10.8.0.1").contains("udp silent.example. 1") })
            try house.deleteNamespace("app")
            #expect(try eventually(within: 3) { try !house.hasLink("peer") })
            asking.waitUntilExit()
            #expect(asking.terminationStatus == 1)
        }
    }
}
