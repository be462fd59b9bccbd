// Containers with listeners that clients ask, in namespaces that nobody enters.

import Attachment
import ControlAPI
import DNSWire
import Foundation
import Registry
import Testing

@testable import ClientCommand
@testable import IntercomServer
@testable import LinuxNet

/// A daemon with containers whose listeners are asked as their programs would.
struct UnenteredTown {
    let plane: Plane
    let namespaces: UnenteredNamespaces

    /// Runs a test with a daemon and no container; with networks `front` and `back`.
    static func lend(_ text: String, _ body: (UnenteredTown) throws -> Void) throws {
        let namespaces = UnenteredNamespaces()
        defer { namespaces.end() }
        try Plane.lend(text + "[[network]]\nname = 'front'\n[[network]]\nname = 'back'\n", opener: namespaces.opener) {
            try body(UnenteredTown(plane: $0, namespaces: namespaces))
        }
    }

    /// Adds a container with a namespace.
    @discardableResult
    func add(
        _ name: String, _ address: String? = nil, on network: String = "front", policy: String? = nil,
        intercept: [String]? = nil, _ change: (inout UnenteredNamespaces.Inside) -> Void = { _ in }
    ) throws -> Int32 {
        let pid = try namespaces.add(change)
        _ = try plane.call(
            AddContainer.self,
            .init(
                name: name, pid: Int(pid), networks: [.init(name: network, addresses: address.map { [$0] } ?? [])],
                intercept: intercept, policy: policy))
        return pid
    }

    /// Data of the answer that a container's program gets, or the response code where there are none.
    func ask(_ pid: Int32, _ name: String, _ type: RecordType = .a, over transport: Transport = .datagram) throws
        -> String
    {
        let listener = try namespaces.listener(of: pid)
        return WorkerTown.text(
            try WorkerTown.ask([try WorkerTown.query(name, type)], at: listener, over: transport).first)
    }
}

@Suite("A container in a namespace")
struct NamespacePlaneTests {
    @Test("is answered at its listener, and its questions are told to who watches: of all, of one, or what was denied")
    func watching() throws {
        let policy = "[[policy]]\nname = 'own'\nallow = []\n[log]\nqueries = 'journal'\n"
        try UnenteredTown.lend(policy) { town in
            let web = try town.add("web", "10.1.0.2")
            let app = try town.add("app", "10.1.0.3", policy: "own")
            let watch = { (parameters: Monitor.Parameters) in
                let stream = try PlaneStream(Monitor.self, parameters, at: town.plane.socket)
                #expect(try stream.next().ready == true)
                return stream
            }
            let all = try watch(.init(queries: true))
            let ofApp = try watch(.init(queries: true, container: "app"))
            let denied = try watch(.init(queries: true, container: "app", denied: true))
            let asked: [(Int32, String, RecordType, Transport, String)] = [
                (web, "app", .a, .datagram, "10.1.0.3"), (app, "web.front", .a, .stream, "10.1.0.2"),
                (app, "WEB", .aaaa, .datagram, "NOERROR"), (app, "a.example", .a, .datagram, "NXDOMAIN"),
            ]
            for (pid, name, type, transport, answer) in asked {
                #expect(try town.ask(pid, name, type, over: transport) == answer, "\(name)")
            }
            func told(_ stream: PlaneStream<Monitor>, until name: String) throws -> [String] {
                try stream.next { $0.question?.name == name }.compactMap(\.question).map {
                    #expect($0.time > 1_700_000_000_000_000 && $0.microseconds >= 0)
                    return "\($0.container ?? "") \($0.transport) \($0.name ?? "") \($0.type ?? "") \($0.rcode)"
                        + ": \($0.decidedBy)"
                }
            }
            let ofAll = [
                "web udp app A NOERROR: network front", "app tcp web.front A NOERROR: network front",
                "app udp web AAAA NOERROR: network front",
                "app udp a.example A NXDOMAIN: denied by policy own: default deny",
            ]
            #expect(try told(all, until: "a.example") == ofAll)
            #expect(try told(ofApp, until: "a.example") == Array(ofAll[1...]))
            #expect(try told(denied, until: "a.example") == Array(ofAll[3...]))
        }
    }

    @Test("is described by its place, its facts and its state; and by what its questions have cost")
    func described() throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        let text = "[metrics]\nper-container = true\n[forward]\nupstreams = ['\(upstream.server)']\n"
        try UnenteredTown.lend(text) { town in
            let plane = town.plane
            let web = try town.add("web", "10.1.0.2")
            let shown = try plane.container("web")
            #expect(shown.pid == Int(web) && shown.netns == nil && shown.listen == "redirect")
            #expect(shown.state == "starting" && shown.reason?.contains("it is not known whether") == true)
            // A source tells of one by its process, and of another by a path to its namespace.
            let (first, second) = (try town.namespaces.add(), try town.namespaces.add())
            let path = "\(plane.directory)/second"
            try FileManager.default.createSymbolicLink(
                atPath: path, withDestinationPath: "/proc/\(second)/ns/net")
            _ = try plane.call(
                Publish.self,
                .init(
                    source: "docker",
                    containers: [
                        .init(
                            id: "1", name: "first", pid: Int(first),
                            networks: [.init(name: "front", addresses: ["10.1.0.5"])]),
                        .init(
                            id: "2", name: "second", netns: path,
                            networks: [.init(name: "front", addresses: ["10.1.0.6"])]),
                    ]))
            for (name, fact, value) in [("first", "pid", "\(first)"), ("second", "netns", path)] {
                #expect(try eventually { try plane.container(name).listener != nil })
                let facts = try plane.container(name).facts.filter { $0.fact == fact }
                #expect(facts.map(\.value) == [value] && facts.map(\.source) == ["docker"], "\(name)")
            }
            #expect(try town.ask(second, "first") == "10.1.0.5")
            #expect(try town.ask(web, "a.example") == "192.0.2.53")
            #expect(try town.ask(web, "nx.example", .aaaa, over: .stream) == "NXDOMAIN")
            let latency = try plane.call(Status.self, Nothing()).latency ?? []
            #expect(latency.map(\.source) == ["local", "upstream"] && latency.map(\.samples) == [1, 2])
            #expect(latency.allSatisfy { $0.p50 <= $0.p99 })
            let families = try plane.call(Metrics.self, Nothing()).families
            func samples(_ name: String) -> [String] {
                families.filter { $0.name == name }.flatMap(\.samples).filter {
                    !["_bucket", "_sum"].contains($0.suffix)
                }
                .map { "\($0.labels.map(\.value).joined(separator: " ")): \(Int($0.value))" }
            }
            #expect(samples("intercom_container_dns_requests") == ["first: 0", "second: 1", "web: 2"])
            #expect(samples("intercom_dns_requests") == ["front tcp 1 AAAA: 1", "front udp 1 A: 2"])
            #expect(
                samples("intercom_forward_duration_seconds")
                    == ["\(upstream.server) NOERROR: 1", "\(upstream.server) NXDOMAIN: 1"])
            town.namespaces.end(web)
            #expect(try eventually { try plane.container("web").state == "ended" })
            #expect(try plane.container("web").reason == "its process has exited")
        }
    }

    @Test("does not ask an upstream any more that asks us in turn, from its own namespace")
    func loop() throws {
        // Each worker says now and then that a question was not answered: the containers have one each.
        try UnenteredTown.lend("[server]\nworkers = 2\n[forward]\nupstreams = ['127.0.0.1:1']\n") { town in
            let web = try town.add("web", "10.1.0.2")
            let listener = try town.namespaces.listener(of: web)
            let upstream = "127.0.0.1:\(listener.port)"
            _ = try town.plane.call(
                CreateNetwork.self, .init(name: "round", upstreams: [upstream], forwardFrom: "namespace"))
            let app = try town.add("app", "10.9.0.2", on: "round")
            #expect(try town.ask(app, "a.example") == "SERVFAIL")
            let sentence = "upstream \(upstream) in the namespace of container app asks us in turn"
            #expect(eventually { town.plane.log.messages.contains { $0.contains(sentence) } })
            #expect(town.plane.log.messages.filter { $0.contains(sentence) }.count == 1)
            let server = try town.plane.call(Status.self, Nothing()).servers.first { $0.container == "app" }
            #expect(server?.server == upstream && server?.looping == true)
        }
    }

    @Test("is answered by whom it asked before, where its questions are led here and nobody here knows the name")
    func former() throws {
        let server = try StandInUpstream(0x7F00_000B)
        defer { server.stop() }
        let port = server.server.port
        // No upstream is configured: those of the host stand in where a container asked nobody.
        try UnenteredTown.lend("") { town in
            try town.add("web", "10.1.0.2")
            let app = try town.add("app", "10.1.0.3", intercept: []) { $0.servers = BoundPorts(datagram: [port, 9]) }
            #expect(try town.ask(app, "web") == "10.1.0.2" && server.questions.isEmpty)
            #expect(try town.ask(app, "a.example") == "192.0.2.53")
            #expect(server.questions == ["udp a.example. A"])
            let shown = try town.plane.container("app")
            #expect(shown.intercepted == ["127.0.0.11"] && shown.intercept == [])
            #expect(shown.facts.filter { $0.fact == "former server" }.map(\.value) == ["127.0.0.11:\(port)"])
            let explained = try town.plane.call(Explain.self, .init(name: "a.example", type: "A", container: "app"))
            let step = explained.steps.first { $0.step == "upstreams" }
            #expect(step?.text.contains("127.0.0.11:\(port)") == true, "\(explained.steps)")
            let servers = try town.plane.call(Status.self, Nothing()).servers.filter { $0.container == "app" }
            #expect(servers.map(\.server) == ["127.0.0.11:\(port)"] && servers.allSatisfy { $0.failures == 0 })
        }
    }

    @Test("learns what it needs from the audit of its policy, and says where there is nothing to learn from")
    func learning() throws {
        let text = """
            [forward]
            upstreams = ["127.0.0.1:1"]
            [[policy]]
            name = "audited"
            allow = ["*.ok.example"]
            deny = ["bad.ok.example"]
            audit = true
            [[policy]]
            name = "strict"
            [[record]]
            name = "a.ok.example"
            type = "A"
            data = "10.9.0.7"

            """
        try UnenteredTown.lend(text) { town in
            let plane = town.plane
            let app = try town.add("app", "10.1.0.3", policy: "audited")
            try town.add("strict", "10.1.0.4", policy: "strict")
            try town.add("free", "10.1.0.5")
            #expect(try town.ask(app, "a.ok.example") == "10.9.0.7")
            for name in ["need.example", "bad.ok.example", "also.example"] { _ = try town.ask(app, name) }
            func learned() throws -> LearnPolicy.Reply { try plane.call(LearnPolicy.self, .init(container: "app")) }
            #expect(try eventually { try learned().needed.count > 1 && !learned().denied.isEmpty })
            #expect(try learned().needed == ["also.example", "need.example"])
            #expect(try learned().denied == ["bad.ok.example"])
            #expect(try learned().policy.name == "audited" && learned().policy.containers == 1)
            for (container, reason) in [
                ("free", "it has no policy; give it one with audit"), ("strict", "its policy strict does not audit"),
                ("nobody", "no container nobody"),
            ] {
                let refusal = try plane.refusal(LearnPolicy.self, .init(container: container))
                #expect(refusal?.contains(reason) == true, "\(refusal ?? "taken")")
            }
        }
    }
}
