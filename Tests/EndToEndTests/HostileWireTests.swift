// Hostile messages on port 53: each gets the answer of the RFCs or none, and the next client gets its answer.

import Foundation
import Testing

@Suite("Whatever is sent to it, the daemon stays up", .needsRoot)
struct HostileWireTests {
    static let configuration = """
        [server]
        workers = 1
        [[network]]
        name = "n"
        [[container]]
        name = "web"
        networks = [{ name = "n", ip = ["10.0.0.2"] }]
        [[container]]
        name = "crowd"
        networks = [{ name = "n", ip = [\((1...200).map { "\"10.0.1.\($0)\"" }.joined(separator: ", "))] }]
        [forward]
        upstreams = ["127.0.0.1:9"]
        """

    private static let tools = """
        import os, random, select, socket, struct, sys, time
        QUERY = struct.pack("!6H", 0x1234, 0x0100, 1, 0, 0, 0) + b"\\3web\\0\\0\\1\\0\\1"
        def udp():
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.settimeout(5)
            s.connect(("127.0.0.11", 53))
            return s
        def tcp():
            s = socket.create_connection(("127.0.0.11", 53))
            s.settimeout(15)
            return s
        def ask(s, message):
            s.send(message)
            return s.recv(65535)
        def alive():
            reply = ask(udp(), QUERY)
            assert reply[3] & 15 == 0 and reply[-4:] == bytes([10, 0, 0, 2]), reply
        def framed(message): return struct.pack("!H", len(message)) + message
        def read(s, count):
            data = b""
            while len(data) < count:
                part = s.recv(count - len(data))
                if not part: return data
                data += part
            return data
        def code(reply): return reply[3] & 15

        """

    private func script(_ body: String, expect lines: [String]) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.container("app", "--network", "n")
            let output = try house.python(in: "app", Self.tools + body + "\nalive()\nprint('alive')\n")
            #expect(output.lines == lines + ["alive"], "\(output)\n\(house.log)")
            #expect(house.daemon?.isRunning == true)
        }
    }

    @Test("in datagrams: garbage, truncations, answers, wrong counts, pointers in circles")
    func datagrams() throws {
        try script(
            """
            s = udp()
            header = lambda flags, *counts: struct.pack("!6H", 7, flags, *counts)
            print(code(ask(s, header(0x0100, 0, 0, 0, 0))))
            print(code(ask(s, header(0x0100, 2, 0, 0, 0) + QUERY[12:] * 2)))
            print(code(ask(s, header(0x0100, 1, 0, 0, 0))))
            print(code(ask(s, header(0x0100, 1, 0, 0, 0) + b"\\xc0\\x0c\\0\\1\\0\\1")))
            print(code(ask(s, header(0x0100, 1, 0, 0, 0) + b"\\xc0\\xff\\0\\1\\0\\1")))
            print(code(ask(s, header(0x0100, 1, 0, 0, 0) + b"\\1a\\xc0\\x0c\\0\\1\\0\\1")))
            print(code(ask(s, header(0x0100, 1, 0, 0, 0) + b"\\x40" + b"a" * 64 + b"\\0\\0\\1\\0\\1")))
            print(code(ask(s, header(0x0100, 1, 0, 0, 0) + (b"\\x3f" + b"a" * 63) * 4 + b"\\0\\0\\1\\0\\1")))
            print(code(ask(s, header(0x0100, 1, 0, 0, 5) + QUERY[12:])))
            print(code(ask(s, header(0x2900, 1, 0, 0, 0) + QUERY[12:])))
            # Dropped: answers, and what has no header.
            for dropped in [header(0x8180, 1, 0, 0, 0) + QUERY[12:], b"", b"x", QUERY[:11]]:
                s.send(dropped)
            reply = ask(s, QUERY)
            print(struct.unpack("!H", reply[:2])[0] == 0x1234)
            random.seed(1)
            for length in range(12, len(QUERY)):
                s.send(QUERY[:length])
            for _ in range(3000):
                message = bytearray(QUERY)
                for _ in range(random.randint(1, 6)):
                    message[random.randrange(len(message))] = random.randrange(256)
                s.send(bytes(message) + os.urandom(random.randint(0, 40)))
            """, expect: ["1", "1", "1", "1", "1", "1", "1", "1", "1", "4", "True"])
    }

    @Test("over TCP: lies about lengths, cut connections, one octet at a time, many at once, in any order")
    func streams() throws {
        try script(
            """
            s = tcp()
            for octet in framed(QUERY): s.send(bytes([octet]))
            length, = struct.unpack("!H", read(s, 2))
            print(length == len(read(s, length)))
            s.sendall(framed(QUERY) * 100)
            size = length + 2
            print(len(read(s, size * 100)) == size * 100)
            # Half a query, then the client is gone; and a length that nothing follows.
            for part in [framed(QUERY)[:5], b"\\xff\\xff" + QUERY, b"\\0"]:
                c = tcp(); c.send(part); c.close()
            # A half-closed client still gets what it is owed.
            c = tcp(); c.sendall(framed(QUERY) * 3); c.shutdown(socket.SHUT_WR)
            print(len(read(c, size * 4)) == size * 3)
            # An empty message, garbage, and a query behind them.
            c = tcp(); c.sendall(b"\\0\\0" + framed(b"garbage") + framed(QUERY))
            print(len(read(c, size)) == size)
            # 64 KiB of labels.
            c = tcp(); c.sendall(framed(QUERY[:12] + (b"\\x3f" + b"a" * 63) * 1020))
            reply = read(c, 14)
            print(code(reply[2:]))
            """, expect: ["True", "True", "True", "True", "1"])
    }

    @Test("over TCP: all that a client asks at once is answered, however much it is, and who cuts is cut")
    func pipelines() throws {
        try script(
            """
            # Megabytes of answers; and questions for an upstream that refuses, which fail while they are read.
            crowd = framed(QUERY[:12] + b"\\5crowd\\0\\0\\1\\0\\1")
            outside = framed(QUERY[:12] + b"\\1x\\7example\\0\\0\\1\\0\\1")
            def answers(c):
                count = 0
                while len(prefix := read(c, 2)) == 2:
                    length, = struct.unpack("!H", prefix)
                    assert len(read(c, length)) == length
                    count += 1
                return count
            for query in [crowd, outside, framed(QUERY) + crowd + outside]:
                c = tcp(); c.sendall(query * 1000); c.shutdown(socket.SHUT_WR)
                print(answers(c))
            c = tcp(); c.sendall(crowd * 1000)
            for _ in range(1000):
                length, = struct.unpack("!H", read(c, 2))
                read(c, length)
            random.seed(2)
            for number in range(200):
                c = tcp(); c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                c.sendall([outside, crowd][number % 2] * random.choice([2, 50, 500]))
                time.sleep(random.random() / 500)
                c.close()
            """, expect: ["1000", "1000", "3000"])
    }

    @Test("a client that never reads holds up itself alone")
    func neverReads() throws {
        try script(
            """
            stuck = tcp()
            stuck.setblocking(False)
            sent = 0
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                try:
                    sent += stuck.send(framed(QUERY) * 1000)
                except BlockingIOError:
                    alive()
            print(sent < 64 << 20)
            """, expect: ["True"])
    }

    @Test("64 connections a namespace: the oldest idle one makes room; idle ones end after 10 s")
    func connections() throws {
        try script(
            """
            clients = []
            for number in range(70):
                c = tcp()
                c.sendall(framed(QUERY))
                length, = struct.unpack("!H", read(c, 2))
                assert len(read(c, length)) == length
                clients.append(c)
            closed = lambda c: bool(select.select([c], [], [], 0)[0]) and c.recv(1) == b""
            print([closed(c) for c in clients[:8]], any(closed(c) for c in clients[8:]))
            start = time.monotonic()
            idle = tcp()
            print(idle.recv(1) == b"", 9 < time.monotonic() - start < 13)
            """, expect: ["[True, True, True, True, True, True, False, False] False", "True True"])
    }
}
