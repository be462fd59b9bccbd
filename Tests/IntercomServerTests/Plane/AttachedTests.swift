// Containers with a namespace, in a daemon whose opener says yes: declared, replaced, ended, and there again after a restart.

import ControlAPI
import Synchronization
import SystemPackage
import Testing

@testable import IntercomServer
@testable import LinuxNet

@Suite("A container that has a namespace")
struct AttachedTests {
    private static let town = "[forward]\nupstreams = ['127.0.0.1:1']\n[[network]]\nname = 'front'\n"

    private func lend(_ text: String = "", _ body: (Plane, ContainerProcess) throws -> Void) throws {
        try Plane.lend(Self.town + text, opener: WillingOpener()) { plane in
            try body(plane, try ContainerProcess())
        }
    }

    private func web(
        _ process: ContainerProcess? = nil, _ address: String = "10.1.0.2", path: String? = nil, replaces: Bool? = nil
    ) -> AddContainer.Parameters {
        .init(
            name: "web", netns: path, pid: process.map { Int($0.pid) },
            networks: [.init(name: "front", addresses: [address])], replace: replaces)
    }

    private func isUnheard(_ plane: Plane) -> Bool { (try? plane.container("web"))?.state == "unheard" }

    private func names(_ plane: Plane) throws -> [String] {
        try plane.list(ListContainers.self, .init()).flatMap(\.containers).map(\.name)
    }

    @Test("is served in it, by the number of a process or by a path, and told apart from one that nobody hears")
    func added() throws {
        try lend { plane, process in
            for place in [web(process), web(path: "/proc/\(process.pid)/ns/net")] {
                let reply = try plane.call(AddContainer.self, place)
                // Nobody is at 127.0.0.11:53, where programs of this process ask.
                #expect(reply.state == "unheard" && reply.reason != nil, "\(reply)")
                let container = try plane.container("web")
                #expect(container.state == "unheard", "\(container)")
                #expect(try plane.resolve("web", from: "web") == ["10.1.0.2"])
                let again = try plane.refusal(AddContainer.self, web(process))
                #expect(again == "container web exists already; replace it with --replace, or choose another name")
                _ = try plane.call(RemoveContainer.self, Named(name: "web"))
                #expect(try names(plane) == [])
            }
        }
    }

    @Test("leaves when its process ends, and is not there after a restart")
    func ended() throws {
        try lend { plane, process in
            _ = try plane.call(AddContainer.self, web(process))
            process.end()
            #expect(try eventually { try names(plane) == [] })
            plane.stop()
            try plane.start()
            #expect(try names(plane) == [])
        }
    }

    @Test("is served again after a restart, but for one whose process has ended meanwhile")
    func restarted() throws {
        try lend { plane, process in
            let other = try ContainerProcess()
            _ = try plane.call(AddContainer.self, web(process))
            _ = try plane.call(
                AddContainer.self,
                .init(name: "db", pid: Int(other.pid), networks: [.init(name: "front", addresses: ["10.1.0.3"])]))
            plane.stop()
            other.end()
            try plane.start()
            #expect(try eventually { try names(plane) == ["web"] && isUnheard(plane) })
            #expect(try plane.resolve("web", from: "web") == ["10.1.0.2"])
        }
    }

    @Test("takes the place of one in another namespace; where it cannot be had the other comes back, drained as it was")
    func replaced() throws {
        try lend { plane, process in
            let other = try ContainerProcess()
            _ = try plane.call(AddContainer.self, web(process))
            _ = try plane.call(AddContainer.self, web(other, "10.1.0.3", replaces: true))
            #expect(try plane.resolve("web", from: "web") == ["10.1.0.3"])
            _ = try plane.call(DrainContainer.self, Named(name: "web"))
            let refusal = try plane.refusal(
                AddContainer.self, web(nil, "10.1.0.4", path: "/nonexistent/namespace", replaces: true))
            #expect(refusal?.contains("/nonexistent/namespace") == true, "\(refusal ?? "")")
            #expect(eventually { isUnheard(plane) })
            #expect(try plane.container("web").draining)
            #expect(try plane.resolve("web", from: "web") == ["10.1.0.3"])
            process.end()
            other.end()
            #expect(try eventually { try names(plane) == [] })
        }
    }

    @Test("is one that a source tells of, where it is declared by that name without a namespace")
    func known() throws {
        try lend { plane, process in
            let published = PublishedContainer(
                id: "1", name: "web", pid: Int(process.pid),
                networks: [.init(name: "front", addresses: ["10.1.0.2"])])
            // The reply comes when it is attached.
            _ = try plane.call(Update.self, .init(source: "test", put: [published], wait: true))
            #expect(try plane.container("web").pid == Int(process.pid))
            _ = try plane.call(AddContainer.self, web(nil, "10.1.0.7"))
            let web = try plane.container("web")
            #expect(web.state == "unheard" && web.source == "control")
            #expect(try plane.call(ListSources.self, Nothing()).sources.map(\.containers) == [1])
            // The source has not taken it back.
            _ = try plane.call(RemoveContainer.self, Named(name: "web"))
            #expect(try plane.container("web").source == "test")
        }
    }

    @Test("is served again after a restart as its source told of it, but for one whose process has ended meanwhile")
    func published() throws {
        try lend { plane, process in
            let other = try ContainerProcess()
            let containers = [("1", "web", "10.1.0.2", process.pid), ("2", "db", "10.1.0.3", other.pid)].map {
                PublishedContainer(
                    id: $0, name: $1, pid: Int($3), networks: [.init(name: "front", addresses: [$2])])
            }
            _ = try plane.call(
                Update.self,
                .init(source: "test", networks: [.init(name: "back", internal: true)], put: containers, wait: true))
            plane.stop()
            other.end()
            try plane.start()
            #expect(try eventually { try names(plane) == ["web"] && isUnheard(plane) })
            #expect(try plane.resolve("web", from: "web") == ["10.1.0.2"])
            // The server before us is asked, which nobody is.
            #expect(try plane.resolve("db", from: "web") == ["SERVFAIL"])
            #expect(try plane.call(InspectNetwork.self, Named(name: "back")).network.source == "test")
            // It leaves by itself, too.
            process.end()
            #expect(try eventually { try names(plane) == [] })
        }
    }

    @Test("is shared by another that its source says so of: its names come and go with that one, which may come later")
    func joined() throws {
        try lend { plane, process in
            func publish(_ containers: [PublishedContainer], gone: [String]? = nil) throws {
                _ = try plane.call(Update.self, .init(source: "test", put: containers, gone: gone, wait: true))
            }
            let front = [AddContainer.Attachment(name: "front", addresses: ["10.1.0.2"])]
            let asker = AddContainer.Parameters(name: "app", networks: [.init(name: "front", addresses: ["10.1.0.9"])])
            _ = try plane.call(AddContainer.self, asker)
            func isAnswered(_ name: String) throws -> Bool {
                try eventually { try plane.resolve(name, from: "app") == ["10.1.0.2"] }
            }
            func isUnknown(_ name: String) throws -> Bool {
                try eventually { try plane.resolve(name, from: "app") != ["10.1.0.2"] }
            }
            let web = PublishedContainer(id: "1", name: "web", pid: Int(process.pid), networks: front)
            let sidecar = PublishedContainer(id: "2", name: "sidecar", namespaceOf: "1")
            try publish([sidecar])
            #expect(try isUnknown("sidecar"))
            try publish([web])
            #expect(try isAnswered("sidecar") && isAnswered("web"))
            try publish([], gone: ["1"])
            #expect(try isUnknown("sidecar") && isUnknown("web"))
            try publish([web])
            #expect(try isAnswered("sidecar"))
            process.end()
            #expect(try isUnknown("sidecar") && isUnknown("web"))
        }
    }

    @Test("is refused where it cannot be had whole, and nothing of it stays: it is added as soon as it can be")
    func refused() throws {
        let opener = WillingOpener()
        let configuration =
            Self.town + "[[container]]\nname = 'app'\nnetworks = [{ name = 'front', ip = ['10.1.0.9'] }]\n"
        try Plane.lend(configuration, opener: opener) { plane in
            let process = try ContainerProcess()
            var parameters = web(process)
            parameters.listen = "redirect"
            opener.rulesFailure.withLock { $0 = LinuxError(call: "nftables", errno: .notPermitted) }
            for _ in 1...2 {
                #expect(try plane.refusal(AddContainer.self, parameters)?.contains("nftables") == true)
                #expect(try names(plane) == ["app"])
                #expect(try plane.resolve("web", from: "app") == ["NXDOMAIN"])
            }
            opener.rulesFailure.withLock { $0 = nil }
            _ = try plane.call(AddContainer.self, parameters)
            #expect(try plane.resolve("web", from: "app") == ["10.1.0.2"])
        }
    }

    @Test("is needed for what is done in one, which a refusal says")
    func needed() throws {
        try lend { plane, process throws in
            func refusal(of place: ContainerProcess? = nil, _ change: (inout AddContainer.Parameters) -> Void) throws
                -> String?
            {
                var parameters = web(place)
                change(&parameters)
                return try plane.refusal(AddContainer.self, parameters)
            }
            let rows: [(place: ContainerProcess?, change: (inout AddContainer.Parameters) -> Void, message: String)] = [
                (
                    nil, { $0.intercept = ["192.0.2.1", "192.0.2.2"] },
                    "bad intercept '192.0.2.1,192.0.2.2': a container without netns or pid has no namespace in which questions could be led elsewhere"
                ),
                (
                    nil, { $0.resolvConf = "/var/lib/web/resolv.conf" },
                    "bad resolvConf '/var/lib/web/resolv.conf': a container without netns or pid has no listener to ask"
                ),
                (process, { $0.resolvConf = "resolv.conf" }, "bad resolvConf 'resolv.conf': expected an absolute path"),
                (
                    nil, { $0.wait = true },
                    "bad wait 'true': the container has an address on no network with a gateway listener, so its questions go elsewhere"
                ),
            ]
            for row in rows { #expect(try refusal(of: row.place, row.change) == row.message) }
        }
    }
}
