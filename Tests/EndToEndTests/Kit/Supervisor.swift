// A service manager of the tests' own: it listens at NOTIFY_SOCKET, keeps descriptors, hands them down, and plays journald.

import Foundation
import Testing

/// An intercomd that runs under such a manager, which starts it again whenever it ends, as systemd would.
struct Supervisor {
    let house: House
    private let process: Process
    private let directory: String

    /// - Parameters:
    ///   - watchdog: seconds in which a sign of life is expected.
    ///   - isActivated: whether the manager makes the control socket, and starts the daemon at the first call.
    init(_ house: House, _ configuration: String, watchdog: Double? = nil, isActivated: Bool = false) throws {
        self.house = house
        directory = "\(house.directory)/supervisor"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try configuration.write(toFile: house.configuration, atomically: true, encoding: .utf8)
        try Self.script.write(toFile: "\(directory)/supervisor.py", atomically: true, encoding: .utf8)
        process = try house.start(
            in: "house",
            ["unshare", "--mount", "--propagation", "slave", "python3", "-u", "\(directory)/supervisor.py", directory]
                + ["\(watchdog ?? 0)", isActivated ? house.socket : ""]
                + [
                    "\(House.binaries)/intercomd", "--config", house.configuration, "--socket", house.socket,
                    "--state-dir", house.state,
                ], log: "log")
        if !isActivated { try awaitReady(1) }
    }

    /// Waits until the daemon has said for the nth time that it is ready.
    func awaitReady(_ count: Int) throws {
        let isReady = eventually(within: 20) { notices.filter { $0.contains("READY=1") }.count >= count }
        try #require(isReady, "\(notices)\n\(house.log)")
    }

    private func lines(_ file: String) -> [String] {
        let text = (try? String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// Notices of the daemon, a message each, its assignments between blanks.
    var notices: [String] { lines("notices").filter { !$0.hasPrefix("FDSTORE") } }
    /// Journal messages of the daemon, each with its fields as JSON.
    var journal: [String] { lines("journal") }
    /// Its last line is the daemon that runs now.
    var pidFile: String { "\(directory)/pid" }
    /// The daemon that runs now.
    var pid: Int32? { lines("pid").last.flatMap { Int32($0) } }
    /// Number of stored descriptors under each name.
    var stored: [String: Int] {
        var stored: [String: Int] = [:]
        for line in lines("store") {
            let words = line.split(separator: " ")
            if words.count == 2 { stored[String(words[0])] = Int(words[1]) }
        }
        return stored
    }

    /// Keeps the manager from starting another daemon meanwhile.
    func whileHeld(_ body: () throws -> Void) throws {
        // The manager itself: it is the parent of the daemon.
        let status = try String(contentsOfFile: "/proc/\(try #require(pid))/stat", encoding: .utf8)
        let parent = try #require(status.split(separator: ")").last?.split(separator: " ").dropFirst().first)
        let manager = try #require(Int32(parent))
        kill(manager, SIGSTOP)
        defer { kill(manager, SIGCONT) }
        try body()
    }

    /// True while a process runs and is no zombie.
    static func runs(_ pid: Int32) -> Bool {
        let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return status?.split(separator: ")").last?.hasPrefix(" Z") == false
    }

    /// Sends the daemon a signal. Another is started when it ends.
    func signal(_ number: Int32) throws {
        kill(try #require(pid), number)
    }

    private static let script = ##"""
        import array, ctypes, json, os, select, signal, socket, struct, sys

        directory, watchdog, activated, command = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:]
        libc = ctypes.CDLL(None, use_errno=True)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])

        def datagrams(path):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(path)
            return s

        # The journal's place is covered in this mount namespace alone.
        os.makedirs("/run/systemd/journal", exist_ok=True)
        assert libc.mount(b"none", b"/run/systemd/journal", b"tmpfs", 0, None) == 0
        journal = datagrams("/run/systemd/journal/socket")
        notify = datagrams(directory + "/notify")
        store = {}
        control = None
        if activated:
            control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            control.bind(activated)
            control.listen()

        def record(file, line):
            with open(directory + "/" + file, "a") as f:
                f.write(line + "\n")

        def spawn():
            handed = ([("control", control.fileno())] if control else []) + [(n, fd) for n, fds in store.items() for fd in fds]
            pid = os.fork()
            if pid:
                record("pid", str(pid))
                return pid
            libc.prctl(1, signal.SIGKILL)
            status = os.fstat(2)
            os.environ.update(NOTIFY_SOCKET=directory + "/notify", JOURNAL_STREAM="%d:%d" % (status.st_dev, status.st_ino))
            if watchdog:
                os.environ.update(WATCHDOG_USEC=str(int(watchdog * 1e6)), WATCHDOG_PID=str(os.getpid()))
            if handed:
                os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(handed)), LISTEN_FDNAMES=":".join(n for n, _ in handed))
            # Out of the way first, then to where they are expected.
            high = [os.dup2(fd, 3000 + i) for i, (_, fd) in enumerate(handed)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i)
            os.closerange(3 + len(handed), 4000)
            os.execv(command[0], command)

        def fields(data):
            result = {}
            while data:
                line, _, data = data.partition(b"\n")
                name, equals, value = line.partition(b"=")
                if not equals:
                    size, = struct.unpack("<Q", data[:8])
                    value, data = data[8:8 + size], data[9 + size:]
                result[name.decode()] = value.decode()
            return json.dumps(result, sort_keys=True)

        def noticed():
            data, ancillary, _, _ = notify.recvmsg(65536, socket.CMSG_SPACE(253 * 4))
            fds = array.array("i")
            for _, _, content in ancillary:
                fds.frombytes(content[:len(content) // 4 * 4])
            said = dict(line.split("=", 1) for line in data.decode().splitlines())
            name = said.get("FDNAME", "stored")
            if "FDSTORE" in said:
                store.setdefault(name, []).extend(fds)
            if "FDSTOREREMOVE" in said:
                for fd in store.pop(name, []):
                    os.close(fd)
            if "FDSTORE" in said or "FDSTOREREMOVE" in said:
                with open(directory + "/store.new", "w") as f:
                    f.writelines("%s %d\n" % (n, len(fds)) for n, fds in store.items())
                os.rename(directory + "/store.new", directory + "/store")
            record("notices", " ".join(data.decode().splitlines()))

        if control:
            select.select([control], [], [])
        child = os.pidfd_open(spawn())
        while True:
            for ready in select.select([notify, journal, child], [], [])[0]:
                if ready is notify:
                    noticed()
                elif ready is journal:
                    record("journal", fields(journal.recv(1 << 20)))
                else:
                    os.waitid(os.P_PIDFD, child, os.WEXITED)
                    os.close(child)
                    while select.select([notify], [], [], 0)[0]:
                        noticed()
                    child = os.pidfd_open(spawn())
        """##
}
