// The hook of systemd-resolved, asked by a client that speaks it as systemd 259 does (Kit/resolved.py).

import Foundation
import Testing

@Suite("The hook of systemd-resolved", .needsRoot)
struct ResolveHookTests {
    private static let networks = """
        [[network]]
        name = "front"
        [[network]]
        name = "back"

        """

    private func path(_ house: House) -> String { "\(house.directory)/resolve.hook/intercom" }

    /// A house whose daemon has the socket of the hook, with `web` on `front`, `db` on both.
    private func lend(_ text: String = networks, _ body: (House) throws -> Void) throws {
        try House.lend { house in
            _ = house.stopDaemon()
            try start(house, text)
            try house.container(
                "web", "--network", "front,ip=10.1.0.2,ip=fd00::2,alias=*.app,alias=com", "--port", "80")
            try house.container("db", "--network", "front,ip=10.1.0.3", "--network", "back,ip=10.2.0.3")
            try body(house)
        }
    }

    private func start(_ house: House, _ text: String) throws {
        try house.startDaemon(
            House.undiscovered + text, under: ["python3", House.kit("activate.py"), "resolve-hook", path(house)])
    }

    /// Has systemd-resolved look up names.
    private func lookUp(_ house: House, _ lines: [String]) throws -> [String] {
        let output = try house.run(
            in: "house", ["python3", House.kit("resolved.py"), path(house)],
            input: lines.map { $0 + "\n" }.joined())
        #expect(output.status == 0, "\(output)")
        return output.lines
    }

    @Test("answers names of containers and their addresses, all keys of a lookup at once, and leaves the rest to DNS")
    func answers() throws {
        try lend { house in
            let rows: [(String, String)] = [
                ("web.front.internal A", "0 | web.front.internal 1 10.1.0.2"),
                ("web.front.internal A,AAAA", "0 | web.front.internal 1 10.1.0.2 | web.front.internal 28 fd00::2"),
                ("WEB.Front.Internal A", "0 | WEB.Front.Internal 1 10.1.0.2"),
                ("web.internal A", "0 | web.internal 1 10.1.0.2"),
                ("x.app.front.internal A", "0 | x.app.front.internal 1 10.1.0.2"),
                // No address of this family: the name is there.
                ("db.back.internal AAAA", "0"),
                ("web.front.internal TXT", "0"),
                ("front.internal A,AAAA", "0"),
                ("internal A", "0"),
                // Nobody has it, or several: under the domain nobody else is asked.
                ("nobody.front.internal A,AAAA", "3"),
                ("db.internal A", "3"),
                ("2.0.1.10.in-addr.arpa PTR", "0 | 2.0.1.10.in-addr.arpa 12 web.front.internal"),
                // No container's address: whoever knows it.
                ("9.0.1.10.in-addr.arpa PTR", "DNS"),
                ("1.0.0.127.in-addr.arpa PTR", "DNS"),
                ("metadata.google.internal A", "DNS"),
                // Not asked about at all.
                ("www.example A", "skipped"), ("web A", "skipped"), ("com A", "skipped"), ("web.front A", "skipped"),
                ("internal.example A", "skipped"),
                // One name in two forms, as of names beyond ASCII: what one has is the answer.
                ("nobody.front.internal,web.front.internal A", "0 | web.front.internal 1 10.1.0.2"),
                ("nobody.front.internal,www.example A", "DNS"),
            ]
            let found = try lookUp(house, ["@filter"] + rows.map(\.0))
            #expect(found.first == "internal in-addr.arpa ip6.arpa")
            for ((question, expected), got) in zip(rows, found.dropFirst()) { #expect(got == expected, "\(question)") }
            #expect(found.count == rows.count + 1)

            // A filter that is lost is not asked for again: then each name of the host comes here.
            let unfiltered = try lookUp(
                house, ["@reset", "www.example A", "web A", "com A,AAAA", "db.back.internal A"])
            #expect(unfiltered == ["reset", "DNS", "DNS", "DNS", "0 | db.back.internal 1 10.2.0.3"])
        }
    }

    @Test("harms no name while the daemon is away, follows its domain, and knows what has changed at once")
    func changes() throws {
        try lend { house in
            try house.mustCtl("container", "add", "late", "--network", "front,ip=10.1.0.9")
            #expect(try lookUp(house, ["late.front.internal A"]) == ["0 | late.front.internal 1 10.1.0.9"])
            try house.mustCtl("container", "rm", "late")
            #expect(try lookUp(house, ["late.front.internal A"]) == ["3"])

            #expect(house.stopDaemon() == 0)
            #expect(try lookUp(house, ["web.front.internal A", "www.example A"]) == ["DNS", "DNS"])
            try start(house, Self.networks + "[server]\ndomain = \"test\"\n")
            #expect(try eventually { try lookUp(house, ["web.front.test A"]) == ["0 | web.front.test 1 10.1.0.2"] })
            #expect(try lookUp(house, ["@filter"]) == ["test in-addr.arpa ip6.arpa"])
        }
    }

    @Test("refuses what is no lookup, and goes on")
    func hostile() throws {
        try lend { house in
            let script = """
                import json, socket, sys
                def call(message):
                    s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1])
                    s.sendall(json.dumps(message).encode() + b"\\0")
                    data = b""
                    while not data.endswith(b"\\0"):
                        part = s.recv(65536)
                        if not part: return "closed"
                        data += part
                    reply = json.loads(data[:-1])
                    return reply.get("error") or json.dumps(reply["parameters"], sort_keys=True)
                def key(name, kind=1, cls=1): return {"key": {"class": cls, "type": kind, "name": name}}
                def resolve(*keys): return {"method": "io.systemd.Resolve.Hook.ResolveRecord", "parameters": {"question": list(keys)}}
                for message in [
                    resolve(), resolve(*[key("web.front.internal")] * 17), resolve(key("a" * 64 + ".internal")),
                    resolve(key("web.front.internal", 70000)), resolve(key("web.front.internal", -1)),
                    resolve(key("web.front.internal", 1, 3)), resolve(key("")), resolve(key("." * 300)),
                    {"method": "io.systemd.Resolve.Hook.ResolveRecord"}, {"method": "io.systemd.Resolve.Hook.Other"},
                    {"method": "intercom.Control.Status"}, resolve(key("web.front.internal", 255)),
                ]: print(call(message))
                """
            let output = try house.python(script, [path(house)])
            #expect(output.status == 0, "\(output)")
            let lines = output.lines
            #expect(lines.prefix(8).allSatisfy { $0 == "{}" }, "\(lines)")
            #expect(
                Array(lines.dropFirst(8).prefix(3)) == [
                    "org.varlink.service.InvalidParameter", "org.varlink.service.MethodNotFound",
                    "org.varlink.service.InterfaceNotFound",
                ], "\(lines)")
            #expect(lines.last?.hasPrefix("{\"answer\": [{\"raw\": ") == true, "\(lines)")
            #expect(try lookUp(house, ["web.front.internal A"]) == ["0 | web.front.internal 1 10.1.0.2"])
            #expect(try house.ctl("--json", "status").out.contains("\"way\""))
        }
    }
}
