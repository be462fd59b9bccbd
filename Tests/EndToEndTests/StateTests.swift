// Declarations outlive the daemon, whatever ends it; containers that ended meanwhile do not come back.

import Foundation
import Testing

@Suite("What was declared", .needsRoot)
struct StateTests {
    private static let configuration =
        "[server]\nworkers = 2\nresolv-conf-directories = [\"\(NSTemporaryDirectory())\"]\n"

    /// Everything that can be declared, in a house: networks, a container by path, one by pid, a machine elsewhere.
    private func declare(in house: House) throws -> Process {
        try house.mustCtl(
            "network", "create", "n", "--subnet", "10.0.0.0/24", "--upstream", "192.0.2.53", "--ttl", "9", "--search",
            "corp.example")
        try house.mustCtl("network", "create", "m.lan", "--internal")
        try house.container(
            "web", "--network", "n,ip=10.0.0.2,alias=site,alias=*.app.test", "--hostname", "www.example", "--id",
            "0123456789abcdef", "--port", "80=http", "--resolv-conf", "\(house.directory)/web.conf")
        _ = try house.namespace("job")
        let process = try house.start(in: "job", ["sleep", "600"], log: "sleep")
        #expect(eventually { Self.runs(process, "sleep") })
        try house.mustCtl(
            "container", "add", "job", "--pid", "\(process.processIdentifier)", "--network", "n", "--link", "web:w")
        try house.mustCtl("container", "add", "vm", "--network", "n,ip=10.0.0.9")
        try house.mustCtl("network", "connect", "m.lan", "job", "--ip", "10.9.0.3", "--alias", "worker")
        try house.mustCtl("network", "disconnect", "n", "vm")
        try house.mustCtl("container", "add", "gone", "--network", "n,ip=10.0.0.10")
        try house.mustCtl("container", "rm", "gone")
        return process
    }

    private static func runs(_ process: Process, _ program: String) -> Bool {
        let target = try? FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/\(process.processIdentifier)/exe")
        return target?.hasSuffix(program) ?? false
    }

    private func shown(_ house: House) throws -> [String] {
        try ["network", "container"].map { try house.ctl($0, "ls", "--json").out }
    }

    @Test("is there after a restart and after a crash as it was before, and answers")
    func restart() throws {
        try House.lend(configuration: Self.configuration) { house in
            _ = try declare(in: house)
            // Each is `starting` until it is proved to be heard, or not.
            #expect(try eventually { try !shown(house)[1].contains("\"starting\"") }, "\(house.log)")
            let before = try shown(house)
            #expect(before[1].contains("0123456789abcdef") && !before[1].contains("gone"))
            for _ in 1...2 {
                try house.crashDaemon()
                // Each is `starting` until its listener is open.
                var now: [String] = []
                #expect(
                    try eventually {
                        now = try shown(house)
                        return now == before
                    }, "\(now), not \(before): \(house.log)")
                #expect(house.stopDaemon() == 0)
                try house.startDaemon(Self.configuration)
                #expect(
                    try eventually {
                        now = try shown(house)
                        return now == before
                    }, "\(now), not \(before): \(house.log)")
            }
            #expect(try house.dig("job", "w").data == ["10.0.0.2"])
            #expect(try house.dig("web", "site").answer == ["site. 9 IN A 10.0.0.2"])
            #expect(try house.dig("job", "_http._tcp.web", "SRV").data == ["0 0 80 web.n.internal."])
            let text = try String(contentsOfFile: "\(house.directory)/web.conf", encoding: .utf8)
            #expect(text.contains("nameserver 127.0.0.11"))
        }
    }

    @Test("and has ended meanwhile does not come back: neither a path nor a pid of another namespace or process")
    func endedMeanwhile() throws {
        try House.lend(configuration: Self.configuration) { house in
            let process = try declare(in: house)
            try house.container("stays", "--network", "n")
            let pid = process.processIdentifier
            #expect(house.stopDaemon() == 0)
            try house.deleteNamespace("web")
            _ = try house.namespace("web")
            House.kill(process)
            // Another process of the same number in the same namespace: clone3(2) lets root choose it.
            let other = try house.start(
                in: "job", ["python3", "-c", Self.recycle, "\(pid)"], log: "recycle")
            #expect(eventually { FileManager.default.fileExists(atPath: "/proc/\(pid)") })
            try house.startDaemon(Self.configuration)
            let containers = try house.ctl("container", "ls").out
            #expect(containers.contains("stays") && containers.contains("vm"), "\(containers)")
            let declared = try house.ctl("container", "ls").lines.filter { $0.hasSuffix("control") }
            #expect(declared.allSatisfy { !$0.hasPrefix("web") && !$0.hasPrefix("job") }, "\(containers)")
            #expect(house.log.contains("container web ended while the daemon was away"))
            #expect(house.log.contains("container job ended while the daemon was away"))
            #expect(!FileManager.default.fileExists(atPath: "\(house.directory)/web.conf"))
            try house.mustCtl("container", "add", "web", "--netns", house.path("web"), "--network", "n")
            House.kill(other)
        }
    }

    /// Starts a process whose number is the first argument, which sleeps until its parent ends.
    private static let recycle = """
        import ctypes, struct, sys, time
        pid = (ctypes.c_int * 1)(int(sys.argv[1]))
        # struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size
        arguments = struct.pack("10Q", 0, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(pid), 1)
        child = ctypes.CDLL(None, use_errno=True).syscall(435, arguments, len(arguments))
        if child == 0:
            ctypes.CDLL(None).prctl(1, 9)
        time.sleep(600)
        """

    @Test("is kept in a file of lines; damaged ones are left out, and the file is set aside")
    func damaged() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.mustCtl("network", "create", "n")
            try house.mustCtl("container", "add", "vm", "--network", "n,ip=10.0.0.9")
            try house.mustCtl("container", "add", "other", "--network", "n,ip=10.0.0.8")
            #expect(house.stopDaemon() == 0)
            let file = "\(house.state)/declarations"
            let whole = try String(contentsOfFile: file, encoding: .utf8)
            #expect(whole.hasPrefix("intercom-declarations 1 "))
            #expect(try Command.must(["stat", "--format", "%a", file]).text == "600")
            let damaged = whole.replacingOccurrences(of: "10.0.0.9", with: "10.0.0.7") + "0123"
            try damaged.write(toFile: file, atomically: true, encoding: .utf8)
            try house.startDaemon(Self.configuration)
            #expect(
                house.log.contains(
                    "warning: \(file): line 3 is damaged; moved to \(file).damaged, and 2 of its declarations are in force"
                ))
            let containers = try house.ctl("container", "ls").out
            #expect(containers.contains("other") && !containers.contains("vm"), "\(containers)")
            #expect(try String(contentsOfFile: "\(file).damaged", encoding: .utf8) == damaged)
            #expect(house.stopDaemon() == 0)

            try "intercom-declarations 9 later\n".write(toFile: file, atomically: true, encoding: .utf8)
            try house.startDaemon(Self.configuration)
            #expect(
                house.log.contains(
                    "its version is 9, and this program knows 1; moved to \(file).damaged-2, and 0 of its declarations are in force"
                ))
            #expect(try house.ctl("network", "ls", "--json").out.contains("\"networks\" : [\n\n  ]"))
        }
    }

    @Test("cannot be declared where it cannot be kept: the call says why, nothing changes, and answers go on")
    func fullAndReadOnly() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.mustCtl("network", "create", "n")
            try house.container("app", "--network", "n,ip=10.0.0.2")
            #expect(house.stopDaemon() == 0)
            try house.command("mount", "-t", "tmpfs", "-o", "size=256k", "none", house.state)
            try house.startDaemon("[[network]]\nname = \"n\"\n")
            try house.mustCtl("container", "add", "app", "--netns", house.path("app"), "--network", "n,ip=10.0.0.2")

            try house.run(in: "house", ["dd", "if=/dev/zero", "of=\(house.state)/ballast", "bs=4k"])
            // The room that was promised before is used up first: by many octets, then by few.
            let aliases = (1...50).map { ",alias=\(String(repeating: "x", count: 60))\($0)" }.joined()
            var refused = Output(status: 0, out: "", err: "")
            for options in [aliases, ""] {
                refused.status = 0
                for number in 1...100 where refused.status == 0 {
                    refused = try house.ctl(
                        "container", "add", "vm\(number)\(options.count)", "--network", "n\(options)")
                }
            }
            #expect(refused.status == 1 && refused.err.contains("No space left on device"), "\(refused)")
            #expect(refused.err.contains("nothing was changed"))
            let count = try house.ctl("container", "ls").lines.count
            #expect(try house.ctl("container", "rm", "app").status == 1)
            #expect(try house.ctl("network", "create", "other").status == 1)
            #expect(try house.ctl("container", "ls").lines.count == count)
            #expect(try house.dig("app", "app").data == ["10.0.0.2"])

            try FileManager.default.removeItem(atPath: house.file("\(house.state)/ballast"))
            try house.mustCtl("network", "create", "other")
            try house.crashDaemon()
            #expect(try house.ctl("container", "ls").lines.count == count)
            #expect(house.stopDaemon() == 0)

            try house.command("mount", "-o", "remount,ro", house.state)
            try house.startDaemon("[[network]]\nname = \"n\"\n")
            #expect(try house.ctl("container", "ls").lines.count == count, "what was kept is read")
            refused = try house.ctl("network", "rm", "other")
            #expect(refused.status == 1 && refused.err.contains("Read-only file system"), "\(refused)")
            #expect(try house.dig("app", "app").data == ["10.0.0.2"])
            try house.mustCtl("reload")
        }
    }

    @Test("is kept quickly: 1,000 containers in 2 s")
    func thousand() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.mustCtl("network", "create", "n")
            let output = try house.python(
                """
                import sys, time, varlink
                with varlink.Client("unix:" + sys.argv[1]).open("intercom.Control") as control:
                    start = time.monotonic()
                    for number in range(1000):
                        control.AddContainer(name="c%d" % number, networks=[{"name": "n", "addresses": ["10.0.%d.%d" % (number // 250, number % 250)]}])
                    print(time.monotonic() - start)
                """, [house.socket])
            let seconds = try #require(Double(output.text), "\(output)")
            #expect(seconds < 2)
            try house.crashDaemon()
            #expect(try house.ctl("container", "ls").lines.count == 1001)
        }
    }

    @Test("is one daemon's alone: a second one does not start with the same directory")
    func lock() throws {
        try House.lend { house in
            let second = try Command.run([
                "\(House.binaries)/intercomd", "--config", house.configuration, "--socket",
                "\(house.directory)/other.sock", "--state-dir", house.state,
            ])
            #expect(second.status == 1 && second.err.contains("\(house.state): another process uses it"), "\(second)")
        }
    }
}
