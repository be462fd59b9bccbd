// The daemon as a service: what its manager hears, and what the journal is told.

import Foundation
import Testing

@Suite("A service", .needsRoot)
struct ServiceTests {
    private static let configuration = """
        [server]
        workers = 2
        [[network]]
        name = "n"
        subnets = ["10.0.0.0/24"]
        """

    @Test("says when it answers, what it does, when it reads its configuration again, and that it ends")
    func notices() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let configuration = "\(Self.configuration)\n\(House.undiscovered)"
            let service = try Supervisor(house, configuration)
            #expect(service.notices == ["READY=1 STATUS=1 network, 0 containers, 0 listeners"])
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.mustCtl("reload")
            #expect(eventually { service.notices.count >= 3 })
            #expect(service.notices[1].hasPrefix("RELOADING=1 MONOTONIC_USEC="), "\(service.notices)")
            #expect(service.notices[2] == "READY=1 STATUS=1 network, 1 container, 1 listener")

            try "[server]\nttl = -1\n".write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try service.signal(SIGHUP)
            #expect(eventually { service.notices.count >= 5 })
            #expect(service.notices[4].hasPrefix("READY=1"), "a refused configuration does not leave it reloading")

            try configuration.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try service.signal(SIGTERM)
            try service.awaitReady(4)
            #expect(service.notices[5] == "STOPPING=1", "\(service.notices)")
            #expect(service.notices[6] == "READY=1 STATUS=1 network, 1 container, 1 listener")
            #expect(try house.dig("web", "web").data == ["10.0.0.2"])
        }
    }

    @Test("gives signs of life while each of its threads turns, and none while one is stuck")
    func watchdog() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, Self.configuration, watchdog: 0.2)
            func signs() -> Int { service.notices.filter { $0.hasPrefix("WATCHDOG=1") }.count }
            #expect(eventually { signs() >= 5 })
            // A thread of the daemon is held by ptrace(2), as if it were stuck: first a worker, then the control plane.
            for thread in ["worker-1", "intercomd"] {
                let holder = try house.start(
                    in: "house", ["python3", "-u", "-c", Self.hold, "\(try #require(service.pid))", thread],
                    log: "hold-\(thread)")
                let log = "\(house.directory)/hold-\(thread)"
                #expect(eventually { (try? String(contentsOfFile: log, encoding: .utf8)) == "held\n" })
                let before = signs()
                // Five times as long as between two signs of life.
                #expect(!eventually(within: 0.5) { signs() > before + 1 }, "\(thread)")
                House.kill(holder)
                #expect(eventually { signs() > before + 5 })
            }
        }
    }

    /// Holds the thread of a process that has a name, until it is killed.
    static let hold = """
        import ctypes, os, sys
        pid, name = sys.argv[1:]
        task = "/proc/%s/task" % pid
        thread = next(int(t) for t in os.listdir(task) if open("%s/%s/comm" % (task, t)).read().strip() == name)
        ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        # PTRACE_SEIZE, PTRACE_INTERRUPT, __WALL
        assert ptrace(0x4206, thread, None, None) == 0 and ptrace(0x4207, thread, None, None) == 0
        os.waitpid(thread, 0x40000000)
        print("held")
        # When the process is killed, the thread does not end before this has seen it.
        os.waitpid(thread, 0x40000000)
        """

    @Test("does not wake while nothing happens and nobody wants signs of life")
    func idle() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            // Mounts of other tests and installations below /etc are no changes here.
            try house.startDaemon(
                Self.configuration, resolver: "nameserver 10.0.0.53\n",
                under: ["unshare", "--mount", "--propagation", "private"])
            _ = try house.namespace("web")
            // One whose programs ask others is tried again by and by.
            try house.command("mkdir", "-p", "/etc/netns/web")
            try "nameserver 127.0.0.11\n".write(
                toFile: house.file("/etc/netns/web/resolv.conf"), atomically: true, encoding: .utf8)
            let process = try house.start(in: "web", ["sleep", "600"], log: "sleep")
            try house.mustCtl(
                "container", "add", "web", "--pid", "\(process.processIdentifier)", "--network", "n,ip=10.0.0.2")
            #expect(try house.dig("web", "web").data == ["10.0.0.2"])
            let pid = try #require(house.daemon?.processIdentifier)
            func switches() throws -> Int {
                let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
                return try tasks.map { task in
                    let status = try String(contentsOfFile: "/proc/\(pid)/task/\(task)/status", encoding: .utf8)
                    let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
                    return Int(line?.split(separator: "\t").last ?? "") ?? -1
                }.reduce(0, +)
            }
            // Work that was pending is done first: memory of the start is given back three seconds after it. Then nothing begins by itself.
            var last = try switches()
            #expect(
                try eventually(within: 20) {
                    Thread.sleep(forTimeInterval: 3.2)
                    defer { last = (try? switches()) ?? -1 }
                    return try switches() == last
                })
            Thread.sleep(forTimeInterval: 2)
            #expect(try switches() == last)
        }
    }

    @Test("is started by the first call to a socket that the manager made, and leaves the socket there")
    func activation() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, Self.configuration, isActivated: true)
            #expect(eventually { FileManager.default.fileExists(atPath: house.socket) })
            #expect(service.notices.isEmpty)
            #expect(try house.ctl("network", "ls").out.contains("10.0.0.0/24"))
            try service.signal(SIGTERM)
            try service.awaitReady(2)
            #expect(try house.ctl("network", "ls").out.contains("10.0.0.0/24"))
        }
    }

    @Test("tells the journal what a message is about, in fields")
    func journal() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, Self.configuration)
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.deleteNamespace("web")
            let ended = """
                "INTERCOM_CONTAINER": "web", "MESSAGE": "container web ended: \(house.path("web")) is gone", \
                "MESSAGE_ID": "626d77bd552d42a8bfc849e153b94b90", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "intercomd"
                """
            #expect(eventually { service.journal.contains { $0.contains(ended) } }, "\(service.journal)")
            try "[server]\nttl = -1\n".write(toFile: house.configuration, atomically: true, encoding: .utf8)
            #expect(try house.ctl("reload").status == 1)
            try service.signal(SIGHUP)
            #expect(
                eventually {
                    service.journal.contains {
                        $0.contains("0b19a36b17ea4c84b48e9abb73808e7f") && $0.contains("\"PRIORITY\": \"3\"")
                    }
                }, "\(service.journal)")
            #expect(house.log.isEmpty, "nothing goes to standard error beside it: \(house.log)")
        }
    }
}
