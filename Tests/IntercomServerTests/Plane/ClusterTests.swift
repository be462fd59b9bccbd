// A cluster's bridge at its socket: what it tells is answered, and what is here is told to it.

import ControlAPI
import Testing

@testable import ClientCommand
@testable import IntercomServer

@Suite("A bridge to other hosts")
struct ClusterPlaneTests {
    private static let town = """
        [[network]]
        name = "front"

        [[network]]
        name = "back"

        [[container]]
        name = "app"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]

        [[container]]
        name = "own"
        networks = [{ name = "back", ip = ["10.2.0.3"] }]

        """

    private static func lend(_ more: String = "", _ body: (Plane, _ socket: String) throws -> Void) throws {
        try Plane.lend { plane in
            let socket = "\(plane.directory)/cluster.sock"
            let cluster = "[cluster]\nsocket = '\(socket)'\ngroup = ''\nnetworks = ['fr*']\n\(more)\n"
            try plane.configure(cluster + town)
            _ = try plane.call(Reload.self, Nothing())
            try body(plane, socket)
        }
    }

    private static func attach(_ socket: String) throws -> (PlaneStream<ControlAPI.Attach>, session: Int) {
        let stream = try PlaneStream(
            ControlAPI.Attach.self, .init(agent: "test-bridge", version: "1", host: "here"), at: socket)
        return (stream, try #require(try stream.next().session))
    }

    private static func call<Method: ClusterMethod>(
        _ method: Method.Type, _ parameters: Method.Parameters, _ socket: String
    ) throws -> Method.Reply {
        try ControlClient(socket: socket).call(method, parameters)
    }

    private static func entry(_ key: String, _ name: String, _ address: String, on host: String = "there") -> Entry {
        Entry(host: host, key: key, name: name, places: [Place(network: "front", addresses: [address])])
    }

    @Test("tells of containers elsewhere, which are answered, shown with their hosts, and gone when it says so")
    func told() throws {
        try Self.lend { plane, socket in
            let (stream, session) = try Self.attach(socket)
            _ = try Self.call(Begin.self, .init(session: session, expected: 2), socket)
            let applied = try Self.call(
                Apply.self,
                .init(
                    session: session, hosts: [Host(host: "there", state: .alive, address: "192.0.2.7")],
                    put: [
                        Self.entry("web", "web", "10.1.0.9"), Self.entry("db", "db", "10.1.0.8"),
                        Self.entry("x", "x", "no address"), Self.entry("y", "y", "10.1.0.7", on: "nobody"),
                    ], cursor: "early"), socket)
            #expect(applied.refused.map(\.key) == ["x", "y"])
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.9"])
            #expect(try Self.call(Complete.self, .init(session: session, cursor: "7"), socket).removed == 0)
            let answer = try plane.call(Resolve.self, .init(name: "db", container: "app")).answer
            #expect(answer.source.hasSuffix(", on host there (192.0.2.7)"))
            // A network that is not shared has none of its names.
            #expect(try plane.resolve("web", from: "own") == ["NXDOMAIN"])
            let hosts = try plane.call(ListHosts.self, Nothing())
            #expect(
                hosts.hosts == [.init(name: "there", state: "alive", address: "192.0.2.7", containers: 2)])
            let cluster = try #require(hosts.cluster)
            #expect(cluster.host == "here" && cluster.agent == "test-bridge 1" && cluster.synced)
            #expect(cluster.networks == ["front"] && cluster.entries == 2 && cluster.refused == 2)
            #expect(cluster.lastRefusal?.hasPrefix("entry y of host nobody: ") == true)
            let remote = try plane.list(ListContainers.self, .init(remote: true)).flatMap(\.containers)
            #expect(remote.map(\.name).sorted() == ["db", "web"] && remote.allSatisfy { $0.host == "there" })
            let web = try plane.container("web")
            #expect(web.state == "elsewhere" && web.source == "cluster" && web.hostAddress == "192.0.2.7")
            #expect(web.networks.flatMap(\.addresses) == ["10.1.0.9"])
            // All told anew: what is not told is gone.
            _ = try Self.call(Begin.self, .init(session: session), socket)
            _ = try Self.call(
                Apply.self,
                .init(
                    session: session, hosts: [Host(host: "there", state: .lost)],
                    put: [Self.entry("web", "web", "10.1.0.9")]), socket)
            #expect(try Self.call(Complete.self, .init(session: session), socket).removed == 1)
            #expect(try plane.resolve("db", from: "app") == ["NXDOMAIN"])
            let warnings = try plane.call(Status.self, Nothing()).warnings
            #expect(warnings.contains { $0.hasPrefix("nothing is heard of host there: ") }, "\(warnings)")
            _ = try Self.call(
                Apply.self, .init(session: session, gone: [EntryKey(host: "there", key: "web")]), socket)
            #expect(try plane.resolve("web", from: "app") == ["NXDOMAIN"])
            _ = try Self.call(Apply.self, .init(session: session, goneHosts: ["there"]), socket)
            #expect(try plane.call(ListHosts.self, Nothing()).hosts.isEmpty)
            withExtendedLifetime(stream) {}
        }
    }

    @Test("is told of all containers on shared networks, then of each change with their whole state")
    func exported() throws {
        try Self.lend { plane, socket in
            let (stream, _) = try Self.attach(socket)
            let first = try stream.next { $0.synced == true }
            #expect(first.compactMap(\.shared) == [["front"]])
            let entries = first.compactMap(\.put).flatMap(\.self)
            #expect(entries.map(\.key) == ["app"] && entries.first?.host == "here")
            #expect(entries.first?.places == [Place(network: "front", addresses: ["10.1.0.3"])])
            #expect(entries.first?.declared == true)
            _ = try plane.call(
                AddContainer.self,
                .init(
                    name: "New.x", networks: [.init(name: "front", addresses: ["10.1.0.4"], aliases: ["api"])],
                    ports: [Port(port: 80, service: "http")]))
            let added = try #require(try stream.next { $0.put != nil }.last?.put?.first)
            #expect(added.name == "New.x" && added.key == "new.x" && added.ports?.map(\.port) == [80])
            #expect(added.places.first?.aliases == ["api"])
            _ = try plane.call(DrainContainer.self, Named(name: "New.x"))
            #expect(try stream.next { $0.put != nil }.last?.put?.first?.draining == true)
            _ = try plane.call(Connect.self, .init(network: "front", container: "own", addresses: ["10.1.0.5"]))
            #expect(try stream.next { $0.put != nil }.last?.put?.first?.key == "own")
            _ = try plane.call(Disconnect.self, .init(network: "front", container: "own"))
            #expect(try stream.next { $0.gone != nil }.last?.gone == ["own"])
            _ = try plane.call(RemoveContainer.self, Named(name: "New.x"))
            #expect(try stream.next { $0.gone != nil }.last?.gone == ["new.x"])
            _ = try plane.call(CreateNetwork.self, .init(name: "fresh"))
            #expect(try stream.next { $0.shared != nil }.last?.shared == ["fresh", "front"])
        }
    }

    /// Attaches, begins, tells of containers, and goes before it has told everything.
    private static func tellHalf(_ names: [(name: String, address: String)], _ socket: String) throws {
        let (stream, session) = try attach(socket)
        _ = try call(Begin.self, .init(session: session, expected: 1000), socket)
        let put = names.map { entry($0.name, $0.name, $0.address) }
        _ = try call(
            Apply.self, .init(session: session, hosts: [Host(host: "there", state: .alive)], put: put), socket)
        withExtendedLifetime(stream) {}
    }

    @Test(
        "that goes in the midst of telling everything takes nothing away, and a name that it has not told is not denied"
    )
    func half() throws {
        try Self.lend { plane, socket in
            try Self.tellHalf([("web", "10.1.0.9")], socket)
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.9"])
            // Nobody has told everything yet.
            #expect(try plane.resolve("db", from: "app") == ["SERVFAIL"])
            #expect(try plane.call(ListHosts.self, Nothing()).cluster?.synced == false)
            let (stream, session) = try Self.attach(socket)
            _ = try Self.call(Begin.self, .init(session: session), socket)
            _ = try Self.call(
                Apply.self,
                .init(
                    session: session, hosts: [Host(host: "there", state: .alive)],
                    put: [Self.entry("db", "db", "10.1.0.8"), Self.entry("api", "api", "10.1.0.7")]), socket)
            // What was told by halves before, and is not told now, is gone.
            #expect(try Self.call(Complete.self, .init(session: session), socket).removed == 1)
            #expect(try plane.resolve("web", from: "app") == ["NXDOMAIN"])
            withExtendedLifetime(stream) {}
            // Once all is known, half of a telling changes what it tells, and nothing else.
            try Self.tellHalf([("db", "10.1.0.18")], socket)
            #expect(try plane.resolve("db", from: "app") == ["10.1.0.18"])
            #expect(try plane.resolve("api", from: "app") == ["10.1.0.7"])
            #expect(try plane.resolve("nobody", from: "app") == ["NXDOMAIN"])
        }
    }

    @Test("that tells of more containers than 'max-entries' is refused the others, which status says")
    func bounded() throws {
        let limit = 500
        try Self.lend("max-entries = \(limit)") { plane, socket in
            let (stream, session) = try Self.attach(socket)
            _ = try Self.call(Begin.self, .init(session: session, expected: 1_000_000), socket)
            _ = try Self.call(
                Apply.self, .init(session: session, hosts: [Host(host: "there", state: .alive)]), socket)
            var refused = 0
            for first in stride(from: 0, to: 10_000, by: Apply.entryLimit) {
                let put = (first..<min(first + Apply.entryLimit, 10_000)).map { number in
                    Self.entry("c\(number)", "c\(number)", "10.1.\(number / 250).\(number % 250)")
                }
                refused += try Self.call(Apply.self, .init(session: session, put: put), socket).refused.count
            }
            #expect(refused == 10_000 - limit)
            _ = try Self.call(Complete.self, .init(session: session), socket)
            let cluster = try #require(try plane.call(ListHosts.self, Nothing()).cluster)
            #expect(cluster.entries == limit && cluster.refused == refused)
            #expect(cluster.lastRefusal?.contains("\(limit)") == true, "\(cluster.lastRefusal ?? "")")
            let warnings = try plane.call(Status.self, Nothing()).warnings
            #expect(warnings.contains { $0.contains("containers of other hosts") }, "\(warnings)")
            #expect(try plane.resolve("c0", from: "app") == ["10.1.0.0"])
            #expect(try plane.resolve("c9999", from: "app") == ["NXDOMAIN"])
            // Who is replaced takes no further place.
            let again = try Self.call(
                Apply.self, .init(session: session, put: [Self.entry("c1", "c1", "10.1.99.99")]), socket)
            #expect(again.refused.isEmpty)
            withExtendedLifetime(stream) {}
        }
    }

    @Test("takes the place of the one before, whose calls are refused then; what was told stays")
    func replaced() throws {
        try Self.lend { plane, socket in
            let (first, old) = try Self.attach(socket)
            _ = try Self.call(
                Apply.self,
                .init(
                    session: old, hosts: [Host(host: "there", state: .alive)],
                    put: [Self.entry("web", "web", "10.1.0.9")], cursor: "5"), socket)
            let second = try PlaneStream(
                ControlAPI.Attach.self, .init(agent: "other", version: "2", host: "here"), at: socket)
            let reply = try second.next()
            #expect(reply.session == old + 1 && reply.cursor == "5" && reply.entries == 1)
            #expect(try first.next { $0.ended == true }.last?.ended == true)
            let refusal = #expect(throws: Failure.self) {
                try Self.call(Complete.self, .init(session: old), socket)
            }
            #expect(refusal?.message.contains("session") == true)
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.9"])
        }
    }

    @Test("is shown with what it reports, and missed when it has gone: status and doctor say so")
    func reported() throws {
        try Self.lend { plane, socket in
            func warnings() throws -> [String] { try plane.call(Status.self, Nothing()).warnings }
            #expect(try warnings().contains { $0.hasPrefix("no bridge has attached: ") })
            do {
                let (stream, session) = try Self.attach(socket)
                _ = try Self.call(
                    Report.self, .init(session: session, state: .away, message: "etcd: no route", lag: 12), socket)
                let cluster = try #require(try plane.call(ListHosts.self, Nothing()).cluster)
                #expect(cluster.state == "away" && cluster.message == "etcd: no route" && cluster.lag == 12)
                #expect(
                    try warnings().contains(
                        "test-bridge is cut off from its store (etcd: no route); what was told stays"))
                _ = try Self.call(Report.self, .init(session: session, state: .connected, message: "slow"), socket)
                #expect(try warnings().contains("test-bridge: slow"))
                let findings = try plane.call(Doctor.self, .init(containers: nil)).findings
                #expect(findings.contains { $0.text == "test-bridge: slow" })
                _ = try Self.call(Report.self, .init(session: session, state: .connected, lag: 250), socket)
                let families = try plane.call(Metrics.self, Nothing()).families
                func value(_ name: String) -> Double? { families.first { $0.name == name }?.samples.first?.value }
                #expect(value("intercom_cluster_connected") == 1 && value("intercom_cluster_sessions") == 1)
                #expect(value("intercom_cluster_lag_seconds") == 0.25)
                withExtendedLifetime(stream) {}
            }
            let end = ContinuousClock.now + .seconds(10)
            while try !warnings().contains(where: { $0.hasPrefix("no bridge has attached: ") }),
                ContinuousClock.now < end
            {}
            #expect(try plane.call(ListHosts.self, Nothing()).cluster?.state == "no bridge")
        }
    }

    @Test("that does not come back is forgotten after the time that the configuration gives, with what it told")
    func forgotten() throws {
        try Self.lend("forget-after = 1") { plane, socket in
            do {
                let (stream, session) = try Self.attach(socket)
                _ = try Self.call(
                    Apply.self,
                    .init(
                        session: session, hosts: [Host(host: "there", state: .alive)],
                        put: [Self.entry("web", "web", "10.1.0.9")]), socket)
                #expect(try plane.resolve("web", from: "app") == ["10.1.0.9"])
                withExtendedLifetime(stream) {}
            }
            let end = ContinuousClock.now + .seconds(10)
            while try plane.call(ListHosts.self, Nothing()).hosts.count > 0, ContinuousClock.now < end {}
            #expect(try plane.resolve("web", from: "app") != ["10.1.0.9"])
        }
    }

    @Test("is refused what cannot be: a call without its session, too many entries, and no shared network")
    func refusals() throws {
        try Self.lend { plane, socket in
            let early = #expect(throws: Failure.self) { try Self.call(Begin.self, .init(session: 1), socket) }
            #expect(early?.status == 1)
            let (stream, session) = try Self.attach(socket)
            let many = (0...Apply.entryLimit).map { Self.entry("k\($0)", "n\($0)", "10.1.0.9") }
            let refusal = #expect(throws: Failure.self) {
                try Self.call(Apply.self, .init(session: session, put: many), socket)
            }
            #expect(refusal?.message.contains("257") == true)
            let whole = #expect(throws: Failure.self) {
                try Self.call(
                    ControlAPI.Attach.self, .init(agent: "a", version: "1", host: "here"), socket)
            }
            #expect(whole != nil, "its replies never end")
            try plane.configure(Self.town)
            _ = try plane.call(Reload.self, Nothing())
            let none = #expect(throws: (any Error).self) {
                try PlaneStream(ControlAPI.Attach.self, .init(agent: "a", version: "1", host: "h"), at: socket).next()
            }
            #expect(none != nil)
            #expect(try plane.call(ListHosts.self, Nothing()) == .init(cluster: nil, hosts: []))
            withExtendedLifetime(stream) {}
        }
    }
}
