// Watching the registry: by intercomctl, by PyPI's Varlink client, and by one that does not read.

import Foundation
import Glibc
import Testing

@Suite("A monitor", .needsRoot)
struct MonitorTests {
    /// Starts intercomctl monitor.
    private func start(_ house: House, _ options: String...) throws -> Process {
        try house.start(
            in: "house", ["\(House.binaries)/intercomctl", "--socket", house.socket, "monitor"] + options,
            log: "monitor")
    }

    private func lines(_ house: House) -> [String] {
        let text = (try? String(contentsOfFile: "\(house.directory)/monitor", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    private func change(_ house: House) throws {
        try house.mustCtl("network", "create", "front", "--subnet", "10.0.0.0/24", "--internal")
        try house.mustCtl("container", "add", "web", "--network", "front,ip=10.0.0.2,alias=site")
        try house.mustCtl("container", "drain", "web")
        try house.mustCtl("network", "disconnect", "front", "web")
        try house.mustCtl("container", "rm", "web")
        try house.mustCtl("network", "rm", "front")
    }

    @Test("prints each change on a line of its own, and ends with 0 on Ctrl-C")
    func text() throws {
        try House.lend { house in
            let monitor = try start(house)
            // Nothing is printed before the first change: it is made until it is seen.
            #expect(
                try eventually {
                    try house.mustCtl("network", "create", "probe")
                    try house.mustCtl("network", "rm", "probe")
                    return !lines(house).isEmpty
                })
            try change(house)
            #expect(eventually { lines(house).last == "network removed front subnets 10.0.0.0/24 internal" })
            #expect(
                lines(house).filter { !$0.contains("probe") } == [
                    "network added front subnets 10.0.0.0/24 internal", "container added web",
                    "endpoint added web on front addresses 10.0.0.2 aliases site", "container changed web draining",
                    "endpoint removed web on front addresses 10.0.0.2 aliases site", "container removed web draining",
                    "network removed front subnets 10.0.0.0/24 internal",
                ])
            Glibc.kill(monitor.processIdentifier, SIGINT)
            monitor.waitUntilExit()
            #expect(monitor.terminationReason == .exit && monitor.terminationStatus == 0)
            try house.mustCtl("status")
        }
    }

    @Test("prints an object a line with --json, and ends with the daemon")
    func json() throws {
        try House.lend { house in
            let monitor = try start(house, "--json")
            #expect(eventually { lines(house) == [#"{"ready":true}"#] })
            try change(house)
            #expect(eventually { lines(house).count == 8 })
            #expect(
                lines(house)[3]
                    == #"{"change":{"action":"added","addresses":["10.0.0.2"],"aliases":["site"],"container":"web","kind":"endpoint","network":"front"}}"#
            )
            #expect(house.stopDaemon() == 0)
            monitor.waitUntilExit()
            #expect(monitor.terminationReason == .exit && monitor.terminationStatus == 3)
            #expect(lines(house).last == "intercomctl: the daemon has ended")
        }
    }

    @Test("ends when nobody reads what it prints")
    func brokenPipe() throws {
        try House.lend { house in
            let script = "\(House.binaries)/intercomctl --socket \(house.socket) monitor --json | head --lines 1"
            let output = try house.run(in: "house", ["sh", "-c", script])
            #expect(output.text == #"{"ready":true}"#, "\(output)")
            #expect(output.status == 0)
        }
    }

    @Test("is PyPI's Varlink client, too; a call that wants one reply is told so")
    func varlinkClient() throws {
        try House.lend { house in
            let output = try house.python(
                """
                import sys, varlink
                client = varlink.Client("unix:" + sys.argv[1])
                with client.open("intercom.Control") as watcher, client.open("intercom.Control") as control:
                    try:
                        watcher.Monitor()
                    except varlink.VarlinkError as e:
                        print(e.error())
                    for reply in watcher.Monitor(_more=True):
                        print(reply)
                        if "ready" in reply:
                            control.CreateNetwork("front")
                            control.AddContainer(name="web", networks=[{"name": "front"}])
                        if reply.get("change", {}).get("kind") == "endpoint":
                            break
                """, [house.socket])
            #expect(
                output.lines == [
                    "org.varlink.service.ExpectedMore", "{'ready': True}",
                    "{'change': {'kind': 'network', 'action': 'added', 'network': 'front', 'subnets': [], 'internal': False}}",
                    "{'change': {'kind': 'container', 'action': 'added', 'container': 'web', 'draining': False}}",
                    "{'change': {'kind': 'endpoint', 'action': 'added', 'network': 'front', 'container': 'web', 'addresses': [], 'aliases': []}}",
                ], "\(output)")
        }
    }

    @Test("that does not read holds up nobody, and is told how much it has missed")
    func slowReader() throws {
        try House.lend(configuration: "[[network]]\nname = \"n\"\n") { house in
            let output = try house.python(
                """
                import json, socket, sys
                def connect():
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    s.settimeout(20)
                    s.connect(sys.argv[1])
                    return s
                def send(s, method, **more):
                    s.sendall(json.dumps(dict(method="intercom.Control." + method, **more)).encode() + b"\\0")
                slow, busy = connect(), connect()
                send(slow, "Monitor", more=True)
                while not slow.recv(1000).endswith(b"\\0"): pass
                turns, answered = 700, 0
                aliases = ["a%d.%s" % (n, "x" * 50) for n in range(10)]
                for n in range(turns):
                    send(busy, "AddContainer", parameters={"name": "c", "networks": [{"name": "n", "aliases": aliases}]})
                    send(busy, "RemoveContainer", parameters={"name": "c"})
                    while answered < 2 * n + 2: answered += busy.recv(65536).count(b"\\0")
                print(answered)
                data, told, missed = b"", 0, 0
                while told + missed < 4 * turns:
                    data += slow.recv(1 << 20)
                    *messages, data = data.split(b"\\0")
                    for message in map(json.loads, messages):
                        assert message["continues"]
                        told += "change" in message["parameters"]
                        missed += message["parameters"].get("missed", 0)
                print(told + missed, told > 100, missed > 100)
                send(busy, "CreateNetwork", parameters={"name": "last"})
                while not data.endswith(b"\\0"): data += slow.recv(1 << 20)
                print(json.loads(data[:-1])["parameters"]["change"]["network"])
                """, [house.socket])
            #expect(output.lines == ["1400", "2800 True True", "last"], "\(output)")
        }
    }
}
