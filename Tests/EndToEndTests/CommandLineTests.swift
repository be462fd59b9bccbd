// The two command lines: what they print, how they exit, what they say of mistakes.

import Foundation
import Testing

@Suite("The command line", .needsRoot)
struct CommandLineTests {
    @Test("exits with 0, 1, 2 or 3, each with one line that says what and what to do")
    func exitStatuses() throws {
        try House.lend(configuration: "[[network]]\nname = \"n\"\n") { house in
            let cases: [([String], Int32, String)] = [
                (["network", "ls"], 0, ""),
                (["network", "rm", "nope"], 1, "intercomctl: no network nope; "),
                (["container", "inspect", "nope"], 1, "intercomctl: no container nope; "),
                (["network", "create", "n"], 1, "intercomctl: network n exists already; "),
                (
                    ["network", "create", "m", "--subnet", "10.0.0.1/24"], 1,
                    "intercomctl: bad subnet '10.0.0.1/24': an address within a subnet; did you mean '10.0.0.0/24'?"
                ),
                (
                    ["network", "create", "m", "--upstream", "224.0.0.251"], 1,
                    "intercomctl: bad upstream '224.0.0.251': not the address of one server"
                ),
                (
                    ["network", "create", "m", "--subnet", "10.1.0.0"], 1,
                    "intercomctl: bad subnet '10.1.0.0': expected a prefix length, as 10.1.0.0/24"
                ),
                (
                    ["network", "create", "m", "--internal", "--upstream", "10.1.0.53"], 1,
                    "intercomctl: bad internal 'true': an internal network forwards nothing; "
                ),
                (["container", "add", "x..y"], 1, "intercomctl: bad name 'x..y': "),
                (["container", "add", "x", "--id", ""], 1, "intercomctl: bad id '': "),
                (["frobnicate"], 2, "Error: "),
                (["network", "create"], 2, "Error: Missing expected argument '<name>'"),
                (["network", "create", "m", "--ttl", "long"], 2, "Error: "),
                (["container", "add", "x", "--network", "n,ipp=10.0.0.1"], 2, "Error: "),
                (["container", "add", "x", "--port", "99999"], 2, "Error: "),
                (["container", "add", "x", "--port", "+80"], 2, "Error: "),
                (["container", "add", "x", "--link", "web"], 2, "Error: "),
                (["container", "add", "x", "--netns", "/a", "--pid", "1"], 2, "Error: "),
                (["resolve", "web"], 2, "Error: "),
                (["resolve", "-x", "web", "--from", "web"], 2, "Error: 'web' is not an address"),
                (["network", "rm", "nope", "neither"], 1, "intercomctl: no network nope; "),
                (["--version"], 0, ""),
                (["--help"], 0, ""),
                (["help", "network"], 0, ""),
                (["container", "add", "--help"], 0, ""),
            ]
            for (arguments, status, message) in cases {
                let output = try Command.run(["\(House.binaries)/intercomctl", "--socket", house.socket] + arguments)
                #expect(output.status == status, "\(arguments): \(output)")
                #expect(output.err.hasPrefix(message), "\(arguments): \(output)")
                let lines = arguments.last == "neither" ? 2 : 1
                if status == 1 { #expect(output.err.split(separator: "\n").count == lines, "\(arguments): \(output)") }
            }
            let absent = try Command.run(["\(House.binaries)/intercomctl", "--socket", "/nonexistent", "status"])
            #expect(absent.status == 3 && absent.err.hasPrefix("intercomctl: no daemon at /nonexistent"), "\(absent)")
        }
    }

    @Test("prints aligned tables for people and stable JSON for programs, wherever --json stands")
    func output() throws {
        try House.lend(configuration: "[[network]]\nname = \"front\"\nsubnets = [\"10.0.0.0/24\"]\ninternal = true\n") {
            house in
            try house.container("web", "--network", "front,ip=10.0.0.2,alias=site", "--port", "80/tcp=http")
            #expect(
                try house.ctl("network", "ls").out == """
                    NETWORK  INTERFACE  SUBNETS      OPTIONS   CONTAINERS  SOURCE
                    front    -          10.0.0.0/24  internal  web         configuration

                    """)
            let json = try house.ctl("--json", "container", "inspect", "web")
            let object = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: [String: Any]]
            #expect(object?["container"]?["name"] as? String == "web")
            #expect(object?["container"]?["listener"] as? String == "127.0.0.11:53")
            #expect(try house.ctl("container", "inspect", "web", "--json").out == json.out)
            #expect(try house.ctl("container", "--json", "inspect", "web").out == json.out)
            let inspected = try house.ctl("container", "inspect", "web").out
            #expect(
                inspected.contains("front    10.0.0.2   web, site") && inspected.contains("80/tcp=http"), "\(inspected)"
            )
            #expect(try house.ctl("container", "ls").out.contains(house.path("web")))
        }
    }

    @Test("resolve shows the container's answer and who gave it; 0 for an answer, 1 for none")
    func resolve() throws {
        try House.lend(configuration: "[[network]]\nname = \"n\"\n[[network]]\nname = \"i\"\ninternal = true\n") {
            house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.mustCtl("container", "add", "vm", "--network", "i,ip=10.0.1.2", "--hostname", "machine.example")
            let cases: [([String], Int32, String)] = [
                (["web", "--from", "web"], 0, "answered by: network n"),
                (["web", "AAAA", "--from", "web"], 0, "web has no AAAA records"),
                (["nobody", "--from", "web"], 1, "nobody: NXDOMAIN"),
                (["localhost", "--from", "web"], 0, "special-use name"),
                (["machine.example", "--from", "vm"], 0, "10.0.1.2"),
                (["www.example", "--from", "vm"], 1, "error 15 (Blocked)"),
                (["web", "AXFR", "--from", "web"], 1, "REFUSED"),
                (["2.0.0.10.in-addr.arpa", "ptr", "--from", "web"], 0, "web.n.internal."),
            ]
            for (arguments, status, text) in cases {
                let output = try Command.run(
                    ["\(House.binaries)/intercomctl", "--socket", house.socket, "resolve"] + arguments)
                #expect(output.status == status && output.out.contains(text), "\(arguments): \(output)")
            }
            #expect(
                try house.ctl("resolve", "nobody", "--from", "web", "--json").out.contains("\"rcode\" : \"NXDOMAIN\""))
        }
    }

    @Test("a call that changes nothing succeeds, and says nothing to the log")
    func nothingNew() throws {
        try House.lend { house in
            try house.mustCtl("network", "create", "n")
            try house.mustCtl("container", "add", "web", "--network", "n,ip=10.0.0.2")
            for _ in 1...3 {
                try house.mustCtl("network", "connect", "n", "web", "--alias", "site")
                try house.mustCtl("container", "drain", "web")
            }
            #expect(house.log.components(separatedBy: "web connected to network n").count == 2, "\(house.log)")
            #expect(house.log.components(separatedBy: "web is draining").count == 2, "\(house.log)")
        }
    }

    @Test("warnings of status are as wide as its tables, and a container that is waited for has the mode it will have")
    func wrapping() throws {
        let text = """
            [server]
            listen = "redirect"
            [[container]]
            name = "late"
            netns = "/etc/passwd"
            """
        try House.lend(configuration: text) { house in
            let status = try house.ctl("status")
            #expect(
                status.unwrapped.contains(
                    "/etc/passwd is no network namespace that can be entered: it is a regular file"),
                "\(status)")
            #expect(status.lines.allSatisfy { $0.count <= 80 }, "\(status)")
            let json = try house.ctl("container", "inspect", "late", "--json").out
            #expect(json.contains("\"listen\" : \"redirect\""), "\(json)")
        }
    }

    @Test("reload says all that the configuration names and is not in force, each time, until it is")
    func notInForce() throws {
        try House.lend(configuration: "") { house in
            #expect(try house.ctl("reload").description == "exit 0\n")
            let text = """
                server = { workers = 3, listen = "redirect", ttl = 9 }
                control = { group = "" }
                [[container]]
                name = "late"
                netns = "\(house.path("late"))"
                """
            try text.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            for _ in 1...2 {
                let output = try house.ctl("reload")
                #expect(output.status == 0, "\(output)")
                let lines = output.lines.sorted()
                #expect(
                    lines.dropLast() == [
                        "not in force: [control] group: takes effect at a restart",
                        "not in force: [server] listen: in force for containers added from now on; for the others at a restart",
                        "not in force: [server] workers: takes effect at a restart",
                    ], "\(output)")
                #expect(
                    lines.last?.hasPrefix("not in force: container late of the configuration: ") == true, "\(output)")
            }
            try "server.ttl = 9".write(toFile: house.configuration, atomically: true, encoding: .utf8)
            #expect(try house.ctl("reload").description == "exit 0\n")
            #expect(try house.ctl("reload", "--json").out.contains("\"notInForce\" : ["))
        }
    }

    @Test("intercomd checks a configuration, and does not start with a wrong one")
    func configuration() throws {
        try House.lend { house in
            let file = "\(house.directory)/wrong.toml"
            try "[server]\nworker = 2\nttl = \"long\"\n".write(toFile: file, atomically: true, encoding: .utf8)
            for options in [["--check-config"], []] {
                let output = try Command.run(
                    ["\(House.binaries)/intercomd", "--config", file, "--socket", "\(house.directory)/x"] + options)
                #expect(output.status == 1, "\(output)")
                let lines = output.err.split(separator: "\n")
                #expect(
                    lines.count == 2 && lines[0].hasPrefix("\(file):2:1: ") && lines[1].hasPrefix("\(file):3:7: "),
                    "\(output)")
            }
            #expect(
                try Command.run(["\(House.binaries)/intercomd", "--config", "/nonexistent", "--check-config"]).status
                    == 1)
            #expect(
                try Command.run(["\(House.binaries)/intercomd", "--config", house.configuration, "--check-config"])
                    .status == 0)
            #expect(try Command.run(["\(House.binaries)/intercomd", "--nonsense"]).status == 2)
            #expect(try Command.run(["\(House.binaries)/intercomd", "--version"]).text == "intercom 0.2.0")
            let second = try Command.run([
                "\(House.binaries)/intercomd", "--config", house.configuration, "--socket", house.socket,
            ])
            #expect(second.status == 1 && second.err.contains("another process listens there"), "\(second)")
        }
    }

    @Test("reload applies what is different, by call and by SIGHUP; a wrong file changes nothing")
    func reload() throws {
        let first = """
            [[network]]
            name = "n"
            [[container]]
            name = "vm"
            networks = [{ name = "n", ip = ["10.0.0.9"] }]
            """
        try House.lend(configuration: first) { house in
            try house.container("app", "--network", "n")
            #expect(try house.dig("app", "vm").answer == ["vm. 5 IN A 10.0.0.9"])
            let second = "[server]\nttl = 30\n" + first.replacingOccurrences(of: "10.0.0.9", with: "10.0.0.10")
            try second.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try house.dig("app", "vm").answer == ["vm. 30 IN A 10.0.0.10"])
            #expect(try house.dig("app", "nobody").authority.first?.hasPrefix(". 30 IN SOA") == true)

            try "[server]\nttl = -1\n".write(toFile: house.configuration, atomically: true, encoding: .utf8)
            let refused = try house.ctl("reload")
            #expect(refused.status == 1 && refused.err.contains("\(house.configuration):2:7: "), "\(refused)")
            #expect(try house.dig("app", "vm").data == ["10.0.0.10"])

            let third = "[server]\ndomain = \"test.lan\"\n[[network]]\nname = \"n\"\nttl = 7\n"
            try third.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            let pid = try #require(house.daemon?.processIdentifier)
            kill(pid, SIGHUP)
            #expect(
                try eventually {
                    try house.dig("app", "app.n.test.lan").answer == [] && house.dig("app", "vm").status == "NXDOMAIN"
                })
            #expect(try house.dig("app", "app.n.test.lan").status == "NOERROR")
            #expect(try house.dig("app", "app.n.test.lan").authority.first?.hasPrefix("test.lan. 5 IN SOA") == true)
        }
    }

    @Test("ends with 1 and says what to do where the daemon is neither root nor has an opener")
    func withoutPrivileges() throws {
        try House.lend { house in
            let directory = "\(house.directory)/nobody"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: directory)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: house.directory)
            try "[control]\ngroup = \"\"\n".write(toFile: "\(directory)/c", atomically: true, encoding: .utf8)
            let output = try Command.run([
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "timeout", "3",
                "\(House.binaries)/intercomd", "--config", "\(directory)/c", "--socket", "\(directory)/s",
                "--state-dir", "\(directory)/state",
            ])
            #expect(
                output.status == 1 && output.err.contains("no namespace can be entered: this is not root"), "\(output)")
            #expect(output.err.contains("run it as root, or start intercom-opener.service"), "\(output)")
        }
    }

    @Test("SIGTERM ends it with 0; its socket and its resolv.conf files are gone")
    func ends() throws {
        try House.lend(configuration: "[[network]]\nname = \"n\"\n") { house in
            try house.container("app", "--network", "n")
            let file = house.file("/etc/netns/app/resolv.conf")
            #expect(FileManager.default.fileExists(atPath: file))
            #expect(house.stopDaemon() == 0)
            #expect(!FileManager.default.fileExists(atPath: file))
            #expect(!FileManager.default.fileExists(atPath: house.socket))
            #expect(house.log.contains("info: ending on SIGTERM"))
        }
    }
}
