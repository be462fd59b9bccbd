// Causes at the container: it, its links, its listener. Each is made for real, its cure is typed, and the name resolves.

import Foundation
import Testing

@Suite("explain, of a container", .needsRoot)
struct ExplainContainerTests: ExplainSuite {
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

    @Test("The loopback interface that has lost its address is named, with the command that adds it")
    func bareLoopback() throws {
        try lendFound { house in
            try house.ip(in: "app", "route add default via 10.1.0.1")
            try house.ip(in: "app", "addr flush dev lo")
            #expect(try eventually { try house.doctor("app").findings?.first?.text.contains("no address") == true })
            try expect(
                house, ["web"], cause: "loopback-down", cure: "ip -n app addr add 127.0.0.1/8 dev lo",
                then: ["10.1.0.2"])
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
