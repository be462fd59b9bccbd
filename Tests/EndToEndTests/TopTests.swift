// The live table, on a terminal of 80 by 24 and elsewhere.

import Foundation
import Testing

@Suite("The table of top", .needsRoot)
struct TopTests {
    private func lend(_ body: (House) throws -> Void) throws {
        let configuration = """
            [forward]
            upstreams = ["127.0.0.5"]
            [[network]]
            name = "front"
            """
        try House.lend(configuration: configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("web", "--network", "front,ip=10.0.0.2")
            try body(house)
        }
    }

    /// Runs top on a terminal of its own, does something, and prints what was drawn and whether the terminal is as before.
    /// Arguments: what to do when the container is on the screen ("q", "SIGTERM", "SIGINT"), TERM, then the command.
    private static let terminal = """
        import fcntl, json, os, pty, select, signal, struct, subprocess, sys, termios, time
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        before = termios.tcgetattr(follower)
        process = subprocess.Popen(sys.argv[3:], stdin=follower, stdout=follower, stderr=follower, env=os.environ | {"TERM": sys.argv[2]})
        drawn, isTold, deadline = b"", False, time.monotonic() + 20
        while time.monotonic() < deadline and process.poll() is None:
            if select.select([leader], [], [], 0.1)[0]: drawn += os.read(leader, 65536)
            if b"web " in drawn and not isTold:
                isTold = True
                if sys.argv[1] == "q": os.write(leader, b"hq")
                else: process.send_signal(getattr(signal, sys.argv[1]))
        if process.poll() is None: process.kill()
        while select.select([leader], [], [], 0.2)[0]: drawn += os.read(leader, 65536)
        print(json.dumps({"status": process.wait(), "isRestored": termios.tcgetattr(follower) == before, "drawn": drawn.decode()}))
        """

    private struct Visit: Decodable {
        var status: Int
        var isRestored: Bool
        var drawn: String
    }

    /// Asks as the container until a body is over.
    private func whileAsking(_ house: House, _ body: () throws -> Void) throws {
        let line =
            "while :; do dig @127.0.0.11 +tries=1 +time=1 web; dig @127.0.0.11 +tries=1 +time=1 www.example TXT; done"
        let process = try house.start(in: "web", ["sh", "-c", line], log: "digs")
        defer { House.kill(process) }
        try body()
    }

    @Test("is drawn on a terminal, which is as before at its end", arguments: ["q", "SIGTERM", "SIGINT", "SIGHUP"])
    func live(end: String) throws {
        try lend { house in
            try whileAsking(house) {
                let output = try Command.must([
                    "python3", "-c", Self.terminal, end, "xterm", "\(House.binaries)/intercomctl", "--socket",
                    house.socket, "top",
                ])
                let visit = try JSONDecoder().decode(Visit.self, from: Data(output.out.utf8))
                #expect(visit.status == 0 && visit.isRestored)
                #expect(
                    visit.drawn.hasPrefix("\u{1B}[?1049h\u{1B}[?25l\u{1B}[H")
                        && visit.drawn.hasSuffix("\u{1B}[?25h\u{1B}[?1049l"))
                #expect(visit.drawn.contains("questions/s") && visit.drawn.contains("www.example"))
                #expect(!visit.drawn.contains("\u{1B}[2J"))
            }
        }
    }

    @Test("is printed once on a terminal that can place no cursor, into a pipe, and as JSON")
    func once() throws {
        try lend { house in
            try whileAsking(house) {
                let output = try Command.must([
                    "python3", "-c", Self.terminal, "q", "dumb", "\(House.binaries)/intercomctl", "--socket",
                    house.socket, "top",
                ])
                let visit = try JSONDecoder().decode(Visit.self, from: Data(output.out.utf8))
                #expect(visit.status == 0 && visit.isRestored && !visit.drawn.contains("\u{1B}"))
                let table = try house.ctl("top", "--sort", "hits")
                #expect(table.status == 0 && table.lines.allSatisfy { $0.count <= 80 })
                #expect(
                    table.lines.contains { $0.hasPrefix("web ") }
                        && table.lines.contains { $0.hasPrefix("www.example ") })
                let json = try house.ctl("top", "--json", "--seconds", "1").out
                #expect(json.contains("\"containers\"") && json.contains("\"web\""))
            }
            #expect(try house.ctl("top", "--seconds", "11").status == 2)
        }
    }
}
