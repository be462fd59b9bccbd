// Questions of containers on podman's networks, as a table: what aardvark-dns promises to them, and goes on without it.

import Foundation
import Testing

@Suite(
    "On podman's networks", .serialized,
    .needs("/usr/bin/podman", "/usr/lib/podman/netavark", "/usr/sbin/runc", "/usr/sbin/dnsmasq"))
struct PodmanScenarioTests {
    /// A question as for dig, from a container, and its answer: sorted data, `no data`, or the response code.
    private typealias Row = (what: String, from: String, question: String, answer: String)

    /// red has both families, blue only IPv4, shut is internal; `both` is on red and blue.
    private static let rows: [Row] = [
        ("a neighbour", "r1", "r2", "10.90.1.12"),
        ("in capitals", "r1", "R2", "10.90.1.12"),
        ("with its network behind it", "r1", "r2.red", "10.90.1.12"),
        ("over TCP", "r1", "+tcp r2", "10.90.1.12"),
        ("itself", "r1", "r1", "10.90.1.11"),
        ("at the gateway that resolv.conf names", "r1", "@10.90.1.1 r2", "10.90.1.12"),
        ("over IPv6", "r1", "@fd90:1::1 r2", "10.90.1.12"),
        ("an address of IPv6", "r1", "r2 AAAA", "fd90:1::12"),
        ("no address of IPv6 on a network without", "b1", "both AAAA", "no data"),
        ("backwards", "r1", "-x 10.90.1.12", "r2.red.internal."),
        ("backwards, IPv6", "r1", "-x fd90:1::12", "r2.red.internal."),
        ("backwards, on another network", "r1", "-x 10.90.2.11", "NXDOMAIN"),
        ("an alias that two share", "r1", "db", "10.90.1.11 10.90.1.12"),
        ("the same alias on another network", "b1", "db", "10.90.2.11"),
        ("two networks are apart", "r1", "b1", "NXDOMAIN"),
        ("in the other direction, too", "b1", "r1", "NXDOMAIN"),
        ("one on both knows the one", "both", "r1", "10.90.1.11"),
        ("and the other", "both", "b1", "10.90.2.11"),
        ("and is known on the one", "r1", "both", "10.90.1.13"),
        ("and on the other, each by its address there", "b1", "both", "10.90.2.13"),
        ("nobody", "r1", "nobody", "NXDOMAIN"),
        ("a name of outside", "r1", "www.example.com", "192.0.2.5"),
        ("on an internal network, a neighbour", "i1", "i2", "10.90.3.12"),
        ("on an internal network, over TCP", "i1", "+tcp i2", "10.90.3.12"),
        ("on an internal network, at its gateway", "i1", "@10.90.3.1 i2", "10.90.3.12"),
        ("on an internal network, at its gateway over TCP", "i1", "@10.90.3.1 +tcp i2", "10.90.3.12"),
        ("on an internal network, backwards", "i1", "-x 10.90.3.12", "i2.shut.internal."),
        ("on an internal network, somebody on another", "i1", "r1", "NXDOMAIN"),
        ("of an internal network, elsewhere", "r1", "i1", "NXDOMAIN"),
        ("on an internal network, a name of outside", "i1", "www.example.com", "NXDOMAIN"),
        ("on an internal network, a name of outside at its gateway", "i1", "@10.90.3.1 www.example.com", "NXDOMAIN"),
    ]

    /// r1 and b1 have joined a third network.
    private static let connected: [Row] = [
        ("joined a third network", "r1", "g1", "10.90.4.10"),
        ("as another has", "r1", "b1", "10.90.4.12"),
        ("and is known there", "g1", "r1", "10.90.4.11"),
        ("by its alias there", "g1", "late", "10.90.4.11"),
        ("one that has not joined", "both", "g1", "NXDOMAIN"),
        ("the network that it was on before", "r1", "r2", "10.90.1.12"),
    ]

    /// aardvark-dns was killed, and the host's resolv.conf names another server.
    private static let without: [Row] = [
        ("a neighbour, at the gateway", "r1", "@10.90.1.1 r2", "10.90.1.12"),
        ("a neighbour, over TCP", "r1", "@10.90.1.1 +tcp r2", "10.90.1.12"),
        ("backwards", "r1", "@10.90.1.1 -x 10.90.1.12", "r2.red.internal."),
        ("a name of outside, by the host's server", "r1", "@10.90.1.1 ftp.example.com", "192.0.2.6"),
        ("on an internal network", "i1", "@10.90.3.1 i2", "10.90.3.12"),
    ]

    private static func answer(_ row: Row, _ pids: [String: String], _ lab: RuntimeLab) throws -> String {
        let question = row.question.split(separator: " ").map(String.init)
        let server = question.first?.hasPrefix("@") == true ? [] : ["@127.0.0.11"]
        let reply = Reply(
            try Command.run(
                ["nsenter", "--net=/proc/\(pids[row.from] ?? "")/ns/net", "dig", "+timeout=3", "+tries=1"] + server
                    + question))
        guard reply.status == "NOERROR" else { return reply.status.isEmpty ? "no answer" : reply.status }
        return reply.data.isEmpty ? "no data" : reply.data.joined(separator: " ")
    }

    private static func check(_ rows: [Row], _ pids: [String: String], _ lab: RuntimeLab) throws {
        for row in rows {
            var given = ""
            let isRight = try eventually {
                given = try answer(row, pids, lab)
                return given == row.answer
            }
            #expect(isRight, "\(row): \(given)\n\(lab.logs)")
        }
    }

    /// Networks and containers of the tables; the first address of a server is the host's.
    private static func town(_ podman: RealPodman) throws -> [String: String] {
        try podman.must("network create red --ipv6 --subnet 10.90.1.0/24 --subnet fd90:1::/64")
        try podman.must("network create blue --subnet 10.90.2.0/24")
        try podman.must("network create shut --internal --subnet 10.90.3.0/24")
        try podman.must("network create green --subnet 10.90.4.0/24")
        var pids: [String: String] = [:]
        func container(_ name: String, _ options: String) throws {
            pids[name] = try podman.container(name, options)
        }
        try container("r1", "--network red:ip=10.90.1.11,ip=fd90:1::11,alias=db")
        try container("r2", "--network red:ip=10.90.1.12,ip=fd90:1::12,alias=db")
        try container("b1", "--network blue:ip=10.90.2.11,alias=db")
        try container("both", "--network red:ip=10.90.1.13 --network blue:ip=10.90.2.13")
        try container("i1", "--network shut:ip=10.90.3.11")
        try container("i2", "--network shut:ip=10.90.3.12")
        try container("g1", "--network green:ip=10.90.4.10")
        return pids
    }

    private static func lend(_ body: (RealPodman, [String: String]) throws -> Void) throws {
        try RuntimeLab.lend(resolver: "nameserver 10.99.0.5\n") { lab in
            for (number, name) in [(5, "www"), (6, "ftp")] {
                try lab.must("ip addr add 10.99.0.\(number)/32 dev lo")
                try lab.house.startDNSMasq(
                    in: "house", at: "10.99.0.\(number)", "--address=/\(name).example.com/192.0.2.\(number)",
                    "--domain-needed", "--bogus-priv")
            }
            let podman = try RealPodman(lab)
            defer { podman.tearDown() }
            try body(podman, try town(podman))
        }
    }

    @Test("each container is answered what its networks know, and nothing of others, also after it joined and left one")
    func scenarios() throws {
        try Self.lend { podman, pids in
            try Self.check(Self.rows, pids, podman.lab)
            // As a program on the internal network asks: by the resolv.conf that podman has given it.
            #expect(try podman.must("exec i1 getent ahostsv4 i2").hasPrefix("10.90.3.12 "), "\(podman.lab.logs)")
            let isReady = try eventually {
                let lines = try podman.lab.house.ctl("container", "ls").lines
                return lines.contains { $0.hasPrefix("i1 ") && $0.contains(" ready") }
            }
            #expect(isReady, "\(podman.lab.logs)")
            try podman.must("network connect --ip 10.90.4.11 --alias late green r1")
            try podman.must("network connect --ip 10.90.4.12 green b1")
            try Self.check(Self.connected, pids, podman.lab)
            try podman.must("network disconnect green r1")
            try Self.check(
                [("left it", "r1", "b1", "NXDOMAIN"), ("is gone", "g1", "r1", "NXDOMAIN")], pids, podman.lab)
        }
    }

    /// Sends half a message over TCP and keeps the connection.
    private static let half = """
        import socket, sys, time
        connection = socket.create_connection((sys.argv[1], 53))
        connection.sendall(b"\\x00\\x1c\\x12\\x34\\x01\\x00\\x00\\x01")
        print("sent", flush=True)
        time.sleep(600)
        """

    @Test("half a message over TCP holds nobody up, and names go on after aardvark-dns and the host's server have gone")
    func faults() throws {
        try Self.lend { podman, pids in
            let lab = podman.lab
            try Self.check([("a neighbour", "r1", "r2", "10.90.1.12")], pids, lab)
            try lab.write(Self.half, to: "half.py")
            try lab.start(
                [
                    "nsenter", "--net=/proc/\(pids["r1"] ?? "")/ns/net", "python3", "\(lab.directory)/half.py",
                    "10.90.1.1",
                ],
                log: "half.log")
            #expect(eventually { lab.text("half.log") == "sent\n" })
            let meanwhile: [Row] = [
                ("a neighbour", "r1", "@10.90.1.1 r2", "10.90.1.12"),
                ("a neighbour, over TCP", "r1", "@10.90.1.1 +tcp r2", "10.90.1.12"),
            ]
            try Self.check(meanwhile, pids, lab)

            // The container's resolv.conf names both: aardvark-dns, and the host's server of then.
            try podman.killDNS()
            try lab.must("kill -9 $(ss -Hlunp src 10.99.0.5 | sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p' | head -n 1)")
            try "nameserver 10.99.0.6\n".write(toFile: lab.house.resolver, atomically: false, encoding: .utf8)
            try Self.check(Self.without, pids, lab)
            // As a program of the container's asks: by its resolv.conf, with the search domain in it first.
            #expect(try podman.must("exec r1 getent ahostsv4 r2").hasPrefix("10.90.1.12 "), "\(lab.logs)")
            // podman starts another aardvark-dns with the next container.
            try podman.container("late", "--network red:ip=10.90.1.14")
            try Self.check([("one that came meanwhile", "r1", "late", "10.90.1.14")], pids, lab)
        }
    }
}
