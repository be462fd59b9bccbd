// Containers of systemd-nspawn in a booted system: machined tells of them, and nothing is declared.

import Foundation
import Testing

@Suite("Containers of a real systemd-nspawn", .needsMachine, .serialized)
struct MachinedTests {
    /// A booted system in which the adapter of machined is enabled.
    private struct Host {
        let machine: Machine

        /// Starts a container that does nothing, with an address on its link, and gives its process.
        @discardableResult
        func container(_ name: String, _ address: String?, _ network: String...) throws -> String {
            let tree = "/var/lib/machines/\(name)"
            try machine.must("mkdir", "-p", "\(tree)/usr", "\(tree)/etc")
            for directory in ["bin", "sbin", "lib", "lib64"] {
                try machine.must("ln", "-sfn", "usr/\(directory)", "\(tree)/\(directory)")
            }
            // The host's end of its link.
            try machine.write("nameserver 10.9.0.1\n", to: "\(tree)/etc/resolv.conf")
            let link = address.map { "ip link set lo up; ip addr add \($0) dev host0; ip link set host0 up; " } ?? ""
            try machine.run(
                ["systemd-run", "--quiet", "--collect", "--unit=\(name)", "systemd-nspawn", "--quiet", "--keep-unit"]
                    + ["--settings=no", "--machine=\(name)", "--directory=\(tree)", "--bind-ro=/usr"] + network
                    + ["/bin/sh", "-c", "\(link)exec sleep 600"])
            var leader = ""
            _ = try eventually {
                leader = try machine.run("machinectl", "show", name, "--property=Leader", "--value").text
                return !leader.isEmpty
            }
            return leader
        }

        /// Gives the host's end of a network an address; it comes with the first container, and nobody configures it here.
        func address(_ address: String, on link: String) throws {
            try machine.must("ip", "addr", "replace", address, "dev", link)
            try machine.must("ip", "link", "set", link, "up")
        }

        /// True when the answer to a question from a process is these data before long.
        func answers(_ data: [String], _ name: String, in pid: String) throws -> Bool {
            let command = [
                "nsenter", "--net=\(machine.root)/proc/\(pid)/ns/net", "dig", "@127.0.0.11", "+tries=1", name,
            ]
            return try eventually { Reply(try Command.run(command)).data == data }
        }

        /// For a test that failed.
        var logs: String {
            let journal = try? machine.run("journalctl", "--no-pager", "--unit=intercom*", "--lines=40")
            let containers = try? machine.run("intercomctl", "container", "ls")
            return "\(containers?.out ?? "")\n\(journal?.out ?? "")"
        }
    }

    private static func lend(_ body: (Host) throws -> Void) throws {
        try MachineTests.lend { machine in
            guard try machine.run("test", "-x", "/usr/bin/systemd-nspawn").status == 0 else {
                print(
                    "skipped: containers of systemd-nspawn, as the tree that is booted lacks it; remove .build/machine")
                return
            }
            try machine.must("systemctl", "enable", "--now", "intercom-machined")
            try body(Host(machine: machine))
        }
    }

    @Test(
        "know each other by name in their zone, with the resolv.conf that they have; a pair of links is a network alone"
    )
    func names() throws {
        try Self.lend { host in
            let web = try host.container("web", "10.9.0.2/24", "--network-zone=front")
            let app = try host.container("app", "10.9.0.3/24", "--network-zone=front")
            try host.address("10.9.0.1/24", on: "vz-front")
            let solo = try host.container("solo", "10.9.1.2/28", "--network-veth")
            try host.address("10.9.1.1/28", on: "ve-solo")
            try host.container("hosty", nil)
            #expect(try host.answers(["10.9.0.2"], "web", in: app), "\(host.logs)")
            #expect(try host.answers(["10.9.0.3"], "app.front.internal", in: web), "\(host.logs)")
            #expect(try host.answers(["web.front.internal."], "-x10.9.0.2", in: app), "\(host.logs)")
            #expect(try host.answers(["10.9.1.2"], "solo.ve-solo", in: solo), "\(host.logs)")
            #expect(try host.answers([], "web", in: solo) && host.answers([], "solo", in: web), "\(host.logs)")
            // As a program of the container's own asks.
            let lookup = ["nsenter", "--all", "--target", app, "getent", "hosts", "web"]
            #expect(try eventually { try host.machine.run(lookup).text.hasPrefix("10.9.0.2 ") }, "\(host.logs)")
            // One in the host's namespace has the host's resolver.
            #expect(try !host.machine.must("intercomctl", "container", "ls").out.contains("hosty"))
            let once = try host.machine.must("intercom-runtimes", "machined", "--once").out
            #expect(once.contains(#""name" : "front""#) && once.contains(#""interface" : "ve-solo""#), "\(once)")
            #expect(!once.contains("hosty"), "\(once)")
        }
    }

    @Test("lose their name with their end and have it again, also after machined, the daemon and the adapter restarted")
    func life() throws {
        try Self.lend { host in
            let app = try host.container("app", "10.9.0.3/24", "--network-zone=front")
            try host.container("web", "10.9.0.2/24", "--network-zone=front")
            try host.address("10.9.0.1/24", on: "vz-front")
            #expect(try host.answers(["10.9.0.2"], "web", in: app), "\(host.logs)")
            try host.machine.must("machinectl", "terminate", "web")
            #expect(try host.answers([], "web", in: app), "\(host.logs)")
            #expect(try eventually { try host.machine.run("systemctl", "is-active", "web").text == "inactive" })
            try host.container("web", "10.9.0.4/24", "--network-zone=front")
            #expect(try host.answers(["10.9.0.4"], "web", in: app), "\(host.logs)")
            for unit in ["systemd-machined", "intercom", "intercom-machined"] {
                try host.machine.must("systemctl", "restart", unit)
                #expect(try host.answers(["10.9.0.4"], "web", in: app), "\(unit)\n\(host.logs)")
            }
            try host.machine.must("machinectl", "terminate", "web")
            #expect(try host.answers([], "web", in: app), "\(host.logs)")
        }
    }
}
