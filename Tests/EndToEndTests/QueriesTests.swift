// Watching questions as they are answered: intercomctl monitor --queries, and the same in the log.

import Foundation
import Glibc
import Testing

@Suite("A monitor of questions", .needsRoot)
struct QueriesTests {
    private static let configuration = """
        [forward]
        upstreams = ["127.0.0.5"]
        [[network]]
        name = "front"
        subnets = ["10.1.0.0/24"]
        [[network]]
        name = "inner"
        subnets = ["10.2.0.0/24"]
        internal = true
        """

    /// A question, and all that is printed of it but times.
    struct Case: CustomStringConvertible {
        let container: String
        let question: String
        let printed: String
        var description: String { "\(container): \(question)" }

        init(_ container: String, _ question: String, _ printed: String) {
            self.container = container
            self.question = question
            self.printed = printed
        }
    }

    /// One for each rule of README's table, and for each who may answer.
    static let cases = [
        Case("web", "+tcp web", "web tcp web A NOERROR network front"),
        Case("web", "WEB AAAA", "web udp web AAAA NOERROR network front"),
        Case("web", "store", "web udp store A NOERROR link"),
        Case("web", "localhost", "web udp localhost A NOERROR special-use name (RFC 6761)"),
        Case("web", "invalid", "web udp invalid A NXDOMAIN special-use name (RFC 6761)"),
        Case("web", "-x 10.1.0.2", "web udp 2.0.1.10.in-addr.arpa PTR NOERROR network front, by address"),
        Case(
            "web", "-x 10.1.0.9",
            "web udp 9.0.1.10.in-addr.arpa PTR NXDOMAIN nobody has this address on the container's networks"),
        Case(
            "web", "nobody",
            "web udp nobody A NXDOMAIN no such name on the container's networks; single labels are not forwarded"),
        Case(
            "web", "+tcp x.internal",
            "web tcp x.internal A NXDOMAIN no such name on the container's networks; the domain is never forwarded"),
        Case(
            "web", "x.local",
            "web udp x.local A NXDOMAIN names under local are asked by multicast (RFC 6762); they are not forwarded"),
        Case(
            "web", "_x._tcp.web",
            "web udp _x._tcp.web A NXDOMAIN no such underscored name under a name on the container's networks"),
        Case(
            "web", "-c CH -t TXT version.bind",
            "web udp version.bind TXT REFUSED refused: a class other than IN, or a zone transfer"),
        Case("web", "+edns=1 +noednsneg web", "web udp web A BADVERS refused: an EDNS version above 0"),
        Case("web", "+opcode=NOTIFY web", "web udp - - NOTIMP refused: an opcode other than QUERY"),
        Case(
            "web", "+norecurse www.example",
            "web udp www.example A REFUSED refused: a name of outside, asked without recursion (RD clear)"),
        Case("web", "www.example TXT", "web udp www.example TXT NOERROR upstream 127.0.0.5:53"),
        Case("web", "+tcp www.example TXT", "web tcp www.example TXT NOERROR cache"),
        Case("web", "+tcp other.example TXT", "web tcp other.example TXT NOERROR upstream 127.0.0.5:53"),
        Case("web", "other.example TXT", "web udp other.example TXT NOERROR cache"),
        Case(
            "db", "www.example",
            "db udp www.example A NXDOMAIN not forwarded: no network of the container may reach upstreams"),
        // Control characters are shown by their numbers.
        Case(
            "web", #"\027[31m\007x"#,
            #"web udp \027[31m\007x A NXDOMAIN no such name on the container's networks; single labels are not forwarded"#
        ),
    ]

    private func lend(_ body: (House) throws -> Void) throws {
        try House.lend(configuration: Self.configuration) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("web", "--network", "front,ip=10.1.0.2", "--link", "db:store")
            try house.container("db", "--network", "inner,ip=10.2.0.2")
            try house.mustCtl("network", "connect", "inner", "web", "--ip", "10.2.0.3")
            try body(house)
        }
    }

    /// Starts intercomctl, and asks until it is seen.
    @discardableResult
    private func start(_ house: House, _ options: String...) throws -> Process {
        let process = try house.start(
            in: "house",
            ["\(House.binaries)/intercomctl", "--socket", house.socket, "monitor", "--queries"] + options,
            log: "queries")
        try #require(
            eventually {
                _ = try house.dig("web", "begun")
                return !lines(house).isEmpty
            })
        return process
    }

    private func lines(_ house: House) -> [String] {
        let text = (try? String(contentsOfFile: "\(house.directory)/queries", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// A line without the time of day and the microseconds, which are checked.
    private func timeless(_ line: String) -> String {
        guard let found = line.wholeMatch(of: /\d\d:\d\d:\d\d\.\d\d\d (.*) \d+ µs, (.*)/) else {
            return "malformed: \(line)"
        }
        return "\(found.1) \(found.2)"
    }

    @Test("prints each question over UDP and TCP with its answer and what decided it")
    func rules() throws {
        try lend { house in
            try start(house)
            for each in Self.cases {
                let options = ["dig", "@127.0.0.11", "+timeout=6", "+tries=1", "+nocookie"]
                let words = each.question.split(separator: " ").map(String.init)
                _ = try house.run(in: each.container, options + words)
            }
            let expected = Self.cases.map(\.printed)
            func printed() -> [String] { lines(house).map(timeless).filter { !$0.contains(" begun ") } }
            #expect(eventually { printed().count >= expected.count })
            for (line, wanted) in zip(printed(), expected) { #expect(line == wanted) }
            #expect(printed().count == expected.count, "\(printed())")
        }
    }

    @Test("of one container prints no other's, also when the container has ended and is there again")
    func oneContainer() throws {
        try lend { house in
            try start(house, "--from", "web", "--json")
            _ = try house.dig("db", "db")
            _ = try house.dig("web", "web")
            #expect(eventually { lines(house).contains { $0.contains(#""name":"web""#) } })
            try house.mustCtl("container", "rm", "web")
            try house.mustCtl("container", "add", "web", "--netns", house.path("web"), "--network", "front,ip=10.1.0.7")
            #expect(
                try eventually {
                    _ = try house.dig("web", "again")
                    return lines(house).contains { $0.contains(#""name":"again""#) }
                })
            #expect(!lines(house).contains { $0.contains(#""container":"db""#) })
            let question = try #require(lines(house).first { $0.contains(#""name":"web""#) })
            for part in [
                #""container":"web""#, #""decidedBy":"network front""#, #""rcode":"NOERROR""#,
                #""transport":"udp""#, #""type":"A""#, #""microseconds":"#, #""time":"#,
            ] {
                #expect(question.contains(part), "\(question)")
            }
        }
    }

    @Test("refuses a container that nobody knows, and --from without --queries")
    func refused() throws {
        try lend { house in
            let unknown = try house.ctl("monitor", "--queries", "--from", "nobody")
            #expect(unknown.status == 1 && unknown.err.contains("nobody"), "\(unknown)")
            let usage = try house.ctl("monitor", "--from", "web")
            #expect(usage.status == 2 && usage.err.contains("--queries"), "\(usage)")
        }
    }

    @Test("that does not read holds up nobody, and is told how many questions it has missed")
    func flood() throws {
        try lend { house in
            let monitor = try start(house, "--json")
            Glibc.kill(monitor.processIdentifier, SIGSTOP)
            // More than the sockets and the daemon keep for it.
            let sent = 6000
            let output = try house.python(
                in: "web",
                """
                import socket, struct, sys
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(5)
                s.connect(("127.0.0.11", 53))
                count = int(sys.argv[1])
                for first in range(0, count, 50):
                    for number in range(first, first + 50):
                        s.send(struct.pack("!6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + b"\\x03web\\0\\0\\1\\0\\1")
                    for _ in range(50): s.recv(512)
                print("answered")
                """, ["\(sent)"])
            #expect(output.text == "answered", "\(output)")
            Glibc.kill(monitor.processIdentifier, SIGCONT)
            func sum() -> (told: Int, missed: Int) {
                var (told, missed) = (0, 0)
                for line in lines(house) where line.hasSuffix("}") {
                    if line.contains(#""name":"web""#) { told += 1 }
                    if let found = line.wholeMatch(of: /\{"missed":(\d+)\}/) { missed += Int(found.1) ?? 0 }
                }
                return (told, missed)
            }
            #expect(eventually { sum().told + sum().missed == sent }, "\(sum())")
            #expect(sum().told >= 200 && sum().missed > 0, "\(sum())")
        }
    }

    @Test("is the log, at the level trace")
    func log() throws {
        try House.lend(configuration: Self.configuration, options: ["--log-level", "trace"]) { house in
            try house.startUpstream("127.0.0.5")
            try house.container("web", "--network", "front,ip=10.1.0.2")
            _ = try house.dig("web", "+tcp", "web")
            _ = try house.dig("web", "www.example", "TXT")
            for part in [
                "query web A from view 0 over TCP: NOERROR, network front, ",
                "query www.example TXT from view 0 over UDP: NOERROR, upstream 127.0.0.5:53, ",
            ] {
                #expect(eventually { house.log.contains(part) }, "\(house.log)")
            }
        }
    }
}
