// Replies that are accepted, and replies that are not.

import Forwarding
import Testing

@Suite("Replies that are no replies")
struct ReplyValidationTests {
    /// Each of these is ignored, and the right reply is still awaited.
    static let impostors: [(name: String, upstream: Upstream)] = [
        ("another id", reply(8) { $0.id ^= 1 }),
        ("QR is 0", reply(8) { $0.flags &= 0x7FFF }),
        ("another opcode", reply(8) { $0.flags |= 0x2000 }),
        ("another name", reply(8) { $0.question = Packet.question("www.example.org", type: 1) }),
        ("a longer name", reply(8) { $0.question = Packet.question("a.www.example.com", type: 1) }),
        ("another type", reply(8) { $0.question = Packet.question("www.example.com", type: 28) }),
        ("another class", reply(8) { $0.question = Packet.question("www.example.com", type: 1, recordClass: 3) }),
        ("no question", reply(8) { $0.question = [] }),
        ("NXDOMAIN without a question", reply(code: 3, bare: true)),
        ("two questions", { changed(reply(8)($0)) { $0[5] = 2 } }),
        ("the query itself", { $0.bytes }),
        ("nothing", { _ in [] }),
        ("eleven octets", { Array(reply(8)($0).prefix(11)) }),
        ("garbage", { word16($0.id) + [0x81, 0x80] + [UInt8](repeating: 0xFF, count: 200) }),
        (
            "truncated, but the answer to something else",
            reply(8) {
                $0.flags |= 0x0200; $0.id ^= 0x8000
            }
        ),
        (
            "SERVFAIL to something else",
            reply(8) {
                $0.flags |= 2; $0.question = Packet.question("b.test", type: 1)
            }
        ),
    ]

    @Test("is ignored, over UDP and TCP, and the right one answers", arguments: impostors.map(\.name), [false, true])
    func impostor(name: String, overTCP: Bool) throws {
        let upstream = try #require(Self.impostors.first { $0.name == name }?.upstream)
        var steps: [Step] = [.ask(), .opens("a", to: 1)]
        if overTCP {
            steps += [.reply(on: "a", truncated), .closes("a"), .connects("a", to: 1)]
            if !name.hasPrefix("truncated") { steps += [.stream(on: "a", upstream), .nothing] }
            steps += [.stream(on: "a", reply(9))]
        } else {
            steps += [.reply(on: "a", upstream), .nothing, .reply(on: "a", reply(9))]
        }
        steps += overTCP ? [.answers(.address(9, from: 1))] : [.answers(.address(9, from: 1)), .closes("a")]
        try Scenario(name, steps).run()
    }

    @Test("octets behind the last record are no part of the reply")
    func trailing() throws {
        var worker = Worker()
        _ = try worker.ask()
        try worker.perform(.opens("a", to: 1), "")
        try worker.receive(reply { $0.rest = [1, 2, 3] }(try worker.asked("a")), on: "a")
        let answer = try worker.answer()
        #expect(Parsed(answer.message(limit: 512))?.rest == [])
    }
}

/// The reply does not fit into a datagram.
let truncated = reply {
    $0.flags |= 0x0200; $0.answers = []
}

func changed(_ bytes: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8] {
    var bytes = bytes
    change(&bytes)
    return bytes
}
