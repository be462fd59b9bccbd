// The host itself resolves containers, in a booted Debian: with systemd-resolved, and without.

import Foundation
import Testing

@Suite("The host of a booted system", .needsMachine, .serialized)
struct HostMachineTests {
    /// A machine with `web` on `front`, and a DNS server of outside at 127.0.0.5.
    private func lend(withResolved: Bool, _ body: (Machine) throws -> Void) throws {
        try MachineTests.lend { machine in
            let server = try machine.startServer()
            defer { House.kill(server) }
            try machine.must("intercomctl", "network", "create", "front", "--subnet", "10.1.0.0/24")
            try machine.container("web", "--network", "front,ip=10.1.0.2")
            if withResolved {
                // systemd-resolved asks nobody while no link has an address that others may use.
                try machine.must("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1")
                for link in ["out0", "out1"] { try machine.must("ip", "link", "set", link, "up") }
                try machine.must("ip", "address", "add", "198.51.100.2/24", "dev", "out0")
                try machine.write("[Resolve]\nDNS=127.0.0.5\n", to: "/etc/systemd/resolved.conf.d/test.conf")
                try machine.must("systemctl", "start", "systemd-resolved")
                try machine.must("ln", "-sf", "../run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf")
            }
            #expect(try eventually { try lookUp(machine, "outside.example") == "192.0.2.7" })
            try body(machine)
        }
    }

    /// Address that a program of the machine itself gets for a name.
    private func lookUp(_ machine: Machine, _ name: String) throws -> String {
        let output = try machine.run("getent", "hosts", name)
        return output.text.split(separator: " ").first.map(String.init) ?? "exit \(output.status)"
    }

    @Test("is served by a link where systemd-resolved is older than 258, over restarts of both, until it is taken back")
    func link() throws {
        try lend(withResolved: true) { machine in
            #expect(try machine.run("intercomctl", "host", "status").status == 1)
            let links = try machine.must("ip", "-br", "link").lines.count
            let enabled = try machine.must("intercomctl", "host", "enable")
            #expect(enabled.out.contains("by the link intercom0"), "\(enabled)")
            #expect(try lookUp(machine, "web.front.internal") == "10.1.0.2")
            #expect(try lookUp(machine, "outside.example") == "192.0.2.7")
            // A longer domain that others know, under ours: through systemd-resolved to us, and to the server behind it.
            #expect(try lookUp(machine, "metadata.google.internal") == "192.0.2.8")
            #expect(try lookUp(machine, "db.internal").hasPrefix("exit"))
            #expect(try machine.must("resolvectl", "domain", "intercom0").out.contains("~internal"))
            let status = try machine.must("intercomctl", "host", "status")
            #expect(status.out.contains("by the link intercom0"), "\(status)")
            #expect(status.out.contains("getent ahosts web.front.internal: 10.1.0.2"), "\(status)")
            #expect(try machine.must("intercomctl", "host", "enable").out.contains("by the link"), "once more")
            // Containers ask the stub, which asks us for nothing but the domain: nothing goes in a circle.
            #expect(try machine.address(of: "outside.example", from: "web") == "192.0.2.7")
            #expect(try machine.address(of: "metadata.google.internal", from: "web") == "192.0.2.8")
            #expect(try machine.warnings() == "")

            for unit in ["intercom", "systemd-resolved"] { try machine.must("systemctl", "restart", unit) }
            #expect(try eventually { try lookUp(machine, "web.front.internal") == "10.1.0.2" })
            // As after a start of the host: the unit makes it again.
            try machine.must("ip", "link", "del", "intercom0")
            let broken = try machine.run("intercomctl", "host", "status")
            #expect(broken.status == 1 && broken.err.contains("intercom0"), "\(broken)")
            #expect(try machine.must("systemctl", "is-enabled", "intercom-resolved-link").text == "enabled")
            try machine.must("systemctl", "start", "intercom-resolved-link")
            #expect(try lookUp(machine, "web.front.internal") == "10.1.0.2")
            #expect(try machine.must("intercomctl", "host", "status").status == 0)

            // Names of others do not suffer from a daemon that is away.
            try machine.must("systemctl", "stop", "intercom.socket", "intercom")
            #expect(try lookUp(machine, "outside.example") == "192.0.2.7")
            let disabled = try machine.must("intercomctl", "host", "disable")
            #expect(disabled.out.contains("intercom0 removed"), "\(disabled)")
            #expect(try machine.must("ip", "-br", "link").lines.count == links)
            #expect(try machine.run("test", "-e", "/etc/systemd/dns-delegate.d").status == 1, "what was made is gone")
            #expect(try machine.run("systemctl", "is-enabled", "intercom-resolved-link").text == "disabled")
            #expect(try machine.must("readlink", "/etc/resolv.conf").text == "../run/systemd/resolve/stub-resolv.conf")
            #expect(try lookUp(machine, "outside.example") == "192.0.2.7")
        }
    }

    @Test("is served by a hook whose socket is there as long as the daemon is")
    func hook() throws {
        try lend(withResolved: true) { machine in
            let socket = "/run/systemd/resolve.hook/intercom"
            func lookUp(_ lines: String...) throws -> [String] {
                try Command.run(
                    ["python3", House.kit("resolved.py"), machine.root + socket],
                    input: lines.map { $0 + "\n" }.joined()
                ).lines
            }
            #expect(try machine.run("test", "-e", socket).status == 1)
            // What 'host enable' does where systemd is 259.
            try machine.must("systemctl", "enable", "intercom-resolve-hook.socket")
            try machine.must("systemctl", "restart", "intercom")
            let found = try lookUp("web.front.internal A", "@reset", "outside.example A")
            #expect(found == ["0 | web.front.internal 1 10.1.0.2", "reset", "DNS"])
            #expect(try machine.must("intercomctl", "--json", "status").out.contains("\"hook\""))
            #expect(try machine.must("stat", "--format=%U %a", socket).text == "systemd-resolve 600")

            try machine.must("systemctl", "restart", "intercom")
            #expect(try eventually { try lookUp("web.front.internal A").first?.hasSuffix("10.1.0.2") == true })
            try machine.must("systemctl", "kill", "--signal=KILL", "intercom")
            #expect(try eventually { try lookUp("web.front.internal A").first?.hasSuffix("10.1.0.2") == true })
            // Stopped, and not started by a lookup: no name waits for it.
            try machine.must("systemctl", "stop", "intercom")
            #expect(try eventually { try machine.run("test", "-e", socket).status == 1 })
            #expect(try lookUp("web.front.internal A", "outside.example A") == ["DNS", "DNS"])
            try machine.must("systemctl", "start", "intercom")
            #expect(try lookUp("web.front.internal A").first?.hasSuffix("10.1.0.2") == true)

            try machine.must("intercomctl", "host", "disable")
            #expect(try eventually { try machine.run("test", "-e", socket).status == 1 })
            #expect(try eventually { try machine.run("intercomctl", "host", "status").status == 1 })
        }
    }

    @Test("has its line put first again when somebody writes resolv.conf anew, and is not fought for")
    func mending() throws {
        try lend(withResolved: false) { machine in
            let before = try machine.must("cat", "/etc/resolv.conf").out
            let enabled = try machine.must("intercomctl", "host", "enable")
            #expect(enabled.out.contains("puts it there again"), "\(enabled)")
            #expect(try lookUp(machine, "web.front.internal") == "10.1.0.2")
            func isMended() throws -> Bool {
                try machine.must("cat", "/etc/resolv.conf").out.contains("\nnameserver 127.0.0.11\n")
            }
            // In place, and by a new file with its name: as dhclient and NetworkManager do it.
            try machine.must("sh", "-c", "echo 'nameserver 127.0.0.5' >/etc/resolv.conf")
            #expect(try eventually { try isMended() })
            try machine.must(
                "sh", "-c", "echo 'nameserver 127.0.0.5 # new' >/etc/new && mv /etc/new /etc/resolv.conf")
            #expect(try eventually { try isMended() })
            #expect(try lookUp(machine, "web.front.internal") == "10.1.0.2")
            #expect(try machine.must("cat", "/etc/resolv.conf").out.hasSuffix("nameserver 127.0.0.5 # new\n"))

            // Somebody who insists.
            let hasGivenUp = try eventually(within: 60) {
                try machine.must("sh", "-c", "echo 'nameserver 127.0.0.5' >/etc/resolv.conf")
                return try machine.run("systemctl", "is-failed", "intercom-resolv-conf.path").text == "failed"
            }
            #expect(hasGivenUp)
            #expect(try !isMended())
            let status = try machine.run("intercomctl", "host", "status")
            #expect(status.status == 1 && status.err.contains("again and again"), "\(status)")
            // What it advises.
            try machine.must("systemctl", "reset-failed", "intercom-resolv-conf.path", "intercom-resolv-conf.service")
            try machine.must("intercomctl", "host", "enable")
            #expect(try machine.must("intercomctl", "host", "status").status == 0)

            try machine.write(before, to: "/etc/resolv.conf")
            #expect(try eventually { try isMended() })
            try machine.must("intercomctl", "host", "disable")
            #expect(try machine.must("cat", "/etc/resolv.conf").out == before, "to the octet")
            #expect(try machine.run("systemctl", "is-active", "intercom-resolv-conf.path").text == "inactive")
            try machine.must("touch", "/etc/resolv.conf")
            #expect(try machine.must("cat", "/etc/resolv.conf").out == before)
        }
    }
}

extension Machine {
    /// Starts a DNS server of outside in the machine's network, at 127.0.0.5: it runs here, as the machine has none.
    fileprivate func startServer() throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // dnsmasq closes what Foundation waits by: a shell stands between, and takes it along. Where it changed its group, the
        // kernel would forget to (PR_SET_PDEATHSIG(2const)).
        let command = [
            "setpriv", "--pdeathsig", "KILL", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
            "--no-resolv", "--no-hosts", "--pid-file=", "--user=root", "--group=root", "--bind-interfaces",
            "--listen-address=127.0.0.5", "--local=/#/", "--host-record=outside.example,192.0.2.7",
            "--host-record=metadata.google.internal,192.0.2.8",
        ]
        process.arguments =
            ["nsenter", "--net=\(root)/proc/1/ns/net", "sh", "-c", "\"$@\" & wait", "sh"] + command
        process.standardInput = FileHandle.nullDevice
        try Command.start(process)
        return process
    }
}
