// Every cut and every changed octet of a reply: never a crash, never an answer to another question.

import DNSWire
import Testing

@testable import Forwarding

@Suite("Damaged replies")
struct HostileReplyTests {
    static let replies: [(name: String, upstream: Upstream)] = [
        ("an address", reply()),
        ("truncated", truncated),
        ("SERVFAIL", reply(code: 2)),
        ("FORMERR without OPT", reply(code: 1, opt: false)),
        ("a bare header", reply(code: 5, opt: false, bare: true)),
        (
            "a chain with signatures, authority and errors",
            reply { packet in
                packet.answers = [
                    Packet.record(5, [3, 99, 100, 110, 0xC0, 16]),
                    Packet.record(1, [192, 0, 2, 1], owner: [3, 99, 100, 110, 0xC0, 16]),
                    Packet.record(46, [0, 1, 8, 3] + [UInt8](repeating: 7, count: 14) + [0xC0 & 0, 1, 2, 3]),
                    Packet.record(65_280, [1, 2, 3]),
                ]
                packet.authorities = [Packet.record(2, [2, 110, 115, 0xC0, 16], owner: [0xC0, 16])]
                packet.additionals = [
                    Packet.record(28, [UInt8](repeating: 1, count: 16), owner: [2, 110, 115, 0xC0, 16]),
                    Packet.opt(options: Packet.extendedError(3, "old")),
                ]
            }
        ),
        (
            "negative",
            reply { packet in
                packet.flags = 0x8183
                packet.answers = []
                packet.authorities = [
                    Packet.record(6, [0xC0, 16, 0xC0, 12] + [UInt8](repeating: 0, count: 20), owner: [0xC0, 16])
                ]
            }
        ),
        (
            "records behind the OPT record",
            reply { packet in
                packet.additionals = [Packet.opt(), Packet.record(250, [0, 1, 2], owner: [1, 107, 0])]
            }
        ),
    ]

    /// Gives a forwarder these octets over UDP and TCP; whatever it does with them, an answer is one to what was asked.
    static func check(_ damaged: (Packet) -> [UInt8], sourceLocation: SourceLocation = #_sourceLocation) throws {
        for query in [Packet.plain, Packet()] {
            var worker = Worker(upstreams: [1])
            _ = try worker.ask(query)
            try worker.perform(.opens("a", to: 1), "")
            let bytes = damaged(try worker.asked("a"))
            try worker.receive(bytes, on: "a")
            var answer: Answer?
            while let action = worker.forwarder.nextAction() {
                switch action {
                case .answer(_, let given):
                    answer = given
                case .openStream(let token, _, _, let message):
                    worker.sockets["t"] = Worker.Socket(token: token, message: Array(message.dropFirst(2)))
                    let again = damaged(try worker.asked("t"))
                    try worker.stream(word16(UInt16(again.count)) + again, on: "t", pieces: 50)
                default:
                    break
                }
            }
            // Nothing came of it: the wait must end as it does for a silent upstream.
            if answer == nil {
                try worker.perform(.time(4500), "")
                answer = worker.nextAnswer()
            }
            let given = try #require(answer, sourceLocation: sourceLocation)
            for limit in [512, given.datagramLimit, 65_535] {
                let message = given.message(limit: limit)
                let parsed = try #require(Parsed(message), "a message", sourceLocation: sourceLocation)
                #expect(message.count <= limit, sourceLocation: sourceLocation)
                #expect(parsed.question == query.question, sourceLocation: sourceLocation)
                #expect(parsed.id == query.id, sourceLocation: sourceLocation)
                #expect(parsed.flags & 0xF900 == 0x8100, sourceLocation: sourceLocation)
                #expect(parsed.rest == [], sourceLocation: sourceLocation)
                #expect((parsed.opt != nil) == !query.additionals.isEmpty, sourceLocation: sourceLocation)
            }
            #expect(worker.forwarder.inFlight == 0, sourceLocation: sourceLocation)
        }
    }

    @Test("cut at every length", arguments: replies.map(\.name))
    func truncation(name: String) throws {
        let upstream = try #require(Self.replies.first { $0.name == name }?.upstream)
        let length = upstream(.plain).count
        for count in 0...length {
            try Self.check { Array(upstream($0).prefix(count)) }
        }
    }

    @Test("with every octet changed", arguments: replies.map(\.name))
    func mutation(name: String) throws {
        let upstream = try #require(Self.replies.first { $0.name == name }?.upstream)
        let length = upstream(.plain).count
        for offset in 0..<length {
            for bits: UInt8 in [0x01, 0x04, 0x10, 0x20, 0x40, 0x80, 0xC0, 0xFF] {
                try Self.check { asked in
                    changed(upstream(asked)) { if offset < $0.count { $0[offset] ^= bits } }
                }
            }
        }
    }

    @Test("whose id or question was changed are never believed")
    func otherQuestion() throws {
        let query = Packet.plain
        let identity = Array(0..<2) + Array(12..<12 + query.question.count)
        for offset in identity {
            for bits: UInt8 in 1...255 {
                // Another spelling is looked into over TCP.
                let isLetter = offset >= 12 && 0x61...0x7A ~= query.bytes[offset] && offset < 8 + 12 + 9
                if bits == 0x20, isLetter { continue }
                try Scenario(
                    "octet \(offset) ^ \(bits)",
                    [
                        .ask(query), .opens("a", to: 1),
                        .reply(on: "a", { changed(reply(8)($0)) { $0[offset] ^= bits } }), .nothing,
                        .reply(on: "a", reply(9)), .answers(.address(9, from: 1)), .closes("a"),
                    ]
                ).run()
            }
        }
    }
}
