// A daemon without any privilege, and an opener beside it: everything works as for root.

import Foundation
import Testing

@Suite("A daemon without privileges", .needsRoot)
struct PrivilegeTests {
    private static let configuration = """
        [forward]
        upstreams = ["127.0.0.53"]
        [[network]]
        name = "n"
        [[network]]
        name = "vpn"
        from = "namespace"
        upstreams = ["127.0.0.54"]
        """

    /// A user of no name who owns nothing but the house, and no capability.
    private static let nobody = [
        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
        "--no-new-privs",
    ]

    private func startOpener(
        _ house: House, _ socket: String, _ log: String, under wrapper: [String] = []
    ) throws -> Process {
        let process = try house.start(
            in: "house", wrapper + ["\(House.binaries)/intercomd", "--opener", "--opener-socket", socket], log: log)
        #expect(eventually { FileManager.default.fileExists(atPath: socket) })
        try Command.must(["chown", "65534", socket])
        return process
    }

    private func lend(_ body: (House, Process) throws -> Void) throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let socket = "\(house.directory)/opener.sock"
            let opener = try startOpener(house, socket, "opener")
            try Command.must(["chown", "--recursive", "65534", house.directory])
            try house.startDaemon(
                Self.configuration, options: ["--opener-socket", socket], under: Self.nobody)
            let pid = try #require(house.daemon?.processIdentifier)
            let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
            #expect(status.contains("CapEff:\t0000000000000000") && status.contains("Uid:\t65534"))
            try body(house, opener)
        }
    }

    @Test("gives containers their intercom, by path and by process, with resolv.conf, and notices their ends")
    func attaching() throws {
        try lend { house, _ in
            try house.startUpstream("127.0.0.53")
            try house.container("web", "--network", "n,ip=10.0.0.2")
            _ = try house.namespace("job")
            let process = try house.start(in: "job", ["sleep", "600"], log: "sleep")
            try house.mustCtl(
                "container", "add", "job", "--pid", "\(process.processIdentifier)", "--network", "n,ip=10.0.0.3")
            #expect(try house.dig("web", "job").data == ["10.0.0.3"])
            #expect(try house.dig("job", "+tcp", "web").data == ["10.0.0.2"])
            #expect(try house.dig("web", "www.example").data == ["192.0.2.1"])
            let file = house.file("/etc/netns/web/resolv.conf")
            #expect(try String(contentsOfFile: file, encoding: .utf8).contains("nameserver 127.0.0.11"))

            House.kill(process)
            #expect(try eventually { try house.dig("web", "job").status == "NXDOMAIN" })
            try house.deleteNamespace("web")
            #expect(try eventually { try !house.ctl("container", "ls").out.contains("web") })
            #expect(eventually { !FileManager.default.fileExists(atPath: file) })
            let host = try house.ctl("container", "add", "host", "--netns", house.path("house"))
            #expect(host.status == 1 && host.err.contains("is the host's own network namespace"), "\(host)")
        }
    }

    @Test("restores by itself what was declared, also processes that are not its own")
    func restoring() throws {
        try lend { house, _ in
            _ = try house.namespace("job")
            let process = try house.start(in: "job", ["sleep", "600"], log: "sleep")
            try house.mustCtl(
                "container", "add", "job", "--pid", "\(process.processIdentifier)", "--network", "n,ip=10.0.0.3")
            #expect(house.stopDaemon() == 0)
            try house.startDaemon(
                Self.configuration, options: ["--opener-socket", "\(house.directory)/opener.sock"], under: Self.nobody)
            #expect(try house.dig("job", "job").data == ["10.0.0.3"])
        }
    }

    @Test("forgets nothing that was declared where the opener could not be asked at a start")
    func restoringWithoutOpener() throws {
        try lend { house, opener in
            _ = try house.namespace("job")
            let process = try house.start(in: "job", ["sleep", "600"], log: "sleep")
            func add() throws -> Bool {
                try house.ctl(
                    "container", "add", "job", "--pid", "\(process.processIdentifier)", "--network", "n,ip=10.0.0.3"
                ).status == 0
            }
            #expect(try eventually { try add() })
            #expect(house.stopDaemon() == 0)
            House.kill(opener)
            let socket = "\(house.directory)/opener.sock"
            try house.startDaemon(Self.configuration, options: ["--opener-socket", socket], under: Self.nobody)
            #expect(house.log.contains("container job, which was declared before: pid"), "\(house.log)")
            #expect(house.stopDaemon() == 0)
            try FileManager.default.removeItem(atPath: socket)
            _ = try startOpener(house, socket, "opener-2")
            try house.startDaemon(Self.configuration, options: ["--opener-socket", socket], under: Self.nobody)
            #expect(try house.dig("job", "job").data == ["10.0.0.3"])
        }
    }

    @Test("asks upstreams from a container's namespace")
    func fromNamespace() throws {
        try lend { house, _ in
            try house.container("web", "--network", "vpn")
            try house.startUpstream("127.0.0.54", in: "web")
            #expect(try house.dig("web", "www.example").data == ["192.0.2.1"])
        }
    }

    @Test("answers on without its opener, says what is wrong when it needs it, and goes on with the next one")
    func openerDies() throws {
        try lend { house, opener in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            House.kill(opener)
            #expect(try house.dig("web", "web").data == ["10.0.0.2"])
            _ = try house.namespace("app")
            let refused = try house.ctl("container", "add", "app", "--netns", house.path("app"), "--network", "n")
            #expect(
                refused.status == 1 && refused.err.contains("\(house.directory)/opener.sock: Connection refused"),
                "\(refused)")
            #expect(house.log.contains("error: the opener cannot be reached"))
            try FileManager.default.removeItem(atPath: "\(house.directory)/opener.sock")
            _ = try startOpener(house, "\(house.directory)/opener.sock", "opener-2")
            try house.mustCtl("container", "add", "app", "--netns", house.path("app"), "--network", "n")
            #expect(try house.dig("app", "web").data == ["10.0.0.2"])
        }
    }

    @Test("answers on while its opener is stuck, and waits for it once, not once for each container that comes")
    func openerIsStuck() throws {
        try lend { house, opener in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            kill(opener.processIdentifier, SIGSTOP)
            let start = ContinuousClock.now
            for number in 1...10 { _ = try house.namespace("c\(number)") }
            #expect(try house.dig("web", "web").data == ["10.0.0.2"])
            #expect(
                try eventually { try house.ctl("status").unwrapped.contains("/run/netns/c10 cannot be entered") },
                "\(house.log)")
            #expect(start.duration(to: .now) < .seconds(20), "5 s is how long it waits")
            kill(opener.processIdentifier, SIGCONT)
            func add() throws -> Bool {
                try house.ctl("container", "add", "app", "--netns", house.path("c1"), "--network", "n").status == 0
            }
            #expect(try eventually(within: 20) { try add() })
            #expect(try house.dig("c1", "web").data == ["10.0.0.2"])
            // Nothing happens in those that were found meanwhile, and they are entered all the same.
            #expect(try eventually(within: 30) { try house.dig("c10", "localhost").data == ["127.0.0.1"] })
        }
    }

    @Test("asks its opener for others while a call waits for a lock that a container's root holds")
    func lockHeld() throws {
        try lend { house, opener in
            // An opener to which no socket of nfnetlink ever comes.
            let library = "\(house.directory)/stuck.so"
            try Command.must(["cc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], input: Self.stuckSocket)
            House.kill(opener)
            try FileManager.default.removeItem(atPath: "\(house.directory)/opener.sock")
            _ = try startOpener(
                house, "\(house.directory)/opener.sock", "opener-2", under: ["env", "LD_PRELOAD=\(library)"])
            try house.container("web", "--network", "n,ip=10.0.0.2")
            _ = try house.namespace("dns")
            func redirect() throws -> Output {
                try house.ctl(
                    "container", "add", "dns", "--netns", house.path("dns"), "--network", "n", "--listen", "redirect")
            }
            for number in 1...3 {
                let refused = try redirect()
                #expect(refused.status == 1 && refused.err.contains("timed out"), "\(refused)")
                let start = ContinuousClock.now
                try house.container("app\(number)", "--network", "n,ip=10.0.0.\(number + 2)")
                #expect(start.duration(to: .now) < .seconds(2))
                #expect(!house.log.contains("the opener cannot be reached"))
                #expect(try house.dig("app\(number)", "web").data == ["10.0.0.2"])
            }
        }
    }

    private static let stuckSocket = """
        #include <linux/netlink.h>
        #include <sys/socket.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int socket(int domain, int type, int protocol) {
            if (domain == AF_NETLINK && protocol == NETLINK_NETFILTER) pause();
            return syscall(SYS_socket, domain, type, protocol);
        }
        """
}
