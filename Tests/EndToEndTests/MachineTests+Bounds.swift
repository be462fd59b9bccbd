// Bounds of the units in a booted system: what the daemon, the opener and strangers cannot do.

import Foundation
import Testing

extension MachineTests {
    @Test("a program in the opener's place reads no file of root's by any way, and writes nothing but /etc/netns")
    func openerBounds() throws {
        try Self.lend { machine in
            let unit = try machine.must("systemctl", "cat", "intercom-opener.service").lines.filter { line in
                !["Type=", "Watchdog", "Restart=", "Requires=", "After="].contains { line.hasPrefix($0) }
            }.map { $0.hasPrefix("ExecStart=") ? "Type=oneshot\nExecStart=/bin/sh /attack" : $0 }
            try machine.write(unit.joined(separator: "\n") + "\n", to: "/run/systemd/system/attack.service")
            try machine.write(
                """
                for root in / /proc/1/root/ /proc/1/cwd/ /proc/1/task/1/root/; do
                    cat ${root}etc/shadow && echo read ${root}etc/shadow
                    echo x >${root}etc/attack && echo wrote ${root}etc/attack
                    echo x >${root}root/attack && echo wrote ${root}root/attack
                    echo x >${root}etc/systemd/system/attack.service && echo wrote a unit in $root
                done
                cat /proc/1/environ && echo read environ
                head -c 1 /proc/1/mem && echo read mem
                ls /proc/1/fd && echo listed fd
                mkdir /etc/netns/attack && echo x >/etc/netns/attack/resolv.conf && echo wrote netns
                test -e /proc/1/ns/net && echo sees ns
                """, to: "/attack")
            try machine.must("systemctl", "daemon-reload")
            try machine.run("systemctl", "start", "attack.service")
            let said = try machine.must("journalctl", "--unit=attack.service", "--output=cat").lines
            let done = said.filter { line in
                ["read ", "wrote ", "listed ", "sees "].contains { line.hasPrefix($0) }
            }
            #expect(done == ["wrote netns", "sees ns"], "\(said)")
            // Not by the memory or the descriptors of others either.
            let calls = try machine.show("intercom-opener.service", "SystemCallFilter").split(separator: " ")
            for call in ["ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "mount", "bpf"] {
                #expect(!calls.contains { $0 == call }, "\(call)")
            }
            #expect(calls.contains("setns"))
        }
    }

    @Test("its sockets are for who may; the opener refuses what it is not for")
    func strangers() throws {
        try Self.lend { machine in
            try machine.must("chmod", "666", "/run/intercom/control.sock")
            func status(_ options: String...) throws -> Output {
                try machine.run(["setpriv", "--reuid=65534", "--regid=65534"] + options + ["intercomctl", "status"])
            }
            let refused = try status("--clear-groups")
            #expect(refused.status == 1 && refused.err.contains("may not use the control socket"), "\(refused)")
            #expect(try status("--groups=intercom").status == 0, "a member of the group")
            let host = try machine.run("intercomctl", "container", "add", "host", "--netns", "/proc/1/ns/net")
            #expect(host.status == 1 && host.err.contains("the host's own network namespace"), "\(host)")
            let file = try machine.run("intercomctl", "container", "add", "file", "--netns", "/etc/passwd")
            #expect(
                file.status == 1 && file.err.contains("it is a regular file; expected one, as /run/netns/web"),
                "\(file)")

            let mode = try machine.must("stat", "--format", "%a %U", "/run/intercom-opener/socket").text
            #expect(mode == "600 intercom")
            // A daemon that were taken over could ask for no more. (The machine has no Python; root is as good as it.)
            try machine.must("ip", "netns", "add", "web")
            let script =
                OpenerTests.client + """
                    machine = sys.argv[2]
                    for path in ["/proc/1/ns/net", "/etc/passwd", "/proc/1/ns/mnt"]:
                        print(ask("OpenNamespace", {"port": 53}, os.open(machine + path, os.O_RDONLY)))
                    for name in ["..", "../web", "web/../../x", "nobody"]:
                        print(ask("WriteResolverFile", {"name": name, "search": [], "options": []}))
                    print(ask("WriteResolverFile", {"name": "web", "search": [], "options": []}))
                    """
            let output = try Command.must(
                ["python3", "-", "\(machine.root)/run/intercom-opener/socket", machine.root], input: script)
            let expected = """
                opener the host's namespace: Operation not permitted
                open what the call brought: Invalid argument
                open what the call brought: Invalid argument
                open /etc/netns/..: Invalid argument
                open /etc/netns/../web: Invalid argument
                open /etc/netns/web/../../x: Invalid argument
                open /run/netns/nobody: No such file or directory
                ({'isThere': True}, [])
                """
            #expect(output.text == expected, "\(output)")
        }
    }

    @Test(
        "its units are as closed as systemd-analyze can tell",
        arguments: [
            ("intercom.service", 1.4), ("intercom-opener.service", 2.5), ("intercom-docker.service", 0.6),
            ("intercom-podman.service", 0.6), ("intercom-nerdctl.service", 1.0), ("intercom-machined.service", 1.0),
            ("intercom-metrics@.service", 0.6), ("intercom-etcd.service", 1.6),
        ])
    func exposure(unit: String, limit: Double) throws {
        let output = try Command.must([
            "systemd-analyze", "security", "--offline=yes", "\(House.repository)/config/\(unit)",
        ])
        let overall = output.lines.last { $0.contains("Overall exposure level") } ?? ""
        let level = try #require(overall.split(separator: " ").compactMap { Double($0) }.last, "\(output)")
        #expect(level <= limit)
    }

    @Test(
        "The daemon opens no file of the host's by the descriptor of its root but those that it has use for",
        arguments: [("/home", false), ("/root", false), ("/var/tmp", false), ("/tmp", false), ("/srv", true)])
    func filesOfHost(directory: String, isAllowed: Bool) throws {
        try Self.lend { machine in
            try machine.must("chmod", "755", "/root")
            try machine.write("[server]\nttl = 7\n", to: "\(directory)/intercom.toml")
            let path = "/proc/self/fd/0\(directory)/intercom.toml"
            let command = "/usr/local/bin/intercomd --opener-socket /run/intercom-opener/socket --config \(path)"
            try machine.write(
                "[Service]\nExecStart=\nExecStart=\(command)\n", to: "/run/systemd/system/intercom.service.d/path.conf")
            try machine.must("systemctl", "daemon-reload")
            // The configuration is read before the daemon limits itself, and again at a reload.
            try machine.must("systemctl", "restart", "intercom")
            let reloaded = try machine.run("intercomctl", "reload")
            #expect((reloaded.status == 0) == isAllowed, "\(reloaded)")
            #expect(isAllowed || reloaded.err.contains("Permission denied"), "\(reloaded)")
            let root = "/proc/\(try machine.daemon())/root"
            #expect(try Command.must(["ls", "\(root)/sys", "\(root)/home"]).text.contains("kernel") == false)
        }
    }
}
