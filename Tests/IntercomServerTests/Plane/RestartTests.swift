// Declarations of the control socket over a restart: what is made again, what has ended meanwhile, what is tried again.

import ControlAPI
import Logging
import Testing

@testable import IntercomServer

@Suite("A restart of the daemon")
struct RestartPlaneTests {
    private static func endpoint(_ network: String, _ address: String) -> AddContainer.Attachment {
        AddContainer.Attachment(name: network, addresses: [address])
    }

    private static let front = Declaration(CreateNetwork.self, .init(name: "front", ttl: 60))
    private static let web = Declaration(
        AddContainer.self, .init(name: "web", networks: [endpoint("front", "10.1.0.2")]))
    private static let app = Declaration(
        AddContainer.self, .init(name: "app", networks: [endpoint("front", "10.1.0.3")]))

    /// A daemon that finds declarations of the one before.
    private static func lend(_ before: [Declaration], _ body: (Plane) throws -> Void) throws {
        try Plane.lend { plane in
            plane.stop()
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            do {
                var state = StateDirectory(path: "\(plane.directory)/state", logger: logger)
                _ = try state.load()
                try state.write()
                try state.reserve(1 << 20)
                for declaration in before { state.keep([declaration]) }
            }
            try plane.start()
            try body(plane)
        }
    }

    private static func all(_ plane: Plane) throws -> [ControlAPI.Container] {
        try plane.list(ListContainers.self, .init(all: true)).flatMap(\.containers)
    }

    @Test("makes all declarations again, in their order: networks, containers, what goes with them, records, policies")
    func again() throws {
        let others = [
            Declaration(Connect.self, .init(network: "back", container: "web", addresses: ["10.2.0.2"])),
            Declaration(DrainContainer.self, Named(name: "web")),
            Declaration(AddRecord.self, .init(name: "api.test", type: "A", data: ["10.9.0.1"])),
            Declaration(SetPolicy.self, .init(name: "gate", allow: ["a.test", "b.test"])),
        ]
        let back = Declaration(CreateNetwork.self, .init(name: "back"))
        try Self.lend([Self.front, back, Self.web, Self.app] + others) { plane in
            for _ in 1...2 {
                #expect(try plane.call(InspectNetwork.self, Named(name: "front")).network.ttl == 60)
                let web = try plane.container("web")
                #expect(web.networks.map(\.network) == ["front", "back"] && web.draining)
                #expect(try plane.resolve("api.test", from: "app") == ["10.9.0.1"])
                let gate = try plane.call(InspectPolicy.self, Named(name: "gate")).policy
                #expect(Set(gate.allow) == ["a.test", "b.test"])
                plane.stop()
                try plane.start()
            }
        }
    }

    @Test("leaves out containers whose namespaces have gone meanwhile, and remembers that they ended")
    func ended() throws {
        let gone = Declaration(
            AddContainer.self,
            .init(name: "gone", netns: "/nonexistent/gone", networks: [Self.endpoint("front", "10.1.0.8")]))
        let attached = Declaration(
            Attach.self, .init(container: "gone", inode: 4_026_532_201, cookie: 17, processStart: nil))
        // Of an earlier boot of the host nobody knows where it was attached.
        let earlier = Declaration(AddContainer.self, .init(name: "earlier", netns: "/nonexistent/earlier"))
        try Self.lend([Self.front, gone, attached, earlier, Self.app]) { plane in
            let end = ContinuousClock.now + .seconds(10)
            while try Self.all(plane).filter({ $0.state == "ended" }).count < 2, ContinuousClock.now < end {}
            let ended = try Self.all(plane).filter { $0.state == "ended" }
            #expect(ended.map(\.name).sorted() == ["earlier", "gone"])
            #expect(ended.allSatisfy { $0.reason == "it ended while the daemon was away" })
            #expect(try plane.resolve("gone", from: "app") == ["NXDOMAIN"])
            let reply = try plane.call(Explain.self, .init(name: "app", container: "gone"))
            #expect(reply.fault && reply.text?.contains("ended") == true)
            plane.stop()
            try plane.start()
            #expect(try Self.all(plane).map(\.name) == ["app"], "it is forgotten")
        }
    }

    @Test("keeps what it cannot make now, and makes it at the next start that it can")
    func kept() throws {
        let record = Declaration(
            AddContainer.self, .init(name: "late", networks: [Self.endpoint("lab", "10.3.0.2")], policy: "none"))
        try Self.lend([Self.front, Self.app, record]) { plane in
            #expect(try Self.all(plane).contains { $0.name == "app" })
            plane.stop()
            try plane.configure("[[policy]]\nname = 'none'\n[[network]]\nname = 'lab'\n")
            try plane.start()
            let end = ContinuousClock.now + .seconds(10)
            while try !Self.all(plane).contains(where: { $0.name == "late" }), ContinuousClock.now < end {}
            #expect(try plane.container("late").networks.map(\.network) == ["lab"])
        }
    }
}
