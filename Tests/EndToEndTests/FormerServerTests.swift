// Former servers: what we do not know is asked of who answered the container before us, from its namespace.

import Foundation
import Testing

@Suite("The former servers of an intercepted container", .needsRoot)
struct FormerServerTests {
    private static let configuration = """
        \(House.undiscovered)[server]
        workers = 1
        [[network]]
        name = "front"
        subnets = ["10.1.0.0/24"]

        """

    /// A container `web` with an address on a bridge of the host, whose own upstream is 127.0.0.5.
    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration, resolver: "nameserver 127.0.0.5\n") { house in
            try house.startUpstream("127.0.0.5")
            try house.bridge("br0", "10.1.0.1/24")
            try house.ip("addr add fd00:1::1/64 dev br0 nodad")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            try house.ip(in: "web", "addr add fd00:1::2/64 dev eth0 nodad")
            try house.ip(in: "web", "link set lo up")
            try body(house)
        }
    }

    /// Starts a stand-in for dockerd's resolver, and leads port 53 of 127.0.0.11 to it as Docker does.
    private func startDocker(_ log: String, _ options: String..., in house: House) throws -> (
        process: Process, udp: String, tcp: String
    ) {
        let process = try house.start(
            in: "web", ["env"] + House.pythonPath + ["python3", "-u", House.kit("resolver.py")] + options, log: log)
        #expect(eventually { lines(log, house).first?.hasPrefix("ready ") == true }, "\(lines(log, house))")
        let ports = (lines(log, house).first ?? "").split(separator: " ").map(String.init)
        let (udp, tcp) = (ports[1], ports[2])
        _ = try house.run(in: "web", ["iptables", "-t", "nat", "-F", "OUTPUT"])
        for (transport, port) in [("udp", udp), ("tcp", tcp)] {
            let added = try house.run(
                in: "web",
                [
                    "iptables", "-t", "nat", "-A", "OUTPUT", "-p", transport, "-d", "127.0.0.11", "--dport", "53", "-j",
                    "DNAT", "--to-destination", "127.0.0.11:\(port)",
                ])
            #expect(added.status == 0, "\(added)")
        }
        return (process, udp, tcp)
    }

    private func lines(_ log: String, _ house: House) -> [String] {
        let text = (try? String(contentsOfFile: "\(house.directory)/\(log)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    private func add(_ house: House, _ intercept: String...) throws {
        let added = try house.ctl(
            ["container", "add", "web", "--netns", house.path("web"), "--network", "front,ip=10.1.0.2"] + intercept)
        #expect(added.status == 0, "\(added)")
    }

    @Test("at 127.0.0.11 is dockerd at its ports: it knows neighbours, what it says of them is not cached")
    func docker() throws {
        try lend { house in
            let docker = try startDocker("docker", in: house)
            try add(house, "--intercept")
            #expect(try house.dig("web", "web").data == ["10.1.0.2"], "ours")
            for _ in 1...2 {
                #expect(try house.dig("web", "task-1").data == ["192.0.2.50"])
                #expect(try house.dig("web", "task-2.front").data == ["192.0.2.50"])
                #expect(try house.dig("web", "-x", "10.1.0.9").data == ["task-1.front."])
                #expect(try house.dig("web", "host.docker.internal").data == ["192.0.2.50"])
                #expect(try house.dig("web", "nobody").status == "NXDOMAIN")
                #expect(try house.dig("web", "www.example").data == ["192.0.2.50"])
                #expect(try house.dig("web", "big.example").data == ["192.0.2.50"])
                #expect(try house.dig("web", "nobody.internal").status == "NXDOMAIN")
            }
            let asked = lines("docker", house)
            for (query, count) in [
                ("udp task-1.", 2), ("udp task-2.front.", 2), ("udp nobody.", 2), ("udp 9.0.1.10.in-addr.arpa.", 2),
                ("udp www.example.", 1), ("udp big.example.", 1), ("tcp big.example.", 1), ("udp nobody.internal.", 0),
                ("udp web.", 0),
            ] {
                #expect(asked.count { $0 == query } == count, "\(query): \(asked)")
            }
            let server = "127.0.0.11:\(docker.udp) (TCP \(docker.tcp))"
            let resolved = try house.ctl("resolve", "task-1", "--from", "web")
            #expect(resolved.out.contains("former server \(server)"), "\(resolved)")
            let inspected = try house.ctl("container", "inspect", "web")
            #expect(inspected.out.contains(server), "\(inspected)")
        }
    }

    @Test("that are gone are stood in for by the host's upstreams, and found again at other ports when they are back")
    func returns() throws {
        try lend { house in
            let docker = try startDocker("docker", in: house)
            try add(house, "--intercept")
            #expect(try house.dig("web", "task-1").data == ["192.0.2.50"])
            House.kill(docker.process)
            #expect(try house.dig("web", "web").data == ["10.1.0.2"])
            #expect(try house.dig("web", "one.example").data == ["192.0.2.1"], "of the host's upstream")
            #expect(try house.dig("web", "two.example", "+tcp").data == ["192.0.2.1"])
            #expect(try house.dig("web", "task-1").status == "SERVFAIL")
            #expect(!house.queries(of: "127.0.0.5").contains { $0.contains("task-1") }, "no neighbour's name leaves")
            _ = try startDocker("docker-again", in: house)
            #expect(try eventually(within: 40) { try house.dig("web", "task-1").data == ["192.0.2.50"] })
            #expect(try house.dig("web", "three.example").data == ["192.0.2.50"])
        }
    }

    @Test("are asked at the address where the container would have asked them, IPv4 and IPv6")
    func gateway() throws {
        try lend { house in
            for address in ["10.1.0.1", "fd00:1::1"] {
                try house.startDNSMasq(in: "house", at: address, "--address=/#/192.0.2.9")
            }
            for address in ["10.1.0.1", "fd00:1::1"] {
                try add(house, "--intercept=\(address)")
                #expect(try house.dig("web", "task-1").data == ["192.0.2.9"], "\(address)")
                #expect(try house.dig("web", "www.example").data == ["192.0.2.9"], "\(address)")
                #expect(
                    try house.run(in: "web", ["dig", "@\(address)", "+short", "+tries=1", "web"]).text == "10.1.0.2")
                try house.mustCtl("container", "rm", "web")
            }
        }
    }

    @Test("are counted in status, with the last failure; inspect says whence each is known")
    func shown() throws {
        try lend { house in
            let docker = try startDocker("docker", in: house)
            try add(house, "--intercept")
            func status() throws -> [String] {
                try house.ctl("status").lines.map { $0.split(separator: " ").joined(separator: " ") }
            }
            func origin() throws -> String? {
                try house.ctl("container", "inspect", "web").lines.first { $0.contains("former server") }
            }
            #expect(try status().contains("former servers of 1 container: 1 not asked yet"))
            #expect(try house.dig("web", "task-1").data == ["192.0.2.50"])
            #expect(try status().contains("former servers of 1 container: 1 answering"))
            #expect(try origin()?.contains("kernel") == true)
            House.kill(docker.process)
            #expect(
                try eventually(within: 20) {
                    _ = try house.dig("web", "task-1")
                    return try status().contains("former servers of 1 container: 1 failing")
                })
            #expect(
                try eventually { try status().contains { $0.hasPrefix("last failure") && $0.contains("ago: web: ") } })
            try house.mustCtl("container", "rm", "web")
            try add(house, "--intercept=10.1.0.1")
            #expect(try origin()?.contains("control") == true)
            try house.mustCtl("container", "rm", "web")
            try house.command("mkdir", "-p", "/etc/netns/web")
            try "nameserver 10.1.0.1\n".write(
                toFile: house.file("/etc/netns/web/resolv.conf"), atomically: true, encoding: .utf8)
            try add(house, "--intercept")
            #expect(try origin()?.contains("resolv.conf") == true)
        }
    }

    @Test("at a link-local address are asked over the link that resolv.conf names with it")
    func linkLocal() throws {
        try lend { house in
            try house.ip("addr add fe80::53/64 dev br0 nodad")
            try house.ip(in: "web", "addr add fe80::2/64 dev eth0 nodad")
            try house.startUpstream("fe80::53%br0")
            try house.command("mkdir", "-p", "/etc/netns/web")
            try "nameserver fe80::53%eth0\n".write(
                toFile: house.file("/etc/netns/web/resolv.conf"), atomically: true, encoding: .utf8)
            try add(house, "--intercept")
            let inspected = try house.ctl("container", "inspect", "web").out
            #expect(inspected.contains("[fe80::53%eth0]:53") && inspected.contains("fe80::53%eth0"), "\(inspected)")
            #expect(try house.dig("web", "www.example", "TXT").data == ["\"from fe80::53%br0\""])
            // No rule can lead a question from a link-local address to ::1.
            #expect(inspected.contains("not asked: its resolv.conf names fe80::53%eth0"), "\(inspected)")
            #expect(
                try house.run(
                    in: "web", ["dig", "@fe80::53%eth0", "+short", "+timeout=3", "+tries=1", "www.example", "TXT"]
                ).text == "\"from fe80::53%br0\"", "it is asked as before")
        }
    }

    @Test("that ask us in turn are found out and left out")
    func loop() throws {
        try lend { house in
            let docker = try startDocker("docker", "loop", in: house)
            try add(house, "--intercept")
            let server = "127.0.0.11:\(docker.udp) (TCP \(docker.tcp))"
            let message = "upstream \(server) in the namespace of container web asks us in turn"
            #expect(
                try eventually(within: 20) {
                    _ = try house.dig("web", "task-1")
                    return house.log.contains(message)
                }, "\(house.log)")
            #expect(try eventually { try house.dig("web", "task-1").status == "NXDOMAIN" })
            #expect(try house.dig("web", "www.example").data == ["192.0.2.1"])
        }
    }
}
