// Two hosts that share a network, joined by a bridge that keeps its store in memory (Kit/bridge.py).

import Foundation
import Testing

@Suite("Hosts that share a network", .needsRoot)
struct ClusterTests {
    /// Two hosts with a bridge between them.
    private struct Pair {
        let a: House
        let b: House

        /// Starts the bridge; it belongs to the first host.
        @discardableResult
        func startBridge(log: String = "bridge") throws -> Process {
            try a.start(
                in: "house",
                [
                    "python3", House.kit("bridge.py"), a.directory, "a=\(a.directory)/cluster.sock=192.0.2.1",
                    "b=\(b.directory)/cluster.sock=192.0.2.2",
                ], log: log)
        }

        func bridgeLog(_ log: String = "bridge") -> String {
            (try? String(contentsOfFile: "\(a.directory)/\(log)", encoding: .utf8)) ?? ""
        }

        /// Has the bridge take the second host for lost, or for alive.
        func lose(_ isLost: Bool) throws {
            let path = "\(a.directory)/lost-b"
            if isLost {
                try Data().write(to: URL(fileURLWithPath: path))
            } else {
                try FileManager.default.removeItem(atPath: path)
            }
        }
    }

    private static func configuration(_ house: String) -> String {
        """
        [discover]
        enabled = false
        [cluster]
        networks = ["front*"]
        socket = "\(house)/cluster.sock"
        [[network]]
        name = "frontend"
        subnets = ["10.1.0.0/16"]
        [[network]]
        name = "private"

        """
    }

    private func lend(_ body: (Pair) throws -> Void) throws {
        try House.lend { a in
            try House.lend { b in
                for house in [a, b] {
                    _ = house.stopDaemon()
                    try house.startDaemon(Self.configuration(house.directory))
                }
                let pair = Pair(a: a, b: b)
                try a.container(
                    "web", "--network", "frontend,ip=10.1.1.2,alias=site", "--network", "private,ip=10.9.0.2")
                try b.container(
                    "db", "--network", "frontend,ip=10.1.2.3,alias=site", "--port", "5432=sql", "--hostname", "maria",
                    "--network", "private,ip=10.9.0.3,alias=secret")
                try body(pair)
            }
        }
    }

    @Test("A container asks for one on another host by name, alias, hostname, address and service")
    func names() throws {
        try lend { pair in
            try pair.startBridge()
            for name in ["db", "maria", "db.frontend", "db.frontend.internal"] {
                #expect(try eventually { try pair.a.dig("web", name).data == ["10.1.2.3"] }, "\(name) \(pair.a.log)")
            }
            #expect(try pair.a.dig("web", "site").data == ["10.1.1.2", "10.1.2.3"])
            #expect(try eventually { try pair.b.dig("db", "site").data == ["10.1.1.2", "10.1.2.3"] })
            #expect(try pair.a.dig("web", "-x", "10.1.2.3").data == ["db.frontend.internal."])
            #expect(try pair.a.dig("web", "_sql._tcp.db", "SRV").data == ["0 0 5432 db.frontend.internal."])
            #expect(try pair.a.dig("web", "secret").status == "NXDOMAIN", "the network private is not shared")
            let hosts = try pair.a.ctl("host", "ls").out
            #expect(hosts.contains("b     alive  192.0.2.2  1") && hosts.contains("bridge.py 1: connected"), "\(hosts)")
            let remote = try pair.a.ctl("container", "ls", "--remote").lines.last ?? ""
            #expect(
                remote.split(separator: " ").map(String.init) == [
                    "db", "b", "192.0.2.2", "frontend", "10.1.2.3", "elsewhere",
                ], "\(remote)")
            let resolved = try pair.a.ctl("resolve", "db", "--from", "web").out
            #expect(resolved.contains("answered by: network frontend, on host b (192.0.2.2)"), "\(resolved)")
            let byAddress = try pair.a.ctl("resolve", "-x", "10.1.2.3", "--from", "web").out
            #expect(byAddress.contains("on host b (192.0.2.2)"), "\(byAddress)")
            let explained = try pair.a.ctl("explain", "db", "--from", "web").out
            #expect(explained.contains("10.1.2.3") && explained.contains("on host b (192.0.2.2)"), "\(explained)")
            let inspected = try pair.a.ctl("--json", "container", "inspect", "db").out
            #expect(inspected.contains(#""host" : "b""#) && inspected.contains("192.0.2.2"), "\(inspected)")
            try pair.b.mustCtl("network", "connect", "frontend", "db", "--alias", "later")
            #expect(try eventually { try pair.a.dig("web", "later").data == ["10.1.2.3"] })
            try pair.b.mustCtl("container", "drain", "db")
            #expect(try eventually { try pair.a.dig("web", "site").data == ["10.1.1.2"] })
            try pair.b.mustCtl("container", "rm", "db")
            #expect(try eventually { try pair.a.dig("web", "db").status == "NXDOMAIN" })
            #expect(try pair.a.dig("web", "-x", "10.1.2.3").status == "NXDOMAIN")
        }
    }

    @Test("Until other hosts have told everything, an unknown name on a shared network is not denied")
    func notReady() throws {
        try lend { pair in
            for question in [["db"], ["db.frontend.internal"], ["-x", "10.1.2.3"]] {
                let reply = Reply(
                    try pair.a.run(in: "web", ["dig", "@127.0.0.11", "+timeout=6", "+tries=1"] + question))
                #expect(reply.status == "SERVFAIL", "\(question)")
                #expect(reply.output.out.contains("EDE: 14 (Not Ready)"), "\(reply)")
            }
            #expect(try pair.a.dig("web", "site").data == ["10.1.1.2"], "names here answer")
            #expect(try pair.a.ctl("doctor").out.contains("no bridge has attached"))
            try pair.startBridge()
            #expect(try eventually { try pair.a.dig("web", "nobody").status == "NXDOMAIN" })
            #expect(try pair.a.dig("web", "db").data == ["10.1.2.3"])
        }
    }

    @Test("A bridge that is killed changes no answer, and its successor mends what has changed meanwhile")
    func killedBridge() throws {
        try lend { pair in
            let bridge = try pair.startBridge()
            #expect(try eventually { try pair.a.dig("web", "db").data == ["10.1.2.3"] })
            House.kill(bridge)
            #expect(try eventually { try pair.a.ctl("status").out.contains("no bridge has attached") })
            #expect(try pair.a.dig("web", "db").data == ["10.1.2.3"])
            try pair.b.mustCtl("container", "rm", "db")
            try pair.b.container("cache", "--network", "frontend,ip=10.1.2.4")
            try pair.startBridge(log: "second")
            #expect(try eventually { try pair.a.dig("web", "cache").data == ["10.1.2.4"] })
            #expect(try eventually { try pair.a.dig("web", "db").status == "NXDOMAIN" })
        }
    }

    @Test("A host that is lost leaves names that others serve, keeps its own, and comes back")
    func lostHost() throws {
        try lend { pair in
            try pair.startBridge()
            #expect(try eventually { try pair.a.dig("web", "site").data == ["10.1.1.2", "10.1.2.3"] })
            try pair.lose(true)
            #expect(try eventually { try pair.a.dig("web", "site").data == ["10.1.1.2"] })
            #expect(try pair.a.dig("web", "db").data == ["10.1.2.3"])
            #expect(try pair.a.ctl("status").out.contains("nothing is heard of host b"))
            try pair.lose(false)
            #expect(try eventually { try pair.a.dig("web", "site").data == ["10.1.1.2", "10.1.2.3"] })
        }
    }

    @Test("A monitor tells of hosts and their containers")
    func monitor() throws {
        try lend { pair in
            try pair.a.start(
                in: "house", ["\(House.binaries)/intercomctl", "--socket", pair.a.socket, "monitor"], log: "monitor")
            func told() -> String {
                (try? String(contentsOfFile: "\(pair.a.directory)/monitor", encoding: .utf8)) ?? ""
            }
            // Nothing is told before the monitor is ready: a change is made until it is seen.
            #expect(
                try eventually {
                    try pair.a.mustCtl("network", "create", "probe")
                    try pair.a.mustCtl("network", "rm", "probe")
                    return !told().isEmpty
                })
            try pair.startBridge()
            #expect(eventually { told().contains("container added db host b") }, "\(told())")
            #expect(told().contains("host added b addresses 192.0.2.2 state alive"), "\(told())")
            try pair.lose(true)
            #expect(eventually { told().contains("host changed b addresses 192.0.2.2 state lost") }, "\(told())")
        }
    }

    @Test("A second bridge ends the session of the first, and both logs say so")
    func secondBridge() throws {
        try lend { pair in
            let first = try pair.startBridge()
            #expect(try eventually { try pair.a.dig("web", "db").data == ["10.1.2.3"] })
            try pair.startBridge(log: "second")
            #expect(eventually { !first.isRunning })
            #expect(pair.bridgeLog().contains("ended"))
            #expect(pair.a.log.contains("has attached in its place"))
            #expect(try pair.a.dig("web", "db").data == ["10.1.2.3"])
            #expect(try eventually { !(try pair.a.ctl("status").out.contains("no bridge has attached")) })
        }
    }

    @Test("Entries that cannot be are refused, each with its reason, and shown")
    func refusals() throws {
        try lend { pair in
            try pair.startBridge()
            #expect(try eventually { try pair.a.dig("web", "db").data == ["10.1.2.3"] })
            let entries = [
                #"{"host":"a","key":"x","name":"x","places":[{"network":"frontend","addresses":["10.1.9.1"]}]}"#,
                #"{"host":"b","key":"y","name":"y","places":[{"network":"frontend","addresses":["10.2.0.1"]}]}"#,
                #"{"host":"c","key":"z","name":"z","places":[{"network":"frontend","addresses":["10.1.9.1"]}]}"#,
                #"{"host":"b","key":"v","name":"localhost","places":[{"network":"frontend","addresses":["10.1.9.1"]}]}"#,
            ]
            let path = "\(pair.a.directory)/forged"
            try Data(#"{"put":[\#(entries.joined(separator: ","))]}"#.utf8).write(
                to: URL(fileURLWithPath: path + ".new"))
            try FileManager.default.moveItem(atPath: path + ".new", toPath: path)
            #expect(eventually { pair.bridgeLog().contains("forged: ") })
            for reason in ["this host", "outside the subnets", "nobody has told", "meaning"] {
                #expect(pair.bridgeLog().contains(reason), "\(reason): \(pair.bridgeLog())")
            }
            #expect(try pair.a.dig("web", "x").status == "NXDOMAIN")
            #expect(try pair.a.ctl("status").out.contains("4 entries of other hosts refused"))
        }
    }

    @Test("A daemon that crashes knows all hosts again once the bridge has told it")
    func crash() throws {
        try lend { pair in
            try pair.startBridge()
            #expect(try eventually { try pair.a.dig("web", "db").data == ["10.1.2.3"] })
            try pair.a.crashDaemon()
            #expect(try eventually { try pair.a.dig("web", "db").data == ["10.1.2.3"] })
            #expect(try eventually { try pair.b.dig("db", "web").data == ["10.1.1.2"] })
        }
    }

    @Test("Questions wait for a restarted daemon until other hosts are known: no name of theirs is denied or refused")
    func restart() throws {
        try House.lend { a in
            try House.lend { b in
                _ = a.stopDaemon()
                _ = b.stopDaemon()
                let service = try Supervisor(a, Self.configuration(a.directory))
                try b.startDaemon(Self.configuration(b.directory))
                let pair = Pair(a: a, b: b)
                try a.container("web", "--network", "frontend,ip=10.1.1.2")
                try b.container("db", "--network", "frontend,ip=10.1.2.3")
                try pair.startBridge()
                #expect(try eventually { try a.dig("web", "db").data == ["10.1.2.3"] })
                for (round, signal) in [(2, SIGKILL), (3, SIGTERM), (4, SIGUSR2)] {
                    try service.signal(signal)
                    #expect(try a.dig("web", "db").data == ["10.1.2.3"], "\(signal): \(a.log)")
                    try service.awaitReady(round)
                }
            }
        }
    }

    @Test(
        "Containers of other hosts are forgotten when no bridge has attached for the time that the configuration says")
    func forgetting() throws {
        try lend { pair in
            let bridge = try pair.startBridge()
            #expect(try eventually { try pair.a.dig("web", "db").data == ["10.1.2.3"] })
            try Self.configuration(pair.a.directory).replacing("[cluster]", with: "[cluster]\nforget-after = 1")
                .write(toFile: pair.a.configuration, atomically: true, encoding: .utf8)
            try pair.a.mustCtl("reload")
            House.kill(bridge)
            #expect(try eventually { try pair.a.ctl("status").out.contains("is forgotten after 1 s") })
            #expect(try pair.a.dig("web", "db").data == ["10.1.2.3"])
            #expect(try eventually { try pair.a.dig("web", "db").status == "SERVFAIL" }, "not denied: it may be there")
            #expect(pair.a.log.contains("1 container of other hosts forgotten"))
        }
    }

    @Test("Metrics and the map show other hosts")
    func metrics() throws {
        try lend { pair in
            #expect(try pair.a.ctl("metrics").out.contains("intercom_cluster_synced 0"))
            try pair.startBridge()
            #expect(try eventually { try pair.a.dig("web", "db").data == ["10.1.2.3"] })
            func metrics() throws -> String { try pair.a.ctl("metrics").out }
            for line in [
                #"intercom_cluster_hosts{state="alive"} 1"#, #"intercom_cluster_hosts{state="lost"} 0"#,
                "intercom_cluster_entries 1", "intercom_cluster_refused_total 0", "intercom_cluster_sessions_total 1",
                "intercom_cluster_synced 1", "intercom_cluster_connected 1", "intercom_cluster_report_age_seconds ",
            ] {
                #expect(try eventually { try metrics().contains("\n\(line)") }, "\(line)")
            }
            try pair.lose(true)
            #expect(try eventually { try metrics().contains(#"intercom_cluster_hosts{state="lost"} 1"#) })
            let map = try pair.a.ctl("map").out
            #expect(map.contains("lost on b") && map.contains("192.0.2.2"))
        }
    }
}
