// Restarts, crashes and hangs in a booted system, and the upgrade of the package: nothing is lost.

import Foundation
import Testing

extension MachineTests {
    @Test("an opener that hangs is ended by its watchdog, and the next call starts another")
    func openerHangs() throws {
        try Self.lend { machine in
            try machine.write(
                "[Service]\nWatchdogSec=1s\n", to: "/run/systemd/system/intercom-opener.service.d/watchdog.conf")
            try machine.must("systemctl", "daemon-reload")
            try machine.must("intercomctl", "network", "create", "n", "--subnet", "10.0.0.0/24")
            try machine.must("systemctl", "stop", "intercom-opener.service")
            try machine.container("web", "--network", "n,ip=10.0.0.2")
            let opener = try machine.show("intercom-opener.service", "MainPID")
            try machine.must("sh", "-c", "kill -STOP \(opener)")
            #expect(try eventually(within: 20) { try machine.show("intercom-opener.service", "MainPID") != opener })
            #expect(
                try eventually(within: 20) {
                    try machine.run("ip", "netns", "add", "app").status == 0
                        && machine.run(
                            "intercomctl", "container", "add", "app", "--netns", "/run/netns/app", "--network",
                            "n,ip=10.0.0.3"
                        ).status == 0 || machine.address(of: "web", from: "app") == "10.0.0.2"
                })
        }
    }

    @Test("no query is lost over restarts and kill -9: 1,000 a second from 100 namespaces, each sent once")
    func restarts() throws {
        try Self.lend { machine in
            let result = try machine.load(
                "0.5=@systemctl restart intercom", "2=KILL", "3.5=@systemctl restart intercom", "5=KILL")
            #expect(result.hasPrefix("asked 6500, lost 0, wrong 0, commands failed 0"), "\(result)")
            #expect(
                try machine.show("intercom.service", "NRestarts") == "1", "the restarts by hand begin the count anew")
            #expect(try machine.show("intercom.service", "NFileDescriptorStore") == "200")
        }
    }

    @Test(
        "however often it is killed, it is back with all that it had; a mistake in its configuration is left to people")
    func crashes() throws {
        try Self.lend { machine in
            try machine.must("intercomctl", "network", "create", "n", "--subnet", "10.0.0.0/24")
            try machine.container("web", "--network", "n,ip=10.0.0.2")
            for number in 1...25 {
                let daemon = try machine.daemon()
                kill(daemon, SIGKILL)
                #expect(eventually { (try? machine.daemon()).map { $0 != daemon } ?? false }, "\(number)")
            }
            #expect(try machine.address(of: "web", from: "web") == "10.0.0.2")
            #expect(try machine.show("intercom.service", "NFileDescriptorStore") == "2")
            #expect(try machine.show("intercom.service", "NRestarts") == "25")

            try machine.write("[server]\nttl = -1\n", to: "/etc/intercom/intercom.toml")
            kill(try machine.daemon(), SIGKILL)
            #expect(try eventually { try machine.show("intercom.service", "ActiveState") == "failed" })
            #expect(try machine.show("intercom.service", "NRestarts") == "26", "once, and not again and again")
            let journal = try machine.must("journalctl", "--unit", "intercom", "--output", "cat").out
            #expect(journal.contains("intercom.toml:2:7: ttl: -1 is not between"), "\(journal)")
        }
    }

    @Test("a stuck worker or control plane is noticed by the watchdog, and a call starts a stopped daemon")
    func watchdogAndActivation() throws {
        try Self.lend { machine in
            try machine.must("intercomctl", "network", "create", "n", "--subnet", "10.0.0.0/24")
            try machine.container("web", "--network", "n,ip=10.0.0.2")
            try machine.write(
                "[Service]\nWatchdogSec=1s\n", to: "/run/systemd/system/intercom.service.d/watchdog.conf")
            try machine.must("systemctl", "daemon-reload")
            try machine.must("systemctl", "restart", "intercom")
            for thread in ["worker-0", "intercomd"] {
                let stuck = try machine.daemon()
                let holder = Process()
                holder.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                holder.arguments = ["python3", "-c", ServiceTests.hold, "\(stuck)", thread]
                holder.standardOutput = FileHandle.nullDevice
                holder.standardError = FileHandle.nullDevice
                try Command.start(holder)
                defer { House.kill(holder) }
                #expect(eventually(within: 20) { (try? machine.daemon()).map { $0 != stuck } ?? false }, "\(thread)")
                #expect(try eventually { try machine.address(of: "web", from: "web") == "10.0.0.2" })
            }
            var journal = ""
            let isNoticed = try eventually {
                journal = try machine.must("journalctl", "--unit", "intercom", "--output", "cat").out
                return journal.components(separatedBy: "Watchdog timeout (limit 1s)").count == 3
            }
            #expect(isNoticed, "\(journal)")

            try machine.must("systemctl", "stop", "intercom.service")
            #expect(try machine.run("systemctl", "is-active", "intercom.service").text == "inactive")
            #expect(try machine.must("intercomctl", "container", "ls").out.contains("web"))
            #expect(try machine.run("systemctl", "is-active", "intercom.service").text == "active")
            #expect(try machine.address(of: "web", from: "web") == "10.0.0.2")
        }
    }

    @Test("its package installs and starts it, upgrades it without losing a query, and leaves nothing when purged")
    func package() throws {
        try Machine.lend { machine in
            let packages = FileManager.default.temporaryDirectory.appendingPathComponent("ic-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: packages, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: packages) }
            for (name, suffix) in [("old", ""), ("new", "+next")] {
                let made = try Command.must([
                    "env", "INTERCOM_DEB_SUFFIX=\(suffix)", "\(House.repository)/config/packaging/deb", House.binaries,
                    packages.path,
                ])
                try FileManager.default.copyItem(atPath: made.text, toPath: "\(machine.root)/root/\(name).deb")
            }
            try machine.must("dpkg", "--install", "/root/old.deb")
            for file in [
                "man/man1/intercomctl.1.gz", "man/man5/intercom.toml.5.gz", "man/man8/intercomd.8.gz",
                "bash-completion/completions/intercomctl", "zsh/vendor-completions/_intercomctl",
                "fish/vendor_completions.d/intercomctl.fish", "doc/intercom/intercom.toml",
                "man/man8/intercom-hooks.8.gz",
                "containers/oci/hooks.d/intercom.json", "lxc/config/common.conf.d/50-intercom.conf",
                "intercom/resolv.conf",
            ] { #expect(try machine.run("test", "-s", "/usr/share/\(file)").status == 0, "\(file)") }
            #expect(try machine.run("systemctl", "is-active", "intercom.service").text == "active")
            // As 0.1.0 has left it, with its units: what was declared then is there before and after.
            let kept = "\(House.repository)/Tests/EndToEndTests/Before/0.1.0"
            try machine.must("systemctl", "stop", "intercom.service", "intercom.socket", "intercom-opener.service")
            for (file, path) in [
                ("intercom.toml", "/etc/intercom/intercom.toml"), ("declarations", "/var/lib/intercom/declarations"),
                ("intercom.service", "/usr/lib/systemd/system/intercom.service"),
                ("intercom-opener.service", "/usr/lib/systemd/system/intercom-opener.service"),
            ] { try machine.write(try String(contentsOfFile: "\(kept)/\(file)", encoding: .utf8), to: path) }
            try machine.must("chown", "--reference=/var/lib/intercom", "/var/lib/intercom/declarations")
            try machine.must("systemctl", "daemon-reload")
            try machine.must("systemctl", "start", "intercom.service")
            #expect(try machine.show("intercom.service", "RootDirectory") == "")
            #expect(try machine.must("intercomctl", "container", "inspect", "vm").out.contains("10.2.0.9"))

            let before = try machine.daemon()
            let result = try machine.load("1=@dpkg --install /root/new.deb")
            #expect(try machine.must("intercomctl", "container", "inspect", "vm").out.contains("10.2.0.9"))
            #expect(result.hasPrefix("asked 2500, lost 0, wrong 0, commands failed 0"), "\(result)")
            #expect(try machine.daemon() != before)
            #expect(try machine.show("intercom.service", "RootDirectory") == "/run/intercom-root", "the new unit")
            #expect(try machine.show("intercom-opener.service", "User") == "intercom-opener")
            #expect(try machine.must("dpkg-query", "--show", "intercom").text.hasSuffix("+next"))

            try machine.must("dpkg", "--purge", "intercom")
            #expect(try machine.run("systemctl", "is-active", "intercom.service").text == "inactive")
            let left = try machine.run(
                "find", "/usr", "/etc", "/var/lib", "/run", "-xdev", "-name", "*intercom*", "-not", "-path", "*/dpkg/*",
                "-not", "-path", "/run/systemd/*")
            #expect(left.text == "", "\(left)")
            #expect(try machine.run("find", "/etc/netns", "-type", "f").text == "")
            for number in 0..<100 { try machine.must("ip", "netns", "del", "load\(number)") }
        }
    }
}
