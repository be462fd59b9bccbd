// A container whose root means harm: it gets worse service itself, and nobody else does.

import Foundation
import Testing

@Suite("A container that attacks", .needsRoot)
struct HostileContainerTests {
    private static let configuration = """
        [server]
        workers = 1
        [forward]
        upstreams = ["127.0.0.53"]
        [[route]]
        domain = "silent.example"
        upstreams = ["127.0.0.54"]
        """

    /// On one bridge: `app` and `web` who mean no harm, and `evil`; all are served by one worker.
    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration) { house in
            for upstream in ["127.0.0.53", "127.0.0.54"] { try house.startUpstream(upstream) }
            try house.bridge("br0", "10.1.0.1/24")
            try house.plug("web", into: "br0", "10.1.0.2/24")
            try house.plug("app", into: "br0", "10.1.0.3/24")
            try house.plug("evil", into: "br0", "10.1.0.66/24")
            #expect(try eventually { try house.dig("app", "evil").data == ["10.1.0.66"] })
            #expect(try eventually { try house.dig("evil", "web").data == ["10.1.0.2"] })
            try body(house)
        }
    }

    /// Has `evil` do something for some seconds, and `app` ask meanwhile: it gets each answer, within a second.
    private func attack(_ house: House, _ script: String, _ arguments: [String] = []) throws {
        let file = "\(house.directory)/attack.py"
        try script.write(toFile: file, atomically: true, encoding: .utf8)
        let attacker = try house.start(in: "evil", ["python3", "-u", file] + arguments, log: "attack")
        func said() -> String { (try? String(contentsOfFile: "\(house.directory)/attack", encoding: .utf8)) ?? "" }
        #expect(eventually { said().hasPrefix("attacking\n") })
        let victim = try house.python(in: "app", Self.victim)
        #expect(victim.text == "220 answers, none late", "\(victim)\n\(said())")
        #expect(try house.ctl("container", "ls").status == 0)
        #expect(eventually { said().hasSuffix("done\n") }, "\(said())")
        House.kill(attacker)
        #expect(house.daemon?.isRunning == true)
        #expect(house.log.count < 20_000, "what it causes is not logged without end")
    }

    /// Asks our names over UDP and TCP, and an upstream's, for two seconds.
    private static let victim = """
        import socket, struct, time
        answers, late = 0, []
        def query(name):
            labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
            return bytes.fromhex("123401000001000000000000") + labels + bytes.fromhex("0000010001")
        def ask(name, address, over_tcp=False):
            global answers
            start = time.monotonic()
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if over_tcp else socket.SOCK_DGRAM)
            s.settimeout(5)
            s.connect(("127.0.0.11", 53))
            message = query(name)
            s.send(struct.pack("!H", len(message)) + message if over_tcp else message)
            answers += s.recv(512).endswith(socket.inet_aton(address))
            wait = time.monotonic() - start
            if wait > 1: late.append((name, over_tcp, wait))
        for number in range(200):
            ask("web", "10.1.0.2")
            if number % 20 == 0: ask("web", "10.1.0.2", True)
            if number % 20 == 10: ask("www%d.example" % number, "192.0.2.1")
            time.sleep(0.01)
        print("%d answers, %s late" % (answers, late or "none"))
        """

    @Test("by holding every TCP connection, flooding with questions, and asking upstreams that are silent")
    func floods() throws {
        try lend { house in
            try attack(
                house,
                """
                import socket, struct, time
                def query(name, number):
                    labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
                    return struct.pack("!H", number & 65535) + bytes.fromhex("01000001000000000000") + labels + bytes.fromhex("0000010001")
                connections, sockets, number = [], [], 0
                for _ in range(8):
                    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    s.connect(("127.0.0.11", 53))
                    s.setblocking(False)
                    sockets.append(s)
                print("attacking")
                end = time.monotonic() + 4
                while time.monotonic() < end:
                    t = socket.socket()
                    t.setblocking(False)
                    t.connect_ex(("127.0.0.11", 53))
                    connections.append(t)
                    if len(connections) > 500:
                        connections.pop(0).close()
                    try:
                        # It asks for more than it ever reads.
                        message = query("web", number)
                        connections[len(connections) // 2].send((struct.pack("!H", len(message)) + message) * 100)
                    except OSError:
                        pass
                    for s in sockets:
                        for name in ["web", "silent.x%d.silent.example" % number, "nobody%d" % number]:
                            number += 1
                            try: s.send(query(name, number))
                            except OSError: pass
                        try: s.send(b"garbage")
                        except OSError: pass
                print("done")
                """)
            #expect(try eventually { try house.dig("evil", "web").data == ["10.1.0.2"] }, "it is served again itself")
        }
    }

    @Test("by renaming, adding and removing links and addresses as fast as it can: more than is told of")
    func storms() throws {
        try lend { house in
            try attack(
                house,
                """
                import subprocess, time
                lines = [
                    "link set eth0 down", "link set eth0 name x{n}", "link set x{n} name eth0", "link set eth0 up",
                    "link add d{n} type veth peer name p{n}", "addr add 10.1.{n}.1/24 dev d{n}",
                    "addr add 10.1.{n}.2/24 dev eth0", "addr del 10.1.{n}.2/24 dev eth0", "link del d{n}"]
                batch = "".join(line.format(n=n) + "\\n" for n in range(1, 50) for line in lines)
                print("attacking")
                end = time.monotonic() + 4
                while time.monotonic() < end:
                    subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)
                print("done")
                """)
            // Containers that come meanwhile or later are found, and the facts about them are right.
            try house.plug("late", into: "br0", "10.1.0.9/24")
            #expect(try eventually(within: 20) { try house.dig("app", "late").data == ["10.1.0.9"] }, "\(house.log)")
            #expect(try eventually(within: 20) { try house.dig("app", "evil").data == ["10.1.0.66"] })
        }
    }

    @Test("by taking its namespace apart: loopback down, routes and addresses flushed, packets dropped, ports taken")
    func dismantles() throws {
        try lend { house in
            try attack(
                house,
                """
                import socket, subprocess, time
                def run(line): subprocess.run(line.split(), check=True)
                print("attacking")
                end = time.monotonic() + 3
                while time.monotonic() < end:
                    run("nft add table inet t")
                    run("nft add chain inet t out { type filter hook output priority 0 ; policy drop ; }")
                    run("ip link set lo down")
                    run("ip addr flush dev lo")
                    run("ip route flush table local")
                    # Whoever is root there can bind to what is free, and not to what is ours.
                    run("ip link set lo up")
                    for kind in [socket.SOCK_DGRAM, socket.SOCK_STREAM]:
                        s = socket.socket(socket.AF_INET, kind)
                        for option in [socket.SO_REUSEADDR, socket.SO_REUSEPORT]: s.setsockopt(socket.SOL_SOCKET, option, 1)
                        s.setsockopt(socket.SOL_IP, 15, 1)
                        try:
                            s.bind(("127.0.0.11", 53))
                            print("bound", kind)
                        except OSError: pass
                    run("nft flush ruleset")
                print("done")
                """)
            let said = try String(contentsOfFile: "\(house.directory)/attack", encoding: .utf8)
            #expect(said == "attacking\ndone\n", "it cannot bind beside us: \(said)")
            // It keeps the damage to itself, and no other container notices.
            #expect(try house.dig("app", "evil").data == ["10.1.0.66"])
            #expect(try house.dig("web", "app").data == ["10.1.0.3"])
        }
    }
}
