// A container that asks so much outside that its neighbours could be left without sockets.

import Foundation
import Testing

@Suite("A container that asks outside without end", .needsRoot)
struct UpstreamAttackTests {
    /// The descriptors of the daemon.
    private func descriptors(_ house: House) throws -> Int {
        let pid = try #require(house.daemon?.processIdentifier)
        return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
    }

    @Test(
        "17,000 questions whose first server is silent take few sockets, and a neighbour still resolves outside names")
    func sockets() throws {
        let configuration = "[forward]\nupstreams = [\"127.0.0.5\", \"127.0.0.6\"]\n[[network]]\nname = \"n\"\n"
        try House.lend(configuration: configuration) { house in
            try house.startUpstream("127.0.0.5", mode: "silent-s")
            try house.startUpstream("127.0.0.6")
            try house.container("attacker", "--network", "n")
            try house.container("neighbour", "--network", "n")
            _ = try house.dig("neighbour", "first.example")
            let before = try descriptors(house)
            let script = """
                import socket, struct, time
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.connect(("127.0.0.11", 53))
                s.setblocking(False)
                for n in range(17000):
                    labels = b"".join(bytes([len(l)]) + l for l in (b"s%d" % n, b"example"))
                    s.send(struct.pack("!6H", n & 0xFFFF, 0x100, 1, 0, 0, 0) + labels + b"\\0\\0\\1\\0\\1")
                    try:
                        s.recv(4096)
                    except BlockingIOError:
                        pass
                    if n % 20 == 0:
                        time.sleep(0.002)
                """
            let file = "\(house.directory)/attack.py"
            try script.write(toFile: file, atomically: true, encoding: .utf8)
            let attack = try house.start(in: "attacker", ["python3", file], log: "attack")
            var most = 0
            var lookups = 0
            while attack.isRunning {
                most = max(most, try descriptors(house))
                lookups += 1
                let reply = try house.dig("neighbour", "n\(lookups).example")
                #expect(reply.data == ["192.0.2.1"], "\(reply)")
            }
            #expect(lookups > 0)
            // 512 of one namespace, and some of the neighbour's.
            #expect(most - before <= 512 + 16, "\(most) descriptors, \(before) before")
        }
    }

    @Test(
        "each of 10^4 questions comes from a port that the one before it did not have, and ports are spread over the range"
    )
    func ports() throws {
        try House.lend(configuration: ForwardingTests.configuration("127.0.0.5")) { house in
            let script = """
                import socket, struct, sys
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                u.bind(("127.0.0.5", 53))
                print("ready", flush=True)
                ports, ids = [], []
                while len(ports) < 10000:
                    data, peer = u.recvfrom(4096)
                    ports.append(peer[1])
                    ids.append(struct.unpack("!H", data[:2])[0])
                    end = data.index(b"\\0", 12) + 5
                    answer = b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\1\\0\\4\\xc0\\0\\2\\1"
                    u.sendto(data[:2] + b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0" + data[12:end] + answer, peer)
                same = sum(a == b for a, b in zip(ports, ports[1:]))
                print(len(set(ports)), same, len(set(ids)), len(set(zip(ports, ids))), flush=True)
                """
            let file = "\(house.directory)/ports.py"
            try script.write(toFile: file, atomically: true, encoding: .utf8)
            try house.container("app", "--network", "n")
            let upstream = try house.start(in: "house", ["python3", "-u", file], log: "ports")
            let log = "\(house.directory)/ports"
            #expect(eventually { (try? String(contentsOfFile: log, encoding: .utf8))?.hasPrefix("ready") == true })
            _ = try house.python(
                in: "app",
                """
                import socket, struct
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(5)
                s.connect(("127.0.0.11", 53))
                for n in range(10000):
                    labels = b"".join(bytes([len(l)]) + l for l in (b"n%d" % n, b"example"))
                    s.send(struct.pack("!6H", n & 0xFFFF, 0x100, 1, 0, 0, 0) + labels + b"\\0\\0\\1\\0\\1")
                    s.recv(4096)
                """)
            upstream.waitUntilExit()
            let words = try String(contentsOfFile: log, encoding: .utf8).split(whereSeparator: \.isWhitespace)
            let numbers = words.dropFirst().compactMap { Int($0) }
            try #require(numbers.count == 4, "\(words)")
            // Of 28,232 ports (ip_local_port_range) chance gives 8,400 different ones, and half as many of one parity.
            #expect(numbers[0] > 4000, "ports")
            #expect(numbers[1] < 12, "twice in a row")
            #expect(numbers[2] > 9000, "ids")
            #expect(numbers[3] >= 9998, "pairs")
        }
    }
}
