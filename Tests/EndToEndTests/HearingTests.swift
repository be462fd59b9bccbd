// Proof of being heard: a container is ready only where questions of its programs arrive at its listener.

import Foundation
import Testing

@Suite("A container whose questions arrive elsewhere", .needsRoot)
struct HearingTests {
    private static let configuration = """
        [server]
        workers = 1
        listen = "direct"
        [discover]
        exclude = ["house"]
        [[network]]
        name = "n"
        """

    /// A field of `container inspect --json`; state with its reason.
    private func inspected(_ name: String, _ field: String, _ house: House) throws -> String {
        let text = try house.ctl("container", "inspect", name, "--json").out
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let container = object?["container"] as? [String: Any]
        let value = container?[field] as? String ?? ""
        guard field == "state", let reason = container?["reason"] as? String else { return value }
        return "\(value): \(reason)"
    }

    private func listed(_ name: String, _ house: House) throws -> String {
        try house.ctl("container", "ls").lines.first { $0.hasPrefix(name) }?
            .split(separator: " ").joined(separator: " ") ?? ""
    }

    private func nft(_ house: House, _ name: String, _ commands: String...) throws {
        for command in commands {
            let output = try house.run(in: name, ["nft"] + command.split(separator: " ").map(String.init))
            #expect(output.status == 0, "\(command): \(output)")
        }
    }

    /// Leads port 53 of 127.0.0.11 to another server, as Docker does it.
    private func leadElsewhere(
        _ house: House, _ name: String, to address: String = "127.0.0.2", over transport: String = "udp"
    ) throws {
        try nft(
            house, name, "add table ip nat", "add chain ip nat out { type nat hook output priority -150 ; }",
            "add rule ip nat out ip daddr 127.0.0.11 \(transport) dport 53 dnat to \(address)")
    }

    @Test(
        "over TCP alone is unheard: another server answers there, nobody listens, or it is dropped; ready when that is gone"
    )
    func overTCP() throws {
        try House.lend(configuration: Self.configuration) { house in
            _ = try house.namespace("web")
            try house.ip(in: "web", "link set lo up")
            try house.startDNSMasq(in: "web", at: "127.0.0.2", "--address=/#/192.0.2.9")
            try leadElsewhere(house, "web", over: "tcp")
            let added = try house.ctl("container", "add", "web", "--netns", house.path("web"), "--network", "n")
            #expect(added.err.contains("unheard: 127.0.0.11:53 over TCP is answered by another server"), "\(added)")
            #expect(try inspected("web", "cure", house).contains("remove the rule"))
            try nft(house, "web", "delete table ip nat")
            #expect(try eventually { try inspected("web", "state", house) == "ready" })
            try leadElsewhere(house, "web", to: "127.0.0.3", over: "tcp")
            #expect(try inspected("web", "state", house).contains("questions to 127.0.0.11:53 over TCP are led"))
            try nft(
                house, "web", "delete table ip nat", "add table ip f",
                "add chain ip f in { type filter hook input priority 0 ; }", "add rule ip f in tcp dport 53 drop")
            #expect(
                try eventually {
                    try inspected("web", "state", house) == "unheard: questions to 127.0.0.11:53 over TCP get no reply"
                })
            #expect(try inspected("web", "cure", house).contains("let TCP to 127.0.0.11:53 pass"))
            try nft(house, "web", "delete table ip f")
            #expect(try eventually { try inspected("web", "state", house) == "ready" })
        }
    }

    @Test("is unheard: another server answers, which is said at once; ready when the rule is gone, by itself")
    func anotherServer() throws {
        try House.lend(configuration: Self.configuration) { house in
            _ = try house.namespace("web")
            try house.ip(in: "web", "link set lo up")
            try house.startDNSMasq(in: "web", at: "127.0.0.2", "--address=/#/192.0.2.9")
            try leadElsewhere(house, "web")
            let start = ContinuousClock.now
            let added = try house.ctl("container", "add", "web", "--netns", house.path("web"), "--network", "n")
            #expect(added.status == 0, "it is in force: \(added)")
            #expect(
                added.err.hasPrefix("intercomctl: container web is added, but unheard: 127.0.0.11:53 is answered by"),
                "\(added)")
            #expect(ContinuousClock.now - start < .seconds(1), "nobody waits for the deadline")
            #expect(try listed("web", house).contains(" unheard "))
            let reason = "unheard: 127.0.0.11:53 is answered by another server"
            #expect(try inspected("web", "state", house) == reason)
            #expect(try inspected("web", "cure", house).contains("remove the rule"))
            let status = try house.ctl("status").out
            #expect(
                status.contains("1 unheard") && status.contains("! container web is unheard: 127.0.0.11:53 is"),
                "\(status)")
            #expect(house.log.contains("container web is not heard: 127.0.0.11:53 is answered by another server"))
            try nft(house, "web", "delete table ip nat")
            #expect(try eventually { try listed("web", house).contains(" ready ") }, "it is tried again")
            #expect(house.log.contains("container web is heard now"))
        }
    }

    @Test("is seen to be so when somebody looks, though the rule came when it was ready")
    func ruleComesLater() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("web", "--network", "n")
            #expect(try inspected("web", "state", house) == "ready")
            try house.startDNSMasq(in: "web", at: "127.0.0.2", "--address=/#/192.0.2.9")
            try leadElsewhere(house, "web")
            #expect(try inspected("web", "state", house).contains("answered by another server"))
            try nft(house, "web", "delete table ip nat")
            #expect(try eventually { try inspected("web", "state", house) == "ready" })
        }
    }

    @Test("is unheard where its questions go nowhere: each reason has its words, and its cure")
    func nowhere() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("web", "--network", "n")
            func becomes(_ reason: String, _ cure: String, _ change: () throws -> Void) throws {
                try change()
                let shown = try inspected("web", "state", house)
                #expect(shown.hasPrefix("unheard: ") && shown.contains(reason), "\(reason): \(shown)")
                #expect(try inspected("web", "cure", house).contains(cure))
                try? nft(house, "web", "flush ruleset")
                try house.ip(in: "web", "link set lo up")
                #expect(try eventually { try inspected("web", "state", house) == "ready" }, "\(reason)")
            }
            try becomes("a firewall rule in its namespace drops questions to 127.0.0.11:53", "let UDP") {
                try nft(
                    house, "web", "add table ip f", "add chain ip f out { type filter hook output priority 0 ; }",
                    "add rule ip f out udp dport 53 drop")
            }
            try becomes("questions to 127.0.0.11:53 get no reply", "let UDP") {
                try nft(
                    house, "web", "add table ip f", "add chain ip f in { type filter hook input priority 0 ; }",
                    "add rule ip f in udp dport 53 drop")
            }
            try becomes("nobody listens where questions to 127.0.0.11:53 are led", "remove the nftables") {
                try leadElsewhere(house, "web", to: "127.0.0.3")
            }
            try becomes("the loopback interface of its namespace is down", "ip link set lo up") {
                try house.ip(in: "web", "link set lo down")
            }
        }
    }

    @Test("is found out when its loopback interface goes down and comes up, without anybody looking")
    func loopbackDown() throws {
        try House.lend(configuration: Self.configuration) { house in
            _ = try house.namespace("web")
            #expect(try eventually { try listed("web", house).contains(" ready ") }, "a found one is proved, too")
            try house.ip(in: "web", "link set lo down")
            #expect(try eventually { try listed("web", house).contains(" unheard ") })
            try house.ip(in: "web", "link set lo up")
            #expect(try eventually { try listed("web", house).contains(" ready ") })
        }
    }

    @Test("is told to monitors with its state, and counted nowhere as a query")
    func monitors() throws {
        try House.lend(configuration: Self.configuration) { house in
            let monitor = try house.start(
                in: "house", ["\(House.binaries)/intercomctl", "--socket", house.socket, "monitor"], log: "monitor")
            defer { House.kill(monitor) }
            func lines() -> [String] {
                let text = (try? String(contentsOfFile: "\(house.directory)/monitor", encoding: .utf8)) ?? ""
                return text.split(separator: "\n").map(String.init)
            }
            #expect(
                try eventually {
                    try house.mustCtl("network", "create", "probe")
                    try house.mustCtl("network", "rm", "probe")
                    return !lines().isEmpty
                })
            try house.container("web", "--network", "n")
            #expect(eventually { lines().contains("container changed web state ready") }, "\(lines())")
            try house.ip(in: "web", "link set lo down")
            let line = "container changed web state unheard: the loopback interface of its namespace is down"
            #expect(eventually { lines().contains(line) }, "\(lines())")
            let status = try house.ctl("status").lines.map { $0.split(separator: " ").joined(separator: " ") }
            #expect(status.contains("queries 0"), "\(status)")
        }
    }

    @Test("was ready before a restart: it is proved anew, and not ready before")
    func restart() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("web", "--network", "n")
            try house.startDNSMasq(in: "web", at: "127.0.0.2", "--address=/#/192.0.2.9")
            try leadElsewhere(house, "web")
            #expect(house.stopDaemon() == 0)
            try house.startDaemon(Self.configuration)
            #expect(try eventually { try listed("web", house).contains(" unheard ") })
            #expect(!house.log.contains("heard now"))
        }
    }
}
