// Records of the operator over the control socket: added, answered, listed, kept, removed.

import ControlAPI
import DNSWire
import Foundation
import Testing

@testable import ClientCommand
@testable import IntercomServer

@Suite("A record of the operator")
struct RecordTests {
    private static let town = """

        [[network]]
        name = "front"

        [[network]]
        name = "back"

        [[container]]
        name = "app"
        networks = [{ name = "front", ip = ["10.1.0.3"] }]

        [[record]]
        name = "fixed.test"
        type = "A"
        data = "10.9.0.7"

        """

    @Test("is in force when the call returns, and outlives a restart until it is removed")
    func life() throws {
        try Plane.lend(Self.town) { plane in
            try add(plane, "api.test", "A", ["10.9.0.1"])
            try add(plane, "api.test", "A", ["10.9.0.2"], ttl: 60)
            try add(plane, "*.app.test", "TXT", ["wild"], network: "front")
            try add(plane, "back.test", "A", ["10.9.0.5"], network: "back")
            func check() throws {
                #expect(try plane.resolve("api.test", from: "app") == ["10.9.0.1", "10.9.0.2"])
                let answer = try plane.call(Resolve.self, .init(name: "api.test", container: "app")).answer
                #expect(answer.source == "record" && answer.answers.map(\.ttl) == [60, 60])
                #expect(try plane.resolve("x.y.app.test", "TXT", from: "app") == ["\"wild\""])
                #expect(try plane.resolve("back.test", from: "app") != ["10.9.0.5"])
                #expect(try plane.resolve("fixed.test", from: "app") == ["10.9.0.7"])
                #expect(try list(plane).count == 5)
            }
            try check()
            plane.stop()
            try plane.start()
            try check()
            _ = try plane.call(RemoveRecord.self, .init(name: "api.test", type: "a"))
            _ = try plane.call(RemoveRecord.self, .init(name: "*.app.test", network: "front"))
            _ = try plane.call(RemoveRecord.self, .init(name: "back.test", network: "back"))
            #expect(try list(plane) == ["fixed.test A 10.9.0.7 configuration"])
            plane.stop()
            try plane.start()
            #expect(try list(plane) == ["fixed.test A 10.9.0.7 configuration"])
        }
    }

    @Test("of a network that goes waits for it, and is there when it returns")
    func networkGoes() throws {
        try Plane.lend(Self.town) { plane in
            _ = try plane.call(CreateNetwork.self, .init(name: "side"))
            try add(plane, "s.test", "A", ["10.9.0.1"], network: "side")
            _ = try plane.call(RemoveNetwork.self, Named(name: "side"))
            #expect(try list(plane).contains("s.test A 10.9.0.1 control on side"))
            plane.stop()
            try plane.start()
            _ = try plane.call(CreateNetwork.self, .init(name: "side"))
            _ = try plane.call(Connect.self, .init(network: "side", container: "app"))
            #expect(try plane.resolve("s.test", from: "app") == ["10.9.0.1"])
        }
    }

    @Test("that is there already changes nothing; a TTL that is given holds for all of its name and type")
    func again() throws {
        try Plane.lend(Self.town) { plane in
            try add(plane, "api.test", "A", ["10.9.0.1"])
            try add(plane, "API.test", "a", ["10.9.0.1"])
            #expect(try list(plane).count == 2)
            try add(plane, "api.test", "A", ["10.9.0.1"], ttl: 9)
            #expect(
                try plane.call(Resolve.self, .init(name: "api.test", container: "app")).answer.answers.map(\.ttl) == [9]
            )
            try add(plane, "fixed.test", "A", ["10.9.0.7"])
            _ = try plane.call(RemoveRecord.self, .init(name: "fixed.test"))
            #expect(try plane.resolve("fixed.test", from: "app") == ["10.9.0.7"], "that of the configuration stays")
        }
    }

    @Test("that cannot be is refused with the reason, and nothing changes")
    func refusals() throws {
        try Plane.lend(Self.town) { plane in
            let long = String(repeating: "a.", count: 130) + "test"
            for (name, type, data, reason) in [
                ("api.test", "A", "x", "bad A data 'x': expected an IPv4 address"),
                ("a..b", "A", "10.9.0.1", "empty label"),
                (long, "A", "10.9.0.1", "more than 255"), ("a.*.b", "A", "10.9.0.1", "first label alone"),
                ("*", "A", "10.9.0.1", "every name"), ("x.localhost", "A", "10.9.0.1", "RFC 6761"),
                ("10.1.0.1", "A", "10.9.0.1", "an address"), ("api.test", "NONE", "x", "expected a type"),
                ("api.test", "SOA", "x", "belongs to a zone"),
                ("x.arpa", "PTR", "a.test", "the reverse name of an address"),
                ("1.0.0.127.in-addr.arpa", "PTR", "a.test", "loopback"),
                ("t.test", "TXT", String(repeating: "x", count: 60_001), "too many"),
            ] {
                let refusal = try plane.refusal(AddRecord.self, .init(name: name, type: type, data: [data]))
                #expect(refusal?.contains(reason) == true, "\(refusal ?? "taken: \(name)")")
            }
            let network = try plane.refusal(
                AddRecord.self, .init(name: "a.test", type: "A", data: ["10.9.0.1"], network: "none"))
            #expect(network?.hasPrefix("no network none") == true)
            let ttl = try plane.refusal(
                AddRecord.self, .init(name: "a.test", type: "A", data: ["10.9.0.1"], ttl: -1))
            #expect(ttl?.contains("0 to 2147483647") == true)
            #expect(try plane.refusal(RemoveRecord.self, .init(name: "a.test"))?.hasPrefix("no record a.test") == true)
            #expect(
                try plane.refusal(RemoveRecord.self, .init(name: "fixed.test", type: "A"))?
                    .contains("of the configuration; remove it from that file") == true)
            #expect(try list(plane) == ["fixed.test A 10.9.0.7 configuration"])
        }
    }

    @Test("that a container's name shadows is taken, and says so, until the container has gone")
    func shadows() throws {
        try Plane.lend(Self.town) { plane in
            func added(_ name: String, _ type: String = "A", network: String? = nil) throws -> [String]? {
                let data = ["A": "10.9.0.1", "CNAME": "fixed.test", "TXT": "x"][type] ?? ""
                return try plane.call(
                    AddRecord.self, .init(name: name, type: type, data: [data], network: network)
                ).shadowedBy
            }
            for name in ["app", "app.front", "app.internal", "app.front.internal"] {
                #expect(try added(name) == ["app on front"], "\(name)")
            }
            #expect(try added("app", network: "front") == ["app on front"])
            #expect(try added("app", network: "back") == nil)
            #expect(try added("app", "TXT") == nil, "a container has no such records")
            #expect(try added("other.test", "CNAME") == nil)
            #expect(try plane.resolve("app", from: "app") == ["10.1.0.3"])
            func listed() throws -> [DeclaredRecord] {
                try plane.list(ListRecords.self, Nothing()).flatMap(\.records)
            }
            let shadowed = try listed().filter { $0.shadowedBy != nil }
            #expect(Set(shadowed.map(\.name)) == ["app", "app.front", "app.internal", "app.front.internal"])
            #expect(shadowed.allSatisfy { $0.shadowedBy == "app on front" })
            try plane.configure(Self.town.replacingOccurrences(of: "name = \"app\"", with: "name = \"else\""))
            _ = try plane.call(Reload.self, Nothing())
            #expect(try listed().allSatisfy { $0.shadowedBy == nil })
        }
    }

    @Test("of the configuration changes with a reload")
    func reload() throws {
        try Plane.lend(Self.town) { plane in
            try plane.configure(Self.town.replacingOccurrences(of: "10.9.0.7", with: "10.9.0.8"))
            _ = try plane.call(Reload.self, Nothing())
            #expect(try plane.resolve("fixed.test", from: "app") == ["10.9.0.8"])
        }
    }

    private func add(
        _ plane: Plane, _ name: String, _ type: String, _ data: [String], network: String? = nil, ttl: Int? = nil
    ) throws {
        _ = try plane.call(
            AddRecord.self, .init(name: name, type: type, data: data, network: network, ttl: ttl))
    }

    private func list(_ plane: Plane) throws -> [String] {
        try plane.list(ListRecords.self, Nothing()).flatMap(\.records).map { record in
            let words = [record.name, record.type, record.data, record.source, record.network.map { "on \($0)" }]
            return words.compactMap(\.self).joined(separator: " ")
        }.sorted()
    }
}
