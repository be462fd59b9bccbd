// Each cause of explain, made for real: it is named with its cure, the cure is typed, and the name resolves.

import Foundation
import Testing

@Suite("explain", .needsRoot)
struct ExplainTests {
    /// Reply of `explain --json`, and of `doctor --json`.
    struct Explained: Decodable {
        struct Step: Decodable {
            var step: String
            var state: String
            var text: String
        }
        struct Finding: Decodable {
            var cause: String
            var container: String?
            var text: String
            var cure: String?
        }
        var steps: [Step]?
        var findings: [Finding]?
        var cause: String?
        var text: String?
        var cure: String?
        var fault: Bool?
    }

    /// Two bridges; `web` and `app` on the first, `db` on the second; the host's end of each link is called NAME-BRIDGE.
    private func lend(_ configuration: String = "", _ body: (House) throws -> Void) throws {
        try House.lend(
            configuration: "[server]\nworkers = 1\n" + configuration, resolver: "nameserver 127.0.0.53\n"
        ) { house in
            try house.bridge("front", "10.1.0.1/24")
            try house.bridge("back", "10.2.0.1/24")
            try house.plug("web", into: "front", "10.1.0.2/24")
            try house.plug("app", into: "front", "10.1.0.3/24")
            try house.plug("db", into: "back", "10.2.0.4/24")
            try body(house)
        }
    }

    private func lendFound(_ configuration: String = "", _ body: (House) throws -> Void) throws {
        try lend(configuration) { house in
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] }, "\(house.log)")
            #expect(try eventually { try house.dig("db", "db").data == ["10.2.0.4"] }, "\(house.log)")
            try body(house)
        }
    }

    /// Asserts a cause and its cure, types the cure, and has the name resolved then.
    /// - Parameters:
    ///   - typed: what is typed in the place of a cure that a person has to complete.
    ///   - answer: the addresses that the name has then, for programs in the container.
    private func expect(
        _ house: House, _ question: [String], from asker: String = "app", cause: String, cure: String,
        typed: String? = nil, then answer: [String], of name: String? = nil
    ) throws {
        let isSo = try eventually { try house.explain(question, from: asker).cause == cause }
        let explained = try house.explain(question, from: asker)
        #expect(isSo && explained.fault == true, "\(cause): \(explained)")
        #expect(explained.cure == cure, "\(cause)")
        #expect(try house.ctl(["explain"] + question + ["--from", asker]).status == 1)
        let done = try house.type(typed ?? cure)
        #expect(done.status == 0, "\(typed ?? cure): \(done)")
        let name = name ?? question[0]
        let isCured = try eventually { try house.dig(asker, name).data == answer }
        let reply = try house.dig(asker, name)
        #expect(isCured, "\(cause): \(reply)")
        #expect(try eventually { try house.explain([name], from: asker).fault == false }, "\(cause)")
    }

    @Test("A name that is there has every step in order, and exit status 0")
    func order() throws {
        try lendFound { house in
            let all = ["container", "links", "listener", "heard", "programs", "name", "answer"]
            // Its resolv.conf comes after its names.
            #expect(try eventually { try house.explain(["web"], from: "app").steps?.map(\.step) == all })
            let explained = try house.explain(["web"], from: "app")
            let steps = explained.steps ?? []
            #expect(steps.allSatisfy { $0.state == "ok" }, "\(steps)")
            #expect(explained.cause == nil && explained.fault == false)
            let text = try house.ctl("explain", "web", "--from", "app")
            #expect(text.status == 0 && text.out.contains("Nothing has to be mended."), "\(text)")
            #expect(text.lines.allSatisfy { $0.count <= 80 }, "\(text)")
        }
    }

    @Test("A name that is mistyped, or on another network, is named with the command that reaches it")
    func names() throws {
        try lendFound { house in
            try expect(
                house, ["wbe"], cause: "mistyped", cure: "intercomctl explain web --from app", then: ["10.1.0.2"],
                of: "web")
            // What a container must not know is in no answer.
            #expect(try house.dig("app", "db").status == "NXDOMAIN")
            try expect(
                house, ["db"], cause: "other-network", cure: "intercomctl network connect back app",
                then: ["10.2.0.4"])
            #expect(try house.explain(["nosuchname"], from: "app").cause == "single-label")
            #expect(try house.explain(["web", "AAAA"], from: "app").cause == "other-type")
            #expect(try house.explain(["web"], from: "ap").cause == "no-such-container")
        }
    }

    @Test("A link that is down or unplugged, an address that is gone, a container taken off by hand: each is named")
    func links() throws {
        try lendFound { house in
            for (line, cause, cure) in [
                ("link set eth0 down", "link-down", "ip -n web link set dev eth0 up")
            ] {
                try house.ip(in: "web", line)
                try expect(house, ["web"], cause: cause, cure: cure, then: ["10.1.0.2"])
                try house.ip(in: "web", line)
                // The container itself asks: its own link is the fault.
                try expect(house, ["app"], from: "web", cause: cause, cure: cure, then: ["10.1.0.3"])
            }
            for (line, cause, cure) in [
                ("link set web-front down", "peer-down", "ip link set dev web-front up"),
                ("link set web-front nomaster", "not-plugged", "ip link set dev web-front master front"),
            ] {
                try house.ip(line)
                try expect(house, ["web"], cause: cause, cure: cure, then: ["10.1.0.2"])
            }
            try house.ip(in: "web", "addr flush dev eth0")
            try expect(
                house, ["web"], cause: "no-address", cure: "ip -n web addr add ADDRESS/LENGTH dev eth0",
                typed: "ip -n web addr add 10.1.0.2/24 dev eth0", then: ["10.1.0.2"])
            try house.mustCtl("network", "disconnect", "front", "web")
            try expect(
                house, ["web"], cause: "disconnected", cure: "intercomctl network connect front web",
                then: ["10.1.0.2"])
            try house.ip("link set front down")
            try expect(
                house, ["web"], cause: "network-down", cure: "ip link set dev front up", then: ["10.1.0.2"])
        }
    }

    @Test("A container that has ended is named, whether it is asked for or asks itself")
    func ended() throws {
        try lendFound { house in
            try house.deleteNamespace("web")
            let cure = "start web again at \(house.path("web"))"
            #expect(try eventually { try house.explain(["app"], from: "web").cause == "ended" })
            #expect(try house.explain(["app"], from: "web").cure == cure)
            #expect(try house.explain(["web"], from: "app").cause == "ended")
            #expect(try house.explain(["web"], from: "app").cure == cure)
            #expect(try eventually { try !house.hasLink("web-front") })
            try house.plug("web", into: "front", "10.1.0.2/24")
            #expect(try eventually { try house.explain(["web"], from: "app").fault == false })
            #expect(try house.dig("app", "web").data == ["10.1.0.2"])
        }
    }

    @Test("The loopback interface that is down is named by explain and by doctor")
    func loopback() throws {
        try lendFound { house in
            try house.ip(in: "app", "link set lo down")
            #expect(try house.doctor("app").findings?.map(\.cause) == ["loopback-down"])
            try expect(
                house, ["web"], cause: "loopback-down", cure: "ip -n app link set lo up", then: ["10.1.0.2"])
            #expect(try eventually { try house.doctor("app").findings?.isEmpty == true })
        }
    }

    @Test("A program on port 53 is named, and when it ends the container is heard by itself")
    func portTaken() throws {
        try House.lend(configuration: "server.listen = \"direct\"\n[[network]]\nname = \"n\"\n") { house in
            let configuration = try String(contentsOfFile: house.configuration, encoding: .utf8)
            try house.mustCtl("container", "add", "web", "--network", "n,ip=10.9.0.2")
            #expect(house.stopDaemon() == 0)
            _ = try house.namespace("busy")
            let program = "import socket, time; s = socket.socket(type=2); s.bind(('', 53)); time.sleep(600)"
            let server = try house.start(in: "busy", ["python3", "-c", program], log: "server")
            #expect(try eventually { try house.run(in: "busy", ["ss", "-Hlun"]).out.contains(":53") })
            try house.startDaemon(configuration)
            try house.mustCtl("network", "connect", "n", "busy")
            #expect(try eventually { try house.explain(["web"], from: "busy").cause == "port-taken" })
            let explained = try house.explain(["web"], from: "busy")
            #expect(explained.text == "python3 (pid \(server.processIdentifier)) has port 53 of busy", "\(explained)")
            #expect(
                explained.cure == "kill \(server.processIdentifier), or declare busy with --listen redirect")
            #expect(try house.doctor("busy").findings?.first?.text == explained.text)
            // Signals are blocked in what a test starts.
            let kill = try #require(explained.cure?.components(separatedBy: ", or ").first)
            #expect(try house.type(kill.replacingOccurrences(of: "kill", with: "kill -9")).status == 0)
            #expect(try eventually { try house.explain(["web"], from: "busy").fault == false })
            #expect(try house.dig("busy", "web").data == ["10.9.0.2"])
        }
    }

    @Test("A bridge or a namespace that the configuration leaves out is named, and declared by the cure")
    func excluded() throws {
        try lend("[discover]\nexclude = [\"house\", \"front\", \"db\"]\n") { house in
            #expect(try eventually { try house.ctl("container", "ls").out.contains("app") })
            try expect(
                house, ["web"], cause: "excluded", cure: "intercomctl network create front --interface front",
                then: ["10.1.0.2"])
            try house.mustCtl("network", "connect", "back", "app")
            try expect(
                house, ["db"], cause: "excluded", cure: "intercomctl container add db --netns \(house.path("db"))",
                then: ["10.2.0.4"])
        }
    }

    @Test("Discovery that is off is named by both, with the namespaces that it hides")
    func discoveryOff() throws {
        try lend("[discover]\nenabled = false\n") { house in
            #expect(try house.explain(["web"], from: "app").cause == "discovery-off")
            let finding = try #require(try house.doctor().findings?.first { $0.cause == "discovery-off" })
            #expect(finding.text.contains("3") || finding.text.contains("2 more"), "\(finding)")
            #expect(finding.cure == "set [discover] enabled = true in \(house.configuration), then: intercomctl reload")
            let text = try String(contentsOfFile: house.configuration, encoding: .utf8)
            try text.replacingOccurrences(of: "enabled = false", with: "enabled = true")
                .write(toFile: house.configuration, atomically: true, encoding: .utf8)
            try house.mustCtl("reload")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            #expect(try house.explain(["web"], from: "app").fault == false)
        }
    }

    @Test("Replicas that are drained, and names that two containers have, are remarked on")
    func replicas() throws {
        try lendFound { house in
            try house.mustCtl("network", "connect", "front", "web", "--alias", "site")
            try house.mustCtl("network", "connect", "front", "app", "--alias", "site")
            try house.mustCtl("container", "drain", "web")
            let drained = try house.explain(["site"], from: "app")
            #expect(drained.cause == "drained" && drained.fault == false, "\(drained)")
            #expect(try house.type(drained.cure ?? "").status == 0)
            #expect(try house.dig("app", "site").data == ["10.1.0.2", "10.1.0.3"])
            #expect(try house.explain(["site"], from: "app").cause == nil)
            try house.mustCtl("container", "add", "twin", "--network", "front,ip=10.1.0.9", "--hostname", "web")
            #expect(try house.explain(["web"], from: "app").cause == "duplicate-name")
            try house.mustCtl("container", "rm", "twin")
            #expect(try house.explain(["web"], from: "app").cause == nil)
        }
    }

    @Test("Upstreams that refuse, are silent, or fail are named with their address; one that rests is a remark")
    func upstreams() throws {
        try lendFound("[forward]\nupstreams = [\"127.0.0.61\"]\n") { house in
            let name = "www.example.net"
            #expect(try house.explain([name], from: "app").cause == "upstream-refused")
            let text = try house.ctl("explain", name, "--from", "app").unwrapped
            #expect(text.contains("127.0.0.61:53: connection refused"), "\(text)")
            let upstream = try house.startUpstream("127.0.0.61", mode: "silent")
            #expect(
                try eventually(within: 30) { try house.explain(["b.\(name)"], from: "app").cause == "upstream-silent" })
            #expect(try house.doctor().findings?.contains { $0.cause == "upstream-silent" } == true)
            House.kill(upstream)
            let other = try house.startUpstream("127.0.0.61", mode: "refused")
            #expect(
                try eventually(within: 30) { try house.explain(["c.\(name)"], from: "app").cause == "upstream-failing" }
            )
            House.kill(other)
            try house.startUpstream("127.0.0.61")
            #expect(try eventually(within: 30) { try house.explain(["d.\(name)"], from: "app").fault == false })
        }
    }

    @Test("A container on internal networks alone is told which network may forward")
    func internalNetwork() throws {
        try lendFound("[forward]\nupstreams = [\"127.0.0.61\"]\n[[network]]\nname = \"front\"\ninternal = true\n") {
            house in
            try house.startUpstream("127.0.0.61")
            try expect(
                house, ["www.example.net"], cause: "internal-network", cure: "intercomctl network connect back app",
                then: try house.dig("db", "www.example.net").data)
        }
    }

    @Test("A resolv.conf that names other servers, or whose search domain wins, is named with its path")
    func resolverFiles() throws {
        try lend("[forward]\nupstreams = [\"127.0.0.61\"]\n[discover]\nexclude = [\"house\"]\nresolv-conf = false\n") {
            house in
            try house.startUpstream("127.0.0.61")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] })
            let file = "/etc/netns/app/resolv.conf"
            #expect(try house.type("mkdir -p /etc/netns/app && echo nameserver 192.0.2.1 >\(file)").status == 0)
            try expect(
                house, ["web"], cause: "foreign-resolv-conf", cure: "echo nameserver 127.0.0.11 >\(file)",
                then: ["10.1.0.2"])
            #expect(try house.type("echo search example.net >>\(file)").status == 0)
            try expect(
                house, ["web"], cause: "search-domain", cure: "echo options ndots:0 >>\(file)", then: ["10.1.0.2"])
        }
    }

    @Test("A service that is not running, or listens on the loopback interface alone, is named where a port is given")
    func service() throws {
        try lendFound { house in
            func explain() throws -> Explained { try house.explain(["web", "--port", "8080"], from: "app") }
            let closed = try explain()
            #expect(closed.cause == "service-not-running", "\(closed)")
            #expect(closed.text == "nothing listens on port 8080 of web")
            func serve(_ address: String) throws -> Process {
                try house.start(
                    in: "web", ["python3", "-m", "http.server", "8080", "--bind", address], log: "http-\(address)")
            }
            let loopback = try serve("127.0.0.1")
            #expect(try eventually { try explain().cause == "service-on-loopback" })
            House.kill(loopback)
            let server = try serve("0.0.0.0")
            #expect(try eventually { try explain().fault == false })
            #expect(try explain().steps?.last?.text == "port 8080 is open: web at 10.1.0.2")
            House.kill(server)
            let bad = try house.ctl("explain", "web", "--from", "app", "--port", "70000")
            #expect(bad.status == 1 && bad.err.contains("expected 1 to 65535"), "\(bad)")
        }
    }

    @Test("An opener that is down is named for a container that came meanwhile, and by doctor")
    func openerDown() throws {
        try lendFound("[discover]\nexclude = [\"house\"]\n") { house in
            let socket = "\(house.directory)/opener.sock"
            func start() throws -> Process {
                let arguments = ["\(House.binaries)/intercomd", "--opener", "--opener-socket", socket]
                return try house.start(in: "house", arguments, log: "opener")
            }
            let configuration = try String(contentsOfFile: house.configuration, encoding: .utf8)
            #expect(house.stopDaemon() == 0)
            let opener = try start()
            #expect(eventually { FileManager.default.fileExists(atPath: socket) })
            try house.startDaemon(
                configuration, options: ["--opener-socket", socket], resolver: "nameserver 127.0.0.53\n")
            #expect(try eventually { try house.dig("app", "web").data == ["10.1.0.2"] }, "\(house.log)")
            House.kill(opener)
            try house.plug("late", into: "front", "10.1.0.9/24")
            #expect(try eventually { try house.explain(["web"], from: "late").cause == "opener-down" })
            #expect(try house.explain(["web"], from: "late").cure == "systemctl start intercom-opener.socket")
            #expect(try house.doctor().findings?.first?.cause == "opener-down")
            #expect(try house.dig("app", "web").data == ["10.1.0.2"], "those that were there are served on")
            try? FileManager.default.removeItem(atPath: socket)
            _ = try start()
            #expect(try eventually(within: 40) { try house.explain(["web"], from: "late").fault == false })
            #expect(try house.dig("late", "web").data == ["10.1.0.2"])
        }
    }

    @Test("A daemon that is down is a cause, too, in JSON and with exit status 3")
    func daemonDown() throws {
        try lend { house in
            _ = house.stopDaemon()
            for verb in [["explain", "web", "--from", "app"], ["doctor"]] {
                let output = try house.ctl(verb + ["--json"])
                #expect(output.status == 3 && output.out.contains(#""cause" : "daemon-down""#), "\(output)")
                #expect(output.out.contains("systemctl start intercom.service"))
            }
        }
    }

    @Test("A link with a name that a shell would carry out is quoted in the cure")
    func hostileNames() throws {
        try lendFound { house in
            try house.run(in: "web", ["ip", "link", "set", "eth0", "down"])
            try house.run(in: "web", ["ip", "link", "set", "eth0", "name", "$(id)"])
            try expect(
                house, ["web"], cause: "link-down", cure: "ip -n web link set dev '$(id)' up", then: ["10.1.0.2"])
        }
    }
}

@Suite("doctor", .needsRoot)
struct DoctorTests {
    @Test("says one line and exits with 0 where everything is well, and 1 where something is not")
    func well() throws {
        try House.lend(configuration: "[discover]\nexclude = [\"house\"]\n", resolver: "nameserver 127.0.0.61\n") {
            house in
            try house.bridge("front", "10.1.0.1/24")
            try house.plug("web", into: "front", "10.1.0.2/24")
            #expect(try eventually { try house.dig("web", "web").data == ["10.1.0.2"] })
            let well = try house.ctl("doctor")
            #expect(well.status == 0 && well.out == "Everything is well: 1 container looked at.\n", "\(well)")
            try "[discover]\nexclude = [\"house\"]\nnonsense = 1\n"
                .write(toFile: house.configuration, atomically: true, encoding: .utf8)
            let bad = try house.doctor()
            #expect(bad.findings?.map(\.cause) == ["bad-configuration"], "\(bad)")
            try "[discover]\nexclude = [\"house\"]\n[server]\nttl = 9\n"
                .write(toFile: house.configuration, atomically: true, encoding: .utf8)
            let unread = try #require(try house.doctor().findings?.first)
            #expect(unread.cause == "not-in-force" && unread.cure == "intercomctl reload", "\(unread)")
            try house.mustCtl("reload")
            #expect(try house.ctl("doctor").status == 0)
            try house.mustCtl("container", "add", "one", "--network", "front,ip=10.1.0.2")
            #expect(try house.doctor().findings?.map(\.cause) == ["duplicate-address"])
            #expect(try house.ctl("doctor").status == 1)
            #expect(try house.ctl("doctor", "nobody").err.contains("no container nobody"))
        }
    }

    @Test("looks at a thousand containers within a second")
    func thousand() throws {
        try House.lend(configuration: "[discover]\nexclude = [\"house\"]\n[[network]]\nname = \"n\"\n") { house in
            try house.command(
                "bash", "-c", "for n in $(seq 1 1000); do ip netns add c$n || exit 1; done")
            defer { try? house.command("bash", "-c", "for n in $(seq 1 1000); do ip netns del c$n; done") }
            #expect(
                try eventually(within: 60) {
                    try house.ctl("status").lines.contains { $0.hasPrefix("of these") && $0.contains("1000 ready") }
                })
            let start = ContinuousClock.now
            let output = try house.ctl("doctor")
            #expect(ContinuousClock.now - start < .seconds(1), "\(ContinuousClock.now - start)")
            #expect(output.out.contains("1000 containers") || output.status == 1, "\(output)")
        }
    }
}

extension House {
    fileprivate func explain(_ question: [String], from asker: String) throws -> ExplainTests.Explained {
        try decode(try ctl(["explain"] + question + ["--from", asker, "--json"]))
    }

    fileprivate func doctor(_ containers: String...) throws -> ExplainTests.Explained {
        try decode(try ctl(["doctor"] + containers + ["--json"]))
    }

    private func decode(_ output: Output) throws -> ExplainTests.Explained {
        do {
            return try JSONDecoder().decode(ExplainTests.Explained.self, from: Data(output.out.utf8))
        } catch {
            throw CommandFailure(command: "intercomctl", output: output)
        }
    }

    /// Types a command on the host, as an operator does.
    fileprivate func type(_ command: String) throws -> Output {
        let shell = "intercomctl() { \(House.binaries)/intercomctl --socket \(socket) \"$@\"; }\n"
        return try run(in: "house", ["bash", "-c", shell + command])
    }
}
