// intercom-runtimes docker with Debian's dockerd: what a person does with docker, and the names that follow.

import Foundation
import Testing

@Suite("Containers of a real dockerd", .needsRoot, .needsDocker, .serialized)
struct RealDockerTests {
    @Test("get their names, on the default bridge and on custom networks, each on its own networks alone")
    func names() throws {
        try RealDocker.lend { docker in
            try docker.must("network", "create", "front")
            try docker.must("network", "create", "back")
            try docker.container("one", "--label", "intercom.alias=numbers", "--expose", "80")
            try docker.container(
                "two", "--label", "intercom.alias=numbers", "--add-host", "api.example:192.0.2.9", "--add-host",
                "gate:host-gateway")
            try docker.container("web", "--network", "front", "--network-alias", "site")
            try docker.container("db.1", "--network", "back", "--network-alias", "store")
            try docker.container("side", "--network", "container:web")
            try docker.container("hosty", "--network", "host")
            try docker.startAdapter()
            let one = try docker.address("one", on: "bridge")
            let two = try docker.address("two", on: "bridge")
            let web = try docker.address("web", on: "front")
            let db = try docker.address("db.1", on: "back")
            try docker.expect("one", from: "two", [one])
            try docker.expect("numbers", from: "one", [one, two].sorted())
            try docker.expect("api.example", from: "two", ["192.0.2.9"])
            try docker.expect("gate", from: "two", [try docker.gateway(of: "two", on: "bridge")])
            try docker.expect("gate", from: "one", [])
            try docker.expect("web", from: "one", [])
            try docker.expect("site", from: "web", [web])
            try docker.expect("side", from: "web", [web])
            try docker.expect("db.1", from: "db.1", [db])
            try docker.expect("store.back.internal", from: "db.1", [db])
            try docker.expect(
                String(try docker.must("inspect", "--format", "{{.Id}}", "one").prefix(12)), from: "two", [one])
            #expect(docker.log == ["intercom-runtimes: docker: 6 containers run on 3 networks"])
        }
    }

    @Test("are answered over the wire, with their ports, and again after a restart")
    func wire() throws {
        try RealDocker.lend { docker in
            try docker.container("one", "--expose", "80")
            try docker.container("two")
            try docker.startAdapter()
            let one = try docker.address("one", on: "bridge")
            let isAnswered = try eventually { try docker.dig(in: "two", "one").data == [one] }
            #expect(isAnswered, "\(docker.log)")
            let service = try docker.dig(in: "two", "_80._tcp.one", "SRV")
            #expect(service.data == ["0 0 80 one.bridge.internal."], "\(service)")
            // Another process, another namespace.
            try docker.must("restart", "--time", "0", "two")
            let two = try docker.address("two", on: "bridge")
            let isAnsweredAgain = try eventually { try docker.dig(in: "two", "two").data == [two] }
            #expect(isAnsweredAgain, "\(docker.log)")
        }
    }

    @Test("are renamed, connected, disconnected, stopped and removed, and the answers follow")
    func life() throws {
        try RealDocker.lend { docker in
            try docker.must("network", "create", "front")
            try docker.must("network", "create", "back")
            try docker.container("web", "--network", "front")
            try docker.container("db", "--network", "back")
            try docker.startAdapter()
            let db = try docker.address("db", on: "back")
            try docker.expect("web", from: "web", [try docker.address("web", on: "front")])
            try docker.expect("db", from: "web", [])
            try docker.must("network", "connect", "--alias", "site", "back", "web")
            let web = try docker.address("web", on: "back")
            try docker.expect("site", from: "db", [web])
            try docker.expect("db", from: "web", [db])
            try docker.must("rename", "web", "shop")
            try docker.expect("shop", from: "db", [web])
            try docker.expect("web", from: "db", [])
            try docker.must("network", "disconnect", "back", "shop")
            try docker.expect("shop", from: "db", [])
            // A network that is made while the adapter runs, with a container on it at once.
            try docker.must("network", "create", "late")
            try docker.container("guest", "--network", "late")
            try docker.expect("guest.late", from: "guest", [try docker.address("guest", on: "late")])
            try docker.must("stop", "--time", "0", "guest")
            try docker.expect("guest", from: "guest", nil)
            try docker.must("rm", "--force", "guest")
            try docker.must("network", "rm", "late")
            let isGone = try eventually { try !docker.house.ctl("network", "ls").out.contains("late") }
            #expect(isGone)
        }
    }

    /// Containers of ``crowd()``: a machine with much memory bears hundreds.
    private static let crowdSize =
        ProcessInfo.processInfo.environment["INTERCOM_CONTAINERS"].flatMap { Int($0) } ?? 20

    @Test("are started at once: each has its name soon after Docker says that it runs, and the right address")
    func crowd() throws {
        try RealDocker.lend { docker in
            try docker.must("network", "create", "--subnet", "10.200.0.0/16", "front")
            try docker.startAdapter()
            let names = (1...Self.crowdSize).map { "c\($0)" }
            for name in names {
                try docker.must(
                    "create", "--name", name, "--volume", "/usr:/usr:ro", "--network", "front", "tiny", "sleep", "3600")
            }
            // The streams are there when one more has passed both.
            try docker.watchStarts()
            let areThere = try eventually {
                try docker.must("run", "--rm", "--volume", "/usr:/usr:ro", "--name", "first", "tiny", "sleep", "0.2")
                return docker.delays()["first"] != nil
            }
            try #require(areThere, "\(docker.log)")
            try docker.startAll(names)
            let areAll = eventually(within: 60) { Set(docker.delays().keys).isSuperset(of: names) }
            try #require(areAll, "\(docker.log)")
            let delays = docker.delays().filter { names.contains($0.key) }.values.sorted().map { Double($0) / 1e6 }
            let (median, longest) = (delays[delays.count / 2], delays.last ?? 0)
            if Self.crowdSize > 20 {
                print("\(names.count) containers: a name after \(median) ms in the half, \(longest) ms at most")
            }
            // 50 ms where nothing else wants the processors.
            #expect(median < Double(HookProgram.limit(.milliseconds(500)) / .milliseconds(1)), "\(delays)")
            for name in names.shuffled().prefix(20) {
                try docker.expect(name, from: "c1", [try docker.address(name, on: "front")])
            }
        }
    }

    @Test("keep their names while dockerd is killed, and are read again when it is back")
    func liveRestore() throws {
        try RealDocker.lend { docker in
            try docker.must("network", "create", "front")
            try docker.container("web", "--network", "front")
            try docker.container("app", "--network", "front")
            try docker.startAdapter()
            let web = try docker.address("web", on: "front")
            try docker.expect("web", from: "app", [web])
            try docker.killDaemon()
            #expect(eventually { docker.log.contains { $0.contains("tried again until it can") } }, "\(docker.log)")
            try docker.expect("web", from: "app", [web])
            try docker.startDaemon()
            let isBack = eventually(within: 30) { docker.log.contains { $0.contains("Docker answers again") } }
            #expect(isBack, "\(docker.log)")
            try docker.expect("web", from: "app", [web])
            try docker.must("rename", "web", "shop")
            try docker.expect("shop", from: "app", [web])
        }
    }

    @Test("that dockerd answers, as its NAT comes first, are explained by the port that this leads to, and by dockerd")
    func translated() throws {
        try RealDocker.lend(configuration: "[server]\nlisten = \"direct\"\n") { docker in
            try docker.must("network", "create", "front")
            try docker.container("web", "--network", "front")
            try docker.container("app", "--network", "front")
            // Without the adapter, which has our rules before Docker's.
            try docker.house.mustCtl("network", "create", "n")
            let pid = try docker.must("inspect", "--format", "{{.State.Pid}}", "app")
            try docker.house.mustCtl(
                "container", "add", "app", "--pid", pid, "--network", "n,ip=10.9.0.2", "--listen", "direct")
            try docker.house.mustCtl("container", "add", "web", "--network", "n,ip=10.9.0.3")
            let dockerd =
                try String(contentsOfFile: docker.pidFile, encoding: .utf8).split(separator: "\n").first.map(
                    String.init) ?? ""
            var explained = ""
            let isSo = try eventually {
                explained = try docker.house.explain(["web"], from: "app").text ?? ""
                return explained.contains(/NAT leads questions to 127\.0\.0\.11:\d+, dockerd \(pid \d+\)/)
            }
            #expect(isSo && explained.contains("dockerd (pid \(dockerd))"), "\(explained)\n\(docker.log)")
        }
    }

    @Test("are known again after the daemon crashed")
    func daemonRestarts() throws {
        try RealDocker.lend { docker in
            try docker.container("one")
            try docker.container("two")
            try docker.startAdapter()
            let one = try docker.address("one", on: "bridge")
            try docker.expect("one", from: "two", [one])
            try docker.house.crashDaemon()
            try docker.expect("one", from: "two", [one])
        }
    }
}
