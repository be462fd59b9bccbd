// Messages that cost more to read than to send.

import DNSWire
import Testing

@testable import Forwarding

@Suite("Museum: costly messages")
struct CostTests {
    /// A name that is reached through 127 pointers (RFC 1035 §4.1.4), and records that all have it: the most that can be made of
    /// 64 KiB. CVE-2024-8508 (Unbound: compression of large RRsets without a bound), CVE-2023-31137 (MaraDNS).
    static func pointers(to query: [UInt8]) -> [UInt8] {
        var records: [[UInt8]] = []
        // Record n is owned by a pointer to the owner of record n - 1.
        var owner = [UInt8(0xC0), 0x0C]
        var offset = query.count - Octets.opt().count
        while offset < 64_000 {
            records.append(Octets.record(2, owner, owner: owner))
            // Pointers reach 14 bits; a chain passes at most 127 of them.
            if records.count % 127 == 0 {
                owner = [0xC0, 0x0C]
            } else if offset < 0x3FFF {
                owner = [0xC0 | UInt8(offset >> 8), UInt8(offset & 0xFF)]
            }
            offset += records.last?.count ?? 0
        }
        return Octets.reply(to: query, answers: records, additionals: [])
    }

    static func addresses(to query: [UInt8]) -> [UInt8] {
        let count = (64_000 - query.count) / Octets.a(1).count
        return Octets.reply(to: query, answers: (0..<count).map { Octets.a(UInt8($0 & 0xFF)) }, additionals: [])
    }

    /// Octets that look like the most pointers: each run of two might be one.
    static func tail(to query: [UInt8]) -> [UInt8] {
        let data = [UInt8](repeating: 0xC1, count: 60_000)
        return Octets.reply(
            to: query, answers: [Octets.a(1), Octets.a(2), Octets.record(65_280, data)], additionals: [])
    }

    /// The shortest of some times that a reply of an upstream took to be read, kept and passed on.
    static func time(_ reply: ([UInt8]) -> [UInt8]) throws -> Duration {
        var shortest = Duration.seconds(60)
        for number in 0..<7 {
            var house = House()
            try house.ask(Octets.query("n\(number).example"))
            house.serve { $0.isStream ? nil : Octets.reply(to: $0.question, flags: 0x8380) }
            guard let token = house.sockets.keys.first, let question = house.sockets[token]?.question else { continue }
            let octets = reply(question)
            let start = ContinuousClock.now
            house.receive(octets, on: token)
            shortest = min(shortest, ContinuousClock.now - start)
            #expect(house.answers[0] != nil, "it is answered")
        }
        return shortest
    }

    @Test(
        "a reply of 64 KiB costs no more than ten times as much as one of the same size that is full of addresses",
        arguments: [("5,000 names of 127 pointers each", pointers), ("octets that may all be pointers", tail)])
    func reply(what: String, reply: @Sendable ([UInt8]) -> [UInt8]) throws {
        let plain = try Self.time(Self.addresses)
        let costly = try Self.time(reply)
        #expect(costly < plain * 10, "\(what): \(costly), and \(plain) for addresses")
    }

    @Test(
        "pointers that lead to themselves, forward or into the header end the reading at once (CVE-2020-25686 and its kind)"
    )
    func loops() throws {
        for pointer in [[0xC0, 0x1D], [0xC0, 0xFF], [0xC0, 0x00], [0xFF, 0xFF]] as [[UInt8]] {
            var house = House()
            try house.ask(Octets.query("web.example"))
            house.serve { Octets.reply(to: $0.question, answers: [Octets.a(1, owner: pointer)]) }
            #expect(house.code() == 2, "\(pointer)")
        }
    }
}
