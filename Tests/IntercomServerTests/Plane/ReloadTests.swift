// Changes of the configuration while the daemon runs: what follows, what is refused, what cannot be had and is told.

import ControlAPI
import Foundation
import Testing

@testable import IntercomServer

@Suite("A configuration that has changed")
struct ReloadTests {
    private static let town = """
        [forward]
        upstreams = ['127.0.0.1:1']
        [[network]]
        name = 'front'
        [[container]]
        name = 'app'
        networks = [{ name = 'front', ip = ['10.1.0.9'] }]

        """

    private static func warnings(_ plane: Plane) throws -> [String] {
        try plane.call(Status.self, Nothing()).warnings
    }

    private static func reload(_ plane: Plane, _ text: String) throws {
        try plane.configure(text)
        _ = try plane.call(Reload.self, Nothing())
    }

    @Test("is in force after SIGHUP; one that cannot be read changes nothing, and is the next time it can")
    func signal() throws {
        try Plane.lend(Self.town) { plane in
            let other = Self.town.replacingOccurrences(of: "10.1.0.9", with: "10.1.0.8")
            try plane.configure(other + "[no-such-table]\n")
            plane.hangUp()
            // A call is later than a signal that was sent before it.
            #expect(try plane.refusal(Reload.self, Nothing())?.contains("no-such-table") == true)
            #expect(try plane.resolve("app", from: "app") == ["10.1.0.9"])
            try plane.configure(other)
            plane.hangUp()
            #expect(try eventually { try plane.resolve("app", from: "app") == ["10.1.0.8"] })
        }
    }

    @Test("says what of it cannot be had: another has the name of a network, or the address of a container")
    func shortfalls() throws {
        try Plane.lend(Self.town) { plane in
            _ = try plane.call(CreateNetwork.self, .init(name: "back"))
            _ = try plane.call(
                AddContainer.self, .init(name: "web", networks: [.init(name: "front", addresses: ["10.1.0.2"])]))
            try Self.reload(
                plane,
                Self.town + """
                    [[network]]
                    name = 'back'
                    [[container]]
                    name = 'db'
                    networks = [{ name = 'front', ip = ['10.1.0.2'] }]

                    """)
            var warnings = try Self.warnings(plane).joined(separator: "\n")
            #expect(warnings.contains("network back") && warnings.contains("exists already"), "\(warnings)")
            #expect(warnings.contains("container db") && warnings.contains("10.1.0.2"), "\(warnings)")
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.2"])
            try Self.reload(plane, Self.town)
            warnings = try Self.warnings(plane).joined(separator: "\n")
            #expect(!warnings.contains("network back") && !warnings.contains("container db"), "\(warnings)")
        }
    }

    @Test("leaves a network that somebody's container is on, without what it said of it")
    func used() throws {
        try Plane.lend(Self.town + "[[network]]\nname = 'back'\nttl = 60\n") { plane in
            _ = try plane.call(
                AddContainer.self, .init(name: "web", networks: [.init(name: "back", addresses: ["10.2.0.2"])]))
            try Self.reload(plane, Self.town)
            #expect(try plane.resolve("web", from: "web") == ["10.2.0.2"])
        }
    }

    @Test("has containers whose namespaces come later, which are waited for, and again when they have gone")
    func late() throws {
        let opener = WillingOpener()
        try Plane.lend(Self.town, opener: opener) { plane in
            let path = "\(plane.directory)/namespace"
            try Self.reload(
                plane,
                Self.town + """
                    [[container]]
                    name = 'web'
                    netns = '\(path)'
                    networks = [{ name = 'front', ip = ['10.1.0.2'] }]

                    """)
            #expect(try Self.warnings(plane).contains { $0.contains("container web") && $0.contains(path) })
            let process = try ContainerProcess()
            try FileManager.default.createSymbolicLink(
                atPath: path, withDestinationPath: "/proc/\(process.pid)/ns/net")
            #expect(try eventually { try !Self.warnings(plane).contains { $0.contains("container web") } })
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.2"])
            try FileManager.default.removeItem(atPath: path)
            process.end()
            #expect(try eventually { try plane.resolve("web", from: "app") != ["10.1.0.2"] })
            #expect(try Self.warnings(plane).contains { $0.contains("container web") && $0.contains("waited for") })
            try Self.reload(plane, Self.town)
            #expect(try !Self.warnings(plane).contains { $0.contains("container web") })
        }
    }
}
