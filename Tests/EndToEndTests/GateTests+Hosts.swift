// Gates on hosts that have more: links that move, many containers, and firewalld.

import Foundation
import Testing

extension GateTests {
    @Test("lets nothing past a link that its root moves into a namespace of its own making, also over a restart")
    func movedLink() throws {
        try lend { house in
            try add(house)
            #expect(try house.dig("box", "allowed.example").data == ["192.0.2.1"])
            try house.start(in: "box", ["sh", "-c", "unshare --net sleep 600 & echo $!; wait"], log: "inner")
            func log() throws -> String {
                try String(contentsOfFile: "\(house.directory)/inner", encoding: .utf8).split(separator: "\n").first
                    .map(String.init) ?? ""
            }
            #expect(try eventually { try !log().isEmpty })
            let pid = try log()
            defer { _ = try? house.run(in: "house", ["kill", "-9", pid]) }
            func inner(_ arguments: [String]) throws -> Output {
                try house.run(in: "house", ["nsenter", "--target", pid, "--net"] + arguments)
            }
            let own = try house.run(in: "box", ["readlink", "/proc/self/ns/net"]).text
            #expect(try eventually { try inner(["readlink", "/proc/self/ns/net"]).text != own })
            try house.ip(in: "box", "link set eth0 netns \(pid)")
            for line in ["addr add 10.1.0.2/24 dev eth0", "link set eth0 up", "route add default via 10.1.0.1"] {
                let output = try inner(["ip"] + line.split(separator: " ").map(String.init))
                #expect(output.status == 0, "\(output)")
            }
            func tryAll(_ situation: String) throws {
                for _ in 0..<4 {
                    let output = try inner([
                        "python3", House.kit("reach.py"), "1", "tcp:192.0.2.9:80", "tcp:192.0.2.1:80",
                    ])
                    let lines = output.lines.filter { !$0.isEmpty }
                    #expect(lines.count == 2 && !lines[0].hasSuffix("reached"), "\(situation): \(output)")
                }
            }
            try tryAll("with a daemon that saw it")
            try house.crashDaemon()
            #expect(try eventually { try house.ctl("status").status == 0 })
            try tryAll("with a daemon that did not")
        }
    }

    // MARK: - Many

    @Test("is behind it with all others that come at once, and the daemon answers meanwhile")
    func many() throws {
        let count = ProcessInfo.processInfo.environment["INTERCOM_GATES"].flatMap { Int($0) } ?? 200
        try House.lend(configuration: "[forward]\nupstreams = [\"127.0.0.5\"]\n") {
            house in
            try house.bridge("br0", "10.1.0.1/16")
            for number in 0..<count {
                try house.plug("c\(number)", into: "br0", "10.1.\(1 + number / 250).\(1 + number % 250)/16")
            }
            func listed() throws -> Int {
                try house.ctl("container", "ls", "--json").out.components(separatedBy: "\"ready\"").count - 1
            }
            #expect(try eventually(within: 60) { try listed() >= count }, "\(house.log)")
            func gates() throws -> Int {
                try house.run(in: "house", ["nft", "list", "chains", "netdev"]).text.components(
                    separatedBy: "hook ingress"
                ).count - 1
            }
            try house.mustCtl("policy", "set", "gate", "--default", "allow")
            try house.mustCtl("network", "create", "front", "--interface", "br0", "--policy", "gate")
            let clock = ContinuousClock()
            var slowest = Duration.zero
            let command = Process()
            command.executableURL = URL(fileURLWithPath: "\(House.binaries)/intercomctl")
            command.arguments = [
                "--socket", house.socket, "policy", "set", "gate", "--addresses",
            ]
            let start = clock.now
            try Command.start(command)
            #expect(
                try eventually(within: 60) {
                    slowest = max(slowest, try clock.measure { _ = try house.ctl("status") })
                    return !command.isRunning
                })
            let elapsed = clock.now - start
            #expect(command.terminationStatus == 0)
            #expect(try gates() == count)
            #expect(!house.log.contains("no address can be told"), "\(house.log)")
            try house.crashDaemon()
            let again = clock.now
            #expect(try eventually(within: 60) { try house.ctl("policy", "inspect", "gate").out.contains("in force") })
            print(
                "gate: \(count) gates in force after \(elapsed), the slowest status \(slowest); after a restart \(clock.now - again)"
            )
            #expect(try gates() == count)
            #expect(!house.log.contains("no address can be told"), "\(house.log)")
        }
    }

    // MARK: - Beside firewalld

    private static let firewalld = "/usr/sbin/firewalld"

    /// A bus of the house's own, on which everybody may do everything.
    private static func bus(_ directory: String) -> String {
        """
        <busconfig><type>system</type><listen>unix:path=\(directory)/bus</listen><auth>EXTERNAL</auth>
        <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
        </policy></busconfig>
        """
    }

    /// Starts firewalld in the host's namespace, with the links of the house in its zone `trusted`.
    /// - Returns: runs firewall-cmd.
    private func startFirewalld(_ house: House) throws -> (String...) throws -> Output {
        let directory = house.directory
        try Self.bus(directory).write(toFile: "\(directory)/bus.conf", atomically: true, encoding: .utf8)
        try FileManager.default.createDirectory(atPath: "\(directory)/firewall", withIntermediateDirectories: true)
        try "DefaultZone=public\nFirewallBackend=nftables\nCleanupOnExit=yes\n".write(
            toFile: "\(directory)/firewall/firewalld.conf", atomically: true, encoding: .utf8)
        let address = "DBUS_SYSTEM_BUS_ADDRESS=unix:path=\(directory)/bus"
        try house.start(
            in: "house", ["dbus-daemon", "--config-file=\(directory)/bus.conf", "--nofork", "--nopidfile"],
            log: "bus.log")
        #expect(eventually { FileManager.default.fileExists(atPath: "\(directory)/bus") })
        try house.start(
            in: "house",
            [
                "env", address, Self.firewalld, "--nofork", "--nopid", "--system-config",
                "\(directory)/firewall", "--log-file", "\(directory)/firewalld.log",
            ], log: "firewalld.out")
        let command = { (arguments: String...) in
            try house.run(in: "house", ["env", address, "firewall-cmd"] + arguments)
        }
        #expect(try eventually(within: 30) { try command("--state").status == 0 })
        for link in ["br0", "out"] {
            let output = try command("--permanent", "--zone=trusted", "--add-interface=\(link)")
            #expect(output.status == 0, "\(output)")
        }
        #expect(try command("--reload").status == 0)
        return command
    }

    @Test(
        "stands beside firewalld: neither touches the other's rules, both hold, and a reload leaves the gate",
        .enabled(if: FileManager.default.fileExists(atPath: firewalld), "no firewalld here"))
    func besideFirewalld() throws {
        try lend { house in
            let firewall = try startFirewalld(house)
            func rules() throws -> String {
                try house.run(in: "house", ["nft", "--stateless", "list", "table", "inet", "firewalld"]).text
            }
            let before = try rules()
            #expect(before.contains("filter_FORWARD"), "\(before)")
            try add(house)
            #expect(try rules() == before)
            #expect(try house.dig("box", "allowed.example").data == ["192.0.2.1"])
            func tryAll(_ situation: String) throws {
                let ends = try reach(house, "tcp:192.0.2.1:80", "tcp:192.0.2.9:80", "tcp:10.1.0.3:80")
                #expect(ends.first == "reached" && ends.last == "reached", "\(situation): \(ends)")
                #expect(ends.count == 3 && Self.refusals.contains(ends[1]), "\(situation): \(ends)")
                #expect(try reach(house, from: "web", "tcp:192.0.2.9:80") == ["reached"], "\(situation)")
            }
            try tryAll("beside it")
            for option in ["--reload", "--complete-reload"] {
                #expect(try firewall(option).status == 0)
                try tryAll(option)
                #expect(try rules() == before, "\(option)")
            }
            #expect(!house.log.contains("the gates of policies were removed"), "\(house.log)")
            // What firewalld drops stays dropped.
            #expect(try firewall("--zone=drop", "--change-interface=br0").status == 0)
            #expect(try reach(house, "tcp:192.0.2.1:80").first != "reached")
            #expect(try firewall("--zone=trusted", "--change-interface=br0").status == 0)
            try tryAll("opened again")
            try house.mustCtl("container", "rm", "box")
            #expect(
                try eventually {
                    try !house.run(in: "house", ["nft", "list", "tables"]).text.contains("intercom-policy")
                })
        }
    }
}
