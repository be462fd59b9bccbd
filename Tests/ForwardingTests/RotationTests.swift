// Addresses of a kept answer take turns in coming first; nothing else of the answer moves.

import DNSWire
import Forwarding
import Testing

/// A kept answer: its records, and which of them change places.
struct Rotation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let type: UInt16
    let answers: [[UInt8]]
    var authorities: [[UInt8]] = []
    var additionals: [[UInt8]] = []
    /// The records of the answer section that take turns; nobody: all stay where they are.
    let moving: Range<Int>
}

@Suite("The addresses of a kept answer")
struct RotationTests {
    private static func a(_ last: UInt8, owner: [UInt8] = [0xC0, 0x0C], ttl: UInt32 = 300) -> [UInt8] {
        Packet.record(1, [192, 0, 2, last], owner: owner, ttl: ttl)
    }

    private static func aaaa(_ last: UInt8) -> [UInt8] {
        Packet.record(28, [0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [last])
    }

    /// `www.example.com` is an alias of `web.example.com`, whose name begins at offset 45: behind 12 octets of header, 21 of
    /// question, 12 of the record before its data.
    private static let cname = Packet.record(5, [3] + Array("web".utf8) + [0xC0, 0x10])
    private static let web: [UInt8] = [0xC0, 45]
    private static let mail = Packet.record(15, [0, 10] + Packet.name("mail.example.com"))

    static let rotations: [Rotation] = [
        Rotation(testDescription: "two of IPv4", type: 1, answers: [a(1), a(2)], moving: 0..<2),
        Rotation(testDescription: "seven of IPv4", type: 1, answers: (1...7).map { a($0) }, moving: 0..<7),
        Rotation(testDescription: "three of IPv6", type: 28, answers: (1...3).map { aaaa($0) }, moving: 0..<3),
        Rotation(
            testDescription: "behind a CNAME record, which stays the first", type: 1,
            answers: [cname] + (1...4).map { a($0, owner: web) }, moving: 1..<5),
        Rotation(
            testDescription: "before their signature, which stays the last (RFC 4034 §3.1)", type: 1,
            answers: [a(1), a(2), Packet.record(46, [UInt8](repeating: 7, count: 40))], moving: 0..<2),
        Rotation(
            testDescription: "before the records of other sections", type: 1, answers: [a(1), a(2), a(3)],
            authorities: [Packet.record(2, Packet.name("ns.example.com"))],
            additionals: [a(9, owner: Packet.name("ns.example.com"))], moving: 0..<3),
        Rotation(testDescription: "a single one", type: 1, answers: [a(1)], moving: 0..<0),
        Rotation(testDescription: "not of different TTLs", type: 1, answers: [a(1), a(2, ttl: 5)], moving: 0..<0),
        Rotation(
            testDescription: "not where something behind them points into them", type: 1,
            answers: [a(1), a(2), Packet.record(16, [2, 0xC0, 34])], moving: 0..<0),
        Rotation(
            testDescription: "not records of another type: mail exchanges have an order of their own", type: 15,
            answers: [mail, mail, mail], moving: 0..<0),
        Rotation(
            testDescription: "not texts", type: 16,
            answers: (1...3).map { Packet.record(16, [1, $0]) }, moving: 0..<0),
        Rotation(
            testDescription: "not services, which have priorities (RFC 2782)", type: 33,
            answers: (1...3).map { Packet.record(33, [0, 1, 0, 1, 0, 80] + [1, $0 + 96, 0]) }, moving: 0..<0),
        Rotation(
            testDescription: "not aliases in a chain", type: 5,
            answers: [cname, Packet.record(5, [0xC0, 0x10], owner: web)], moving: 0..<0),
    ]

    /// A worker that has learnt the answer.
    private static func learnt(_ rotation: Rotation) throws -> Worker {
        var worker = Worker()
        let verdict = try worker.ask(query(rotation))
        #expect(verdict == .accepted)
        guard case .openDatagram(let token, _, _, let message)? = worker.forwarder.nextAction() else {
            throw NotAsked()
        }
        worker.sockets["a"] = Worker.Socket(token: token, message: message)
        var reply = try worker.asked("a")
        reply.flags = 0x8180
        reply.answers = rotation.answers
        reply.authorities = rotation.authorities
        reply.additionals = rotation.additionals + [Packet.opt()]
        try worker.receive(reply.bytes, on: "a")
        let answer = try worker.answer()
        let first = try #require(Parsed(answer.message(limit: 65_535)))
        #expect(first.sections[0] == rotation.answers, "who asked first gets the reply as it came")
        return worker
    }

    private static func query(_ rotation: Rotation) -> Packet {
        var query = Packet.plain
        query.question = Packet.question("www.example.com", type: rotation.type)
        return query
    }

    private struct NotAsked: Error {}

    @Test("are first about equally often, and nothing else changes its place", arguments: rotations)
    func turns(_ rotation: Rotation) throws {
        var worker = try Self.learnt(rotation)
        let query = Self.query(rotation)
        let rounds = 64 * max(1, rotation.moving.count)
        var firsts: [[UInt8]: Int] = [:]
        for _ in 0..<rounds {
            let parsed = try worker.parsed(query)
            let answers = parsed.sections[0]
            for (position, record) in rotation.answers.enumerated() where !rotation.moving.contains(position) {
                #expect(answers[position] == record)
            }
            #expect(parsed.sections[1] == rotation.authorities)
            #expect(parsed.sections[2].dropLast() == rotation.additionals[...])
            guard !rotation.moving.isEmpty else { continue }
            let moved = Array(answers[rotation.moving])
            firsts[moved[0], default: 0] += 1
            // Turned as a ring: each follows the one that it followed before.
            let original = Array(rotation.answers[rotation.moving])
            let start = try #require(original.firstIndex(of: moved[0]))
            #expect(moved == Array(original[start...] + original[..<start]))
        }
        #expect(firsts.count == rotation.moving.count)
        for (record, count) in firsts {
            #expect(32...96 ~= count, "\(record.suffix(4)) is first \(count) times of \(rounds)")
        }
    }

    @Test("are first about equally often for who uses every second answer alone: over TCP after UDP, or A after AAAA")
    func lockstep() throws {
        let rotation = Self.rotations[1]
        var worker = try Self.learnt(rotation)
        let query = Self.query(rotation)
        var firsts: [[UInt8]: Int] = [:]
        for number in 0..<128 * rotation.answers.count {
            let parsed = try worker.parsed(query)
            if number % 2 == 1 { firsts[parsed.sections[0][0], default: 0] += 1 }
        }
        #expect(firsts.count == rotation.answers.count)
        for count in firsts.values { #expect(32...96 ~= count, "\(firsts)") }
    }

    @Test("are as many as fit, each of them in its turn the first, where not all do")
    func truncated() throws {
        let rotation = Rotation(
            testDescription: "", type: 1, answers: (0..<64).map { Self.a($0) }, moving: 0..<64)
        var worker = try Self.learnt(rotation)
        var query = Self.query(rotation)
        query.additionals = []
        var firsts: Set<[UInt8]> = []
        for _ in 0..<1024 {
            let message = try #require(try worker.cached(query))
            let parsed = try #require(Parsed(message))
            #expect(message.count <= 512 && parsed.isTruncated)
            #expect(Set(parsed.sections[0]).count == parsed.sections[0].count, "none is there twice")
            #expect(parsed.sections[0].allSatisfy { rotation.answers.contains($0) })
            firsts.insert(try #require(parsed.sections[0].first))
        }
        #expect(firsts.count == 64)
    }
}
