// intercom in a machine of its own, as an operator has it: installed, started, restarted, killed, upgraded, purged.

import Foundation
import Testing

@Suite("In a booted system", .needsMachine, .serialized)
struct MachineTests {
    /// Puts the files of `make install` into the tree of a machine.
    static func install(in tree: String) throws {
        try Command.must([
            "make", "--silent", "--directory", House.repository, "install-files", "BIN=\(House.binaries)",
            "DESTDIR=\(tree)",
        ])
    }

    /// Installs, boots, and does what an operator does then.
    static func lend(_ body: (Machine) throws -> Void) throws {
        try Machine.lend(prepare: install) { machine in
            try machine.must("systemd-sysusers")
            try machine.must("systemd-tmpfiles", "--create")
            try machine.must("journalctl", "--update-catalog")
            try machine.must("systemctl", "daemon-reload")
            try machine.must("systemctl", "enable", "--now", "intercom")
            try body(machine)
        }
    }

    @Test("it has no capability, may do little, and does everything: by path, by process, with resolv.conf")
    func leastPrivilege() throws {
        try Self.lend { machine in
            let daemon = try String(contentsOfFile: "/proc/\(try machine.daemon())/status", encoding: .utf8)
            for line in ["CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
                #expect(daemon.contains(line), "\(daemon)")
            }
            #expect(try machine.show("intercom.service", "User") == "intercom")
            let units =
                ["service", "socket"].flatMap { ["intercom.\($0)", "intercom-opener.\($0)"] } + [
                    "run-netns.mount", "intercom-docker.service", "intercom-podman.service", "intercom-nerdctl.service",
                    "intercom-machined.service", "intercom-metrics.socket",
                    "intercom-cluster.socket", "intercom-etcd.service", "intercom-resolve-hook.socket",
                    "intercom-resolved-link.service", "intercom-resolv-conf.path", "intercom-resolv-conf.service",
                ]
            #expect(try machine.run(["systemd-analyze", "verify", "--man=no"] + units).description == "exit 0\n")
            try machine.must("intercomctl", "network", "create", "n", "--subnet", "10.0.0.0/24")
            // These namespaces are mounted after both units were started.
            try machine.container("web", "--network", "n,ip=10.0.0.2")
            try machine.container(
                "app", "--network", "n,ip=10.0.0.3", "--resolv-conf", "/run/intercom/app.conf")
            #expect(try machine.address(of: "web", from: "app") == "10.0.0.2")
            try machine.must("systemd-run", "--unit=job", "--property=PrivateNetwork=yes", "sleep", "600")
            try machine.must(
                "intercomctl", "container", "add", "job", "--pid", try machine.show("job.service", "MainPID"),
                "--network", "n,ip=10.0.0.4")
            #expect(try machine.address(of: "job", from: "app") == "10.0.0.4")
            let opener = try machine.show("intercom-opener.service", "MainPID")
            let status = try machine.must("cat", "/proc/\(opener)/status").out
            // CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_SYS_ADMIN
            #expect(status.contains("CapEff:\t0000000000281c00"), "\(status)")
            #expect(!status.contains("Uid:\t0\t"), "\(status)")
            #expect(try machine.show("intercom-opener.service", "User") == "intercom-opener")

            try machine.must("systemctl", "stop", "job")
            try machine.must("ip", "netns", "del", "web")
            #expect(try eventually { try machine.must("intercomctl", "container", "ls").lines.count == 2 })
            #expect(try machine.run("test", "-e", "/etc/netns/web").status == 1)
            #expect(try eventually { try machine.show("intercom.service", "NFileDescriptorStore") == "2" })
            // Ended namespaces have left the units' mounts too: nothing keeps them.
            let mounts = try machine.must("nsenter", "--mount", "--target", opener, "findmnt", "--list", "--noheadings")
                .out
            #expect(mounts.contains("/run/netns/app") && !mounts.contains("/run/netns/web"), "\(mounts)")
            // If the opener dies, answers go on, and the next attach starts another, however often.
            for number in 1...10 {
                try machine.must("systemctl", "kill", "--signal=KILL", "intercom-opener.service")
                try machine.container("next\(number)", "--network", "n,ip=10.0.0.1\(number)")
                #expect(try machine.address(of: "next\(number)", from: "app") == "10.0.0.1\(number)")
            }
        }
    }

    @Test("the kernel is heard without a capability: namespaces, links and addresses come and go, over restarts, too")
    func discovery() throws {
        try Self.lend { machine in
            // All of it after both units were started.
            try machine.must("ip", "link", "add", "frontend", "type", "bridge")
            try machine.must("ip", "link", "set", "frontend", "up")
            try machine.plug("web", into: "frontend", "10.1.0.2/24")
            try machine.plug("app", into: "frontend", "10.1.0.3/24")
            #expect(try eventually { try machine.address(of: "web", from: "app") == "10.1.0.2" })
            #expect(try machine.must("cat", "/etc/netns/app/resolv.conf").out.contains("nameserver 127.0.0.11"))
            try machine.must("ip", "-n", "web", "addr", "add", "10.1.0.22/24", "dev", "eth0")
            try machine.must("ip", "-n", "web", "addr", "del", "10.1.0.2/24", "dev", "eth0")
            try machine.must("ip", "-n", "web", "addr", "replace", "10.1.0.22/24", "dev", "eth0")
            #expect(try eventually { try machine.address(of: "web", from: "app") == "10.1.0.22" })

            try machine.must("systemctl", "restart", "intercom")
            #expect(try machine.address(of: "web", from: "app") == "10.1.0.22", "known when it is ready")
            #expect(try machine.show("intercom.service", "NFileDescriptorStore") == "4")
            try machine.plug("late", into: "frontend", "10.1.0.4/24")
            #expect(try eventually { try machine.address(of: "late", from: "app") == "10.1.0.4" })

            try machine.must("ip", "netns", "del", "web")
            #expect(try eventually { try machine.address(of: "web", from: "app") == "exit 2" })
            #expect(try eventually { try machine.run("ip", "link", "show", "web0").status != 0 }, "nothing keeps it")
            #expect(try eventually { try machine.show("intercom.service", "NFileDescriptorStore") == "4" })
            #expect(try machine.run("test", "-e", "/etc/netns/web").status == 1)
            let warnings = try machine.warnings()
            #expect(warnings == "")
        }
    }

    @Test("a gate for addresses is set by the opener alone, holds over restarts and kill -9, and goes with its policy")
    func gate() throws {
        try Self.lend { machine in
            try machine.must("ip", "link", "add", "frontend", "type", "bridge")
            try machine.must("ip", "link", "set", "frontend", "up")
            try machine.must("ip", "addr", "add", "10.1.0.1/24", "dev", "frontend")
            try machine.plug("web", into: "frontend", "10.1.0.2/24")
            try machine.plug("app", into: "frontend", "10.1.0.3/24")
            #expect(try eventually { try machine.address(of: "web", from: "app") == "10.1.0.2" })
            /// True where a container reaches the host, at a port where nobody listens.
            func reaches(from container: String) throws -> Bool {
                try machine.run("ip", "netns", "exec", container, "bash", "-c", "exec 3<>/dev/tcp/10.1.0.1/80").err
                    .contains("Connection refused")
            }
            #expect(try reaches(from: "web"))
            try machine.must(
                "intercomctl", "policy", "set", "sandbox", "--default", "deny", "--allow", "host.docker.internal",
                "--addresses")
            for name in ["web", "app"] {
                try machine.must("intercomctl", "container", "add", name, "--policy", "sandbox")
            }
            #expect(try eventually { try !reaches(from: "web") && !reaches(from: "app") })
            #expect(try machine.address(of: "host.docker.internal", from: "web") == "10.1.0.1")
            #expect(try reaches(from: "web") && !reaches(from: "app"), "web alone was told")
            for command in [["restart"], ["kill", "--signal=KILL"]] {
                try machine.systemctl(command + ["intercom.service"])
                #expect(try eventually { try machine.address(of: "web", from: "app") == "10.1.0.2" })
                #expect(try reaches(from: "web") && !reaches(from: "app"), "\(command)")
            }
            try machine.systemctl(["kill", "--signal=KILL", "intercom-opener.service"])
            #expect(try eventually { try machine.address(of: "host.docker.internal", from: "app") == "10.1.0.1" })
            #expect(try reaches(from: "app"))
            try machine.must("intercomctl", "policy", "set", "sandbox", "--no-addresses")
            try machine.must("ip", "addr", "add", "10.1.0.9/24", "dev", "frontend")
            #expect(try eventually { try reaches(from: "web") })
            #expect(try machine.must("intercomctl", "doctor").out.contains("gate-failed") == false)
        }
    }

    @Test(
        "redirected listeners are made by the opener alone, stay over a restart, and leave nothing when it is stopped")
    func redirect() throws {
        try Self.lend { machine in
            try machine.must("intercomctl", "network", "create", "n", "--subnet", "10.0.0.0/24")
            try machine.container("dns", "--network", "n,ip=10.0.0.2", "--listen", "redirect")
            func rules() throws -> String {
                // There is no nft(8) in the machine.
                try Command.must(["nsenter", "--net=\(machine.root)/run/netns/dns", "nft", "list", "ruleset"]).text
            }
            let before = try rules()
            #expect(before.contains("dnat to 127.0.0.11:"))
            #expect(try machine.address(of: "dns", from: "dns") == "10.0.0.2")
            for command in [["restart"], ["kill", "--signal=KILL"]] {
                let daemon = try machine.daemon()
                try machine.systemctl(command + ["intercom.service"])
                #expect(try eventually { try machine.address(of: "dns", from: "dns") == "10.0.0.2" })
                #expect(try machine.daemon() != daemon)
                #expect(try rules() == before, "the same port")
            }
            #expect(try machine.run("test", "-e", "/etc/netns/dns/resolv.conf").status == 0)
            try machine.must("systemctl", "stop", "intercom")
            #expect(try rules() == "")
            #expect(try machine.run("test", "-e", "/etc/netns/dns/resolv.conf").status == 1)
            try machine.must("systemctl", "start", "intercom")
            #expect(try machine.address(of: "dns", from: "dns") == "10.0.0.2")
            let warnings = try machine.warnings()
            #expect(warnings == "")
        }
    }

    @Test(
        "the journal has fields, and a catalog explains; a reload says what is wrong, and is in force when it returns")
    func journalAndReload() throws {
        try Self.lend { machine in
            try machine.must("intercomctl", "network", "create", "n", "--subnet", "10.0.0.0/24")
            try machine.container("web", "--network", "n,ip=10.0.0.2")
            try machine.must("ip", "netns", "del", "web")
            #expect(
                try eventually {
                    try machine.must("journalctl", "INTERCOM_CONTAINER=web", "--output=json").out
                        .contains("\"MESSAGE_ID\":\"626d77bd552d42a8bfc849e153b94b90\"")
                })
            let explained = try machine.must("journalctl", "--catalog", "INTERCOM_CONTAINER=web").out
            #expect(explained.contains("Container web has ended"), "\(explained)")
            #expect(try machine.must("journalctl", "INTERCOM_NETWORK=n", "--output=cat").text == "network n created")

            // There was no file when it started.
            try machine.container("first", "--network", "n,ip=10.0.0.4")
            try machine.write("[server]\nttl = 76\nworkers = 3\n", to: "/etc/intercom/intercom.toml")
            let reloaded = try machine.must("intercomctl", "reload")
            #expect(reloaded.text == "not in force: [server] workers: takes effect at a restart")
            #expect(try machine.must("intercomctl", "resolve", "first", "--from", "first").out.contains("76"))

            try machine.write("[server]\nttl = -1\n", to: "/etc/intercom/intercom.toml")
            try machine.must("systemctl", "restart", "intercom.socket")
            let refused = try machine.run("systemctl", "reload", "intercom")
            #expect(refused.status != 0)
            try machine.write("[server]\nttl = 77\n", to: "/etc/intercom/intercom.toml")
            try machine.must("systemctl", "reset-failed", "intercom")
            try machine.must("systemctl", "start", "intercom")
            try machine.container("app", "--network", "n,ip=10.0.0.3")
            #expect(try machine.must("intercomctl", "resolve", "app", "--from", "app").out.contains("77"))
            try machine.write("[server]\nttl = 78\n", to: "/etc/intercom/intercom.toml")
            try machine.must("systemctl", "reload", "intercom")
            #expect(try machine.must("intercomctl", "resolve", "app", "--from", "app").out.contains("78"))
            try machine.write("[server]\nttl = -1\n", to: "/etc/intercom/intercom.toml")
            #expect(try machine.run("systemctl", "reload", "intercom").status != 0)
            let journal = try machine.must("journalctl", "--unit", "intercom", "--output", "cat").out
            #expect(journal.contains("intercom.toml:2:7: ttl: -1 is not between"), "\(journal)")
            #expect(try machine.must("intercomctl", "resolve", "app", "--from", "app").out.contains("78"))
        }
    }

    @Test("where its state directory is read-only it answers, refuses what cannot be kept, and alerts to it")
    func readOnly() throws {
        try Self.lend { machine in
            try machine.must("intercomctl", "network", "create", "n", "--subnet", "10.0.0.0/24")
            try machine.container("web", "--network", "n,ip=10.0.0.2")
            try machine.must("mount", "--bind", "/var/lib/intercom", "/var/lib/intercom")
            try machine.must("mount", "--options", "remount,ro,bind", "/var/lib/intercom")
            try machine.must("systemctl", "restart", "intercom")
            #expect(try machine.address(of: "web", from: "web") == "10.0.0.2")
            let refused = try machine.run("intercomctl", "network", "create", "m")
            #expect(refused.status == 1 && refused.err.contains("Read-only file system"), "\(refused)")
            let alerts = try machine.must("journalctl", "MESSAGE_ID=8ea03fcef2e745c9a9753dc23854da7c", "--output=cat")
                .out
            #expect(alerts.contains("the state cannot be kept"), "\(alerts)")
            try machine.must("umount", "--lazy", "/var/lib/intercom")
            try machine.must("systemctl", "restart", "intercom")
            try machine.must("intercomctl", "network", "create", "m")
        }
    }
}
