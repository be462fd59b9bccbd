// Names go on being answered while the daemon is restarted, killed, replaced: its sockets wait for the next one.

import Foundation
import Testing

@Suite("A restart", .needsRoot)
struct RestartTests {
    private static let configuration = """
        [server]
        workers = 2
        [forward]
        upstreams = ["127.0.0.53"]
        [[network]]
        name = "n"
        """

    @Test("keeps the listeners: one for each namespace, until its container ends")
    func store() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, Self.configuration)
            try house.container("app", "--network", "n")
            try house.container("web", "--network", "n,ip=10.0.0.3")
            try house.container("gone", "--network", "n")
            #expect(eventually { service.stored.count == 3 && service.stored.values.allSatisfy { $0 == 2 } })
            let before = service.stored
            try house.deleteNamespace("gone")
            #expect(eventually { service.stored.count == 2 })
            for round in 2...3 {
                try service.signal(round == 2 ? SIGTERM : SIGKILL)
                try service.awaitReady(round)
                #expect(service.stored.allSatisfy { before[$0.key] == $0.value } && service.stored.count == 2)
                #expect(try house.dig("app", "web").data == ["10.0.0.3"])
                #expect(try house.dig("app", "+tcp", "web").data == ["10.0.0.3"])
            }
        }
    }

    @Test("keeps the listeners of containers that nobody declared: what the kernel shows is heard again")
    func discovered() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            let service = try Supervisor(house, "")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            #expect(eventually { service.stored.count == 2 })
            let before = service.stored
            for round in 2...3 {
                try service.signal(round == 2 ? SIGTERM : SIGKILL)
                try service.awaitReady(round)
                #expect(service.stored == before)
                #expect(try house.dig("app", "web").data == ["10.1.0.2"], "known when it is ready")
            }
            try house.command("ip", "netns", "del", "web")
            #expect(eventually { service.stored.count == 1 })
        }
    }

    @Test(
        "keeps redirected listeners and what leads to them, whoever wants it so; another configuration makes others",
        arguments: [("listen = \"redirect\"", []), ("listen = \"direct\"", ["--listen", "redirect"])])
    func redirected(setting: String, options: [String]) throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, "[server]\n\(setting)\n[[network]]\nname = \"n\"\n")
            _ = try house.namespace("web")
            try Command.must(
                ["\(House.binaries)/intercomctl", "--socket", house.socket, "container", "add", "web", "--netns"]
                    + [house.path("web"), "--network", "n,ip=10.0.0.3"] + options)
            func rules() throws -> String { try house.run(in: "web", ["nft", "list", "ruleset"]).text }
            let before = try rules()
            #expect(before.contains("dnat to 127.0.0.11:"))
            for round in 2...3 {
                // SIGUSR2: RestartKillSignal= of the unit.
                try service.signal(round == 2 ? SIGUSR2 : SIGKILL)
                try service.awaitReady(round)
                #expect(try rules() == before, "the same port")
                #expect(service.stored.count == 1)
                #expect(try house.dig("web", "web").data == ["10.0.0.3"])
            }
            if !options.isEmpty { return }
            try "[server]\nlisten = \"direct\"\n[[network]]\nname = \"n\"\n"
                .write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try service.signal(SIGUSR2)
            try service.awaitReady(4)
            #expect(try rules() == "")
            #expect(service.stored.values.map { $0 } == [2])
            #expect(try house.dig("web", "web").data == ["10.0.0.3"])
            #expect(try house.dig("web", "+tcp", "web").data == ["10.0.0.3"])
        }
    }

    @Test(
        "keeps the listener at ::1 of an intercepted container as it keeps the one at 127.0.0.11: by the same sockets")
    func interceptedV6() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, "\(Self.configuration)\n\(House.undiscovered)")
            _ = try house.namespace("web")
            for line in [
                "link add eth0 type veth peer name eth1", "addr add fd00:1::2/64 dev eth0 nodad", "link set eth0 up",
            ] {
                try house.ip(in: "web", line)
            }
            try house.mustCtl(
                "container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.3",
                "--intercept=fd00:1::1")
            // `ino:` names a socket for as long as it lives.
            func sockets() throws -> [String] {
                try house.run(in: "web", ["ss", "-Hlntue", "src", "[::1]"]).lines.compactMap { line in
                    line.split(separator: " ").first { $0.hasPrefix("ino:") }.map(String.init)
                }.sorted()
            }
            let before = try sockets()
            #expect(before.count == 2, "UDP and TCP")
            #expect(eventually { service.stored.values.map { $0 } == [4] }, "\(service.stored)")
            for (round, signal) in [(2, SIGTERM), (3, SIGKILL), (4, SIGUSR2)] {
                try service.signal(signal)
                try service.awaitReady(round)
                for transport in ["+notcp", "+tcp"] {
                    let answer = try house.run(
                        in: "web", ["dig", "@fd00:1::1", "+short", "+timeout=6", "+tries=1", "web", "A", transport])
                    #expect(answer.text == "10.0.0.3", "\(round) \(transport): \(answer)")
                }
                #expect(try sockets() == before, "round \(round)")
                #expect(service.stored.values.map { $0 } == [4])
            }
            try house.mustCtl("container", "rm", "web")
            #expect(eventually { service.stored.isEmpty })
        }
    }

    @Test("leaves what leads to it where it is; an end without another daemon leaves nothing")
    func replacement() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, "[server]\nlisten = \"redirect\"\n[[network]]\nname = \"n\"\n")
            try house.container("web", "--network", "n,ip=10.0.0.3")
            let file = house.file("/etc/netns/web/resolv.conf")
            func isLeft() throws -> [Bool] {
                [
                    try house.run(in: "web", ["nft", "list", "ruleset"]).text != "",
                    FileManager.default.fileExists(atPath: file),
                ]
            }
            #expect(try isLeft() == [true, true])
            // The manager is held, so that no other daemon starts.
            for (signal, expected) in [(SIGUSR2, [true, true]), (SIGTERM, [false, false])] {
                try service.whileHeld {
                    let daemon = try #require(service.pid)
                    kill(daemon, signal)
                    #expect(try eventually { try isLeft() == expected && !Supervisor.runs(daemon) }, "\(signal)")
                }
                try service.awaitReady(signal == SIGUSR2 ? 2 : 3)
                #expect(try isLeft() == [true, true])
            }
        }
    }

    @Test("lets go of listeners whose containers ended meanwhile: their namespaces die")
    func endedMeanwhile() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, Self.configuration)
            try house.container("app", "--network", "n,ip=10.0.0.2")
            try house.container("web", "--network", "n,ip=10.0.0.3")
            // The kernel removes a veth's peer when the namespace of its other end dies.
            try house.ip("link add peer type veth peer name eth0 netns web")
            let before = Set(service.stored.keys)
            try service.signal(SIGSTOP)
            try house.deleteNamespace("web")
            _ = try house.namespace("web")
            try service.signal(SIGKILL)
            try service.awaitReady(2)
            let isAnother = eventually {
                service.stored.count == 2 && Set(service.stored.keys).subtracting(before).count == 1
            }
            #expect(isAnother, "\(service.stored)")
            #expect(try eventually { try !house.hasLink("peer") })
            #expect(try house.dig("app", "web").status == "NXDOMAIN")
            try house.mustCtl("container", "add", "web", "--netns", house.path("web"), "--network", "n,ip=10.0.0.4")
            #expect(try house.dig("web", "web").data == ["10.0.0.4"])
        }
    }

    @Test("answers what was asked while nobody was there")
    func waiting() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, Self.configuration)
            try house.container("app", "--network", "n,ip=10.0.0.2")
            try service.signal(SIGSTOP)
            let client = try house.start(
                in: "app",
                [
                    "python3", "-u", "-c",
                    """
                    import socket, struct
                    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    s.settimeout(20)
                    s.connect(("127.0.0.11", 53))
                    t = socket.create_connection(("127.0.0.11", 53), 20)
                    query = bytes.fromhex("0000010000010000000000000361707000" "00010001")
                    for number in range(100):
                        s.send(struct.pack("!H", number) + query[2:])
                    t.sendall(struct.pack("!H", len(query)) + query)
                    print("asked")
                    print(len({s.recv(512)[:2] for _ in range(100)}), t.recv(512)[-4:])
                    """,
                ], log: "client")
            let log = "\(house.directory)/client"
            #expect(eventually { (try? String(contentsOfFile: log, encoding: .utf8)) == "asked\n" })
            try service.signal(SIGKILL)
            #expect(
                eventually {
                    (try? String(contentsOfFile: log, encoding: .utf8)) == "asked\n100 b'\\n\\x00\\x00\\x02'\n"
                })
            House.kill(client)
        }
    }

    @Test(
        "pays what is owed: answers on their way are sent, and connections end with a FIN; who takes nothing delays little"
    )
    func draining() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, Self.configuration)
            try house.startUpstream("127.0.0.53")
            try house.container("app", "--network", "n,ip=10.0.0.2")
            let client = try house.start(
                in: "app", ["python3", "-u", "-c", Self.clients], log: "client")
            let log = "\(house.directory)/client"
            #expect(eventually { house.queries(of: "127.0.0.53").filter { $0.contains("slow") }.count == 2 })
            try service.signal(SIGTERM)
            #expect(eventually { (try? String(contentsOfFile: log, encoding: .utf8))?.hasSuffix("done\n") ?? false })
            #expect(
                try String(contentsOfFile: log, encoding: .utf8) == """
                    idle: 10.0.0.2
                    over UDP: 192.0.2.1
                    over TCP: 192.0.2.1
                    then: b''
                    idle: b''
                    done

                    """)
            try service.awaitReady(2)
            House.kill(client)
        }
    }

    private static let clients = """
        import socket, struct
        def query(name):
            labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
            return bytes.fromhex("123401000001000000000000") + labels + bytes.fromhex("0000010001")
        def connect():
            return socket.create_connection(("127.0.0.11", 53), 20)
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.settimeout(20)
        u.connect(("127.0.0.11", 53))
        idle, t, greedy = connect(), connect(), connect()
        # Who has asked nothing on it yet has a connection of the next daemon.
        local = query("app")
        idle.sendall(struct.pack("!H", len(local)) + local)
        print("idle:", socket.inet_ntoa(idle.recv(512)[-4:]))
        # One that asks for more than fits into the sockets' buffers, and takes none of it.
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        greedy.setblocking(False)
        big = query("big.example")
        try:
            while True:
                greedy.send((struct.pack("!H", len(big)) + big) * 100)
        except BlockingIOError:
            pass
        slow = query("slow.example")
        u.send(slow)
        t.sendall(struct.pack("!H", len(slow)) + slow.replace(b"example", b"exampel"))
        print("over UDP:", socket.inet_ntoa(u.recv(512)[-4:]))
        print("over TCP:", socket.inet_ntoa(t.recv(512)[-4:]))
        print("then:", t.recv(512))
        print("idle:", idle.recv(512))
        print("done")
        """

    @Test("loses no query: 1,000 a second over 100 namespaces, each sent once and waited for 2 s")
    func underLoad() throws {
        try House.lend { house in
            #expect(house.stopDaemon() == 0)
            let service = try Supervisor(house, Self.configuration)
            for number in 0..<100 { _ = try house.namespace("c\(number)") }
            let load = try house.run(
                in: "house",
                ["env"] + House.pythonPath + ["python3", House.kit("load.py"), "", house.socket, house.path("c")]
                    + [service.pidFile, "0.5=TERM", "1.5=KILL", "2.5=TERM", "3.5=KILL"])
            #expect(load.text.hasPrefix("asked 5000, lost 0, wrong 0"), "\(load)\(house.log)")
            try service.awaitReady(5)
        }
    }
}
