// The control socket as other people's Varlink clients see it, and as people see it who send it what it is not for.

import Foundation
import Testing

@Suite("The control socket", .needsRoot)
struct ControlSocketTests {
    @Test("is driven by PyPI's Varlink client: every method, introspection, typed errors")
    func varlinkClient() throws {
        try House.lend(configuration: "[server]\nworkers = 2\n\(House.undiscovered)") { house in
            _ = try house.namespace("web")
            let output = try house.python(
                """
                import sys, varlink
                path, socket, house = sys.argv[1:]
                client = varlink.Client("unix:" + socket)
                info = client.get_service().GetInfo() if hasattr(client, "get_service") else None
                service = client.open("org.varlink.service")
                print(sorted(service.GetInfo()["interfaces"]))
                print("interface intercom.Control" in service.GetInterfaceDescription("intercom.Control")["description"])
                control = client.open("intercom.Control")
                control.CreateNetwork("n", "br0", ["10.0.0.0/24"], False, ["192.0.2.53"], 9)
                control.CreateNetwork("m")
                control.AddContainer("web", path, None, [{"name": "n", "addresses": ["10.0.0.2"], "aliases": ["site"]}], "www.x", "0123456789abcdef", None, [{"port": 80, "service": "http"}])
                control.AddContainer(name="vm", networks=[{"name": "n", "addresses": ["10.0.0.3"]}], links=[{"container": "web", "name": "w"}])
                control.Connect("m", "vm", ["10.1.0.3"], ["machine"])
                print([n["name"] for n in control.ListNetworks()["networks"]])
                network = control.InspectNetwork("n")["network"]
                print(network["ttl"], network["upstreams"], [c["container"] for c in network["containers"]])
                print([c["name"] for c in control.ListContainers()["containers"]])
                vm = control.InspectContainer("vm")["container"]
                print([e["network"] for e in vm["networks"]], vm["networks"][1]["names"], vm["links"], "listener" in vm)
                print(control.Resolve("w", "A", "vm")["answer"]["source"], control.Resolve("site", "A", "web")["answer"]["answers"][0]["data"])
                control.Disconnect("m", "vm")
                control.Reload()
                status = control.Status()
                print(status["networks"], status["containers"], len(status["workers"]))
                def error(call):
                    try:
                        call()
                        return "no error"
                    except varlink.VarlinkError as e:
                        assert e.parameters().get("message", "x"), e
                        return e.error().split(".")[-1]
                for call in [
                    lambda: control.CreateNetwork("N"), lambda: control.CreateNetwork(""), lambda: control.CreateNetwork(name="x", ttl=-1),
                    lambda: control.CreateNetwork(name="x", subnets=["10.0.0.0"]), lambda: control.CreateNetwork(name="x", upstreams=["nonsense"]),
                    lambda: control.RemoveNetwork("n"), lambda: control.RemoveNetwork("nope"), lambda: control.InspectNetwork("nope"),
                    lambda: control.AddContainer("web"), lambda: control.AddContainer(""), lambda: control.AddContainer("a..b"), lambda: control.AddContainer("a" * 64), lambda: control.AddContainer("a\\0b"),
                    lambda: control.AddContainer(name="x", networks=[{"name": "nope"}]), lambda: control.AddContainer(name="x", networks=[{"name": "n", "addresses": ["10.9.9.9"]}]),
                    lambda: control.AddContainer(name="x", networks=[{"name": "n", "addresses": ["10.0.0.2"]}]), lambda: control.AddContainer(name="x", networks=[{"name": "n", "addresses": ["ten"]}]),
                    lambda: control.AddContainer(name="x", networks=[{"name": "n"}, {"name": "n"}]), lambda: control.AddContainer(name="x", networks=[{"name": "n", "aliases": ["*"]}]),
                    lambda: control.AddContainer(name="x", netns="/etc/passwd"), lambda: control.AddContainer(name="x", netns="/nope"), lambda: control.AddContainer(name="x", netns="relative"), lambda: control.AddContainer(name="x", netns=path),
                    lambda: control.AddContainer(name="x", netns="/proc/self/ns/net"), lambda: control.AddContainer(name="x", netns="/run/netns/" + house),
                    lambda: control.AddContainer(name="x", pid=4194304), lambda: control.AddContainer(name="x", links=[{"container": "nope", "name": "y"}]), lambda: control.AddContainer(name="x", ports=[{"port": 0}]),
                    lambda: control.RemoveContainer("nope"), lambda: control.InspectContainer("nope"), lambda: control.Connect("n", "web"), lambda: control.Connect("nope", "web"), lambda: control.Disconnect("m", "web"),
                    lambda: control.Resolve("x", "NONSENSE", "web"), lambda: control.Resolve("x..y", "A", "web"), lambda: control.Resolve("x", "A", "nope"),
                ]:
                    print(error(call))
                for container in ["vm", "web", "x"]: control.RemoveContainer(container)
                control.RemoveNetwork("n")
                print(control.ListContainers())
                """, [house.path("web"), house.socket, house.host])
            #expect(
                output.lines == [
                    "['intercom.Control', 'org.varlink.service']", "True", "['m', 'n']",
                    "9 ['192.0.2.53:53'] ['vm', 'web']", "['vm', 'web']",
                    "['n', 'm'] ['vm', 'machine'] [{'container': 'web', 'name': 'w'}] False", "link 10.0.0.2", "2 2 2",
                    "NetworkExists", "InvalidName", "InvalidValue", "InvalidAddress", "InvalidAddress", "NetworkInUse",
                    "NoSuchNetwork", "NoSuchNetwork", "ContainerExists", "InvalidName", "InvalidName", "InvalidName",
                    "InvalidName", "NoSuchNetwork", "InvalidAddress", "AddressInUse", "InvalidAddress",
                    "AlreadyConnected", "InvalidName", "NotANetworkNamespace", "NotANetworkNamespace", "InvalidValue",
                    "NamespaceInUse", "HostNamespace", "HostNamespace", "NoSuchProcess", "no error",
                    "InvalidValue", "NoSuchContainer", "NoSuchContainer", "no error", "NoSuchNetwork",
                    "NotConnected", "InvalidValue", "InvalidName", "NoSuchContainer", "{'containers': []}",
                ], "\(output)")
        }
    }

    @Test("closes the connection of who sends no Varlink, and that one alone")
    func brokenClients() throws {
        try House.lend { house in
            let output = try house.python(
                """
                import json, socket, sys, time
                def connect():
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    s.settimeout(5)
                    s.connect(sys.argv[1])
                    return s
                def call(s, message):
                    s.sendall(json.dumps(message).encode() + b"\\0")
                    data = b""
                    while not data.endswith(b"\\0"):
                        part = s.recv(65536)
                        if not part: return "closed"
                        data += part
                    reply = json.loads(data[:-1])
                    return reply.get("error", "ok"), reply.get("parameters")
                status = {"method": "intercom.Control.Status"}
                steady = connect()
                print(call(steady, status)[0])
                for broken in [b"garbage\\0", b"[1]\\0", b"{}\\0", b'{"method":1}\\0', b"[" * 100000 + b"\\0", b"\\xff\\xfe\\0"]:
                    s = connect()
                    try:
                        s.sendall(broken)
                        print(s.recv(10))
                    except (BrokenPipeError, ConnectionResetError):
                        print(b"")
                # One that is too long is refused, and the connection goes on.
                long = connect()
                long.sendall(b"x" * 3000000 + b"\\0")
                print(json.loads(long.recv(65536)[:-1])["error"], call(long, status)[0])
                print(call(steady, {"method": "intercom.Control.Nope"}))
                print(call(steady, {"method": "nope.Nope.Nope"}))
                print(call(steady, {"method": "org.varlink.service.Nope"}))
                print(call(steady, {"method": "intercom.Control.CreateNetwork"}))
                print(call(steady, {"method": "intercom.Control.CreateNetwork", "parameters": {"name": 1}}))
                print(call(steady, {"method": "intercom.Control.AddContainer", "parameters": {"name": "x", "networks": [{"name": "n", "aliases": [1]}]}}))
                # Calls one after another without waiting, one octet at a time, and one that wants no reply.
                many = b"".join(json.dumps(status).encode() + b"\\0" for _ in range(20))
                steady.sendall(json.dumps(dict(method="intercom.Control.CreateNetwork", parameters={"name": "quiet"}, oneway=True)).encode() + b"\\0" + many)
                data = b""
                while data.count(b"\\0") < 20:
                    part = steady.recv(65536)
                    assert part, "the daemon has hung up"
                    data += part
                print(data.count(b"\\0"), json.loads(data.split(b"\\0")[-2])["parameters"]["networks"])
                slow = connect()
                for octet in json.dumps(status).encode() + b"\\0": slow.sendall(bytes([octet]))
                print(json.loads(slow.recv(65536)[:-1])["parameters"]["version"])
                # Many clients at once.
                clients = [connect() for _ in range(100)]
                print(sum(call(c, status)[0] == "ok" for c in clients))
                """, [house.socket])
            #expect(
                output.lines == ["ok"] + Array(repeating: "b''", count: 6) + [
                    "intercom.Control.MessageTooLong ok",
                    "('org.varlink.service.MethodNotFound', {'method': 'intercom.Control.Nope'})",
                    "('org.varlink.service.InterfaceNotFound', {'interface': 'nope.Nope'})",
                    "('org.varlink.service.MethodNotFound', {'method': 'org.varlink.service.Nope'})",
                    "('org.varlink.service.InvalidParameter', {'parameter': 'name'})",
                    "('org.varlink.service.InvalidParameter', {'parameter': 'name'})",
                    "('org.varlink.service.InvalidParameter', {'parameter': 'networks[0].aliases[0]'})", "20 1",
                    "0.2.0",
                    "100",
                ], "\(output)")
        }
    }

    @Test("turns away clients while no descriptor is left; a container's connection waits for one, without a loop")
    func descriptorsRunOut() throws {
        try House.lend(configuration: "[server]\nworkers = 1\n[[network]]\nname = \"n\"\n") { house in
            try house.container("app", "--network", "n")
            let pid = try #require(house.daemon?.processIdentifier)
            let output = try house.python(
                """
                import os, select, socket, subprocess, sys, time
                control, pid = sys.argv[1:]
                ticks = lambda: sum(map(int, open("/proc/%s/stat" % pid).read().rsplit(")", 1)[1].split()[11:13]))
                def connect():
                    s = socket.socket(socket.AF_UNIX)
                    s.settimeout(5)
                    s.connect(control)
                    return s
                # Room for a few more.
                held = len(os.listdir("/proc/%s/fd" % pid))
                subprocess.run(["prlimit", "--pid", pid, "--nofile=%d" % (held + 4)], check=True)
                clients = [connect() for _ in range(20)]
                deadline = time.monotonic() + 5
                gone = []
                while len(gone) < 12 and time.monotonic() < deadline:
                    gone = select.select(clients, [], [], 0.1)[0]
                print(len(gone) >= 12, all(c.recv(1) == b"" for c in gone))
                # `localhost A`, over TCP.
                query = bytes.fromhex("001b123401000001000000000000096c6f63616c686f73740000010001")
                server = subprocess.Popen(["ip", "netns", "exec", os.path.basename("\(house.path("app"))"), "python3", "-c",
                    "import socket, sys; s = socket.create_connection(('127.0.0.11', 53), 5); s.settimeout(30); s.send(bytes.fromhex(sys.argv[1])); print(s.recv(4)[2:])", query.hex()],
                    stdout=subprocess.PIPE, text=True)
                before = ticks(); time.sleep(1); print(ticks() - before < 20, server.poll())
                for c in clients: c.close()
                print(server.communicate()[0].strip())
                """, [house.socket, "\(pid)"])
            #expect(output.lines == ["True True", "True None", "b'\\x124'"], "\(output)")
            #expect(try eventually { try house.ctl("status").status == 0 })
            #expect(house.log.count < 10_000)
        }
    }

    @Test("is root's and the group's: 0660; others are turned away, whatever the file's mode is by mistake")
    func permissions() throws {
        try House.lend { house in
            let mode = try Command.must(["stat", "--format", "%a %U", house.socket]).text
            #expect(mode == "660 root")
            try Command.must(["chmod", "755", house.directory])
            for mode in ["660", "666"] {
                try Command.must(["chmod", mode, house.socket])
                let stranger = try Command.run(
                    [
                        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                        "\(House.binaries)/intercomctl", "--socket", house.socket, "status",
                    ])
                #expect(stranger.status == 1 && stranger.err.contains(" may not use"), "\(stranger)")
            }
        }
    }

    @Test("says which namespace's port 53 is taken, and what to do")
    func portInUse() throws {
        try House.lend(configuration: House.undiscovered) { house in
            _ = try house.namespace("busy")
            try house.ip(in: "busy", "link set lo up")
            let server = try house.start(
                in: "busy",
                [
                    "python3", "-c",
                    "import socket, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', 53)); print('bound', flush=True); time.sleep(600)",
                ], log: "busy")
            #expect(
                eventually {
                    ((try? String(contentsOfFile: "\(house.directory)/busy", encoding: .utf8)) ?? "").contains("bound")
                })
            let refused = try house.ctl(
                "container", "add", "busy", "--netns", house.path("busy"), "--listen", "direct")
            #expect(
                refused.status == 1 && refused.err.contains("127.0.0.11:53 in \(house.path("busy")) is taken"),
                "\(refused)")
            #expect(try !house.ctl("container", "ls").out.contains("busy"))
            House.kill(server)
            try house.mustCtl("container", "add", "busy", "--netns", house.path("busy"), "--listen", "direct")
        }
    }
}
