// listen = "redirect": a container that serves DNS on port 53 itself, and asks us at 127.0.0.11 all the same.

import Foundation
import Testing

@Suite("A container that serves DNS itself", .needsRoot)
struct RedirectTests {
    static let configuration = """
        [server]
        workers = 1
        listen = "redirect"
        [[network]]
        name = "n"
        """

    /// A dnsmasq on all addresses of a container, which tells everybody 192.0.2.9.
    private func startDNSMasq(in container: String, of house: House) throws {
        // A shell stands between, as dnsmasq closes what it inherits, which Foundation takes for its end.
        try house.start(
            in: container,
            [
                "sh", "-c", "\"$@\" & wait", "sh", "setpriv", "--pdeathsig", "KILL", "dnsmasq", "--keep-in-foreground",
                "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=", "--user=root",
                "--address=/#/192.0.2.9",
            ], log: "dnsmasq")
        #expect(try eventually { try ask("127.0.0.1", from: container, of: house) == "192.0.2.9" })
    }

    /// dig takes answers only from the address and port that it asked.
    private func ask(_ server: String, from container: String, of house: House, _ options: String...) throws -> String {
        try house.run(in: container, ["dig", "@\(server)", "+short", "+timeout=2", "+tries=1", "web"] + options).text
    }

    private func ruleset(of container: String, _ house: House) throws -> String {
        try house.run(in: container, ["nft", "--stateless", "list", "ruleset"]).text
    }

    @Test("answers at its addresses while we answer at 127.0.0.11; no table but ours is touched, and ours goes with us")
    func bothAnswer() throws {
        try House.lend(configuration: "\(Self.configuration)\n\(House.undiscovered)") { house in
            _ = try house.namespace("web")
            try house.ip(in: "web", "link set lo up")
            try house.run(
                in: "web", ["nft", "add table ip nat; add chain ip nat output { type nat hook output priority -100; }"])
            try house.run(in: "web", ["nft", "add rule ip nat output tcp dport 81 redirect to :82"])
            let before = try ruleset(of: "web", house)
            try startDNSMasq(in: "web", of: house)
            try house.mustCtl(
                "container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.2")
            for transport in ["+notcp", "+tcp"] {
                #expect(try ask("127.0.0.11", from: "web", of: house, transport) == "10.0.0.2")
                #expect(try ask("127.0.0.1", from: "web", of: house, transport) == "192.0.2.9")
            }
            #expect(try house.run(in: "web", ["getent", "hosts", "web"]).text.hasPrefix("10.0.0.2"))
            #expect(try ruleset(of: "web", house).contains(before))
            #expect(try house.ctl("container", "inspect", "web").out.contains("127.0.0.11:53"))
            try house.mustCtl("container", "rm", "web")
            #expect(try ruleset(of: "web", house) == before)
            #expect(try ask("127.0.0.11", from: "web", of: house) == "192.0.2.9", "its own again")

            // A container that is refused leaves no rules behind; nor does a daemon that ends.
            try house.mustCtl("container", "add", "taken")
            #expect(try house.ctl("container", "add", "taken", "--netns", house.path("web")).status == 1)
            #expect(try ruleset(of: "web", house) == before)
            try house.mustCtl("container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.2")
            #expect(try ruleset(of: "web", house) != before)
            #expect(house.stopDaemon() == 0)
            #expect(try ruleset(of: "web", house) == before)
        }
    }

    @Test("has its rules set again when it flushes them; later and later if it goes on doing so")
    func flushed() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            for removal in [
                ["flush", "ruleset"], ["flush", "table", "ip", "intercom"], ["delete", "table", "ip", "intercom"],
            ] {
                try house.run(in: "web", ["nft"] + removal)
                #expect(
                    try eventually { try ask("127.0.0.11", from: "web", of: house) == "10.0.0.2" }, "after \(removal)")
            }
            // A second of flushing without a pause.
            let script =
                "end=$(($(date +%s%N) + 1000000000)); while [ $(date +%s%N) -lt $end ]; do nft flush ruleset; done"
            try house.run(in: "web", ["sh", "-c", script])
            #expect(try eventually { try ask("127.0.0.11", from: "web", of: house) == "10.0.0.2" })
            #expect(house.log.components(separatedBy: "removed the redirection").count < 20, "\(house.log)")
        }
    }

    /// Makes the table `ip intercom` the program's own (NFT_TABLE_F_OWNER), in place of what is there.
    private static let owner = """
        import signal, socket, struct
        def nla(type, value):
            a = struct.pack("=HH", 4 + len(value), type) + value
            return a + b"\\0" * (-len(a) % 4)
        def message(type, *attributes):
            body = struct.pack("=BBH", 2, 0, 0) + b"".join(attributes)
            return struct.pack("=IHHII", 16 + len(body), 10 << 8 | type, 1, 0, 0) + body
        frame = lambda type: struct.pack("=IHHIIBBH", 20, type, 1, 0, 0, 0, 0, socket.htons(10))
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        name = nla(1, b"intercom\\0")
        NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE, NFT_TABLE_F_OWNER = 0, 2, 2
        s.send(
            frame(0x10) + message(NFT_MSG_NEWTABLE, name) + message(NFT_MSG_DELTABLE, name)
            + message(NFT_MSG_NEWTABLE, name, nla(2, struct.pack("!I", NFT_TABLE_F_OWNER))) + frame(0x11))
        s.setblocking(False)
        try: print("refused", s.recv(4096))
        except BlockingIOError: print("owned", flush=True)
        signal.pause()
        """

    @Test(
        "and owns our table of nftables is shown without a listener and why; others are served; when it lets go, it is, too"
    )
    func owned() throws {
        // Were `late` found before it is added, the add would join it, and be no refusal.
        try House.lend(configuration: "\(Self.configuration)\n\(House.undiscovered)") { house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.container("app", "--network", "n,ip=10.0.0.3")
            func own(_ container: String) throws -> Process {
                let process = try house.start(
                    in: container, ["setpriv", "--pdeathsig", "KILL", "python3", "-c", Self.owner], log: "owner")
                func said() -> String {
                    (try? String(contentsOfFile: "\(house.directory)/owner", encoding: .utf8)) ?? ""
                }
                #expect(eventually { said() == "owned\n" }, "\(said())")
                return process
            }
            let owner = try own("web")
            let shown = try eventually {
                let container = try house.ctl("container", "inspect", "web").out
                return container.contains("no listener") && container.contains("owns the table")
            }
            #expect(shown, "\(house.log)")
            #expect(try house.ctl("status").unwrapped.contains("owns the table"))
            #expect(try ask("127.0.0.11", from: "app", of: house) == "10.0.0.2")
            // One that is added while the table is owned is refused.
            _ = try house.namespace("late")
            let second = try own("late")
            let refused = try house.ctl("container", "add", "late", "--netns", house.path("late"), "--network", "n")
            #expect(refused.status == 1 && refused.err.contains("owns the table"), "\(refused)")
            for process in [owner, second] { House.kill(process) }
            #expect(
                try eventually(within: 40) { try ask("127.0.0.11", from: "web", of: house) == "10.0.0.2" },
                "\(house.log)")
            #expect(try eventually { try !house.ctl("status").unwrapped.contains("owns the table") }, "\(house.log)")
            try house.mustCtl("container", "add", "late", "--netns", house.path("late"), "--network", "n")
            #expect(house.log.count < 20_000)
        }
    }

    @Test("was discovered, and is given way to when that is declared; and back, as soon as it lets go of port 53")
    func discovered() throws {
        try House.lend(configuration: "server.listen = \"direct\"\n[[network]]\nname = \"n\"\n") { house in
            _ = try house.namespace("web")
            #expect(try eventually { try house.dig("web", "localhost").data == ["127.0.0.1"] })
            try house.mustCtl(
                "container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.2", "--listen",
                "redirect")
            try startDNSMasq(in: "web", of: house)
            #expect(try ask("127.0.0.11", from: "web", of: house) == "10.0.0.2")
            try house.mustCtl("container", "rm", "web")
            #expect(try ask("127.0.0.11", from: "web", of: house) == "192.0.2.9", "its own")
            #expect(try house.ctl("status").unwrapped.contains("127.0.0.11:53 in /run/netns/web is taken"))
            #expect(try ruleset(of: "web", house) == "")
            house.endProcesses(in: "web")
            #expect(try eventually { try ask("127.0.0.1", from: "web", of: house) != "192.0.2.9" })
            // Something has to happen there.
            try house.ip(in: "web", "link add br0 type bridge")
            #expect(try eventually { try house.dig("web", "localhost").data == ["127.0.0.1"] })
            #expect(try !house.ctl("status").unwrapped.contains("is taken"))
        }
    }

    @Test("does not keep its namespace alive")
    func ends() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("web", "--network", "n")
            try house.ip("link add peer type veth peer name eth0 netns web")
            try house.deleteNamespace("web")
            #expect(try eventually { try !house.hasLink("peer") })
        }
    }

    @Test("is refused where the kernel has no nftables, with what to do; the others go on")
    func noNftables() throws {
        try House.lend(configuration: House.undiscovered) { house in
            let file = "\(house.directory)/redirect.toml"
            try "\(Self.configuration)\n\(House.undiscovered)".write(toFile: file, atomically: true, encoding: .utf8)
            let socket = "\(house.directory)/other.sock"
            // A daemon on a kernel without nfnetlink.
            let library = "\(house.directory)/without.so"
            try Command.must(["cc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], input: Self.withoutNfnetlink)
            try house.start(
                in: "house",
                ["env", "LD_PRELOAD=\(library)", "\(House.binaries)/intercomd", "--config", file, "--socket", socket]
                    + ["--state-dir", "\(house.directory)/other"], log: "other-log")
            func ctl(_ arguments: String...) throws -> Output {
                try Command.run(["\(House.binaries)/intercomctl", "--socket", socket] + arguments)
            }
            #expect(try eventually { try ctl("status").status == 0 })
            let path = try house.namespace("web")
            let refused = try ctl("container", "add", "web", "--netns", path, "--network", "n")
            #expect(refused.status == 1, "\(refused)")
            #expect(refused.err.contains(path) && refused.err.contains("load the module nf_tables"), "\(refused)")
            #expect(try ctl("container", "add", "vm", "--network", "n,ip=10.0.0.3").status == 0)
        }
    }

    private static let withoutNfnetlink = """
        #include <errno.h>
        #include <linux/netlink.h>
        #include <sys/socket.h>
        #include <sys/syscall.h>
        #include <unistd.h>
        int socket(int domain, int type, int protocol) {
            if (domain == AF_NETLINK && protocol == NETLINK_NETFILTER) return errno = EPROTONOSUPPORT, -1;
            return syscall(SYS_socket, domain, type, protocol);
        }
        """
}
