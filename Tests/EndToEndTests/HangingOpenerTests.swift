// An opener that hangs, or is away: nobody but the container that it hangs for notices.

import Foundation
import Testing

@Suite("While the opener hangs", .needsRoot)
struct HangingOpenerTests {
    /// Hands each call on to a real opener. Calls with the namespace of a given file hang for a time, and those about
    /// resolv.conf files take a fifth of a second where there is no such namespace. A call that contains the last
    /// argument is refused.
    private static let proxy = """
        import array, os, socket, sys, threading, time
        real, path, victim, seconds = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
        refused = sys.argv[5].encode() if len(sys.argv) > 5 else None
        server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server.bind(path)
        server.listen(64)
        def pass_on(source, target):
            data, ancillary, _, _ = source.recvmsg(65536, socket.CMSG_SPACE(253 * 4))
            if refused and refused in data:
                raise OSError
            fds = array.array("i")
            for _, _, content in ancillary:
                fds.frombytes(content)
            if fds and os.path.exists(victim) and os.fstat(fds[0]).st_ino == os.stat(victim).st_ino and target.getpeername() == real:
                time.sleep(seconds)
            if b"ResolverFile" in data and not os.path.exists(victim):
                time.sleep(0.2)
            target.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if fds else [])
            for fd in fds:
                os.close(fd)
        def serve(client):
            try:
                with client, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as opener:
                    opener.connect(real)
                    pass_on(client, opener)
                    pass_on(opener, client)
            except OSError:
                pass
        while True:
            threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

        """

    static func startProxy(
        _ house: House, to real: String, victim: String, refusing call: String? = nil
    ) throws -> String {
        let path = "\(house.directory)/proxy.sock"
        let script = "\(house.directory)/proxy.py"
        try Self.proxy.write(toFile: script, atomically: true, encoding: .utf8)
        try house.start(
            in: "house", ["python3", script, real, path, victim, "10"] + [call].compactMap { $0 }, log: "proxy")
        #expect(eventually { FileManager.default.fileExists(atPath: path) })
        return path
    }

    static func startOpener(_ house: House, _ path: String) throws {
        try house.start(
            in: "house", ["\(House.binaries)/intercomd", "--opener", "--opener-socket", path], log: "opener")
        #expect(eventually { FileManager.default.fileExists(atPath: path) })
    }

    @Test("for one container, status answers at once, and another container is attached")
    func one() throws {
        try House.lend(configuration: House.undiscovered) { house in
            _ = house.stopDaemon()
            for name in ["slow", "web", "api", "db"] { _ = try house.namespace(name) }
            let real = "\(house.directory)/opener.sock"
            try Self.startOpener(house, real)
            let proxy = try Self.startProxy(house, to: real, victim: house.file(house.path("slow")))
            try house.startDaemon(House.undiscovered, options: ["--opener-socket", proxy])
            let slow = try house.start(
                in: "house",
                [
                    "\(House.binaries)/intercomctl", "--socket", house.socket, "container", "add", "slow", "--netns",
                    house.path("slow"),
                ], log: "slow")
            Thread.sleep(forTimeInterval: 0.3)
            // The control program's own start is part of what is measured; others may use the machine, too.
            let idle = try (1...5).map { _ in try duration { try house.mustCtl("--help") } }.min() ?? 0
            let status = try (1...5).map { _ in try duration { try house.mustCtl("status") } }.min() ?? 1
            let added =
                try ["web", "api", "db"].map { name in
                    try duration { try house.mustCtl("container", "add", name, "--netns", house.path(name)) }
                }.min() ?? 1
            #expect(slow.isRunning, "it waits for the opener meanwhile")
            #expect(status - idle < 0.05, "status took \(status) s, of which the program's start \(idle) s")
            #expect(added - idle < 0.1, "container add took \(added) s, of which the program's start \(idle) s")
            #expect(try house.dig("web", "localhost").data == ["127.0.0.1"])
            #expect(eventually(within: 15) { !slow.isRunning })
            let said = try String(contentsOfFile: "\(house.directory)/slow", encoding: .utf8)
            #expect(said.contains("the opener does not answer"), "\(said)")
        }
    }

    @Test("or is away at the start, discovery waits for it, and says so")
    func away() throws {
        try House.lend { house in
            _ = house.stopDaemon()
            _ = try house.namespace("web")
            let path = "\(house.directory)/opener.sock"
            try house.startDaemon("[discover]\nexclude = [\"house\"]\n", options: ["--opener-socket", path])
            let status = try house.ctl("status").unwrapped
            #expect(status.contains("are not discovered: the opener does not answer"), "\(status)")
            try Self.startOpener(house, path)
            #expect(
                try eventually(within: 20) { try house.dig("web", "localhost").data == ["127.0.0.1"] }, "\(house.log)")
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            #expect(try eventually(within: 20) { try house.dig("web", "web").data == ["10.1.0.2"] }, "\(house.log)")
            #expect(try !house.ctl("status").unwrapped.contains("the opener does not answer"))
        }
    }

    @Test("or is slow, container add returns when the resolv.conf is written, and container rm when it is gone")
    func files() throws {
        try House.lend(configuration: House.undiscovered) { house in
            _ = house.stopDaemon()
            let real = "\(house.directory)/opener.sock"
            try Self.startOpener(house, real)
            let proxy = try Self.startProxy(house, to: real, victim: "/nonexistent")
            try house.startDaemon(House.undiscovered, options: ["--opener-socket", proxy])
            _ = try house.namespace("web")
            let file = house.file("/etc/netns/web/resolv.conf")
            for mode in ["direct", "redirect"] {
                try house.mustCtl("container", "add", "web", "--netns", house.path("web"), "--listen", mode)
                #expect(FileManager.default.fileExists(atPath: file))
                try house.mustCtl("container", "rm", "web")
                #expect(!FileManager.default.fileExists(atPath: file))
            }
        }
    }

    private func duration(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        let time = start.duration(to: .now)
        return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
    }
}
