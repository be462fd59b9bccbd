// Small things that an operator meets: each was one that he stumbled over.

import Foundation
import Testing

@Suite("An operator", .needsRoot)
struct OperatorTests {
    @Test("who makes a configuration after the start has it read by reload")
    func lateConfiguration() throws {
        try House.lend(options: []) { house in
            #expect(house.stopDaemon() == 0)
            let etc = "mkdir -p /etc/intercom && mount -t tmpfs tmpfs /etc/intercom && exec \"$@\""
            let daemon = try house.start(
                in: "house",
                [
                    "sh", "-c", etc, "sh", "\(House.binaries)/intercomd", "--socket", house.socket, "--state-dir",
                    house.state,
                ],
                log: "late")
            #expect(try eventually { try house.ctl("status").out.contains("no file: defaults") })
            let file = "/proc/\(daemon.processIdentifier)/root/etc/intercom/intercom.toml"
            try "[[network]]\nname = \"late\"\n".write(toFile: file, atomically: false, encoding: .utf8)
            #expect(try house.ctl("reload").description == "exit 0\n")
            #expect(try house.ctl("network", "ls").out.contains("late"))
            #expect(try house.ctl("status").out.contains("/etc/intercom/intercom.toml"))
            try FileManager.default.removeItem(atPath: file)
            #expect(try house.ctl("reload").description == "exit 0\n")
            #expect(try !house.ctl("network", "ls").out.contains("late"))
        }
    }

    @Test("who has freed port 53 need not wait for the next attempt: reload tries at once")
    func reloadTriesAgain() throws {
        let configuration = "server.listen = \"direct\"\n[[network]]\nname = \"n\"\n"
        try House.lend(configuration: configuration) { house in
            #expect(house.stopDaemon() == 0)
            _ = try house.namespace("busy")
            let program = "import socket, time; s = socket.socket(type=2); s.bind(('', 53)); time.sleep(600)"
            let server = try house.start(in: "busy", ["python3", "-c", program], log: "server")
            #expect(try eventually { try house.run(in: "busy", ["ss", "-Hlun"]).out.contains(":53") })
            try house.startDaemon(configuration)
            func state() throws -> String {
                try house.ctl("container", "inspect", "busy").lines.first { $0.hasPrefix("state ") } ?? ""
            }
            #expect(try eventually { try state().contains("no listener") })
            // 1 + 2 + 4 s: the next attempt is 8 s away.
            #expect(eventually(within: 20) { uptime(house) >= 8 })
            House.kill(server)
            try house.mustCtl("reload")
            #expect(try eventually(within: 3) { try state().hasSuffix(" ready") })
        }
    }

    private func uptime(_ house: House) -> Int {
        let json = (try? house.ctl("status", "--json").out) ?? ""
        let line = json.split(separator: "\n").first { $0.contains("\"uptime\"") } ?? ""
        return line.split { !$0.isNumber }.first.flatMap { Int($0) } ?? 0
    }

    @Test("sees his own program's arguments where there is no /proc")
    func withoutProc() throws {
        for program in ["intercomctl", "intercomd"] {
            let command =
                ["sh", "-c", "umount -l /proc; exec \"$@\"", "sh", "\(House.binaries)/\(program)", "--version"]
            let output = try Command.run(["unshare", "--mount", "--propagation", "private"] + command)
            #expect(output.status == 0 && output.text == "intercom 0.2.0", "\(program): \(output)")
        }
    }

    @Test("has each row of network ls within 80 columns, with 1,000 containers on a network")
    func wideNetwork() throws {
        var text = "[[network]]\nname = \"wide\"\nsubnets = [\"10.0.0.0/16\", \"fd00:1::/64\"]\n"
        for number in 0..<1000 {
            text +=
                "[[container]]\nname = \"container-\(number)\"\nnetworks = [{ name = \"wide\", ip = [\"10.0.\(number / 250 + 1).\(number % 250 + 1)\"] }]\n"
        }
        try House.lend(configuration: text) { house in
            for words in [["network", "ls"], ["container", "ls"], ["status"], ["source", "ls"]] {
                let output = try house.ctl(words)
                #expect(output.status == 0 && output.lines.allSatisfy { $0.count <= 80 }, "\(words): \(output)")
            }
            #expect(try house.ctl("network", "ls").out.contains(", +9"), "the number of those that are left out")
        }
    }

    @Test("asks for a name by its address, and about several things at once")
    func severalAndReverse() throws {
        try House.lend(configuration: "[[network]]\nname = \"n\"\n") { house in
            try house.container("web", "--network", "n,ip=10.0.0.2,ip=fd00::2")
            try house.mustCtl("container", "add", "db", "--network", "n,ip=10.0.0.3")
            for address in ["10.0.0.2", "fd00::2"] {
                let output = try house.ctl("resolve", "-x", address, "--from", "web")
                #expect(output.status == 0 && output.out.contains("web.n.internal."), "\(output)")
            }
            let both = try house.ctl("container", "inspect", "web", "db")
            #expect(
                both.status == 0 && both.out.contains("CONTAINER    web") && both.out.contains("CONTAINER    db"),
                "\(both)")
            let some = try house.ctl("container", "rm", "db", "nobody", "web")
            #expect(some.status == 1 && some.err.contains("nobody"), "\(some)")
            #expect(
                try house.ctl("container", "ls", "--json").out.contains("\"db\"") == false, "the others are carried out"
            )
        }
    }

    @Test("reads memory in MiB, and times in minutes and days")
    func units() throws {
        try House.lend { house in
            let status = try house.ctl("status").out
            #expect(status.contains("0 B of 16 MiB") && status.contains("up for"), "\(status)")
        }
    }

    @Test("completes names of containers and networks, and files, in his shell")
    func completions() throws {
        try House.lend(configuration: "[[network]]\nname = \"lab\"\n") { house in
            try house.mustCtl("container", "add", "web", "--network", "lab,ip=10.0.0.2")
            let script = try Command.must(["\(House.binaries)/intercomctl", "--generate-completion-script", "bash"]).out
            let file = "\(house.directory)/completion"
            try script.write(toFile: file, atomically: true, encoding: .utf8)
            try "".write(toFile: "\(house.directory)/some.conf", atomically: true, encoding: .utf8)
            /// Words that bash offers for the last word of a line.
            func offers(_ words: String...) throws -> [String] {
                let line = ["intercomctl"] + words.prefix(2) + ["--socket", house.socket] + words.dropFirst(2)
                let quoted = line.map { "'\($0)'" }.joined(separator: " ")
                let run = """
                    cd \(house.directory); PATH=\(House.binaries):$PATH; shopt -s extglob progcomp
                    source \(file) 2>/dev/null
                    COMP_WORDS=(\(quoted)); COMP_CWORD=\(line.count - 1)
                    COMP_LINE="\(line.joined(separator: " "))"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMP_KEY=9
                    function="$(complete -p intercomctl | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
                    "$function" intercomctl '\(words.last ?? "")' '\(words.dropLast().last ?? "")' 2>/dev/null
                    printf '%s\\n' "${COMPREPLY[@]}"
                    """
                return try Command.run(["bash", "-c", run]).lines
            }
            #expect(try offers("container", "inspect", "").contains("web"))
            #expect(try offers("network", "inspect", "").contains("lab"))
            #expect(try offers("container", "add", "x", "--netns", "so").contains("some.conf"))
        }
    }

    @Test("is told by a message only of options that a program has")
    func optionsInMessages() throws {
        var known: Set<String> = []
        let programs = try ["intercomd", "intercomctl"].map {
            try Command.must(["\(House.binaries)/\($0)", "--experimental-dump-help"]).out
        }
        for dump in programs + [try AdapterHouse().program(["--experimental-dump-help"]).out] {
            for match in dump.matches(of: /"name"\s*:\s*"([^"]+)"/) { known.insert(String(match.1)) }
        }
        // Options of groupadd(8), nsenter(1), systemd-nspawn(1), systemctl(1), podman-network-create(1) and etcdctl, which messages
        // name, too.
        known.formUnion(["system", "net", "target", "network-veth", "now", "disable-dns", "no-password", "prefix"])
        let folder = URL(fileURLWithPath: "\(House.repository)/Sources")
        let files =
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        var unknown: Set<String> = []
        // The map's style sheet says nothing to anybody, and its variables begin as options do.
        for file in files where file.pathExtension == "swift" && file.lastPathComponent != "MapStyle.swift" {
            let code = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                .filter { !$0.drop(while: { $0 == " " }).hasPrefix("//") }.joined(separator: "\n")
            for match in code.matches(of: /(?:^|[\ '"(\[])--([a-z][a-z-]+[a-z])/) where !known.contains(String(match.1))
            {
                unknown.insert("\(file.lastPathComponent): --\(match.1)")
            }
        }
        #expect(unknown.isEmpty, "\(unknown.sorted())")
    }

    @Test("is told where a restart does not mend what keeps the daemon from starting")
    func noRestart() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("bad-\(UUID().uuidString).toml")
        defer { try? FileManager.default.removeItem(at: file) }
        try "server.workers = -1\n".write(to: file, atomically: true, encoding: .utf8)
        let command = ["\(House.binaries)/intercomd", "--config", file.path]
        let under = try Command.run(command, environment: ["NOTIFY_SOCKET": "/nonexistent"])
        #expect(under.status == 1 && under.err.contains("a restart does not mend that, so there is none"), "\(under)")
        let alone = try Command.run(command)
        #expect(alone.status == 1 && !alone.err.contains("restart"), "\(alone)")
        let unit = try String(contentsOfFile: "\(House.repository)/config/intercom.service", encoding: .utf8)
        #expect(unit.contains("\nRestartPreventExitStatus=1 2\n"))
    }
}
