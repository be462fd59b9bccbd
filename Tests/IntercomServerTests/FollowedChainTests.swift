// CNAME records of the operator that were followed before: the answer is the same, and what has changed is seen at once.

import DNSWire
import Registry
import Testing

@testable import IntercomServer

@Suite("A chain of CNAME records that was followed before")
struct FollowedChainTests {
    /// A registry and a responder that it feeds.
    private final class House {
        var registry: Registry
        var responder = Responder(settings: ServerSettings(Configuration(), workers: 1), seed: 7)
        var buffer = [UInt8](repeating: 0, count: 65_535)

        init() throws {
            registry = Registry(domain: try Name("internal"), ttl: 5)
            for name in ["front", "back"] {
                try registry.createNetwork(NetworkDefinition(name: name, source: .control))
            }
            try container("app", on: "front", ["10.1.0.1"])
            try container("cron", on: "back", ["10.2.0.1"])
            try container("web", on: "front", ["10.1.0.2"])
            try record("store.test", "web")
            try record("shop.test", "store.test")
            try record("*.any.test", "web.front.internal")
            settle()
        }

        func container(_ name: String, on network: String, _ addresses: [String]) throws {
            var definition = ContainerDefinition(name: name, source: .control)
            definition.endpoints = [
                EndpointDefinition(network: network, addresses: addresses.compactMap { IPAddress($0) })
            ]
            try registry.addContainer(definition)
        }

        func record(_ name: String, _ target: String) throws {
            _ = try registry.addRecord(
                RecordDefinition(name: name, type: "CNAME", data: [target], network: nil, ttl: nil, source: .control))
        }

        func settle() { for change in registry.takeChanges() { responder.directory.apply(change) } }

        /// The answer to a question without EDNS.
        func ask(
            _ asker: String, _ name: String, _ type: RecordType = .a, over transport: Transport = .stream
        ) throws -> [UInt8] {
            var message: [UInt8] = [0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
            message += try Name(name).wire + [0, UInt8(truncatingIfNeeded: type.rawValue), 0, 1]
            let view = try registry.container(named: asker).id.view
            let outcome = responder.respond(to: message.span, view: view, over: transport, intoArray: &buffer)
            guard case .answered(let length, _) = outcome else { return [] }
            return Array(buffer[..<length])
        }

        /// The records of the answer.
        func records(_ asker: String, _ name: String, _ type: RecordType = .a) throws -> [String] {
            let answer = try ask(asker, name, type)
            var reader = try Message(answer.span).records
            var records: [String] = []
            while let record = try reader.next(), record.section == .answer {
                records.append("\(record.type) \(try MessageText.data(of: record, in: answer.span))")
            }
            return records
        }
    }

    @Test(
        "is answered with the same octets again",
        arguments: [
            ("store.test", .a), ("Shop.Test", .a), ("x.any.test", .a), ("store.test", .aaaa), ("shop.test", .any),
        ]
            as [(String, RecordType)])
    func again(name: String, type: RecordType) throws {
        let house = try House()
        let first = try house.ask("app", name, type)
        #expect(!first.isEmpty)
        for _ in 0..<3 { #expect(try house.ask("app", name, type) == first) }
    }

    @Test("is another's for another view, type and name")
    func others() throws {
        let house = try House()
        #expect(try house.records("app", "shop.test") == ["CNAME store.test.", "CNAME web.", "A 10.1.0.2"])
        #expect(try house.records("cron", "shop.test") == ["CNAME store.test.", "CNAME web."])
        #expect(try house.records("app", "store.test") == ["CNAME web.", "A 10.1.0.2"])
        #expect(try house.records("app", "shop.test", .aaaa) == ["CNAME store.test.", "CNAME web."])
        #expect(try house.records("app", "shop.test", .cname) == ["CNAME store.test."])
        #expect(try house.records("app", "shop.test") == ["CNAME store.test.", "CNAME web.", "A 10.1.0.2"])
    }

    @Test("ends with what it led to: a container, a record, an address")
    func change() throws {
        let house = try House()
        #expect(try house.records("app", "shop.test") == ["CNAME store.test.", "CNAME web.", "A 10.1.0.2"])
        try house.registry.removeContainer(house.registry.container(named: "web").id)
        house.settle()
        #expect(try house.records("app", "shop.test") == ["CNAME store.test.", "CNAME web."])
        try house.container("web", on: "front", ["10.1.0.9"])
        house.settle()
        #expect(try house.records("app", "shop.test") == ["CNAME store.test.", "CNAME web.", "A 10.1.0.9"])
        // A container of this name comes before the record.
        try house.container("store.test", on: "front", ["10.1.0.7"])
        house.settle()
        #expect(try house.records("app", "store.test") == ["A 10.1.0.7"])
        #expect(try house.records("app", "shop.test") == ["CNAME store.test.", "A 10.1.0.7"])
    }

    @Test(
        "is cut at the same record again where it does not fit", arguments: [(50, 4), (51, 3), (53, 2), (60, 1)])
    func cut(labelLength: Int, count: Int) throws {
        let house = try House()
        let labels = Array(repeating: String(repeating: "x", count: labelLength), count: 4).joined(separator: ".")
        let names = (0..<2).map { "n\($0).\(labels).test" }
        for (name, target) in zip(["long.test"] + names, names + ["web"]) { try house.record(name, target) }
        house.settle()
        for (transport, count) in [(Transport.datagram, count), (.stream, 4)] {
            let first = try house.ask("app", "long.test", over: transport)
            #expect(first.count > 12 && Int(first[7]) == count)
            #expect(first[2] & 2 == (count < 4 ? 2 : 0), "TC")
            for _ in 0..<3 { #expect(try house.ask("app", "long.test", over: transport) == first) }
        }
        #expect(house.responder.directory.chainCount > 0)
    }

    @Test("has the one record that it led to, until there are several or another")
    func oneAndSeveral() throws {
        let house = try House()
        for (addresses, count) in [(["10.1.0.2"], 1), (["10.1.0.2", "10.1.0.3"], 2), (["10.1.0.3"], 1)] {
            try house.registry.removeContainer(house.registry.container(named: "web").id)
            try house.container("web", on: "front", addresses)
            house.settle()
            let answers = try (0..<4).map { _ in try house.records("app", "shop.test") }
            #expect(answers.allSatisfy { $0.prefix(2) == ["CNAME store.test.", "CNAME web."] })
            #expect(answers.allSatisfy { Set($0.dropFirst(2)) == Set(addresses.map { "A \($0)" }) })
            #expect(Set(answers.map { $0[2] }).count == count, "each is first in its turn")
        }
    }

    @Test("has its replicas take turns")
    func turns() throws {
        let house = try House()
        try house.container("many", on: "front", (1...4).map { "10.1.1.\($0)" })
        try house.record("all.test", "many")
        house.settle()
        let firsts = try (0..<8).map { _ in try house.records("app", "all.test")[1] }
        #expect(Set(firsts[..<4]).count == 4 && Set(firsts[4...]).count == 4, "\(firsts)")
    }

    @Test("costs as much memory for ever new names under a wildcard as for a few thousand")
    func wildcard() throws {
        let house = try House()
        for number in 0..<5000 {
            #expect(try house.records("app", "n\(number).any.test").last == "A 10.1.0.2")
        }
        #expect(house.responder.directory.chainCount <= 1024)
    }
}

extension Responder {
    fileprivate mutating func respond(
        to message: Span<UInt8>, view: ViewID, over transport: Transport, intoArray buffer: inout [UInt8]
    ) -> Outcome {
        respond(to: message, view: view, over: transport, into: buffer.mutableSpan)
    }
}
