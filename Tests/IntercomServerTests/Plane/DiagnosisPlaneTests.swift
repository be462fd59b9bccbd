// Explanations and checkups of containers in namespaces that nobody enters.

import Attachment
import ControlAPI
import DNSWire
import Foundation
import Registry
import Synchronization
import SystemPackage
import Testing

@testable import ClientCommand
@testable import IntercomServer
@testable import LinuxNet

@Suite("An explanation of a container in a namespace")
struct DiagnosisPlaneTests {
    /// Steps and findings of an explanation, a line each.
    private static func said(_ reply: Explain.Reply) -> String {
        reply.steps.map { "\($0.step) \($0.state) \($0.text) \($0.cure ?? "")" }.joined(separator: "\n")
    }

    @Test("has the questions that a resolver library makes of a name by the search list of its resolv.conf")
    func searchList() throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        try UnenteredTown.lend("[forward]\nupstreams = ['\(upstream.server)']\n") { town in
            try town.add("nx", "10.1.0.2")
            let file = "nameserver 127.0.0.11\nsearch nowhere.example front.internal\noptions ndots:"
            try town.add("eager", "10.1.0.3") { $0.resolverFile = file + "2\n" }
            try town.add("lazy", "10.1.0.4") { $0.resolverFile = file + "1\n" }
            try town.add("other", "10.1.0.5") { $0.resolverFile = "nameserver 192.0.2.1\n" }
            let rows: [(name: String, asker: String, text: String)] = [
                ("nx", "eager", "asked in order: nx.nowhere.example (NXDOMAIN), nx.front.internal (10.1.0.2)"),
                ("nx.", "eager", "/etc/resolv.conf names 127.0.0.11 \n"),
                (
                    "nx.two", "lazy",
                    "asked in order: nx.two, nx.two.nowhere.example (NXDOMAIN), nx.two.front.internal (NXDOMAIN)"
                ),
                ("servfail", "eager", "servfail.nowhere.example (SERVFAIL)"), ("nx", "other", "192.0.2.1"),
            ]
            for (name, asker, text) in rows {
                let reply = try town.plane.call(Explain.self, .init(name: name, container: asker))
                #expect(Self.said(reply).contains(text), "\(name) from \(asker): \(Self.said(reply))")
            }
            // No question is asked behind one that nobody answers.
            #expect(!upstream.questions.contains { $0.contains("servfail.front") })
        }
    }

    @Test("says how old an answer is that was kept, and no more of it once it is flushed")
    func kept() throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        try UnenteredTown.lend("[forward]\nupstreams = ['\(upstream.server)']\n") { town in
            let app = try town.add("app", "10.1.0.3")
            #expect(try town.ask(app, "a.example") == "192.0.2.53")
            func explain() throws -> String {
                Self.said(try town.plane.call(Explain.self, .init(name: "a.example", type: "A", container: "app")))
            }
            #expect(try explain().contains("s old, and kept for"))
            #expect(upstream.questions == ["udp a.example. A"])
            _ = try town.plane.call(FlushCache.self, .init(name: "a.example"))
            let fresh = try explain()
            #expect(!fresh.contains("kept for") && fresh.contains("\(upstream.server)"), "\(fresh)")
        }
    }

    @Test("looks for a service on the host, behind an address of IPv6 alone, and outside")
    func services() throws {
        let upstream = try StandInUpstream()
        defer { upstream.stop() }
        let text = """
            host-names = ["host.test"]
            [forward]
            upstreams = ["\(upstream.server)"]
            [[network]]
            name = "side"
            host = ["10.3.0.1"]

            """
        try UnenteredTown.lend(text) { town in
            try town.add("app", "10.3.0.3", on: "side")
            try town.add("six", "fd00::2", on: "side")
            try town.add("four", "10.3.0.4", on: "side")
            let rows: [(name: String, answer: String, text: String)] = [
                ("six", "fd00::2", "nothing listens on port 80 of six"),
                ("four", "10.3.0.4", "nothing listens on port 80 of four"),
                ("host.test", "10.3.0.1", "not tried"), ("a.example", "192.0.2.53", "not tried"),
            ]
            for (name, answer, text) in rows {
                let reply = try town.plane.call(Explain.self, .init(name: name, container: "app", port: 80))
                #expect(reply.answer?.answers.map(\.data) == [answer], "\(name)")
                let step = reply.steps.last { $0.step == "port" }
                #expect(step.map { $0.text.contains(text) } == true, "\(name): \(Self.said(reply))")
            }
        }
    }

    @Test("names the program in its listener's place, and where address translation leads its questions")
    func holders() throws {
        try UnenteredTown.lend("") { town in
            let web = try town.add("web", "10.1.0.2") { $0.asks = true }
            town.namespaces.change(web) {
                $0.translation = FoundTranslation(
                    destination: "127.0.0.11:41234", process: UnenteredNamespaces.found(web, "dnsmasq"))
            }
            let led = try town.plane.call(Explain.self, .init(name: "web", container: "web"))
            #expect(
                led.fault && Self.said(led).contains("NAT leads questions to 127.0.0.11:41234"), "\(Self.said(led))")
            #expect(Self.said(led).contains("dnsmasq"))
            // One that a source tells of stays, without a listener.
            let pid = try town.namespaces.add {
                $0.refusal = LinuxError(call: "bind", errno: .addressInUse)
                $0.holders = [
                    PortHolder(
                        port: 53, process: UnenteredNamespaces.found(4711, "unbound", in: .init(device: 9, inode: 9)))
                ]
            }
            let taken = PublishedContainer(
                id: "1", name: "taken", pid: Int(pid), networks: [.init(name: "front", addresses: ["10.1.0.9"])])
            _ = try town.plane.call(Publish.self, .init(source: "docker", containers: [taken]))
            #expect(try eventually { try town.plane.container("taken").state == "no listener" })
            let explained = Self.said(try town.plane.call(Explain.self, .init(name: "web", container: "taken")))
            #expect(explained.contains("unbound") && explained.contains("has port 53 of taken"), "\(explained)")
            let findings = try town.plane.call(Doctor.self, .init(containers: nil)).findings
            let finding = try #require(findings.first { $0.container == "taken" })
            #expect(finding.cause == "port-taken" && finding.text.contains("unbound"), "\(findings)")
            #expect(finding.cure?.contains("kill") == false, "it is in another namespace")
        }
    }

    @Test("is found by the number of a process of it, and by the name that its runtime has for it")
    func processes() throws {
        try UnenteredTown.lend("") { town in
            let web = try town.add("web", "10.1.0.2")
            let namespace = UnenteredNamespaces.identity(web)
            town.namespaces.machine.withLock {
                $0.processes = [
                    UnenteredNamespaces.found(4711, "nginx", in: namespace),
                    UnenteredNamespaces.found(4712, "redis", docker: "0ff0ff"),
                ]
                $0.ofContainers = [
                    UnenteredNamespaces.found(web, "nginx", in: namespace, docker: "abcdef012345"),
                    UnenteredNamespaces.found(4712, "redis", docker: "0ff0ff"),
                ]
            }
            let rows: [(container: String, text: String)] = [
                ("4711", "web at pid \(web)"), ("abcdef012345", "web at pid \(web)"),
                ("abcdef0123450000", "web at pid \(web)"), ("4712", "pid 4712 (docker 0ff0ff000000) has no intercom"),
                ("0ff0ff000000", "pid 4712 (docker 0ff0ff000000) has no intercom"),
                ("zzzzzzzzzz", "no container is called zzzzzzzzzz; pid 4712 (docker 0ff0ff000000) has no intercom"),
            ]
            for (container, text) in rows {
                let reply = try town.plane.call(Explain.self, .init(name: "web", container: container))
                #expect((Self.said(reply) + (reply.text ?? "")).contains(text), "\(container): \(Self.said(reply))")
            }
            let findings = try town.plane.call(Doctor.self, .init(containers: nil)).findings
            #expect(
                findings.filter { $0.text.contains("4712") }.map(\.cure) == [
                    "systemctl enable --now intercom-docker.service"
                ])
            #expect(!findings.contains { $0.text.contains("4711") }, "its container is served")
        }
    }

    @Test("says that the container has ended, where it ends while it is looked at")
    func ends() throws {
        let namespaces = UnenteredNamespaces()
        defer { namespaces.end() }
        let isHeld = Mutex(false)
        let isReached = Mutex(false)
        var opener = namespaces.opener
        let read = opener.readFile
        opener.readFile = { pid throws(LinuxError) in
            let end = ContinuousClock.now + .seconds(5)
            while isHeld.withLock({ $0 }), ContinuousClock.now < end {
                isReached.withLock { $0 = true }
                Thread.pause(milliseconds: 1)
            }
            return try read(pid)
        }
        try Plane.lend("[[network]]\nname = 'front'\n", opener: opener) { plane in
            let town = UnenteredTown(plane: plane, namespaces: namespaces)
            let app = try town.add("app", "10.1.0.2")
            isHeld.withLock { $0 = true }
            let stream = try PlaneStream(Explain.self, .init(name: "app", container: "app"), at: plane.socket)
            #expect(eventually { isReached.withLock { $0 } })
            namespaces.end(app)
            #expect(try eventually { try plane.container("app").state == "ended" })
            isHeld.withLock { $0 = false }
            let reply = try stream.next()
            #expect(reply.fault && reply.answer == nil && reply.cause == "ended", "\(Self.said(reply))")
            #expect(reply.text?.contains("its process has exited") == true, "\(Self.said(reply))")
        }
    }
}

@Suite("A checkup of containers in namespaces")
struct CheckupPlaneTests {
    @Test("looks at those that are named, and at all")
    func files() throws {
        try UnenteredTown.lend("") { town in
            try town.add("web", "10.1.0.2")
            try town.add("app", "10.1.0.3") { $0.resolverFile = "nameserver 192.0.2.1\n" }
            let findings = try town.plane.call(Doctor.self, .init(containers: ["app", "web"])).findings
            #expect(findings.map(\.container) == ["web", "app"] || findings.map(\.container) == ["app", "web"])
            let app = try #require(findings.first { $0.container == "app" })
            #expect(app.cause == "foreign-resolv-conf" && app.text.contains("192.0.2.1"), "\(app)")
            let web = try #require(findings.first { $0.container == "web" })
            #expect(web.cause == "unproved", "\(web)")
            let all = try town.plane.call(Doctor.self, .init(containers: nil))
            #expect(all.containerCount == 2)
        }
    }

    @Test("says that the opener is away, with the way to start it, and nothing that only the opener could know")
    func openerAway() throws {
        var opener = StandInOpener()
        opener.namespaceOfProcess = { _ throws(LinuxError) in
            throw LinuxError(call: "connect", errno: .connectionRefused, subject: "/run/opener.sock", kind: .openerAway)
        }
        opener.ofContainers = { _ throws(LinuxError) in [UnenteredNamespaces.found(4712, "redis", docker: "0ff0ff")] }
        try Plane.lend("", opener: opener) { plane in
            let findings = try plane.call(Doctor.self, .init(containers: nil)).findings
            let down = findings.filter { $0.cause == "opener-down" }
            #expect(down.count == 1 && down[0].text.contains("/run/opener.sock"), "\(findings)")
            #expect(down.first?.cure == "systemctl start intercom-opener.socket")
            #expect(!findings.contains { $0.text.contains("4712") })
        }
    }

    @Test("finds namespaces by their files: of those that are no containers it says why, and which have no name")
    func discovered() throws {
        let namespaces = UnenteredNamespaces()
        defer { namespaces.end() }
        let text = """
            [discover]
            namespaces = ["DIRECTORY/names/*"]
            unnamed = ["DIRECTORY/numbers/*"]
            exclude = ["hidden"]
            [[network]]
            name = "front"
            [[container]]
            name = "app"
            networks = [{ name = "front", ip = ["10.1.0.3"] }]

            """
        try Plane.lend(text, opener: namespaces.opener) { plane in
            let found = try namespaces.add()
            for directory in ["names", "numbers"] {
                try FileManager.default.createDirectory(
                    atPath: "\(plane.directory)/\(directory)", withIntermediateDirectories: true)
            }
            for name in ["broken", "hidden"] {
                try "".write(toFile: "\(plane.directory)/names/\(name)", atomically: false, encoding: .utf8)
            }
            let path = "\(plane.directory)/numbers/0ff0ff"
            try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/proc/\(found)/ns/net")
            func explain(_ container: String) throws -> String {
                let reply = try plane.call(Explain.self, .init(name: "app", container: container))
                return "\(reply.cause ?? "") \(reply.text ?? "")"
            }
            let rows: [(container: String, text: String)] = [
                ("broken", "names/broken is no network namespace that can be entered: it is a regular file"),
                ("hidden", "excluded \(plane.directory)/names/hidden is excluded by [discover]"),
                ("zzzzzzzzzz", "unnamed no container is called zzzzzzzzzz; \(path) is a container without a name"),
            ]
            for (container, text) in rows {
                _ = try eventually { try explain(container).contains(text) }
                let said = try explain(container)
                #expect(said.contains(text), "\(container): \(said)")
            }
            let findings = try plane.call(Doctor.self, .init(containers: nil)).findings
            #expect(findings.contains { $0.cause == "unnamed" && $0.text.contains(path) }, "\(findings)")
            #expect(findings.contains { $0.text.contains("names/broken") }, "\(findings)")
            #expect(findings.contains { $0.text.hasPrefix("networks and containers are not discovered") })
        }
    }
}
