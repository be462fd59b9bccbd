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
            let load = try house.start(
                in: "house",
                ["env"] + House.pythonPath
                    + ["python3", "-u", "-c", Self.load, house.socket, house.path("c"), service.pidFile], log: "load")
            let log = "\(house.directory)/load"
            func text() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
            #expect(eventually(within: 30) { text().contains("asked") }, "\(text())\(house.log)")
            #expect(text().contains("asked 5000, lost 0, wrong 0"), "\(text())")
            try service.awaitReady(5)
            House.kill(load)
        }
    }

    /// Asks for 5 s, from a socket in each of 100 namespaces in turn, and ends the daemon four times meanwhile: by SIGTERM at
    /// any moment, by SIGKILL when no question is in its hands, which nobody could answer any more.
    private static let load = """
        import ctypes, os, select, signal, socket, struct, sys, time, varlink
        control = varlink.Client("unix:" + sys.argv[1]).open("intercom.Control")
        libc = ctypes.CDLL(None)
        epoll, sockets = select.epoll(), {}
        for number in range(100):
            path = sys.argv[2] + str(number)
            control.AddContainer("c%d" % number, path, None, [{"name": "n", "addresses": ["10.0.1.%d" % number]}])
            fd = os.open(path, os.O_RDONLY)
            libc.setns(fd, 0x40000000)
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.connect(("127.0.0.11", 53))
            s.setblocking(False)
            sockets[s.fileno()] = s
            epoll.register(s, select.EPOLLIN)
        order, waiting, lost, wrong, total, sent = list(sockets.values()), {}, 0, 0, 5000, 0
        ends = [(0.5, signal.SIGTERM), (1.5, signal.SIGKILL), (2.5, signal.SIGTERM), (3.5, signal.SIGKILL)]
        start = time.monotonic()
        while sent < total or waiting:
            now = time.monotonic()
            if ends and now >= start + ends[0][0] and (ends[0][1] == signal.SIGTERM or not waiting):
                os.kill(int(open(sys.argv[3]).read().split()[-1]), ends.pop(0)[1])
            while sent < total and now >= start + sent / 1000:
                name, s = b"c%d" % (sent % 97), order[sent % 100]
                s.send(struct.pack("!H", sent) + bytes.fromhex("01000001000000000000") + bytes([len(name)]) + name + bytes.fromhex("0000010001"))
                waiting[sent] = now
                sent += 1
            for fd, _ in epoll.poll(0.001):
                answer = sockets[fd].recv(512)
                number, = struct.unpack("!H", answer[:2])
                if waiting.pop(number, None) is not None and answer[-4:] != bytes([10, 0, 1, number % 97]):
                    wrong += 1
            for number in [n for n, at in waiting.items() if now - at > 2]:
                del waiting[number]
                lost += 1
        print("asked %d, lost %d, wrong %d, ends left %s" % (total, lost, wrong, ends))
        """
}
