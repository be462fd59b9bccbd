// The beginnings and ends of containers: at once in force, and nothing left behind.

import Foundation
import Testing

@Suite("A container", .needsRoot)
struct LifecycleTests {
    static let configuration = "[[network]]\nname = \"n\"\nsubnets = [\"10.0.0.0/24\"]\n"

    @Test("ends when its path is unlinked: its names go, and its namespace dies")
    func pathUnlinked() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "n")
            try house.container("web", "--network", "n,ip=10.0.0.2")
            #expect(try house.dig("app", "web").data == ["10.0.0.2"])
            // The kernel removes a veth's peer when the namespace of its other end dies: nothing else shows it as well.
            try house.ip("link add peer type veth peer name eth0 netns web")
            try house.deleteNamespace("web")
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" })
            #expect(try eventually { try !house.hasLink("peer") })
            #expect(try !house.ctl("container", "ls").out.contains("web"))
        }
    }

    @Test("ends when its process exits")
    func processExits() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "n")
            _ = try house.namespace("room")
            let process = try house.start(in: "room", ["sleep", "600"], log: "sleep")
            try house.mustCtl(
                "container", "add", "task", "--pid", "\(process.processIdentifier)", "--network", "n,ip=10.0.0.7")
            #expect(try house.dig("app", "task").data == ["10.0.0.7"])
            #expect(try house.dig("room", "app", "TXT").status == "NOERROR")
            House.kill(process)
            #expect(try eventually { try house.dig("app", "task").status == "NXDOMAIN" })
            #expect(try !house.ctl("container", "ls").out.contains("task"))
        }
    }

    @Test("ends when its namespace is unmounted, though the file stays")
    func unmounted() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "n")
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.command("umount", house.path("web"))
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" })
        }
    }

    @Test("by a link ends with what the link leads to: a path, or a process, and with the link")
    func linked() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "n")
            let link = "\(house.directory)/link"
            let target = try house.namespace("target")
            func add(_ destination: String) throws {
                _ = try? FileManager.default.removeItem(atPath: link)
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: destination)
                try house.mustCtl("container", "add", "web", "--netns", link, "--network", "n,ip=10.0.0.2")
                #expect(try house.dig("app", "web").data == ["10.0.0.2"])
            }
            let steps = String(repeating: "../", count: house.directory.split(separator: "/").count)
            try add("\(steps).\(target)")
            try FileManager.default.removeItem(atPath: link)
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" }, "the link")
            try add(target)
            try house.deleteNamespace("target")
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" }, "the path")
            // As people make a container of another runtime known to `ip netns`.
            _ = try house.namespace("task")
            let process = try house.start(in: "task", ["sleep", "600"], log: "sleep")
            try add("/proc/\(process.processIdentifier)/ns/net")
            House.kill(process)
            #expect(try eventually { try house.dig("app", "web").status == "NXDOMAIN" }, "the process")
        }
    }

    @Test("is in force when its call returns, and gone when its removal returns")
    func atOnce() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "n")
            for round in 1...10 {
                try house.mustCtl("container", "add", "web", "--network", "n,ip=10.0.0.\(round)")
                #expect(try house.dig("app", "web").data == ["10.0.0.\(round)"])
                try house.mustCtl("container", "rm", "web")
                #expect(try house.dig("app", "web").status == "NXDOMAIN")
            }
        }
    }

    @Test("joins and leaves networks while it runs; a link holds while both share one")
    func connects() throws {
        try House.lend(configuration: Self.configuration + "[[network]]\nname = \"m\"\n") { house in
            try house.container("db", "--network", "m,ip=10.9.0.2")
            try house.container("app", "--network", "n", "--link", "db:store.of.app")
            #expect(try house.dig("app", "db").status == "NXDOMAIN")
            #expect(try house.dig("app", "store.of.app").data == [])
            try house.mustCtl("network", "connect", "m", "app", "--ip", "10.9.0.3", "--alias", "client")
            #expect(try house.dig("app", "db").data == ["10.9.0.2"])
            #expect(try house.dig("app", "store.of.app").data == ["10.9.0.2"])
            #expect(try house.dig("db", "client").data == ["10.9.0.3"])
            #expect(try house.dig("db", "store.of.app").data == [], "a link is its owner's alone")
            try house.mustCtl("network", "disconnect", "m", "app")
            #expect(try house.dig("app", "db").status == "NXDOMAIN")
            #expect(try house.dig("db", "client").status == "NXDOMAIN")
            try house.mustCtl("network", "connect", "m", "app", "--ip", "10.9.0.3")
            try house.mustCtl("container", "rm", "db")
            #expect(try house.dig("app", "store.of.app").data == [])
            try house.mustCtl("container", "add", "db", "--network", "m,ip=10.9.0.9")
            #expect(try house.dig("app", "store.of.app").data == ["10.9.0.9"], "the target has come back")
        }
    }

    @Test("leaves no descriptor, thread, socket or memory of itself behind, 1,000 times over")
    func thousandTimes() throws {
        try House.lend(configuration: Self.configuration + House.undiscovered) { house in
            _ = try house.namespace("web")
            let pid = try #require(house.daemon?.processIdentifier)
            let output = try house.python(
                """
                import os, sys, time, varlink
                path, socket, pid = sys.argv[1:]
                def flushes():
                    try:
                        return any(open("/proc/%s/task/%s/comm" % (pid, t)).read() == "flush\\n" for t in os.listdir("/proc/%s/task" % pid))
                    except (FileNotFoundError, ProcessLookupError):
                        return True
                def held():
                    # What was declared is on its way to the disk, by a thread that has no name in its first moment.
                    counts = []
                    while len(counts) < 10 or len(set(counts[-10:])) > 1 or flushes():
                        time.sleep(0.01)
                        counts.append((len(os.listdir("/proc/%s/fd" % pid)), len(os.listdir("/proc/%s/task" % pid))))
                    return counts[-1]
                with varlink.Client("unix:" + socket).open("intercom.Control") as control:
                    def turn():
                        control.AddContainer("web", path, None, [{"name": "n", "addresses": ["10.0.0.2"], "aliases": ["a.b"]}], None, "0123456789abcdef", None, [{"port": 80}], None)
                        control.RemoveContainer("web")
                    turn()
                    before = held()
                    for _ in range(1000):
                        turn()
                    after = held()
                # A timer that ran at the first count may have ended by the second: growth is what counts.
                print(after[0] <= before[0] and after[1] <= before[1], before, after)
                """, [house.path("web"), house.socket, "\(pid)"])
            #expect(output.text.hasPrefix("True"), "\(output)")
            try house.ip("link add peer type veth peer name eth0 netns web")
            try house.deleteNamespace("web")
            #expect(try eventually { try !house.hasLink("peer") })
        }
    }

    /// The resolv.conf of `app` as it is shown.
    private func shown(in house: House) throws -> String? {
        try house.ctl("container", "inspect", "app").unwrapped.split(separator: "\n").map(String.init)
            .first { $0.hasPrefix("resolv.conf") }.map {
                $0.split(separator: " ").joined(separator: " ")
            }
    }

    @Test("has a resolv.conf that asks us, unless somebody wrote one; it goes with the container")
    func resolverFiles() throws {
        let directory = NSTemporaryDirectory()
        try House.lend(
            configuration: "[server]\nresolv-conf-directories = [\"\(directory)\"]\n\(Self.configuration)"
        ) { house in
            let manager = FileManager.default
            let file = house.file("/etc/netns/app/resolv.conf")
            let wanted = "\(house.directory)/app.conf"
            try house.container("app", "--network", "n", "--resolv-conf", wanted)
            for path in [file, wanted] {
                let text = try String(contentsOfFile: path, encoding: .utf8)
                #expect(text.contains("\nnameserver 127.0.0.11\n") && text.contains("ndots:0"), "\(text)")
            }
            #expect(try shown(in: house) == "resolv.conf \(wanted) (written by intercom)")
            try house.mustCtl("container", "rm", "app")
            #expect(!manager.fileExists(atPath: file) && !manager.fileExists(atPath: wanted))

            try manager.createDirectory(
                atPath: house.file("/etc/netns/app"), withIntermediateDirectories: true)
            try "nameserver 192.0.2.1\n".write(toFile: file, atomically: true, encoding: .utf8)
            try house.mustCtl("container", "add", "app", "--netns", house.path("app"), "--network", "n")
            #expect(
                try shown(in: house)
                    == "resolv.conf /etc/netns/app/resolv.conf (not written by intercom; it stays as it is)")
            try house.mustCtl("container", "rm", "app")
            #expect(
                try String(contentsOfFile: file, encoding: .utf8) == "nameserver 192.0.2.1\n",
                "somebody else's file stays")

            try manager.removeItem(atPath: file)
            try manager.createSymbolicLink(atPath: file, withDestinationPath: "/nonexistent")
            try house.mustCtl("container", "add", "app", "--netns", house.path("app"), "--network", "n")
            try house.mustCtl("container", "rm", "app")
            #expect(try manager.destinationOfSymbolicLink(atPath: file) == "/nonexistent", "and somebody else's link")
        }
    }

    @Test("of the configuration is attached as soon as its namespace appears, each time")
    func awaited() throws {
        try House.lend(configuration: "") { house in
            let configuration =
                Self.configuration + """
                    [[container]]
                    name = "late"
                    netns = "\(house.path("late"))"
                    networks = [{ name = "n", ip = ["10.0.0.4"] }]
                    """
            try configuration.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try house.ctl("status").out.contains("late"))
            for _ in 1...2 {
                _ = try house.namespace("late")
                #expect(try eventually { try house.dig("late", "late").data == ["10.0.0.4"] })
                try house.deleteNamespace("late")
                #expect(try eventually { try !house.ctl("container", "ls").out.contains("late") })
            }
        }
    }
}
