// The first replica in each answer, for clients that ask as their libraries do.

import DNSWire
import Testing

@testable import Registry

@Suite("Replicas of a name")
struct ReplicaTests {
    /// The queries that one lookup of a client sends, in order, and the one whose answer it uses.
    struct Client: CustomTestStringConvertible {
        var testDescription: String
        var queries: [RecordType]
        /// Positions of the answers that count.
        var used: [Int]
    }

    static let clients = [
        Client(testDescription: "gethostbyname: A", queries: [.a], used: [0]),
        Client(testDescription: "a client of AAAA alone", queries: [.aaaa], used: [0]),
        Client(testDescription: "getaddrinfo: A and AAAA", queries: [.a, .aaaa], used: [0, 1]),
        Client(testDescription: "Go and node: AAAA first", queries: [.aaaa, .a], used: [0, 1]),
        Client(testDescription: "TCP after UDP, A", queries: [.a, .a], used: [1]),
        Client(testDescription: "glibc, both over TCP after UDP", queries: [.a, .aaaa, .a, .aaaa], used: [2, 3]),
        Client(testDescription: "musl: TCP for each at once", queries: [.a, .a, .aaaa, .aaaa], used: [1, 3]),
        Client(testDescription: "one that asks three times", queries: [.a, .a, .a], used: [2]),
        Client(testDescription: "one beside a health check", queries: [.a, .aaaa, .a, .a, .aaaa], used: [0, 1]),
        Client(testDescription: "HTTPS before A and AAAA", queries: [.https, .a, .aaaa], used: [1, 2]),
    ]

    @Test(
        "are each first within ±50 % of their share over 64 lookups for each", arguments: clients,
        [2, 3, 4, 8, 16, 32, 100])
    func balance(client: Client, count: Int) throws {
        var town = try Town()
        try town.network("front")
        for number in 0..<count {
            try town.container("r\(number)", "front 10.0.0.\(number + 1) fd00::\(number + 1) /all")
        }
        var name = FoldedName()
        name.set(try Name("all"))
        let found = town.directory.find(name, from: 0, view: try town.view("r0"))
        let match = try #require(found)
        var firsts: [RecordType: [Int]] = [:]
        // Lookups whose A and AAAA answers have the same replica first.
        var together = 0
        for _ in 0..<64 * count {
            let starts = client.queries.map { town.directory.records(match, $0).start }
            for position in client.used { firsts[client.queries[position], default: []].append(starts[position]) }
            if client.used.count == 2, starts[client.used[0]] == starts[client.used[1]] { together += 1 }
        }
        for (type, starts) in firsts {
            let counts = starts.reduce(into: Array(repeating: 0, count: count)) { $0[$1] += 1 }
            #expect(counts.allSatisfy { 32...96 ~= $0 }, "\(type): \(counts)")
        }
        if client.used.count == 2 {
            #expect(together < 64 * count * 3 / 4 && together > 0, "A and AAAA are not tied: \(together)")
        }
    }

    @Test(
        "take no turn in an answer that has not room for all: the one over TCP behind it counts",
        arguments: [2, 32, 100])
    func truncated(count: Int) throws {
        var town = try Town()
        try town.network("front")
        for number in 0..<count { try town.container("r\(number)", "front 10.0.0.\(number + 1) /all") }
        var name = FoldedName()
        name.set(try Name("all"))
        let found = town.directory.find(name, from: 0, view: try town.view("r0"))
        let match = try #require(found)
        var whole = Array(repeating: 0, count: count), cut = whole
        for lookup in 0..<64 * count {
            // As many datagrams as a client sends before it asks over TCP: one, and now and then another.
            for _ in 0...(lookup % 3 == 0 ? 1 : 0) {
                cut[town.directory.records(match, .a, room: 16 * count - 1).start] += 1
            }
            whole[town.directory.records(match, .a, room: 16 * count).start] += 1
        }
        #expect(whole.allSatisfy { $0 == 64 }, "\(whole)")
        // Clients that take what is in the datagram meet all of them, too.
        #expect(cut.allSatisfy { 32...160 ~= $0 }, "\(cut)")
    }

    @Test("of a service take turns, too, and each answer has all of them")
    func services() throws {
        var town = try Town()
        try town.network("front")
        for (number, name) in ["a", "bb", "ccc"].enumerated() {
            try town.container(
                name, "front 10.0.0.\(number + 1) /all", ports: [PortDefinition(number: 80, service: "http")])
        }
        let rounds = try (0..<12).map { _ in try town.ask("a", "_http._tcp.all", .srv) ?? [] }
        #expect(Set(rounds.compactMap(\.first)).count == 3)
        for answer in rounds { #expect(Set(answer).count == 3, "\(answer)") }
    }

    @Test("that come and go are first as often as the others from then on")
    func change() throws {
        var town = try Town()
        try town.network("front")
        for number in 1...3 { try town.container("r\(number)", "front 10.0.0.\(number) /all") }
        for _ in 0..<2 { _ = try town.ask("r1", "all") }
        try town.container("r4", "front 10.0.0.4 /all")
        let firsts = try (0..<4).map { _ in try town.ask("r1", "all")?.first ?? "" }
        #expect(Set(firsts).count == 4)
    }
}
