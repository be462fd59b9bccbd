// A container that harms its own sockets harms no other: destroyed listeners, waiting connections, a worker that
// ends.

import Foundation
import Testing

@Suite("A container's sockets", .needsRoot)
struct ContainerSocketsTests {
    private static let configuration = """
        \(House.undiscovered)[server]
        workers = 1
        [[network]]
        name = "n"
        [forward]
        upstreams = ["127.0.0.53"]

        """

    /// Code that the scripts of these tests share.
    private static let tools = """
        import select, socket, struct, sys, time
        def query(name, number=7):
            labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
            message = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + bytes([0, 0, 1, 0, 1])
            return struct.pack("!H", len(message)) + message
        def connect():
            s = socket.create_connection(("127.0.0.11", 53))
            s.settimeout(15)
            return s
        def read(s, count):
            data = b""
            while len(data) < count:
                part = s.recv(count - len(data))
                if not part: return data
                data += part
            return data
        def reply(s):
            prefix = read(s, 2)
            return read(s, struct.unpack("!H", prefix)[0]) if len(prefix) == 2 else b""

        """

    /// Asks on one connection whenever a line comes, and says what it got.
    private static let loyal = """
        s = connect()
        for number in range(1000):
            s.sendall(query("web", number))
            print(number if reply(s)[-4:] == bytes([10, 0, 0, 2]) else "closed", flush=True)
            time.sleep(0.02)
        """

    /// Processor time that a process has used, in clock ticks (proc(5) `stat`: 100 a second).
    private func ticks(of pid: Int32) throws -> Int {
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
        return try #require(Int(fields[11])) + #require(Int(fields[12]))
    }

    /// Both of the container's own: it is asked over UDP and TCP.
    private func answers(_ house: House, _ container: String) throws -> Bool {
        try house.dig(container, "web").data == ["10.0.0.2"] && house.dig(container, "+tcp", "web").data == ["10.0.0.2"]
    }

    @Test(
        "that its root destroys serve again at once, and cost nobody else a connection or the machine a spin",
        arguments: [[], ["--listen", "redirect"]])
    func destroyed(options: [String]) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            _ = try house.namespace("evil")
            try Command.must(
                ["\(House.binaries)/intercomctl", "--socket", house.socket, "container", "add", "evil", "--netns"]
                    + [house.path("evil"), "--network", "n,ip=10.0.0.66"] + options)
            let loyal = "\(house.directory)/loyal.py"
            try (Self.tools + Self.loyal).write(toFile: loyal, atomically: true, encoding: .utf8)
            try house.start(in: "web", ["python3", loyal], log: "loyal")
            func said() -> [String] {
                ((try? String(contentsOfFile: "\(house.directory)/loyal", encoding: .utf8)) ?? "")
                    .split(separator: "\n").map(String.init)
            }
            #expect(eventually { !said().isEmpty })
            #expect(try answers(house, "evil"))
            for kind in ["-t -l", "-u -a", "-t -l", "-t -u -a"] {
                let killed = try house.run(
                    in: "evil", ["ss", "-K"] + kind.split(separator: " ").map(String.init) + ["src", "127.0.0.11"])
                #expect(killed.lines.count > 1, "\(killed)")
                #expect(try eventually { try answers(house, "evil") }, "\(kind): \(house.log)")
            }
            let pid = try #require(house.daemon?.processIdentifier)
            let (before, count) = (try ticks(of: pid), said().count)
            #expect(eventually { said().count > count + 50 }, "asked for a second and more")
            #expect(try ticks(of: pid) - before < 50, "of about 100 ticks in which a worker that spins uses all")
            #expect(!said().contains("closed"), "the other container's connection goes on")
            #expect(house.log.contains("container evil: a socket of its listener was destroyed"), "\(house.log)")
            #expect(try house.ctl("status").unwrapped.contains("listener of container") == false)
        }
    }

    @Test("whose port somebody takes at that moment are closed, said to be, and made anew when the port is free")
    func taken() throws {
        let configuration = Self.configuration.replacing("workers = 1", with: "workers = 1\nlisten = \"direct\"")
        try House.lend(configuration: configuration) { house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.container("evil", "--network", "n,ip=10.0.0.66")
            // Faster than the worker, which stands still meanwhile.
            let pid = try #require(house.daemon?.processIdentifier)
            kill(pid, SIGSTOP)
            try house.run(in: "evil", ["ss", "-K", "-t", "-l", "src", "127.0.0.11"])
            let thief = try house.start(
                in: "evil",
                [
                    "python3", "-uc",
                    """
                    import socket, time
                    s = socket.socket()
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.11", 53)); s.listen(); print("taken"); time.sleep(600)
                    """,
                ], log: "thief")
            #expect(
                eventually { (try? String(contentsOfFile: "\(house.directory)/thief", encoding: .utf8)) == "taken\n" })
            kill(pid, SIGCONT)
            #expect(try eventually { try house.ctl("status").unwrapped.contains("listener of container evil: ") })
            #expect(try house.dig("web", "+tcp", "web").data == ["10.0.0.2"])
            let shown = try house.ctl("container", "ls", "--json").out
            #expect(shown.components(separatedBy: "\"no listener\"").count == 2, "\(shown)")
            #expect(shown.components(separatedBy: "\"listener\" : \"127.0.0.11:53\"").count == 2, "web alone: \(shown)")
            House.kill(thief)
            #expect(try eventually(within: 35) { try answers(house, "evil") }, "\(house.log)")
            #expect(try !house.ctl("status").unwrapped.contains("listener of container"))
        }
    }

    @Test(
        "that are destroyed while no daemon runs serve again with the next one",
        arguments: [[], ["--listen", "redirect"]])
    func stored(options: [String]) throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, Self.configuration)
            try house.container("web", "--network", "n,ip=10.0.0.2")
            _ = try house.namespace("evil")
            try Command.must(
                ["\(House.binaries)/intercomctl", "--socket", house.socket, "container", "add", "evil", "--netns"]
                    + [house.path("evil"), "--network", "n,ip=10.0.0.66"] + options)
            #expect(eventually { service.stored.count == 2 })
            try service.whileHeld {
                let pid = try #require(service.pid)
                try service.signal(SIGKILL)
                #expect(eventually { !Supervisor.runs(pid) })
                try house.run(in: "evil", ["ss", "-K", "-t", "-u", "-a", "src", "127.0.0.11"])
            }
            try service.awaitReady(2)
            #expect(try answers(house, "evil"), "\(house.log)")
            #expect(try answers(house, "web"))
            #expect(service.stored.values.allSatisfy { $0 == 2 } && service.stored.count == 2)
        }
    }

    @Test("200 connections of one container that wait for a slow upstream: each is answered, and others meanwhile")
    func owed() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.53")
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.container("many", "--network", "n,ip=10.0.0.3")
            let output = try house.python(
                in: "many",
                Self.tools + """
                    # Idle ones go first.
                    idle = []
                    for number in range(10):
                        s = connect(); s.sendall(query("web")); assert reply(s)[-4:] == bytes([10, 0, 0, 2])
                        idle.append(s)
                    clients = []
                    for number in range(200):
                        s = connect(); s.sendall(query("delayed.x%d.example" % number, number))
                        clients.append(s)
                    answered = sum(reply(s)[-4:] == bytes([192, 0, 2, 1]) for s in clients)
                    closed = sum(bool(select.select([s], [], [], 0)[0]) and s.recv(1) == b"" for s in idle)
                    print(answered, closed)
                    """)
            #expect(output.text == "200 10", "\(output)\n\(house.log)")
            #expect(try answers(house, "web"))
            #expect(try answers(house, "many"))
        }
    }

    @Test(
        "a shortage of descriptors closes no other container's connection, and who waits is served once there are some")
    func shortage() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            try house.startDaemon(Self.configuration, under: ["prlimit", "--nofile=64:64"])
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.container("evil", "--network", "n,ip=10.0.0.66")
            let loyal = "\(house.directory)/loyal.py"
            try (Self.tools + Self.loyal).write(toFile: loyal, atomically: true, encoding: .utf8)
            try house.start(in: "web", ["python3", loyal], log: "loyal")
            func said() -> String { (try? String(contentsOfFile: "\(house.directory)/loyal", encoding: .utf8)) ?? "" }
            #expect(eventually { !said().isEmpty })
            let output = try house.python(
                in: "evil",
                Self.tools + """
                    # Each has sent half a query; the kernel hands them all over.
                    greedy = []
                    for number in range(60):
                        s = connect(); s.sendall(query("web")[:9]); greedy.append(s)
                    time.sleep(2)
                    for s in greedy: s.close()
                    s = connect(); s.sendall(query("web")); print(reply(s)[-4:] == bytes([10, 0, 0, 2]))
                    """)
            #expect(output.text == "True", "\(output)\n\(house.log)")
            #expect(!said().contains("closed"), "\(said())")
            #expect(try answers(house, "web"))
            #expect(house.log.contains("a TCP connection cannot be accepted yet"), "\(house.log)")
        }
    }

    @Test("a worker that cannot wait for events ends the daemon at once, with a message")
    func workerEnds() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let library = "\(house.directory)/deaf.so"
            try Command.must(["cc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], input: Self.deafWorker)
            let deaf = "\(house.directory)/deaf"
            func write(_ text: String) throws { try text.write(toFile: deaf, atomically: false, encoding: .utf8) }
            try write("0")
            try house.startDaemon(Self.configuration, under: ["env", "LD_PRELOAD=\(library)", "DEAF=\(deaf)"])
            try house.container("web", "--network", "n,ip=10.0.0.2")
            #expect(try answers(house, "web"))
            try write("1")
            // Anything that wakes the worker.
            _ = try house.run(in: "web", ["dig", "@127.0.0.11", "+timeout=1", "+tries=2", "web"])
            let daemon = try #require(house.daemon)
            let hasEnded = eventually { !daemon.isRunning }
            try #require(hasEnded, "\(house.log)")
            #expect(daemon.terminationStatus == 70, "the service manager restarts it: 1 would prevent that")
            #expect(
                house.log.contains("intercomd: worker 0 cannot wait for events: epoll_wait: Bad file descriptor"),
                "\(house.log)")
        }
    }

    /// epoll_wait(2) fails in all threads but the first once a file says 1. It is mapped: a worker may open nothing.
    private static let deafWorker = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/epoll.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        static volatile char *deaf;
        static void __attribute__((constructor)) begin(void) {
            deaf = mmap(0, 1, PROT_READ, MAP_SHARED, open(getenv("DEAF"), O_RDONLY | O_CLOEXEC), 0);
        }
        int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout) {
            int ready = syscall(SYS_epoll_wait, epoll, events, count, timeout);
            if (gettid() == getpid() || *deaf != '1') return ready;
            errno = EBADF;
            return -1;
        }
        """
}
