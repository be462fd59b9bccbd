// A client of the control socket cannot hold up other clients or the daemon.

import Foundation
import Testing

@Suite("The control socket under hostile clients", .needsRoot, .serialized)
struct ControlSocketHardshipTests {
    /// Start of each script.
    static let prelude = """
        import json, os, select, socket, subprocess, sys, time
        path, pid = sys.argv[1:3]
        def connect():
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.settimeout(20)
            s.connect(path)
            return s
        def message(method, parameters=None, **more):
            return json.dumps(dict(method="intercom.Control." + method, parameters=parameters or {}, **more)).encode() + b"\\0"
        def read(s):
            data = b""
            while not data.endswith(b"\\0"):
                part = s.recv(1 << 20)
                if not part: return None
                data += part
            return [json.loads(m) for m in data[:-1].split(b"\\0")]
        def call(s, method, parameters=None, **more):
            s.sendall(message(method, parameters, **more))
            return read(s)[-1]
        def add(s, count, first=0):
            done = 0
            for start in range(first, first + count, 100):
                s.sendall(b"".join(message("AddContainer", {"name": "c%05d" % n, "networks": [{"name": "n", "addresses": ["10.%d.%d.%d" % (n >> 16, n >> 8 & 255, n & 255)]}]})
                    for n in range(start, min(first + count, start + 100))))
                want = min(count, start - first + 100)
                while done < want: done += s.recv(1 << 16).count(b"\\0")
        def typical(turns=20):
            # Milliseconds that status takes on a connection of its own: the median.
            times = []
            for _ in range(turns):
                begin = time.monotonic()
                s = connect()
                assert "parameters" in call(s, "Status")
                times.append((time.monotonic() - begin) * 1000)
                s.close()
            return sorted(times)[len(times) // 2]
        def resident(): return int(open("/proc/%s/statm" % pid).read().split()[1]) * 4
        """

    private func run(_ house: House, _ script: String) throws -> Output {
        let pid = try #require(house.daemon?.processIdentifier)
        return try house.python(Self.prelude + "\n" + script, [house.socket, "\(pid)"])
    }

    private static let configuration = "[server]\nworkers = 1\n\(House.undiscovered)[[network]]\nname = \"n\"\n"

    @Test("900 lists of 3,000 containers on one connection leave the others theirs: status takes at most 100 ms longer")
    func manyLists() throws {
        try House.lend(configuration: Self.configuration) { house in
            let output = try run(
                house,
                """
                add(connect(), 3000)
                quiet = typical()
                greedy = connect()
                greedy.sendall(message("ListContainers", oneway=True) * 900)
                print(typical() < quiet + 100)
                # The same with replies, of which none is read until the end.
                greedy.sendall(message("ListContainers", more=True) * 100)
                print(typical() < quiet + 100)
                seen, last = 0, 0
                while last < 3:
                    for reply in read(greedy):
                        seen += len(reply["parameters"]["containers"])
                        last += not reply.get("continues", False)
                        if last == 3: break
                print(seen >= 9000)
                """)
            #expect(output.lines == ["True", "True", "True"], "\(output)")
        }
    }

    @Test("600 connections that say half a call are closed, and those who come meanwhile are served")
    func halfCalls() throws {
        try House.lend(configuration: Self.configuration) { house in
            let output = try run(
                house,
                """
                steady = connect()
                print("parameters" in call(steady, "Status"))
                half = []
                for _ in range(600):
                    s = connect()
                    try: s.sendall(b'{"method":"intercom.Control.Sta')
                    except BrokenPipeError: pass
                    half.append(s)
                print(typical(5) < 1000)
                deadline = time.monotonic() + 20
                open_ = set(half)
                while open_ and time.monotonic() < deadline:
                    for s in select.select(list(open_), [], [], 0.5)[0]:
                        try: data = s.recv(10)
                        except ConnectionResetError: data = b""
                        if data == b"": open_.discard(s)
                print(len(open_))
                print("parameters" in call(steady, "Status"))
                """)
            #expect(output.lines == ["True", "True", "0", "True"], "\(output)")
        }
    }

    @Test("100 clients that never read lists of 20,000 containers cost the daemon less than 64 MiB")
    func neverRead() throws {
        try House.lend(configuration: Self.configuration) { house in
            let output = try run(
                house,
                """
                add(connect(), 20000)
                before = resident()
                greedy = [connect() for _ in range(100)]
                for s in greedy: s.sendall(message("ListContainers", more=True) * 3 + message("ListContainers") * 3)
                print("parameters" in call(connect(), "Status"))
                print(resident() - before < 64 * 1024, resident() - before)
                """)
            #expect(output.lines.first == "True" && output.lines.last?.hasPrefix("True") == true, "\(output)")
        }
    }

    @Test("what is too much for one call is refused at once: 20,000 ports of 100 aliases, 60,000 addresses")
    func limits() throws {
        try House.lend(configuration: Self.configuration) { house in
            let output = try run(
                house,
                """
                s = connect()
                begin = time.monotonic()
                aliases = ["a%d" % n for n in range(100)]
                for parameters in [
                    {"name": "x", "networks": [{"name": "n", "aliases": aliases}], "ports": [{"port": n} for n in range(1, 20001)]},
                    {"name": "x", "networks": [{"name": "n", "aliases": aliases}], "ports": [{"port": n} for n in range(1, 101)]},
                    {"name": "x", "networks": [{"name": "n", "addresses": ["10.0.%d.%d" % (n // 256, n % 256) for n in range(60000)]}]},
                    {"name": "x", "networks": [{"name": "n", "aliases": ["a%d" % n for n in range(1025)]}]},
                    {"name": "x", "networks": [{"name": "n%d" % n} for n in range(65)]},
                    {"name": "x", "links": [{"container": "c", "name": "l%d" % n} for n in range(1025)]},
                    {"name": "x", "id": "0" * 300},
                ]:
                    reply = call(s, "AddContainer", parameters)
                    print(reply["error"].split(".")[-1], reply["parameters"]["parameter"].split(" ")[0], reply["parameters"]["count"])
                print(call(s, "CreateNetwork", {"name": "m", "upstreams": ["10.0.0.1"] * 17})["error"].split(".")[-1])
                print(time.monotonic() - begin < 5)
                # A newer client's field that is not known here is passed over.
                print(call(s, "AddContainer", {"name": "new", "colour": "blue", "networks": [{"name": "n", "mtu": 9000}]}))
                """)
            #expect(
                output.lines == [
                    "TooMany ports 20000", "TooMany names 20800", "TooMany addresses 60000", "TooMany aliases 1025",
                    "TooMany networks 65", "TooMany links 1025", "TooMany octets 300", "TooMany", "True",
                    "{'parameters': {}}",
                ], "\(output)")
        }
    }

    @Test("calls that were sent before the client hung up are carried out")
    func hungUp() throws {
        try House.lend(configuration: Self.configuration) { house in
            let output = try run(
                house,
                """
                s = connect()
                s.sendall(b"".join(message("CreateNetwork", {"name": "late%d" % n}, oneway=True) for n in range(50)))
                s.close()
                other = connect()
                deadline = time.monotonic() + 10
                while call(other, "Status")["parameters"]["networks"] < 51 and time.monotonic() < deadline: time.sleep(0.02)
                print(call(other, "Status")["parameters"]["networks"])
                """)
            #expect(output.lines == ["51"], "\(output)")
        }
    }

    @Test("a list of any length comes in several replies; in one it is whole or an error that says so")
    func lists() throws {
        try House.lend(configuration: Self.configuration) { house in
            let output = try run(
                house,
                """
                s = connect()
                add(s, 6000)
                s.sendall(message("ListContainers", more=True))
                names, largest, replies = [], 0, 0
                data = b""
                while True:
                    data += s.recv(1 << 16)
                    *messages, data = data.split(b"\\0")
                    for m in messages:
                        largest, replies = max(largest, len(m)), replies + 1
                        reply = json.loads(m)
                        names += [c["name"] for c in reply["parameters"]["containers"]]
                    if messages and not reply.get("continues"): break
                print(len(names), len(set(names)), replies > 10, largest < 65536)
                print(call(s, "ListContainers")["error"].split(".")[-1])
                # One network of 6,000 containers comes in parts.
                s.sendall(message("ListNetworks", more=True))
                members, facts, last = 0, 0, None
                data = b""
                while True:
                    data += s.recv(1 << 16)
                    *messages, data = data.split(b"\\0")
                    for m in messages:
                        last = json.loads(m)
                        for n in last["parameters"]["networks"]:
                            members += len(n["containers"])
                            facts += not n.get("continued", False)
                    if messages and not last.get("continues"): break
                print(members, facts)
                for method in "ListNetworks", "InspectNetwork":
                    print(call(s, method, {"name": "n"})["error"].split(".")[-1])
                """)
            #expect(
                output.lines == ["6000 6000 True True", "ReplyTooLarge", "6000 1", "ReplyTooLarge", "ReplyTooLarge"],
                "\(output)")
            let listed = try house.ctl("container", "ls")
            #expect(listed.status == 0 && listed.lines.count == 6001, "\(listed.err)")
            let networks = try house.ctl("network", "ls")
            #expect(networks.lines.allSatisfy { $0.count <= 80 } && networks.out.contains(", +599"), "\(networks)")
            let inspected = try house.ctl("network", "inspect", "n", "--json")
            #expect(inspected.out.components(separatedBy: "\"container\" :").count == 6001)
            let all = try house.ctl("container", "ls", "--json")
            let object = try JSONSerialization.jsonObject(with: Data(all.out.utf8)) as? [String: [Any]]
            #expect(object?["containers"]?.count == 6000)
        }
    }
}
