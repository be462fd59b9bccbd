// The bridge to etcd by TLS with certificates, and with users in etcd (`make test-cluster`).

import Foundation
import Testing

@Suite("Hosts that share names on etcd by TLS", .needsRoot, .needsEtcd)
struct EtcdSecurityTests {
    private struct Lab {
        let authority: Authority
        let etcd: Etcd
        let a: SharingHost

        func doctor() throws -> String { try a.house.ctl("doctor").unwrapped }

        /// True when the host's containers are in etcd.
        func isJoined() throws -> Bool {
            try eventually(within: 30) { try etcd.keys("/intercom/v1/e/a/") == ["/intercom/v1/e/a/web"] }
        }
    }

    /// A host and an etcd, whose certificate is for `alternative`.
    private func lend(alternative: String = "IP:127.0.0.1", _ body: (Lab) throws -> Void) throws {
        try House.lend { house in
            _ = house.stopDaemon()
            try house.startDaemon(
                """
                [discover]
                enabled = false
                [cluster]
                networks = ["frontend"]
                socket = "\(house.directory)/cluster.sock"
                [[network]]
                name = "frontend"
                subnets = ["10.1.0.0/16"]

                """)
            try house.container("web", "--network", "frontend,ip=10.1.1.2")
            let authority = try Authority("\(house.directory)/certificates")
            try authority.sign("server", alternative: alternative)
            for user in ["root", "a", "b"] { try authority.sign(user) }
            let etcd = try Etcd(in: house, authority: authority)
            try body(Lab(authority: authority, etcd: etcd, a: SharingHost("a", house, etcd)))
        }
    }

    @Test("A host writes its own keys by its certificate, and no other's; without its user it says what it needs")
    func users() throws {
        try lend { lab in
            try lab.a.startBridge()
            #expect(try lab.isJoined(), "\(lab.a.log)")
            lab.a.stopBridge()
            try lab.etcd.ctl("user", "add", "root", "--no-password")
            try lab.etcd.ctl("user", "grant-role", "root", "root")
            try lab.etcd.ctl("auth", "enable")

            try lab.a.startBridge()
            let refused = "etcd refuses this host"
            #expect(try eventually(within: 20) { try lab.doctor().contains(refused) }, "\(lab.a.log)")
            #expect(try lab.doctor().contains("intercom-etcd roles a"))

            let lines = try lab.a.run("roles", "a").lines
            #expect(lines.count == 8)
            for line in lines {
                let words = line.split(separator: " ").map(String.init)
                #expect(words.first == "etcdctl")
                let done = try lab.etcd.ctl(as: "root", Array(words.dropFirst()))
                #expect(done.status == 0, "\(line): \(done)")
            }
            try lab.a.house.container("late", "--network", "frontend,ip=10.1.1.3")
            #expect(try eventually(within: 30) { try lab.etcd.keys("/intercom/v1/e/a/").count == 2 }, "\(lab.a.log)")
            #expect(try eventually { !(try lab.doctor().contains(refused)) })

            for key in ["/intercom/v1/e/b/web", "/intercom/v1/h/b", "/intercom/v1/n/frontend", "/elsewhere"] {
                let forged = try lab.etcd.ctl(as: "a", ["put", key, "{}"])
                #expect(forged.status != 0 && forged.err.contains("permission denied"), "\(key): \(forged)")
            }
            // A user who is taken away is refused without a change; etcd renews a lease for anybody who has its number.
            try lab.etcd.ctl("user", "delete", "a")
            #expect(try eventually(within: 30) { try lab.doctor().contains(refused) }, "\(lab.a.log)")
        }
    }

    @Test(
        "A certificate of this host that has expired, or is not valid yet, is said, and a new one counts without a restart",
        arguments: [false, true])
    func untimelyClient(isEarly: Bool) throws {
        try lend { lab in
            try lab.authority.sign("a", days: isEarly ? 2 : 0, after: isEarly ? 1 : 0)
            try lab.a.startBridge()
            #expect(
                try eventually { try lab.doctor().contains("etcd does not accept this host's certificate") },
                "\(lab.a.log)")
            try lab.authority.sign("a")
            #expect(try lab.isJoined(), "\(lab.a.log)")
        }
    }

    @Test("A certificate of etcd that is for another name is said, with what to do")
    func wrongName() throws {
        try lend(alternative: "DNS:etcd.example,IP:127.0.0.1") { lab in
            try lab.authority.sign("server", alternative: "DNS:etcd.example")
            try lab.a.startBridge()
            #expect(
                try eventually { try lab.doctor().contains("etcd's certificate is not for this name") }, "\(lab.a.log)")
            try lab.authority.sign("server", alternative: "IP:127.0.0.1")
            #expect(try lab.isJoined(), "\(lab.a.log)")
        }
    }

    @Test("A certificate of etcd that has expired, or is of another authority, is said")
    func badServer() throws {
        try lend { lab in
            try lab.authority.sign("server", alternative: "IP:127.0.0.1", days: 0)
            try lab.a.startBridge()
            #expect(try eventually { try lab.doctor().contains("etcd's certificate has expired") }, "\(lab.a.log)")
            let other = try Authority("\(lab.a.house.directory)/other")
            try other.sign("server", alternative: "IP:127.0.0.1")
            for file in ["server.crt", "server.key"] {
                let data = try Data(contentsOf: URL(fileURLWithPath: "\(other.directory)/\(file)"))
                try data.write(to: URL(fileURLWithPath: "\(lab.authority.directory)/\(file)"))
            }
            #expect(
                try eventually(within: 20) { try lab.doctor().contains("etcd's certificate is not of the authority") },
                "\(lab.a.log)")
        }
    }

    @Test("A certificate of etcd that is not valid yet, as where this host's clock is slow, is said until it is")
    func earlyServer() throws {
        try lend { lab in
            try lab.authority.sign("server", alternative: "IP:127.0.0.1", after: 1)
            try lab.a.startBridge()
            let said = "etcd's certificate is not valid yet, or this host's clock is wrong"
            #expect(try eventually { try lab.doctor().contains(said) }, "\(lab.a.log)")
            try lab.authority.sign("server", alternative: "IP:127.0.0.1")
            #expect(try lab.isJoined(), "\(lab.a.log)")
        }
    }

    @Test("A member that is not there at the start is said, and tried until it is")
    func unreachable() throws {
        try lend { lab in
            lab.etcd.kill()
            try lab.a.startBridge()
            #expect(try eventually { try lab.doctor().contains("not yet connected to its store") }, "\(lab.a.log)")
            #expect(try lab.doctor().contains("https://127.0.0.1:2379"))
            try lab.etcd.start()
            #expect(try lab.isJoined(), "\(lab.a.log)")
        }
    }

    @Test("A host that leaves takes its keys along; dump shows what is there")
    func leave() throws {
        try lend { lab in
            try lab.a.startBridge()
            #expect(try lab.isJoined(), "\(lab.a.log)")
            let dump = try lab.a.run("dump")
            #expect(dump.status == 0 && dump.lines.count == 2, "\(dump)")
            let running = try lab.a.run("leave")
            #expect(running.status == 1 && running.err.contains("another intercom-etcd runs"), "\(running)")
            lab.a.stopBridge()
            #expect(
                try lab.a.run("dump").lines.map { $0.prefix { $0 != " " } } == [
                    "/intercom/v1/e/a/web", "/intercom/v1/h/a",
                ])
            let left = try lab.a.run("leave")
            #expect(left.status == 0 && left.out == "a and its containers are out of etcd\n", "\(left)")
            #expect(try lab.etcd.keys() == [])
            #expect(try lab.a.run("leave").out == "a has nothing in etcd\n")
        }
    }

    @Test("The bridge says that it is alive as often as the service manager asks, with nobody to speak to")
    func watchdog() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ic-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let file = directory.appendingPathComponent("etcd.toml")
        try "endpoints = ['https://127.0.0.1:1']\nhost = 'a'\nsocket = '\(directory.path)/none'\n"
            .write(to: file, atomically: true, encoding: .utf8)
        // Starts it as systemd does, and counts what it says in four intervals.
        let script = """
            import os, signal, socket, sys, time
            notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            notify.bind(sys.argv[1] + "/notify")
            pid = os.fork()
            if not pid:
                os.environ.update(NOTIFY_SOCKET=sys.argv[1] + "/notify", WATCHDOG_USEC="1000000", WATCHDOG_PID=str(os.getpid()))
                os.execv(sys.argv[2], sys.argv[2:])
            notify.settimeout(10)
            times = []
            while len(times) < 8:
                if b"WATCHDOG=1" in notify.recv(4096).split(b"\\n"): times.append(time.monotonic())
            os.kill(pid, signal.SIGKILL)
            print(len(times), max(later - sooner for sooner, later in zip(times, times[1:])) < 1)
            """
        let output = try Command.run(
            ["python3", "-c", script, directory.path, "\(House.binaries)/intercom-etcd", "--config", file.path]
                + ["--state-dir", directory.path + "/state"])
        #expect(output.out == "8 True\n", "\(output)")
    }

    @Test(
        "Mistakes in etcd.toml are said with their places",
        arguments: [
            ("", "1:1: endpoints: name the members of etcd"),
            ("endpoints = ['http://10.0.0.1:2379']", "1:13: endpoints: 'http://10.0.0.1:2379' is without TLS"),
            ("endpoints = ['10.0.0.1']", "1:13: endpoints: '10.0.0.1' does not begin with https://"),
            ("endpoints = ['https://e']\nttl = 1", "2:7: ttl: 1 is not between 5 and 600"),
            ("endpoints = ['https://e']\nhost = 'a b'", "2:8: host: 'a b' is no name of a host"),
            ("endpoints = ['https://e']\nprefix = 'x'", "2:10: prefix: 'x' has to begin with '/'"),
            ("endpoints = ['https://e']\ncolour = 1", "2:1: unknown key 'colour'"),
            ("endpoints = ['https://e']\n[tls]\nkey = '/k'", "tls: a certificate (cert) and its key go together"),
            ("endpoints = ['https://e']\n[tls]\nca = 7", "3:6: ca: expected a string"),
            ("endpoints = [", "1:"),
        ])
    func configuration(_ text: String, _ expected: String) throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("ic-\(UUID().uuidString).toml")
        defer { try? FileManager.default.removeItem(at: file) }
        try text.write(to: file, atomically: true, encoding: .utf8)
        for options in [["--check-config"], []] {
            let output = try Command.run(["\(House.binaries)/intercom-etcd", "--config", file.path] + options)
            #expect(output.status == 2 && output.err.contains(expected), "\(output)")
        }
    }
}
