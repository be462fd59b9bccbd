// The methods of the control interface, each called over the socket of a daemon that needs no root.

import ControlAPI
import Foundation
import Testing

@testable import IntercomServer

@Suite("A method of the control interface")
struct PlaneMethodTests {
    /// Networks `front` and `back`; machines `web` and `app` on the first, `db` on the second.
    private func lend(_ text: String = "", _ body: (Plane) throws -> Void) throws {
        try Plane.lend(text) { plane in
            _ = try plane.call(
                CreateNetwork.self,
                .init(
                    name: "front", subnets: ["10.1.0.0/24"],
                    routes: [Route(domain: "corp.example", upstreams: ["127.0.0.1:1"])]))
            _ = try plane.call(CreateNetwork.self, .init(name: "back", internal: true, ttl: 60))
            for (name, network, address) in [
                ("web", "front", "10.1.0.2"), ("app", "front", "10.1.0.3"), ("db", "back", "10.2.0.4"),
            ] {
                let endpoint = AddContainer.Attachment(name: network, addresses: [address], aliases: ["\(name)-alias"])
                _ = try plane.call(AddContainer.self, .init(name: name, networks: [endpoint]))
            }
            try body(plane)
        }
    }

    @Test("shows networks and containers as they were declared, in one reply or in pieces")
    func showing() throws {
        try lend { plane in
            let front = try plane.call(InspectNetwork.self, Named(name: "FRONT")).network
            #expect(front.containers.map(\.container) == ["app", "web"])
            #expect(front.subnets == ["10.1.0.0/24"] && front.routes.map(\.domain) == ["corp.example"])
            let networks = try plane.list(ListNetworks.self, Nothing()).flatMap(\.networks)
            #expect(networks.map(\.name).sorted() == ["back", "front"])
            #expect(try plane.call(ListNetworks.self, Nothing()).networks.count == networks.count)
            let web = try plane.container("web")
            #expect(web.state == "no listener" && web.reason == "it has no namespace on this machine")
            #expect(web.networks.map(\.network) == ["front"] && web.networks.flatMap(\.names) == ["web", "web-alias"])
            let containers = try plane.list(ListContainers.self, .init(all: true)).flatMap(\.containers)
            #expect(containers.map(\.name).sorted() == ["app", "db", "web"])
            #expect(try plane.call(ListContainers.self, .init()).containers.count == 3)
        }
    }

    @Test("lists briefly what a table shows: one fact of each source, and neither names, nor links, nor ports")
    func brief() throws {
        try lend { plane in
            let replica = AddContainer.Attachment(name: "front", addresses: ["10.1.0.4"], aliases: ["api"])
            _ = try plane.call(
                AddContainer.self,
                .init(
                    name: "api", networks: [replica], links: [Link(container: "web", name: "w")],
                    ports: [Port(port: 80)]))
            var whole = try plane.container("api")
            let lists = try plane.list(ListContainers.self, .init(brief: true)).flatMap(\.containers)
            let brief = try #require(lists.first { $0.name == "api" })
            #expect(whole.facts.count > 1 && !whole.networks[0].names.isEmpty)
            whole.facts = [whole.facts[0]]
            whole.networks[0].names = []
            (whole.links, whole.ports) = ([], [])
            #expect(brief == whole)
        }
    }

    @Test("connects, disconnects, drains and makes ready, at once for names")
    func changing() throws {
        try lend { plane in
            #expect(try plane.resolve("db", from: "web") == ["NXDOMAIN"])
            for _ in 1...2 {
                _ = try plane.call(
                    Connect.self,
                    .init(network: "back", container: "web", addresses: ["10.2.0.2"], aliases: ["db-alias"]))
            }
            #expect(try plane.resolve("db", from: "web") == ["10.2.0.4"])
            #expect(try plane.resolve("db-alias", from: "web") == ["10.2.0.2", "10.2.0.4"])
            for _ in 1...2 { _ = try plane.call(DrainContainer.self, Named(name: "web")) }
            #expect(try plane.container("web").state == "draining")
            #expect(try plane.resolve("db-alias", from: "web") == ["10.2.0.4"])
            _ = try plane.call(ReadyContainer.self, Named(name: "web"))
            #expect(try plane.resolve("db-alias", from: "web").count == 2)
            _ = try plane.call(Disconnect.self, .init(network: "back", container: "web"))
            #expect(try plane.resolve("db", from: "web") == ["NXDOMAIN"])
            _ = try plane.call(RemoveContainer.self, Named(name: "app"))
            #expect(try plane.resolve("app", from: "web") == ["NXDOMAIN"])
            _ = try plane.call(RemoveContainer.self, Named(name: "db"))
            _ = try plane.call(RemoveNetwork.self, Named(name: "back"))
            #expect(try plane.call(Status.self, Nothing()).networks == 1)
        }
    }

    @Test("gives the answer of a worker with its rule")
    func resolving() throws {
        try lend { plane in
            #expect(try plane.resolve("2.0.1.10.in-addr.arpa", "PTR", from: "app") == ["web.front.internal."])
            let local = try plane.call(Resolve.self, .init(name: "localhost", container: "web")).answer
            #expect(local.source == "special-use name (RFC 6761)" && local.answers.map(\.data) == ["127.0.0.1"])
            let denied = try plane.call(Resolve.self, .init(name: "a.example", container: "db")).answer
            #expect(denied.rcode == "NXDOMAIN" && denied.extendedErrors.map(\.code) == [15])
        }
    }

    @Test("refuses what cannot be, and changes nothing")
    func refusals() throws {
        try lend { plane in
            let before = try plane.list(ListContainers.self, .init(all: true))
            #expect(
                try plane.refusal(Resolve.self, .init(name: "a", type: "?", container: "web"))?.contains("record type")
                    == true)
            #expect(
                try plane.refusal(Resolve.self, .init(name: "a..b", container: "web"))?.hasPrefix("bad name") == true)
            #expect(
                try plane.refusal(Resolve.self, .init(name: "a", container: "x"))?.hasPrefix("no container x") == true)
            #expect(
                try plane.refusal(CreateNetwork.self, .init(name: "internal"))?.contains("domain behind all names")
                    == true)
            #expect(try plane.refusal(RemoveNetwork.self, Named(name: "front"))?.contains("in use by web, app") == true)
            #expect(try plane.refusal(InspectNetwork.self, Named(name: "x"))?.hasPrefix("no network x") == true)
            #expect(try plane.refusal(RemoveContainer.self, Named(name: "x"))?.hasPrefix("no container x") == true)
            #expect(try plane.refusal(InspectContainer.self, Named(name: "x"))?.hasPrefix("no container x") == true)
            #expect(try plane.refusal(AddContainer.self, .init(name: "web"))?.contains("exists already") == true)
            #expect(try plane.refusal(AddContainer.self, .init(name: "127.0.0.1"))?.contains("an address") == true)
            #expect(
                try plane.refusal(Disconnect.self, .init(network: "back", container: "web"))?.contains(
                    "is not on network") == true)
            #expect(
                try plane.refusal(AddContainer.self, .init(name: "n", resolvConf: "/run/intercom/x"))?
                    .contains("no listener to ask") == true)
            for (path, reason) in [
                ("/etc/passwd", "it is a regular file"), ("/proc/self/ns/mnt", "a namespace of another kind"),
                ("/nonexistent", "No such file"), ("/proc/self/ns/net", "the host's own network namespace"),
            ] {
                let refusal = try plane.refusal(AddContainer.self, .init(name: "n", netns: path))
                #expect(refusal?.contains(reason) == true, "\(refusal ?? "")")
            }
            #expect(
                try plane.refusal(AddContainer.self, .init(name: "n", pid: 4_194_304))?.contains("no process") == true)
            #expect(try plane.refusal(FlushCache.self, .init(suffix: true))?.contains("suffix") == true)
            #expect(try plane.refusal(FlushCache.self, .init(name: "a..b"))?.hasPrefix("bad name") == true)
            #expect(try plane.refusal(ListCache.self, .init(suffix: true))?.contains("suffix") == true)
            #expect(try plane.refusal(ListCache.self, .init(name: "a..b"))?.hasPrefix("bad name") == true)
            #expect(try plane.refusal(Monitor.self, .init()) != nil, "its replies never end")
            #expect(try plane.list(ListContainers.self, .init(all: true)) == before)
        }
    }

    @Test("tells of the daemon: what it has, and what it has forgotten on demand")
    func daemon() throws {
        try lend { plane in
            let status = try plane.call(Status.self, Nothing())
            #expect(status.networks == 2 && status.containers == 3 && status.workers.count == 1)
            #expect(status.configuration == plane.configuration && status.warnings.isEmpty, "\(status.warnings)")
            #expect(status.groups.contains { $0.network == "front" && $0.domain == "corp.example" })
            for parameters in [FlushCache.Parameters(), .init(name: "a.example"), .init(name: "example", suffix: true)]
            {
                #expect(try plane.call(FlushCache.self, parameters).flushed == 0)
            }
            for parameters in [ListCache.Parameters(), .init(name: "a.example"), .init(name: "example", suffix: true)] {
                #expect(try plane.call(ListCache.self, parameters) == .init(answers: [], further: 0))
            }
        }
    }

    @Test(
        "has the configuration read again: differences are in force, the rest is said, and mistakes leave all as it was"
    )
    func reloading() throws {
        try lend("[[network]]\nname = 'lab'\n") { plane in
            try plane.configure(
                "domain = 'lan'\n[[network]]\nname = 'lab2'\n[[container]]\nname = 'late'\nnetns = '/etc/passwd'\n")
            let left = try plane.call(Reload.self, Nothing()).notInForce
            #expect(left.contains { $0.contains("late") && $0.contains("it is a regular file") }, "\(left)")
            #expect(try plane.resolve("web.front.lan", from: "app") == ["10.1.0.2"])
            #expect(try plane.refusal(InspectNetwork.self, Named(name: "lab")) != nil)
            #expect(try plane.container("late").state == "no listener" && plane.container("late").listen == "auto")
            try plane.configure("ttl = -1\n")
            #expect(try plane.refusal(Reload.self, Nothing())?.contains("ttl") == true)
            #expect(try plane.refusal(InspectNetwork.self, Named(name: "lab2")) == nil)
        }
    }

    @Test("declares what the next daemon knows again")
    func restart() throws {
        try lend { plane in
            _ = try plane.call(Connect.self, .init(network: "back", container: "app", addresses: ["10.2.0.3"]))
            _ = try plane.call(Disconnect.self, .init(network: "front", container: "app"))
            _ = try plane.call(DrainContainer.self, Named(name: "db"))
            _ = try plane.call(RemoveContainer.self, Named(name: "web"))
            plane.stop()
            try plane.start()
            #expect(try plane.container("app").networks.map(\.network) == ["back"])
            #expect(try plane.container("db").state == "draining")
            #expect(try plane.resolve("db", from: "app") == ["10.2.0.4"])
            #expect(try plane.refusal(InspectContainer.self, Named(name: "web")) != nil)
            #expect(try plane.call(InspectNetwork.self, Named(name: "front")).network.routes.count == 1)
        }
    }
}
