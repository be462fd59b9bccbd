// A gate for addresses: a container reaches what answers have told it, its networks, and nothing else.

import Foundation
import Testing

@Suite("A container behind a gate for addresses", .needsRoot)
struct GateTests {
    private static let configuration = """
        [forward]
        upstreams = ["127.0.0.5"]
        [[policy]]
        name = "sandbox"
        allow = ["allowed.example", "lying.example", "*.many.example"]
        addresses = true

        """
    /// Errors by which a program is told that it may not.
    static let refusals: Set = ["EHOSTUNREACH", "EACCES", "EPERM"]

    /// A house with a bridge, on which `box` and `web` are, and beyond the host a namespace `out` with more addresses than one.
    func lend(_ text: String = configuration, _ body: (House) throws -> Void) throws {
        try House.lend(configuration: text) { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.ip("addr add fd00:1::1/64 dev br0 nodad")
            for (name, number) in [("box", 2), ("web", 3)] {
                try house.plug(name, into: "br0", "10.1.0.\(number)/24")
                try house.ip(in: name, "addr add fd00:1::\(number)/64 dev eth0 nodad")
                try house.ip(in: name, "route add default via 10.1.0.1")
                try house.ip(in: name, "-6 route add default via fd00:1::1")
            }
            _ = try house.namespace("out")
            try house.ip(in: "out", "link set lo up")
            try house.ip("link add out type veth peer name eth0 netns out")
            try house.ip("addr add 192.0.2.254/24 dev out")
            try house.ip("addr add 2001:db8::fe/64 dev out nodad")
            try house.ip("link set out up")
            try house.ip(in: "out", "link set eth0 up")
            for number in [1, 9] {
                try house.ip(in: "out", "addr add 192.0.2.\(number)/24 dev eth0")
                try house.ip(in: "out", "addr add 2001:db8::\(number)/64 dev eth0 nodad")
            }
            try house.ip(in: "out", "route add default via 192.0.2.254")
            try house.ip(in: "out", "-6 route add default via 2001:db8::fe")
            try house.run(
                in: "house",
                ["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"])
            for name in ["out", "house", "web", "box"] {
                try house.start(in: name, ["python3", "-u", House.kit("echo.py"), "80"], log: "echo-\(name)")
                #expect(
                    try eventually {
                        try String(contentsOfFile: "\(house.directory)/echo-\(name)", encoding: .utf8).contains("ready")
                    })
            }
            try house.startDNSMasq(
                in: "house", at: "127.0.0.5",
                [
                    "--local-ttl=300", "--address=/allowed.example/192.0.2.1", "--address=/allowed.example/2001:db8::1",
                    "--txt-record=allowed.example,told", "--address=/evil.example/192.0.2.9",
                    "--address=/lying.example/10.1.0.1",
                    "--synth-domain=many.example,10.50.0.0/16",
                ])
            try body(house)
        }
    }

    /// Outcomes of ways from a container, in their order.
    func reach(_ house: House, from name: String = "box", _ ways: String...) throws -> [String] {
        let output = try house.run(in: name, ["python3", House.kit("reach.py"), "3"] + ways)
        return output.lines.filter { !$0.isEmpty }.map { String($0.split(separator: " ").last ?? "") }
    }

    func add(_ house: House, _ name: String = "box", policy: String = "sandbox") throws {
        let output = try house.ctl(
            ["container", "add", name, "--netns", house.path(name), "--network", "br0", "--policy", policy])
        #expect(output.status == 0, "\(output)\n\(house.log)")
    }

    @Test(
        "reaches an address once an answer has told it, and its neighbors, and is told at once that it may reach no other"
    )
    func told() throws {
        try lend { house in
            #expect(try reach(house, "tcp:192.0.2.1:80", "tcp:[2001:db8::1]:80") == ["reached", "reached"])
            try add(house)
            let before = try reach(
                house, "tcp:192.0.2.1:80", "udp:192.0.2.1:80", "tcp:[2001:db8::1]:80", "icmp:192.0.2.1:0")
            #expect(before.allSatisfy { Self.refusals.contains($0) }, "\(before) \(house.log)")
            #expect(try house.dig("box", "allowed.example").data == ["192.0.2.1"])
            #expect(try reach(house, "tcp:192.0.2.1:80", "udp:192.0.2.1:80") == ["reached", "reached"])
            #expect(try house.dig("box", "allowed.example", "AAAA", "+tcp").data == ["2001:db8::1"])
            #expect(try reach(house, "tcp:[2001:db8::1]:80") == ["reached"])
            let others = try reach(
                house, "tcp:192.0.2.9:80", "tcp:[2001:db8::9]:80", "tcp:192.0.2.254:80", "udp:10.1.0.1:80")
            #expect(others.allSatisfy { Self.refusals.contains($0) }, "\(others)")
            #expect(try reach(house, "tcp:10.1.0.3:80", "tcp:[fd00:1::3]:80") == ["reached", "reached"])
            // Whoever connects to it is answered.
            #expect(try reach(house, from: "house", "tcp:10.1.0.2:80", "tcp:[fd00:1::2]:80") == ["reached", "reached"])
            #expect(try reach(house, from: "out", "tcp:10.1.0.2:80") == ["reached"])
            // The other container is not concerned.
            #expect(try reach(house, from: "web", "tcp:192.0.2.9:80") == ["reached"])
            try house.mustCtl("container", "rm", "box")
            #expect(try eventually { try reach(house, "tcp:192.0.2.9:80") == ["reached"] }, "gone with the container")
            #expect(
                try eventually {
                    try !house.run(in: "house", ["nft", "list", "tables"]).text.contains("intercom-policy")
                })
        }
    }

    // MARK: - Ways out

    /// Counts what is where nothing of `box` may come: at other addresses of `out`, at the host, and frames to `web` that it may not send.
    private func watch(_ house: House, _ mac: String) throws {
        let rules = [
            "out": """
            table inet watch {
                counter passed { }
                chain input {
                    type filter hook input priority 0;
                    ip daddr { 192.0.2.9, 192.0.2.77 } counter name passed
                    ip6 daddr 2001:db8::9 counter name passed
                }
            }
            """,
            "house": """
            table inet watch {
                counter passed { }
                chain input {
                    type filter hook input priority 300;
                    iifname "br0" ip daddr { 10.1.0.1, 192.0.2.254 } ip saddr != 10.1.0.3 counter name passed
                    iifname "br0" ip daddr { 10.1.0.0, 10.1.0.255 } udp dport 80 counter name passed
                    iifname "br0" ip6 daddr { fd00:1::, fd00:1::1, 2001:db8::fe } meta l4proto { tcp, udp } counter name passed
                }
                chain forward {
                    type filter hook forward priority 300;
                    iifname "br0" oifname "out" ip saddr != 10.1.0.3 ip daddr != 192.0.2.1 counter name passed
                }
            }
            """,
            "web": """
            table netdev watch {
                counter passed { }
                chain ingress {
                    type filter hook ingress device "eth0" priority 0;
                    ip daddr 192.0.2.9 counter name passed
                    meta protocol != { arp, ip, ip6 } counter name passed
                }
            }
            """,
        ]
        for (name, text) in rules {
            let output = try house.run(in: name, ["nft", "-f", "-"], input: text)
            #expect(output.status == 0, "\(output)")
        }
    }

    /// Packets that were counted, in all places.
    private func passed(_ house: House) throws -> Int {
        try ["out", "house", "web"].reduce(0) { sum, name in
            let text = try house.run(in: name, ["nft", "list", "counters"]).text
            let words = text.split(whereSeparator: \.isWhitespace)
            return sum
                + zip(words, words.dropFirst()).filter { $0.0 == "packets" }.compactMap { Int($0.1) }.reduce(0, +)
        }
    }

    private static let otherWays = [
        "tcp:192.0.2.9:80", "udp:192.0.2.9:80", "icmp:192.0.2.9:0", "tcp:[2001:db8::9]:80", "udp:[2001:db8::9]:80",
        "icmp:[2001:db8::9]:0", "tcp:192.0.2.9:53", "udp:192.0.2.9:53", "tcp:192.0.2.9:853", "tcp:192.0.2.254:80",
        "udp:10.1.0.1:80", "tcp:10.1.0.1:80", "tcp:[fd00:1::1]:80", "tcp:[2001:db8::fe]:80", "icmp:10.1.0.1:0",
        "raw:192.0.2.9:80", "raw:10.1.0.1:80", "spoofed=10.1.0.3:192.0.2.9:80", "spoofed=10.1.0.99:192.0.2.9:80",
        "spoofed=192.0.2.1:192.0.2.9:80", "spoofed=10.1.0.1:192.0.2.254:80", "spoofed=127.0.0.1:10.1.0.1:80",
        "raw:255.255.255.255:80", "raw:224.0.0.251:5353",
        // What the host hears on its bridge beside its own addresses.
        "udp:10.1.0.255:80", "udp:10.1.0.0:80", "udp:[fd00:1::]:80", "tcp:[fd00:1::]:80",
        // From an address of outside: neither the host's refusal nor the answer of an address that was told goes there.
        "spoofed=192.0.2.9:192.0.2.254:80", "spoofed=192.0.2.9:10.1.0.1:80", "spoofed=192.0.2.9:198.51.100.1:80",
        "spoofed=192.0.2.9:192.0.2.1:80",
    ]

    @Test("lets nothing else past the host's end of its link, whatever root in it tries, also while no daemon runs")
    func waysOut() throws {
        try lend { house in
            try add(house)
            let mac = try house.run(in: "web", ["cat", "/sys/class/net/eth0/address"]).lines.first ?? ""
            let ways =
                Self.otherWays
                + ["frame", "tagged", "other"].map {
                    "\($0)=\(mac.replacingOccurrences(of: ":", with: "-")):192.0.2.9:80"
                }
            try watch(house, mac)
            #expect(try house.dig("box", "allowed.example").data == ["192.0.2.1"])
            // An upstream may not tell it the host's address.
            #expect(try house.dig("box", "lying.example").data == ["10.1.0.1"])
            func tryAll(_ situation: String) throws {
                let output = try house.run(in: "box", ["python3", House.kit("reach.py"), "0.4"] + ways, within: 120)
                let lines = output.lines.filter { !$0.isEmpty }
                #expect(lines.count == ways.count, "\(situation): \(output)")
                #expect(!lines.contains { $0.hasSuffix(" reached") }, "\(situation): \(output)")
                #expect(try passed(house) == 0, "\(situation): \(output)")
                #expect(
                    try reach(house, "tcp:192.0.2.1:80", "tcp:10.1.0.3:80") == ["reached", "reached"], "\(situation)")
            }
            try tryAll("at first")
            for server in ["192.0.2.9", "10.1.0.1", "192.0.2.254"] {
                for option in ["+notcp", "+tcp"] {
                    let asked = ["dig", "@\(server)", "+timeout=1", "+tries=1", option, "evil.example"]
                    #expect(try house.run(in: "box", asked).status != 0)
                }
            }
            try house.run(in: "box", ["nft", "flush", "ruleset"])
            try house.run(
                in: "box",
                [
                    "sh", "-c",
                    "nft add table inet t; nft add chain inet t c '{ type route hook output priority 0; }'; nft add rule inet t c meta mark set 0x1c54",
                ])
            try tryAll("with rules of its own")
            try house.ip(in: "box", "addr add 10.1.0.99/24 dev eth0")
            try house.ip(in: "box", "addr add 192.0.2.77/32 dev eth0")
            try house.ip(in: "box", "link add m0 link eth0 type macvlan mode bridge")
            try house.ip(in: "box", "addr add 10.1.0.98/24 dev m0")
            try house.ip(in: "box", "link set m0 up")
            try tryAll("with other addresses and a link on its link")
            // An address of outside, which is none of its own.
            try house.ip(in: "box", "addr add 192.0.2.9/32 dev eth0")
            // Its own packets to this address never leave it now.
            let spoofed = ["spoofed=192.0.2.9:192.0.2.254:80", "spoofed=192.0.2.9:192.0.2.1:80"]
            try house.run(in: "box", ["python3", House.kit("reach.py"), "0.4"] + spoofed)
            #expect(try passed(house) == 0, "with an address of outside")
            try house.ip(in: "box", "addr del 192.0.2.9/32 dev eth0")
            if let daemon = house.daemon { House.kill(daemon) }
            try tryAll("without a daemon")
            try house.crashDaemon()
            try tryAll("after a restart")
            #expect(try house.dig("box", "evil.example").status == "NXDOMAIN")
            #expect(try passed(house) == 0)
        }
    }

    // MARK: - Changes

    /// Connects to 192.0.2.1, and sends when a file is there.
    private static let connection = """
        import os, socket, sys, time
        with socket.create_connection(("192.0.2.1", 80), 5) as client:
            print("connected", flush=True)
            while not os.path.exists(sys.argv[1]):
                time.sleep(0.02)
            client.settimeout(5)
            client.sendall(b"still there")
            print(client.recv(64).decode(), flush=True)
        """

    @Test("keeps a connection whose address has left, and loses what is not told again")
    func connections() throws {
        try lend { house in
            try add(house)
            #expect(try house.dig("box", "allowed.example").data == ["192.0.2.1"])
            let script = "\(house.directory)/connection.py"
            try Self.connection.write(toFile: script, atomically: true, encoding: .utf8)
            let signal = "\(house.directory)/send"
            try house.start(in: "box", ["python3", script, signal], log: "connection")
            func log() throws -> String { try String(contentsOfFile: "\(house.directory)/connection", encoding: .utf8) }
            #expect(try eventually { try log().contains("connected") })
            let sets = try house.run(in: "house", ["nft", "list", "sets"]).text
            let set = try #require(
                sets.split(whereSeparator: \.isWhitespace).map(String.init).first { $0.hasPrefix("v4-") })
            try house.run(in: "house", ["nft", "flush", "set", "netdev", "intercom-policy", set])
            #expect(Self.refusals.contains(try reach(house, "tcp:192.0.2.1:80").first ?? ""))
            try Data().write(to: URL(fileURLWithPath: signal))
            #expect(try eventually { try log().contains("still there") }, "the connection that was made before goes on")
        }
    }

    @Test("opens and closes when a command of its policy returns, not under audit, and again where somebody removed it")
    func live() throws {
        try lend { house in
            try house.mustCtl("policy", "set", "gate", "--default", "allow")
            try add(house, policy: "gate")
            for (options, isOpen) in [
                ([], true), (["--addresses"], false), (["--cidr", "192.0.2.0/28"], true), (["--cidr", "none"], false),
                (["--audit"], true), (["--no-audit"], false), (["--no-addresses"], true), (["--addresses"], false),
            ] {
                let output = try house.ctl(["policy", "set", "gate"] + options)
                #expect(output.status == 0, "\(output)")
                #expect(try (reach(house, "tcp:192.0.2.9:80") == ["reached"]) == isOpen, "\(options) \(house.log)")
            }
            #expect(try house.ctl("policy", "inspect", "gate").out.contains("those of answers"))
            // The address of the host needs a name of ours.
            #expect(try house.dig("box", "host.docker.internal").data == ["10.1.0.1"])
            #expect(try house.dig("box", "allowed.example").data == ["192.0.2.1"])
            #expect(try reach(house, "tcp:10.1.0.1:80", "tcp:192.0.2.1:80") == ["reached", "reached"])
            try house.run(in: "house", ["nft", "flush", "ruleset"])
            #expect(
                try eventually {
                    try reach(house, "tcp:192.0.2.9:80", "tcp:192.0.2.1:80").last == "reached"
                        && Self.refusals.contains(reach(house, "tcp:192.0.2.9:80")[0])
                }, "it is set again: \(house.log)")
            #expect(house.log.contains("the gates of policies were removed from the host's nftables"))
            let metrics = try house.ctl("metrics").out
            #expect(metrics.contains("intercom_policy_addresses 2"), "\(metrics)")
            for command in [["policy", "inspect", "gate"], ["container", "inspect", "box"]] {
                let shown = try house.ctl(command).out
                #expect(shown.contains("in force") && shown.contains("2 addresses open now"), "\(shown)")
                let json = try house.ctl(command + ["--json"]).out.filter { !$0.isWhitespace }
                #expect(json.contains("\"open\":2,\"state\":\"inforce\""), "\(json)")
            }
        }
    }

    @Test(
        "finds no way out by addresses that its root gives it, whoever has them: under its own name they are told, not let through"
    )
    func ownAddresses() throws {
        let configuration = Self.configuration
            .replacing("127.0.0.5", with: "127.0.0.6").replacing("*.many.example", with: "*.up.example")
        try lend(configuration) { house in
            try house.startUpstream("127.0.0.6")
            try add(house)
            let others = ["192.0.2.9", "10.1.0.1"]
            for address in others { try house.ip(in: "box", "addr add \(address)/32 dev eth0") }
            #expect(try eventually { try Set(others).isSubset(of: house.dig("box", "box").data) }, "\(house.log)")
            #expect(try Set(others).isSubset(of: house.dig("box", "box", "+tcp").data))
            // Nor under names that lead there: an alias of the operator's, and one of an upstream's that it may ask for.
            try house.mustCtl("record", "add", "name.up.example", "CNAME", "box")
            for name in ["name.up.example", "alias-box.up.example"] {
                for option in ["+notcp", "+tcp"] {
                    let reply = try house.dig("box", name, option)
                    #expect(Set(others + ["box."]).isSubset(of: reply.data), "\(reply)")
                }
            }
            for address in others { try house.ip(in: "box", "addr del \(address)/32 dev eth0") }
            let result = try reach(house, "tcp:192.0.2.9:80", "tcp:10.1.0.1:80")
            #expect(result.allSatisfy(Self.refusals.contains), "\(result)")
        }
    }

    @Test("is told no address while its questions are asked from its own namespace, where its root can answer them")
    func askedFromNamespace() throws {
        let network = "[[network]]\nname = \"front\"\ninterface = \"br0\"\nfrom = \"namespace\"\n"
        try lend(Self.configuration + network) { house in
            try add(house)
            #expect(try eventually { try house.dig("box", "allowed.example").status == "SERVFAIL" }, "\(house.log)")
            let doctor = try house.ctl("doctor")
            #expect(doctor.out.contains("gate-failed") && doctor.out.contains("its own namespace"), "\(doctor)")
        }
    }

    @Test("is told no address where no gate can stand, and why, until that is mended")
    func failsClosed() throws {
        try lend { house in
            try add(house)
            #expect(try house.dig("box", "allowed.example").data == ["192.0.2.1"])
            try house.ip("link add mv0 link br0 type macvlan mode bridge")
            try house.ip("link set mv0 netns box")
            #expect(try eventually { try house.dig("box", "allowed.example").status == "SERVFAIL" }, "\(house.log)")
            for option in ["+notcp", "+tcp"] {
                let reply = try house.dig("box", "allowed.example", option)
                #expect(reply.status == "SERVFAIL" && reply.answer.isEmpty, "\(reply)")
                #expect(
                    reply.output.out.contains("EDE: 0 (Other): (policy: addresses cannot be reached: its link mv0"),
                    "\(reply)")
            }
            #expect(try house.dig("box", "allowed.example", "TXT").status == "NOERROR")
            let doctor = try house.ctl("doctor")
            #expect(doctor.status == 1 && doctor.out.contains("gate-failed"), "\(doctor)")
            let explained = try house.ctl("explain", "allowed.example", "--from", "box")
            #expect(
                explained.status == 1 && explained.out.contains("gate-failed: box is told no address"), "\(explained)")
            try house.ip(in: "box", "link del mv0")
            #expect(try eventually { try house.dig("box", "allowed.example").data == ["192.0.2.1"] }, "\(house.log)")
            #expect(try reach(house, "tcp:192.0.2.1:80") == ["reached"])
        }
    }

    @Test("connects to each address as soon as it is told, also to more of them than its sets hold")
    func burst() throws {
        try lend { house in
            try house.ip(in: "out", "route add local 10.50.0.0/16 dev lo")
            try house.ip("route add 10.50.0.0/16 via 192.0.2.1")
            try add(house)
            let options = ProcessInfo.processInfo.environment["INTERCOM_GATE_CONNECTS"].map { [$0, "65536"] }
            let output = try house.run(
                in: "box", ["python3", House.kit("burst.py")] + (options ?? ["6000", "4600"]), within: 600)
            #expect(output.out.contains("failures none"), "\(output) \(house.log)")
            print("gate: \(output.out)")
            let sets = try house.run(in: "house", ["nft", "list", "sets"]).text
            #expect(sets.components(separatedBy: "timeout").count - 1 <= 4096 + 8)
            #expect(house.log.contains("container box: it was told more than 4096 addresses"), "\(house.log)")
            let doctor = try house.ctl("doctor")
            #expect(doctor.out.contains("gate-full"), "\(doctor)")
            #expect(try house.ctl("container", "inspect", "box").out.contains("full: addresses made room for others"))
            #expect(try !house.ctl("metrics").out.contains("intercom_policy_made_room_total 0"))
        }
    }
}
