// Interception: questions to the servers that a container's own resolv.conf names come to its listener, whoever leads them
// elsewhere, and nothing else does.

import Foundation
import Testing

@Suite("A container that is intercepted", .needsRoot)
struct InterceptionTests {
    private static let configuration = """
        \(House.undiscovered)[server]
        workers = 1
        [[network]]
        name = "n"

        """

    /// A container `web` on a bridge of the host, whose gateway (10.1.0.1, fd00:1::1) and a public server (198.51.100.8) tell
    /// everybody 192.0.2.9, and a neighbour `dns` at 10.1.0.3 that says 192.0.2.7.
    private func lend(_ configuration: String = configuration, _ body: (House) throws -> Void) throws {
        try House.lend(configuration: configuration) { house in
            try house.bridge("br0", "10.1.0.1/24")
            try house.ip("addr add fd00:1::1/64 dev br0 nodad")
            try house.ip("addr add 198.51.100.8/32 dev lo")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            try house.ip(in: "web", "addr add fd00:1::2/64 dev eth0 nodad")
            try house.ip(in: "web", "route add default via 10.1.0.1")
            try house.plug("dns", into: "br0", "10.1.0.3/24")
            try house.ip(in: "dns", "link set lo up")
            for address in ["10.1.0.1", "198.51.100.8", "fd00:1::1"] {
                try house.startDNSMasq(in: "house", at: address, "--address=/#/192.0.2.9")
            }
            try house.startDNSMasq(in: "dns", at: "10.1.0.3", "--address=/#/192.0.2.7")
            try body(house)
        }
    }

    /// A program in `web` with a resolv.conf of its own; gives its pid.
    private func program(_ resolver: String, in house: House) throws -> Int32 {
        let file = "\(house.directory)/web.resolv.conf"
        try resolver.write(toFile: file, atomically: true, encoding: .utf8)
        let script = "mount --bind \(file) /etc/resolv.conf && echo mounted && exec sleep 600"
        let process = try house.start(in: "web", ["sh", "-c", script], log: "program")
        let log = "\(house.directory)/program"
        #expect(eventually { (try? String(contentsOfFile: log, encoding: .utf8)) == "mounted\n" })
        return process.processIdentifier
    }

    private func ask(_ server: String, of house: House, _ options: String...) throws -> String {
        try house.run(
            in: "web", ["dig", "@\(server)", "+short", "+timeout=2", "+tries=1", "web", "A"] + options
        ).text
    }

    private func rules(_ house: House) throws -> String {
        try house.run(in: "web", ["nft", "--stateless", "list", "ruleset"]).text
    }

    private static let both = ["+notcp", "+tcp"]

    @Test(
        "is answered at each server of its resolv.conf, over UDP and TCP, IPv4 and IPv6; no other server is in our way")
    func resolverFile() throws {
        try lend { house in
            let pid = try program(
                """
                nameserver 10.1.0.1
                nameserver 198.51.100.8
                nameserver fd00:1::1
                nameserver 127.0.0.1
                nameserver 10.1.0.2
                """, in: house)
            try house.mustCtl(
                "container", "add", "web", "--pid", "\(pid)", "--network", "n,ip=10.0.0.2", "--intercept")
            for transport in Self.both {
                for server in ["127.0.0.11", "10.1.0.1", "198.51.100.8", "fd00:1::1"] {
                    #expect(try ask(server, of: house, transport) == "10.0.0.2", "\(server) \(transport)")
                }
                #expect(try ask("10.1.0.3", of: house, transport) == "192.0.2.7", "named by nobody")
                #expect(try ask("10.1.0.1", of: house, transport, "-p", "53", "-b", "10.1.0.2") == "10.0.0.2")
            }
            let inspected = try house.ctl("container", "inspect", "web").out
            #expect(inspected.contains("intercepted  127.0.0.11, 10.1.0.1, 198.51.100.8, fd00:1::1"), "\(inspected)")
            #expect(inspected.contains("10.1.0.2"), "its own server is named, and not intercepted")
            // Others are asked as before.
            #expect(
                try house.run(in: "dns", ["dig", "@10.1.0.1", "+short", "+timeout=2", "+tries=1", "web"]).text
                    == "192.0.2.9")
            #expect(try house.run(in: "house", ["nft", "list", "ruleset"]).text == "")
        }
    }

    @Test("serves DNS itself at 127.0.0.1 and its own addresses, and is reached there")
    func ownServer() throws {
        try lend { house in
            try house.ip(in: "web", "link set lo up")
            try house.ip(in: "web", "addr add 10.1.0.22/24 dev eth0")
            for address in ["127.0.0.1", "10.1.0.2", "10.1.0.22"] {
                try house.startDNSMasq(in: "web", at: address, "--address=/#/192.0.2.5")
            }
            let pid = try program("nameserver 127.0.0.1\nnameserver 10.1.0.22\nnameserver 10.1.0.1\n", in: house)
            try house.mustCtl(
                "container", "add", "web", "--pid", "\(pid)", "--network", "n,ip=10.0.0.2", "--intercept")
            for transport in Self.both {
                for server in ["127.0.0.1", "10.1.0.2", "10.1.0.22"] {
                    #expect(try ask(server, of: house, transport) == "192.0.2.5", "\(server)")
                }
                #expect(try ask("10.1.0.1", of: house, transport) == "10.0.0.2")
                #expect(
                    try house.run(
                        in: "dns", ["dig", "@10.1.0.2", "+short", "+timeout=2", "+tries=1", "web", transport]
                    ).text == "192.0.2.5", "by a neighbour")
            }
        }
    }

    /// Rules as Docker makes them on a custom bridge: port 53 of 127.0.0.11 is led to a port of dockerd's.
    private func dockerRules(_ tool: String, in house: House) throws {
        try house.run(in: "web", [tool, "-t", "nat", "-N", "DOCKER_OUTPUT"])
        try house.run(in: "web", [tool, "-t", "nat", "-A", "OUTPUT", "-d", "127.0.0.11", "-j", "DOCKER_OUTPUT"])
        for transport in ["udp", "tcp"] {
            let added = try house.run(
                in: "web",
                [
                    tool, "-t", "nat", "-A", "DOCKER_OUTPUT", "-p", transport, "-d", "127.0.0.11", "--dport", "53",
                    "-j",
                    "DNAT", "--to-destination", "127.0.0.11:40053",
                ])
            #expect(added.status == 0, "\(added)")
        }
    }

    /// Stand-in for dockerd's server, at a port of its own.
    private func startDockersServer(in house: House) throws {
        let command = [
            "setpriv", "--pdeathsig", "KILL", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
            "--no-hosts", "--pid-file=", "--user=root", "--bind-interfaces", "--listen-address=127.0.0.11",
            "--port=40053", "--address=/#/192.0.2.6",
        ]
        try house.start(in: "web", ["sh", "-c", "\"$@\" & wait", "sh"] + command, log: "dockerd")
        #expect(try eventually { try ask("127.0.0.11", of: house, "-p", "40053") == "192.0.2.6" })
    }

    /// Docker's server and rules in `web`, which is added before or after them.
    private func addBesideDocker(
        _ tool: String, comesFirst: Bool, intercepting address: String, in house: House
    ) throws {
        try house.ip(in: "web", "link set lo up")
        try startDockersServer(in: house)
        if comesFirst { try dockerRules(tool, in: house) }
        try house.mustCtl(
            "container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.2", "--intercept",
            address)
        if !comesFirst { try dockerRules(tool, in: house) }
    }

    @Test(
        "is answered at 127.0.0.11 before Docker's rules lead it elsewhere, whoever came first; these are left as they are",
        arguments: ["iptables-legacy", "iptables-nft"], [true, false])
    func docker(tool: String, comesFirst: Bool) throws {
        try lend { house in
            try addBesideDocker(tool, comesFirst: comesFirst, intercepting: "10.1.0.1", in: house)
            let saved = try house.run(in: "web", ["\(tool)-save"]).text.split(separator: "\n").filter {
                !$0.hasPrefix("#")
            }
            for transport in Self.both {
                for server in ["127.0.0.11", "10.1.0.1"] {
                    #expect(try ask(server, of: house, transport) == "10.0.0.2", "\(server) \(transport)")
                }
            }
            try house.mustCtl("container", "rm", "web")
            for transport in Self.both {
                #expect(try ask("127.0.0.11", of: house, transport) == "192.0.2.6", "Docker's again")
                #expect(try ask("10.1.0.1", of: house, transport) == "192.0.2.9", "the gateway's again")
            }
            let after = try house.run(in: "web", ["\(tool)-save"]).text.split(separator: "\n").filter {
                !$0.hasPrefix("#")
            }
            // Counters of chains and rules differ.
            #expect(after.map { $0.prefix { $0 != "[" } } == saved.map { $0.prefix { $0 != "[" } })
            #expect(try !rules(house).contains("intercom"))
        }
    }

    @Test(
        "is answered at 127.0.0.11 alone before Docker's rules, without a connection being tracked, from whatever address of its own",
        arguments: ["iptables-legacy", "iptables-nft"], [true, false])
    func untracked(tool: String, comesFirst: Bool) throws {
        try lend { house in
            try addBesideDocker(tool, comesFirst: comesFirst, intercepting: "127.0.0.11", in: house)
            let rules = try rules(house)
            #expect(rules.contains("notrack"), "\(rules)")
            for transport in Self.both {
                #expect(try ask("127.0.0.11", of: house, transport) == "10.0.0.2", "\(transport)")
                #expect(try ask("127.0.0.11", of: house, transport, "-b", "10.1.0.2") == "10.0.0.2", "\(transport)")
            }
            #expect(try house.ctl("container", "ls").out.contains(" ready "))
            let flows = try house.run(in: "web", ["cat", "/proc/net/nf_conntrack"]).text
            #expect(!flows.contains("dport=53 "), "\(flows)")
            try house.mustCtl("container", "rm", "web")
            for transport in Self.both {
                #expect(try ask("127.0.0.11", of: house, transport) == "192.0.2.6", "Docker's again")
            }
        }
    }

    @Test(
        "names a server without a route: it is ready where it names another that is led to us, and unheard where not",
        arguments: [
            ("10.1.0.1,203.0.113.9", "ready"), ("203.0.113.9,10.1.0.1", "ready"), ("203.0.113.9", "unheard"),
            ("127.0.0.11,203.0.113.9", "unheard"),
        ])
    func withoutRoute(servers: String, state: String) throws {
        try lend { house in
            try house.ip(in: "web", "route del default")
            let added = try house.ctl(
                "container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.2", "--intercept",
                servers)
            #expect(added.status == 0, "\(added)")
            var listed = ""
            let isSo = try eventually {
                listed = try house.ctl("container", "ls").out
                return listed.contains(" \(state) ")
            }
            #expect(isSo, "\(listed)")
            #expect(house.log.contains("has no route to 203.0.113.9:53") == (state == "unheard"), "\(house.log)")
        }
    }

    @Test("whose process has the host's root yet has its rules set again by us, which nobody takes for a stranger's")
    func renewed() throws {
        try lend { house in
            let process = try house.start(in: "web", ["sleep", "600"], log: "program")
            try house.mustCtl(
                "container", "add", "web", "--pid", "\(process.processIdentifier)", "--network", "n,ip=10.0.0.2",
                "--intercept")
            // A table that is made anew has another handle.
            var handles: Set<String> = []
            let isRenewed = try eventually {
                let lines = try house.run(in: "web", ["nft", "--handle", "list", "ruleset"]).lines
                handles.formUnion(lines.filter { $0.hasPrefix("table ip intercom") })
                return handles.count > 3
            }
            #expect(isRenewed, "\(handles)")
            #expect(!house.log.contains("was changed or removed"), "\(house.log)")
        }
    }

    @Test("has its rules again when they are flushed, and none when it or the daemon ends")
    func repaired() throws {
        try lend { house in
            let pid = try program("nameserver 10.1.0.1\nnameserver fd00:1::1\n", in: house)
            try house.mustCtl(
                "container", "add", "web", "--pid", "\(pid)", "--network", "n,ip=10.0.0.2", "--intercept")
            for removal in [
                ["flush", "ruleset"], ["delete", "table", "ip6", "intercom"], ["flush", "table", "ip", "intercom"],
            ] {
                try house.run(in: "web", ["nft"] + removal)
                for server in ["10.1.0.1", "fd00:1::1"] {
                    #expect(try eventually { try ask(server, of: house) == "10.0.0.2" }, "\(server) after \(removal)")
                }
            }
            try house.mustCtl("container", "rm", "web")
            #expect(try rules(house) == "")
            #expect(try house.run(in: "web", ["ss", "-Hlnut"]).text == "")
            try house.mustCtl(
                "container", "add", "web", "--pid", "\(pid)", "--network", "n,ip=10.0.0.2", "--intercept")
            #expect(try ask("fd00:1::1", of: house) == "10.0.0.2")
            #expect(house.stopDaemon() == 0)
            #expect(try rules(house) == "")
            #expect(try ask("fd00:1::1", of: house) == "192.0.2.9")
        }
    }

    @Test(
        "was found before, has port 53 taken by another program, or loses interception while it stays: without an outage"
    )
    func joined() throws {
        try lend("server.workers = 1\n[[network]]\nname = \"n\"\n") { house in
            #expect(try eventually { try ask("127.0.0.11", of: house) != "" })
            try house.mustCtl(
                "container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.2", "--intercept",
                "10.1.0.1,fd00:1::1")
            for server in ["127.0.0.11", "10.1.0.1", "fd00:1::1"] {
                #expect(try ask(server, of: house) == "10.0.0.2")
            }
            try house.mustCtl("container", "rm", "web")
            #expect(try eventually { try ask("10.1.0.1", of: house) == "192.0.2.9" })
            #expect(try rules(house) == "")
            #expect(try eventually { try ask("127.0.0.11", of: house) != "" }, "found again")
            try house.mustCtl(
                "container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.2", "--listen",
                "redirect", "--intercept=10.1.0.1", "--hostname", "h")
            for transport in Self.both {
                for server in ["127.0.0.11", "10.1.0.1"] {
                    #expect(
                        try ask(server, of: house, transport) == "10.0.0.2",
                        "\(server) \(transport)")
                }
            }
        }
    }

    @Test("leads a question of ours that asks its server in the namespace nowhere else: it has our mark")
    func marked() throws {
        let configuration = """
            \(House.undiscovered)[server]
            workers = 1
            [[network]]
            name = "n"
            upstreams = ["10.1.0.1"]
            from = "namespace"

            """
        try lend(configuration) { house in
            try house.mustCtl(
                "container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.2", "--intercept",
                "10.1.0.1")
            for transport in Self.both {
                #expect(
                    try house.run(
                        in: "web",
                        ["dig", "@10.1.0.1", "+short", "+timeout=4", "+tries=1", "outside.example", transport]
                    ).text == "192.0.2.9")
            }
            #expect(!house.log.contains("asks us in turn"), "\(house.log)")
        }
    }

    @Test(
        "has a resolv.conf that cannot be read: it is said why, and 127.0.0.11 alone is led",
        arguments: [
            ("rm etc/resolv.conf; mkfifo etc/resolv.conf", "not a regular file"),
            ("ln -sf /dev/zero etc/resolv.conf; mkdir dev; mknod dev/zero c 1 5", "not a regular file"),
            ("truncate -s 10M etc/resolv.conf", "too large"),
            ("rm etc/resolv.conf; mkdir etc/resolv.conf", "Is a directory"),
        ])
    func unreadable(make: String, reason: String) throws {
        try lend { house in
            let pid = try rooted(make, in: house)
            try house.mustCtl(
                "container", "add", "web", "--pid", "\(pid)", "--network", "n,ip=10.0.0.2", "--intercept")
            #expect(house.log.lowercased().contains(reason.lowercased()), "\(house.log)")
            #expect(try ask("127.0.0.11", of: house) == "10.0.0.2")
            #expect(try ask("10.1.0.1", of: house) == "192.0.2.9")
        }
    }

    @Test("names 300 servers, of which eight are intercepted; a link to a file outside of its root names none")
    func many() throws {
        try lend { house in
            let pid = try rooted(
                "for i in $(seq 1 300); do echo nameserver 10.2.$((i / 250)).$((i % 250)); done >etc/resolv.conf",
                in: house)
            try house.mustCtl("container", "add", "web", "--pid", "\(pid)", "--network", "n,ip=10.0.0.2", "--intercept")
            let inspected = try house.ctl("container", "inspect", "web").out
            #expect(inspected.contains("10.2.0.8") && !inspected.contains("10.2.0.9"), "\(inspected)")
            try house.mustCtl("container", "rm", "web")
            let other = try rooted("ln -sf ../../outside etc/resolv.conf", in: house)
            try "nameserver 203.0.113.66\n".write(
                toFile: "\(house.directory)/outside", atomically: true, encoding: .utf8)
            try house.mustCtl(
                "container", "add", "web", "--pid", "\(other)", "--network", "n,ip=10.0.0.2", "--intercept")
            #expect(try !house.ctl("container", "inspect", "web").out.contains("203.0.113.66"))
            #expect(try !rules(house).contains("203.0.113.66"))
        }
    }

    @Test("whose resolv.conf hangs is attached all the same, and delays no other container")
    func hangs() throws {
        try lend { house in
            // A FUSE file system that never answers.
            let script = """
                import ctypes, os, sys, time
                root = sys.argv[1]
                fuse = os.open("/dev/fuse", os.O_RDWR)
                libc = ctypes.CDLL(None, use_errno=True)
                options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % fuse
                if libc.mount(b"x", (root + "/etc").encode(), b"fuse", 6, options): raise OSError(ctypes.get_errno())
                os.chroot(root); print("in", flush=True); time.sleep(600)
                """
            let root = "\(house.directory)/root"
            try FileManager.default.createDirectory(atPath: "\(root)/etc", withIntermediateDirectories: true)
            let process = try house.start(in: "web", ["python3", "-c", script, root], log: "fuse")
            #expect(eventually { (try? String(contentsOfFile: "\(house.directory)/fuse", encoding: .utf8)) == "in\n" })
            let adding = Process()
            adding.executableURL = URL(fileURLWithPath: "\(House.binaries)/intercomctl")
            adding.arguments = [
                "--socket", house.socket, "container", "add", "web", "--pid", "\(process.processIdentifier)",
                "--network",
                "n,ip=10.0.0.2", "--intercept",
            ]
            try Command.start(adding)
            let start = ContinuousClock.now
            try house.mustCtl("container", "add", "dns", "--netns", house.path("dns"), "--network", "n,ip=10.0.0.3")
            #expect(start.duration(to: .now) < .seconds(3))
            adding.waitUntilExit()
            #expect(adding.terminationStatus == 0, "\(house.log)")
            #expect(start.duration(to: .now) < .seconds(12))
            #expect(try ask("127.0.0.11", of: house) == "10.0.0.2")
            #expect(house.log.contains("its resolv.conf cannot be read"), "\(house.log)")
            House.kill(process)
        }
    }

    /// A process in `web` whose root is a directory with an empty `/etc/resolv.conf`, changed by commands; gives its pid.
    private func rooted(_ make: String, in house: House) throws -> Int32 {
        let root = "\(house.directory)/root-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: "\(root)/etc", withIntermediateDirectories: true)
        let script = """
            cd "$1"; touch etc/resolv.conf; \(make)
            exec python3 -uc "import os, time; os.chroot('.'); print('in'); time.sleep(600)"
            """
        let process = try house.start(in: "web", ["sh", "-euc", script, "sh", root], log: "rooted")
        #expect(
            eventually {
                (try? String(contentsOfFile: "\(house.directory)/rooted", encoding: .utf8))?.hasSuffix("in\n") ?? false
            })
        return process.processIdentifier
    }
}
