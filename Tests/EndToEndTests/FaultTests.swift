// Shortage of descriptors, watches or time: the part that needs them fails and says so; answers go on.

import Foundation
import Testing

@Suite("A daemon that lacks", .needsRoot)
struct FaultTests {
    private static let configuration = "\(House.undiscovered)[server]\nworkers = 1\n[[network]]\nname = \"n\"\n"

    @Test("descriptors refuses the next container, and says why; answers go on, and room made is room")
    func descriptors() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            try house.startDaemon(Self.configuration, under: ["prlimit", "--nofile=40:40"])
            var refused = Output(status: 0, out: "", err: "")
            var last = 0
            while refused.status == 0, last < 20 {
                last += 1
                _ = try house.namespace("c\(last)")
                refused = try house.ctl(
                    "container", "add", "c\(last)", "--netns", house.path("c\(last)"), "--network",
                    "n,ip=10.0.0.\(last)")
            }
            #expect(refused.status == 1 && refused.err.contains("Too many open files"), "\(refused)")
            #expect(try house.dig("c1", "c2").data == ["10.0.0.2"])
            #expect(try house.dig("c2", "+tcp", "c1").data == ["10.0.0.1"])
            #expect(try house.dig("c1", "c\(last)").status == "NXDOMAIN")
            try house.mustCtl("container", "rm", "c1")
            try house.mustCtl("container", "rm", "c2")
            try house.mustCtl(
                "container", "add", "c\(last)", "--netns", house.path("c\(last)"), "--network", "n,ip=10.0.0.\(last)")
            #expect(try house.dig("c3", "c\(last)").data == ["10.0.0.\(last)"])
        }
    }

    @Test(
        "inotify watches refuses containers by path, and says which limit it is; those by process are attached",
        arguments: [false, true])
    func watches(isDiscovering: Bool) throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let socket = "\(house.directory)/opener.sock"
            try house.start(
                in: "house", ["\(House.binaries)/intercomd", "--opener", "--opener-socket", socket], log: "opener")
            #expect(eventually { FileManager.default.fileExists(atPath: socket) })
            // Limits of a user namespace hold in it alone.
            try house.startDaemon(
                isDiscovering ? "[[network]]\nname = \"n\"\n" : Self.configuration,
                options: ["--opener-socket", socket],
                under: [
                    "unshare", "--user", "--map-root-user", "sh", "-c",
                    "echo 0 >/proc/sys/user/max_inotify_watches && exec \"$@\"", "sh",
                ])
            _ = try house.namespace("web")
            let refused = try house.ctl("container", "add", "web", "--netns", house.path("web"), "--network", "n")
            #expect(refused.status == 1 && refused.err.contains("fs.inotify.max_user_watches"), "\(refused)")
            let status = try house.ctl("status").unwrapped
            #expect(
                status.contains("/run/netns: No space left on device; raise sysctl fs.inotify.max_user_watches")
                    == isDiscovering, "\(status)")
            let process = try house.start(in: "web", ["sleep", "600"], log: "sleep")
            try house.mustCtl(
                "container", "add", "web", "--pid", "\(process.processIdentifier)", "--network", "n,ip=10.0.0.2")
            #expect(try house.dig("web", "web").data == ["10.0.0.2"])
        }
    }

    @Test("a clock that can be trusted: it jumps by years, there and back, and nothing ends or is kept for it")
    func clock() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let library = "\(house.directory)/clock.so"
            let offset = "\(house.directory)/offset"
            try Command.must(["cc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], input: Self.clockOfFile)
            func jump(_ seconds: Int64) throws {
                // In place: the daemon has it open.
                try "\(seconds)\n".write(toFile: offset, atomically: false, encoding: .utf8)
            }
            try jump(0)
            let preload = ["env", "LD_PRELOAD=\(library)", "CLOCK_OFFSET=\(offset)"]
            try house.startDaemon("\(Self.configuration)[forward]\nupstreams = [\"127.0.0.53\"]\n", under: preload)
            try house.startUpstream("127.0.0.53")
            try house.container("web", "--network", "n,ip=10.0.0.2")
            func asked() -> Int { house.queries(of: "127.0.0.53").filter { $0.contains("www") }.count }
            #expect(try house.dig("web", "www.example").answer == ["www.example. 300 IN A 192.0.2.1"])
            let year: Int64 = 365 * 86_400
            for years in [10, -20] as [Int64] {
                try jump(years * year)
                let date = try Command.must(preload + ["date", "+%Y"]).text
                let now = try Command.must(["date", "+%Y"]).text
                #expect(Int64(date) == Int64(now).map { $0 + years }, "it does jump")
                let ttl = try house.dig("web", "www.example").answer.first?.split(separator: " ")[1]
                #expect(ttl.flatMap { Int($0) }.map { (200...300).contains($0) } == true, "\(ttl ?? "")")
                #expect(asked() == 1, "kept as long as it lives, and no longer")
                #expect(try house.dig("web", "new\(years).example").data == ["192.0.2.1"])
                #expect(try house.dig("web", "silent.x\(years).example").status == "SERVFAIL")
                #expect(try house.dig("web", "web").data == ["10.0.0.2"])
            }
        }
    }

    /// Adds the seconds that a file says to CLOCK_REALTIME.
    private static let clockOfFile = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>
        static int file = -1;
        static void __attribute__((constructor)) begin(void) { file = open(getenv("CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC); }
        int clock_gettime(clockid_t id, struct timespec *now) {
            int result = syscall(SYS_clock_gettime, id, now);
            char offset[32] = "";
            if (id == CLOCK_REALTIME && pread(file, offset, sizeof offset - 1, 0) > 0) now->tv_sec += atoll(offset);
            return result;
        }
        int gettimeofday(struct timeval *restrict now, void *restrict zone) {
            struct timespec precise;
            int result = clock_gettime(CLOCK_REALTIME, &precise);
            now->tv_sec = precise.tv_sec;
            now->tv_usec = precise.tv_nsec / 1000;
            return result;
        }
        time_t time(time_t *result) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (result) *result = now.tv_sec;
            return now.tv_sec;
        }
        """

    @Test("time: stopped for 10 s, it answers what waits, gives up what is over, and goes on")
    func suspended() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            try house.startDaemon(
                "\(Self.configuration)[forward]\nupstreams = [\"127.0.0.53\"]\n")
            try house.startUpstream("127.0.0.53")
            try house.container("web", "--network", "n,ip=10.0.0.2")
            let client = try house.start(in: "web", ["python3", "-u", "-c", Self.patient], log: "client")
            let log = "\(house.directory)/client"
            func lines() -> [String] {
                ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
            }
            #expect(eventually { house.queries(of: "127.0.0.53").contains { $0.contains("silent") } })
            let pid = try #require(house.daemon?.processIdentifier)
            kill(pid, SIGSTOP)
            kill(client.processIdentifier, SIGUSR1)
            #expect(eventually { lines().contains("asked") })
            // The time itself is what is tested.
            Thread.sleep(forTimeInterval: 10)
            kill(pid, SIGCONT)
            #expect(eventually { lines().last == "done" }, "\(lines())")
            #expect(lines() == ["asked", "100 answers", "silent: SERVFAIL", "idle: b''", "done"])
            #expect(try house.dig("web", "www.example").data == ["192.0.2.1"])
            House.kill(client)
        }
    }

    /// Asks a silent upstream, and when it is told to, our names.
    private static let patient = """
        import signal, socket, struct
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        def query(name, number):
            labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
            return struct.pack("!H", number) + bytes.fromhex("01000001000000000000") + labels + bytes.fromhex("0000010001")
        def connect():
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(20)
            s.connect(("127.0.0.11", 53))
            return s
        idle = socket.create_connection(("127.0.0.11", 53), 20)
        # One that has asked nothing yet is the kernel's.
        first = query("web", 1)
        idle.sendall(struct.pack("!H", len(first)) + first)
        idle.recv(512)
        upstream, ours = connect(), connect()
        upstream.send(query("silent.example", 1))
        signal.sigwait([signal.SIGUSR1])
        for number in range(100):
            ours.send(query("web", number))
        print("asked")
        print(len({ours.recv(512)[:2] for _ in range(100)}), "answers")
        print("silent:", {2: "SERVFAIL"}.get(upstream.recv(512)[3] & 15))
        print("idle:", idle.recv(512))
        print("done")
        """
}
