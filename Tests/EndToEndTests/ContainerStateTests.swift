// Readiness, where each fact comes from, and what status warns of: as operators see them.

import Foundation
import Testing

@Suite("A container's state", .needsRoot)
struct ContainerStateTests {
    @Test("draining takes it out of aliases that others serve, and out of nothing else")
    func draining() throws {
        try House.lend(configuration: "[[network]]\nname = \"front\"\n") { house in
            for number in 1...2 {
                try house.container("r\(number)", "--network", "front,ip=10.0.0.\(number),alias=site", "--port", "80")
            }
            #expect(try house.dig("r1", "site").data == ["10.0.0.1", "10.0.0.2"])
            try house.mustCtl("container", "drain", "r1")
            #expect(try house.dig("r1", "site").data == ["10.0.0.2"])
            #expect(try house.dig("r2", "_80._tcp.site", "SRV").data == ["0 0 80 r2.front.internal."])
            #expect(try house.dig("r2", "r1").data == ["10.0.0.1"])
            #expect(try house.dig("r2", "-x", "10.0.0.1").data == ["r1.front.internal."])
            let listed = try house.ctl("container", "ls").lines.filter { $0.hasPrefix("r") }
            #expect(listed.map { $0.contains("draining") } == [true, false], "\(listed)")
            try house.mustCtl("container", "drain", "r2")
            #expect(try house.dig("r1", "site").data == ["10.0.0.1", "10.0.0.2"], "all are draining: all answer")
            try house.mustCtl("container", "ready", "r1")
            #expect(try house.dig("r1", "site").data == ["10.0.0.1"])
            try house.mustCtl("container", "rm", "r1")
            #expect(try house.dig("r2", "site").data == ["10.0.0.2"])
            let refused = try house.ctl("container", "drain", "nobody")
            #expect(refused.status == 1 && refused.err.hasPrefix("intercomctl: no container nobody"), "\(refused)")
        }
    }

    /// Lines of `container inspect`, without columns.
    private func inspected(_ name: String, _ house: House) throws -> [String] {
        try house.ctl("container", "inspect", name).lines.map { $0.split(separator: " ").joined(separator: " ") }
    }

    private func listed(_ name: String, _ house: House, _ options: String...) throws -> String {
        try house.ctl(["container", "ls"] + options).lines.filter { $0.hasPrefix(name) }
            .map { $0.split(separator: " ").joined(separator: " ") }.joined(separator: "\n")
    }

    @Test("is never ready where nothing listens: a machine elsewhere has no listener, and nothing has to be done")
    func elsewhere() throws {
        // The namespace that plays the host has a file, too.
        let alone = "[discover]\nexclude = [\"house\"]\n"
        try House.lend(configuration: alone + "[[network]]\nname = \"n\"\n") { house in
            try house.mustCtl("container", "add", "vm", "--network", "n,ip=10.0.0.9")
            #expect(try listed("vm", house) == "vm - n 10.0.0.9 no listener control")
            let vm = try inspected("vm", house)
            #expect(vm.contains("state no listener: it has no namespace on this machine"), "\(vm)")
            #expect(!vm.contains { $0.hasPrefix("to do") }, "\(vm)")
            #expect(try !house.ctl("status").out.contains("WARNINGS"))
            try house.container("web", "--network", "n,ip=10.0.0.2")
            #expect(try listed("web", house).contains(" ready control"))
            try house.mustCtl("container", "drain", "vm")
            #expect(try listed("vm", house).hasSuffix("draining control"))
        }
    }

    @Test("says why there is no listener, and what to do")
    func portTaken() throws {
        let configuration = "server.listen = \"direct\"\n[[network]]\nname = \"n\"\n"
        try House.lend(configuration: configuration) { house in
            #expect(house.stopDaemon() == 0)
            _ = try house.namespace("busy")
            let program = "import socket, time; s = socket.socket(type=2); s.bind(('', 53)); time.sleep(600)"
            let server = try house.start(in: "busy", ["python3", "-c", program], log: "server")
            #expect(try eventually { try house.run(in: "busy", ["ss", "-Hlun"]).out.contains(":53") })
            try house.startDaemon(configuration)
            #expect(try eventually { try listed("busy", house).contains("no listener") })
            let busy = try inspected("busy", house)
            #expect(busy.contains { $0.hasPrefix("state no listener: ") && $0.contains("taken by") }, "\(busy)")
            #expect(busy.contains { $0.hasPrefix("to do ") && $0.contains("--listen redirect") }, "\(busy)")
            House.kill(server)
            #expect(try eventually { try listed("busy", house).hasSuffix("ready kernel") }, "it is tried again")
        }
    }

    @Test("is shown with --all for ten minutes after its end, with when and why it ended")
    func ended() throws {
        try House.lend(configuration: "[[network]]\nname = \"n\"\n") { house in
            try house.container("web", "--network", "n,ip=10.0.0.2")
            try house.deleteNamespace("web")
            #expect(try eventually { try listed("web", house) == "" })
            #expect(try listed("web", house, "--all") == "web \(house.path("web")) - - ended control")
            let web = try inspected("WEB", house)
            #expect(web.contains("state ended: \(house.path("web")) is gone"), "\(web)")
            #expect(web.contains { $0.hasPrefix("ended ") && $0.hasSuffix(" s ago") }, "\(web)")
            #expect(try house.ctl("container", "inspect", "web", "--json").out.contains(#""state" : "ended""#))
            try house.container("web", "--network", "n,ip=10.0.0.2")
            #expect(try listed("web", house, "--all").contains(" ready control"), "it is there again")
        }
    }

    @Test("is shown with --all while its namespace is waited for")
    func waiting() throws {
        try House.lend { house in
            let path = house.path("late")
            try "[[container]]\nname = \"late\"\nnetns = \"\(path)\"\n"
                .write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try listed("late", house) == "")
            #expect(try listed("late", house, "--all") == "late \(path) - - no listener configuration")
            let late = try inspected("late", house)
            #expect(late.contains { $0.hasPrefix("state no listener: \(path) is no network namespace") }, "\(late)")
            #expect(late.contains("to do nothing until its namespace appears"), "\(late)")
        }
    }

    @Test("has no character in JSON that steers a terminal, whatever its names: on the socket none but printable ASCII")
    func hostileNames() throws {
        try House.lend { house in
            let csi = "a\u{9B}2Jb", bidi = "\u{202E}c"
            try house.run(in: "house", ["ip", "link", "add", "br9", "type", "bridge"])
            try house.run(in: "house", ["ip", "link", "set", "br9", "alias", "n\u{9B}31m"])
            for name in [csi, bidi] { _ = try house.namespace(name) }
            try house.mustCtl(
                "container", "add", "vm", "--network", "br9,ip=10.0.0.9", "--id", "i\u{1B}[2J\u{85}\u{2066}")
            #expect(try eventually { try house.ctl("container", "ls", "--json").out.contains("2Jb") })
            let verbs = [
                ["container", "ls"], ["network", "ls"], ["status"], ["container", "inspect", "vm"],
                ["container", "inspect", csi], ["container", "inspect", bidi],
            ]
            for verb in verbs {
                for options in [[], ["--json"]] {
                    let text = try house.ctl(verb + options).out
                    let hidden = text.unicodeScalars.filter {
                        $0 != "\n"
                            && ($0.properties.generalCategory == .control || $0.properties.generalCategory == .format)
                    }
                    #expect(hidden.isEmpty, "\(verb) \(options): \(hidden.map { String($0.value, radix: 16) })")
                }
            }
            let raw = try house.python(
                """
                import json, socket, sys
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
                for method in "ListContainers", "ListNetworks", "Status":
                    s.sendall(b'{"method":"intercom.Control.' + method.encode() + b'"}\\0')
                    octets = b""
                    while not octets.endswith(b"\\0"): octets += s.recv(65536)
                    print(all(0x20 <= octet < 0x7F for octet in octets[:-1]))
                    if method == "ListContainers":
                        print(sys.argv[2] in [c["name"] for c in json.loads(octets[:-1])["parameters"]["containers"]])
                """, [house.socket, csi])
            #expect(raw.lines == ["True", "True", "True", "True"], "\(raw)")
        }
    }

    @Test("is shown with where each fact comes from")
    func facts() throws {
        try House.lend(configuration: "[[network]]\nname = \"front\"\nsubnets = [\"10.0.0.0/24\"]\n") { house in
            try house.container(
                "web", "--network", "front,ip=10.0.0.2,alias=site", "--hostname", "www.example", "--listen", "direct")
            let inspected = try house.ctl("container", "inspect", "web").lines.map {
                $0.split(separator: " ").joined(separator: " ")
            }
            for line in [
                "name web - control", "netns \(house.path("web")) - control", "hostname www.example - control",
                "network front - control", "address 10.0.0.2 front control", "alias site front control",
            ] { #expect(inspected.contains(line), "\(line): \(inspected)") }
            let network = try house.ctl("network", "inspect", "front").lines.map {
                $0.split(separator: " ").joined(separator: " ")
            }
            for line in ["name front - configuration", "subnet 10.0.0.0/24 - configuration"] {
                #expect(network.contains(line), "\(line): \(network)")
            }
        }
    }

    @Test("is warned of where it could not be attached, with the reason, until it is")
    func warnings() throws {
        try House.lend { house in
            let path = house.path("late")
            // The namespace that plays the host has a file, too.
            let alone = "[discover]\nexclude = [\"house\"]\n"
            try """
            \(alone)
            [[network]]
            name = "front"
            interface = "br0"
            [[network]]
            name = "back"
            interface = "br0"
            [[container]]
            name = "late"
            netns = "\(path)"
            networks = ["front"]
            """.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            func warnings() throws -> [String] {
                let status = try house.ctl("status", "--json").out
                let object = try JSONSerialization.jsonObject(with: Data(status.utf8)) as? [String: Any]
                return object?["warnings"] as? [String] ?? []
            }
            let before = try warnings()
            #expect(before.count == 2, "\(before)")
            #expect(
                before.contains { $0.hasPrefix("container late of the configuration: \(path) is no network namespace") }
            )
            #expect(before.contains { $0.hasPrefix("network back of the configuration: interface br0 is that of") })
            #expect(try house.ctl("status").out.contains("\nWARNINGS\n"))
            _ = try house.namespace("late")
            #expect(try eventually { try warnings().count == 1 })
            try alone.write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try warnings() == [])
            #expect(try !house.ctl("status").out.contains("WARNINGS"))
        }
    }
}
