// TCP framing (RFC 1035 §4.2.2, RFC 7766): what clients do to the two octets before each message.

import Foundation
import Testing

@Suite("A TCP client", .needsRoot)
struct FramingTests {
    private static let configuration = """
        \(House.undiscovered)[server]
        workers = 1
        [[network]]
        name = "n"
        [forward]
        upstreams = ["127.0.0.53"]

        """

    private static let tools = """
        import select, socket, struct, sys, time
        def query(name, number=7, kind=1):
            labels = b"".join(bytes([len(l)]) + l.encode() for l in name.split("."))
            message = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + bytes([0, 0, kind, 0, 1])
            return struct.pack("!H", len(message)) + message
        def connect():
            s = socket.create_connection(("127.0.0.11", 53))
            s.settimeout(20)
            return s
        def read(s, count):
            data = b""
            while len(data) < count:
                part = s.recv(count - len(data))
                if not part: return data
                data += part
            return data
        def reply(s):
            prefix = read(s, 2)
            return read(s, struct.unpack("!H", prefix)[0]) if len(prefix) == 2 else b""
        def good(answer): return answer[-4:] == bytes([10, 0, 0, 2])

        """

    /// Runs a script in a container; then our names are answered as ever, and no connection is left.
    private func script(_ body: String, expect text: String) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.53")
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.container("app", "--network", "n")
            let output = try house.python(in: "app", Self.tools + body)
            #expect(output.text == text, "\(output)\n\(house.log)")
            #expect(try house.dig("app", "+tcp", "web").data == ["10.0.0.2"])
            #expect(try eventually { try house.ctl("--json", "status").out.contains("\"tcpConnections\" : 0") })
            #expect(house.daemon?.isRunning == true)
        }
    }

    @Test("that sends messages of no octets, ten thousand of them, gets the answer to the query behind them")
    func empty() throws {
        try script(
            """
            s = connect()
            s.sendall(b"\\0\\0" * 10000 + query("web"))
            print(good(reply(s)))
            """, expect: "True")
    }

    @Test("that sends an octet a second is closed after 10 s without a whole message, whatever the length says")
    func trickle() throws {
        try script(
            """
            clients = []
            # A query that never becomes whole, and the longest message there is.
            for octets in [query("a-name-that-takes-longer.example"), b"\\xff\\xff" + query("web") * 10]:
                clients.append((connect(), octets, time.monotonic()))
            ends = []
            for second in range(20):
                for client in list(clients):
                    s, octets, start = client
                    try: s.sendall(octets[second:second + 1])
                    except OSError: pass
                    if select.select([s], [], [], 0)[0]:
                        ends.append(time.monotonic() - start)
                        clients.remove(client)
                    # Others are answered meanwhile.
                    other = connect(); other.sendall(query("web")); assert good(reply(other)); other.close()
                if not clients: break
                time.sleep(1)
            print(len(ends), all(9 < end < 14 for end in ends))
            """, expect: "2 True")
    }

    @Test("that has sent its FIN gets all that it is owed, from us and from upstreams, and then ours")
    func halfClosed() throws {
        try script(
            """
            s = connect()
            s.sendall(query("web", 1) + query("delayed.example", 2) + query("delayed.x.example", 3) + query("web", 4))
            s.shutdown(socket.SHUT_WR)
            numbers = sorted(struct.unpack("!H", reply(s)[:2])[0] for _ in range(4))
            print(numbers, s.recv(1))
            """, expect: "[1, 2, 3, 4] b''")
    }

    @Test("that sends a thousand queries at once gets each answered once, by its id")
    func pipelined() throws {
        try script(
            """
            s = connect()
            names = ["web", "nobody", "x1.example", "web.n"]
            s.sendall(b"".join(query(names[number % 4], number) for number in range(1000)))
            answers = [reply(s) for _ in range(1000)]
            print(sorted(struct.unpack("!H", a[:2])[0] for a in answers) == list(range(1000)))
            print(sum(map(good, answers)))
            """, expect: "True\n500")
    }

    @Test("that hangs up at any octet, with a FIN or a reset, leaves nothing behind")
    func hangUp() throws {
        try script(
            """
            message = query("web") + query("delayed.example")
            for abort in (False, True):
                for end in range(1, len(message) + 1):
                    s = connect()
                    if abort: s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.sendall(message[:end])
                    s.close()
            print("done")
            """, expect: "done")
    }

    @Test("that is owed 5 MiB of answers gets each whole when it reads at last; until then they cost little memory")
    func owed() throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.53")
            try house.container("web", "--network", "n,ip=10.0.0.2")
            func resident() throws -> Int {
                let pid = try #require(house.daemon?.processIdentifier)
                let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
                let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
                return try #require(Int(line.split(whereSeparator: \.isWhitespace)[1])) / 1024
            }
            let before = try resident()
            let reader = try house.start(
                in: "web",
                [
                    "python3", "-uc",
                    Self.tools + """
                        import signal
                        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
                        # In the cache first: 59 kB each. On a busy machine the upstream may need more than one question.
                        first = connect()
                        for n in range(10):
                            first.sendall(query("huge.example", n, 16)); size = len(reply(first))
                            if size > 50000: break
                        clients = [connect() for _ in range(8)]
                        for s in clients: s.sendall(b"".join(query("huge.example", n, 16) for n in range(90)))
                        # It reads when it is told to.
                        print("ready")
                        signal.sigwait([signal.SIGUSR1])
                        whole = [[len(reply(s)) for _ in range(90)] == [size] * 90 for s in clients]
                        print(size > 50000, all(whole))
                        """,
                ], log: "reader")
            func said() -> [String] {
                ((try? String(contentsOfFile: "\(house.directory)/reader", encoding: .utf8)) ?? "")
                    .split(separator: "\n").map(String.init)
            }
            #expect(eventually { said().last == "ready" }, "\(said())")
            #expect(try house.dig("web", "+tcp", "web").data == ["10.0.0.2"])
            // Eight times 192 KiB, and what the upstream's answer took.
            #expect(try resident() - before < 16)
            kill(reader.processIdentifier, SIGUSR1)
            #expect(eventually(within: 20) { said().last == "True True" }, "\(said())")
        }
    }
}
