// Sources over the control socket: published, updated, kept over a restart, forgotten; and who watches it.

import ControlAPI
import Foundation
import Testing

@testable import ClientCommand
@testable import IntercomServer

@Suite("A source of containers")
struct SourcePlaneTests {
    private static let town =
        "[forward]\nupstreams = ['127.0.0.1:1']\n[[network]]\nname = 'front'\n[[container]]\nname = 'app'\nnetworks = ['front']\n"

    private static func container(_ id: String, _ name: String, _ address: String?, _ network: String = "front")
        -> PublishedContainer
    {
        PublishedContainer(
            id: id, name: name, networks: [.init(name: network, addresses: address.map { [$0] } ?? [])])
    }

    private static func sources(_ plane: Plane) throws -> [String: [Int]] {
        let list = try plane.call(ListSources.self, Nothing()).sources
        return Dictionary(uniqueKeysWithValues: list.map { ($0.name, [$0.containers, $0.networks]) })
    }

    @Test("replaces all that it told, changes some of it, and is forgotten with it")
    func life() throws {
        try Plane.lend(Self.town) { plane in
            _ = try plane.call(
                Publish.self,
                .init(
                    source: "docker", networks: [.init(name: "bridge")],
                    containers: [
                        Self.container("1", "web", "10.1.0.9"), Self.container("2", "db", "10.1.0.8"),
                        Self.container("3", "alone", "10.7.0.8", "bridge"),
                    ]))
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.9"])
            #expect(try Self.sources(plane) == ["docker": [3, 1]])
            #expect(try plane.container("web").source == "docker")
            _ = try plane.call(
                Update.self,
                .init(source: "docker", put: [Self.container("1", "web", "10.1.0.19")], gone: ["2", "unknown"]))
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.19"])
            #expect(try plane.resolve("db", from: "app") == ["NXDOMAIN"])
            _ = try plane.call(
                Publish.self, .init(source: "docker", containers: [Self.container("4", "new", "10.1.0.4")]))
            #expect(try plane.resolve("web", from: "app") == ["NXDOMAIN"])
            #expect(try plane.resolve("new", from: "app") == ["10.1.0.4"])
            #expect(try plane.refusal(RemoveContainer.self, Named(name: "new"))?.contains("docker") == true)
            _ = try plane.call(Forget.self, .init(source: "docker"))
            #expect(try plane.resolve("new", from: "app") == ["NXDOMAIN"])
            #expect(try Self.sources(plane) == [:])
        }
    }

    @Test("is kept over a restart, with the changes since, until it publishes anew")
    func restart() throws {
        try Plane.lend(Self.town) { plane in
            let many = (0..<300).map { Self.container("\($0)", "c\($0)", "10.1.1.\($0 % 250 + 1)") }
            _ = try plane.call(Publish.self, .init(source: "podman", containers: many))
            _ = try plane.call(Publish.self, .init(source: "lxc", containers: [Self.container("a", "box", "10.1.2.1")]))
            _ = try plane.call(
                Update.self, .init(source: "podman", put: [Self.container("7", "c7", "10.1.3.7")], gone: ["8"]))
            plane.stop()
            try plane.start()
            #expect(try Self.sources(plane) == ["podman": [299, 0], "lxc": [1, 0]])
            #expect(try plane.resolve("c7", from: "app") == ["10.1.3.7"])
            #expect(try plane.resolve("c8", from: "app") == ["NXDOMAIN"])
            #expect(try plane.resolve("box", from: "app") == ["10.1.2.1"])
            let heard = try plane.call(ListSources.self, Nothing()).sources.map(\.lastHeard)
            #expect(heard.allSatisfy { $0 == nil })
            _ = try plane.call(Publish.self, .init(source: "podman", containers: []))
            #expect(try plane.resolve("c7", from: "app") == ["NXDOMAIN"])
            plane.stop()
            try plane.start()
            #expect(try Self.sources(plane)["lxc"] == [1, 0])
        }
    }

    @Test("says whole what it says in parts, and nothing of it where its client goes in between")
    func parts() throws {
        try Plane.lend(Self.town) { plane in
            let client = try ControlClient(socket: plane.socket)
            _ = try client.call(
                Publish.self,
                .init(source: "docker", containers: [Self.container("1", "one", "10.1.0.9")], part: .first))
            #expect(try plane.resolve("one", from: "app") == ["NXDOMAIN"])
            _ = try client.call(
                Publish.self, .init(source: "docker", containers: [Self.container("2", "two", "10.1.0.8")], part: .last)
            )
            #expect(try plane.resolve("one", from: "app") == ["10.1.0.9"])
            do {
                let other = try ControlClient(socket: plane.socket)
                _ = try other.call(
                    Publish.self,
                    .init(source: "docker", containers: [Self.container("3", "x", "10.1.0.7")], part: .first))
            }
            #expect(try plane.resolve("two", from: "app") == ["10.1.0.8"])
            #expect(try Self.sources(plane) == ["docker": [2, 0]])
        }
    }

    @Test("waits for a namespace that is not there yet, and says so; other containers of it do not wait")
    func waiting() throws {
        try Plane.lend(Self.town) { plane in
            var late = Self.container("1", "late", nil)
            late.netns = "/nonexistent/late"
            _ = try plane.call(
                Publish.self, .init(source: "docker", containers: [late, Self.container("2", "web", "10.1.0.9")]))
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.9"])
            #expect(try eventually { try plane.container("late").state == "no listener" })
            #expect(try plane.call(ListSources.self, Nothing()).sources.map(\.waiting) == [1])
            let state = try plane.container("late")
            #expect(state.state == "no listener" && state.reason?.contains("/nonexistent/late") == true)
        }
    }

    @Test("is refused where it cannot be: its name, a container twice, a bad address; nothing of it is taken")
    func refusals() throws {
        try Plane.lend(Self.town) { plane in
            let good = Self.container("1", "web", "10.1.0.9")
            for (parameters, reason) in [
                (Publish.Parameters(source: "", containers: [good]), "source"),
                (.init(source: "no name", containers: [good]), "source"),
                (.init(source: "docker", containers: [good, good]), "1"),
            ] {
                let refusal = try plane.refusal(Publish.self, parameters)
                #expect(refusal?.contains(reason) == true, "\(parameters): \(refusal ?? "taken")")
            }
            #expect(try plane.resolve("web", from: "app") == ["NXDOMAIN"])
            #expect(try Self.sources(plane) == [:])
        }
    }

    @Test("loses what cannot be of it, which warnings say, and nothing else")
    func partlyRefused() throws {
        try Plane.lend(Self.town) { plane in
            let all = [
                Self.container("1", "web", "10.1.0.9"), Self.container("2", "x", "10.1"), Self.container("", "y", nil),
            ]
            _ = try plane.call(Publish.self, .init(source: "docker", containers: all))
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.9"])
            #expect(try Self.sources(plane) == ["docker": [1, 0]])
            let warnings = try plane.call(Status.self, Nothing()).warnings.filter { $0.contains("docker") }
            #expect(warnings.contains { $0.contains("'10.1'") }, "\(warnings)")
            #expect(warnings.contains { $0.contains("octets without a NUL") }, "\(warnings)")
        }
    }

    // MARK: - Watching

    @Test("is seen by those who watch: what is added, changed and removed, in its order, when it is in force")
    func monitor() throws {
        try Plane.lend(Self.town) { plane in
            let stream = try PlaneStream(Monitor.self, .init(), at: plane.socket)
            #expect(try stream.next().ready == true)
            _ = try plane.call(
                Publish.self, .init(source: "docker", containers: [Self.container("1", "web", "10.1.0.9")]))
            _ = try plane.call(DrainContainer.self, Named(name: "app"))
            _ = try plane.call(Forget.self, .init(source: "docker"))
            let changes = try stream.next { $0.change?.action == "removed" && $0.change?.kind == "container" }
                .compactMap(\.change)
            let texts = changes.map { "\($0.kind) \($0.action) \($0.container ?? "")" }
            #expect(texts.first == "container added web" && texts.last == "container removed web")
            #expect(texts.contains("endpoint added web") && texts.contains("container changed app"))
        }
    }

    @Test("needs a name that somebody has where one container's questions are watched")
    func questions() throws {
        try Plane.lend(Self.town) { plane in
            let stream = try PlaneStream(Monitor.self, .init(queries: true, container: "app"), at: plane.socket)
            #expect(try stream.next().ready == true)
            #expect(throws: (any Error).self) {
                try PlaneStream(Monitor.self, .init(queries: true, container: "x"), at: plane.socket).next()
            }
            // Questions of people over the control socket are none of the container's.
            #expect(try plane.resolve("localhost", from: "app") == ["127.0.0.1"])
            #expect(try plane.call(Status.self, Nothing()).containers == 1)
        }
    }

    // MARK: - Files of names

    @Test("may be files in the form of hosts(5): read, followed as they change, and gone with the configuration")
    func hostsFiles() throws {
        try Plane.lend(Self.town) { plane in
            let (file, folder) = ("\(plane.directory)/names", "\(plane.directory)/names.d")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            func write(_ text: String, to path: String) throws {
                try text.write(toFile: path, atomically: true, encoding: .utf8)
            }
            try write("10.8.0.1 printer.test printer2.test # a comment\nnonsense\n", to: file)
            try write("10.8.0.3 scanner.test\n", to: "\(folder)/a")
            try plane.configure("hosts = ['\(file)', '\(folder)']\n" + Self.town)
            _ = try plane.call(Reload.self, Nothing())
            #expect(try plane.resolve("printer.test", from: "app") == ["10.8.0.1"])
            #expect(try plane.resolve("scanner.test", from: "app") == ["10.8.0.3"])
            #expect(try plane.resolve("1.0.8.10.in-addr.arpa", "PTR", from: "app") == ["printer.test."])
            #expect(try plane.call(Status.self, Nothing()).warnings.contains { $0.contains("hosts file \(file)") })
            func wait(for answer: [String], of name: String) throws {
                let end = ContinuousClock.now + .seconds(10)
                while try plane.resolve(name, from: "app") != answer, ContinuousClock.now < end {}
                #expect(try plane.resolve(name, from: "app") == answer, "\(name)")
            }
            try write("10.8.0.2 printer.test\n", to: file)
            try wait(for: ["10.8.0.2"], of: "printer.test")
            try write("10.8.0.4 plotter.test\n", to: "\(folder)/b")
            try wait(for: ["10.8.0.4"], of: "plotter.test")
            try FileManager.default.removeItem(atPath: "\(folder)/a")
            try wait(for: ["SERVFAIL"], of: "scanner.test")
            try plane.configure(Self.town)
            _ = try plane.call(Reload.self, Nothing())
            #expect(try plane.resolve("printer.test", from: "app") != ["10.8.0.2"])
        }
    }
}
