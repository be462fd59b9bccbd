// Replies of somebody who guesses, races or lies.

import DNSWire
import Testing

@testable import Forwarding

@Suite("Museum: forged replies")
struct SpoofingTests {
    @Test("ids of 10^5 questions are even in each bit and do not repeat more than chance has it (CVE-2025-40780)")
    func ids() throws {
        var house = House(policy: CachePolicy(capacity: 0))
        var counts = [Int](repeating: 0, count: 65_536)
        var bits = [Int](repeating: 0, count: 16)
        var repeats = 0
        var last = -1
        let total = 100_000
        for number in 0..<total {
            try house.ask(Octets.query("n\(number).example"))
            house.serve { socket in
                let id = Int(socket.question[0]) << 8 | Int(socket.question[1])
                counts[id] += 1
                for bit in 0..<16 where id >> bit & 1 == 1 { bits[bit] += 1 }
                if id == last { repeats += 1 }
                last = id
                return Octets.reply(to: socket.question, answers: [Octets.a(1)])
            }
        }
        #expect(house.opened.count == total, "a socket, and so a port, of its own for each question")
        // Six standard deviations of a fair coin; the sum of squares is chi-squared with 65,535 degrees of freedom.
        for count in bits { #expect(abs(count - total / 2) < 950, "\(bits)") }
        let expected = Double(total) / 65_536
        let chi = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(abs(chi - 65_535) < 6 * 362, "\(chi)")
        #expect(repeats < 12, "two in a row are the same by chance alone")
    }

    @Test(
        "256 variants of one question are at most 4 exchanges at once: a forger has no more tries (CVE-2025-5994, RFC 5452 §5)"
    )
    func variants() throws {
        var house = House()
        for variant in 0..<256 {
            var name = Array("abcdefgh.example".utf8)
            for bit in 0..<8 where variant >> bit & 1 == 1 { name[bit] &= 0xDF }
            let options = Octets.word(8) + Octets.word(8) + [0, 1, 32, 0, 192, 0, 2, UInt8(variant)]
            let opt = Octets.opt(
                size: 512 + variant, dnssecOK: variant & 1 == 1, options: variant & 4 == 0 ? [] : options)
            try house.ask(
                Octets.query(
                    String(decoding: name, as: UTF8.self), id: variant, flags: 0x0100 | (variant & 2) << 3, opt: opt),
                client: variant)
        }
        #expect(house.forwarder.inFlight <= 4 && house.sockets.count <= 4)
        for socket in house.sockets.values {
            let length = Int(socket.question.count)
            #expect(length == Octets.query("abcdefgh.example").count, "no option of a client's goes along")
        }
    }

    @Test(
        "an upstream that lies faster than the good one is not believed: another id, question, opcode, or no reply at all"
    )
    func race() throws {
        var house = House(upstreams: 2)
        try house.ask(Octets.query("bank.example"))
        house.wait(400)
        #expect(house.sockets.count == 2, "the second is asked, too")
        let tokens = house.sockets.sorted { $0.value.server < $1.value.server }.map(\.key)
        let mine = try #require(house.sockets[tokens[0]]?.question)
        let others = try #require(house.sockets[tokens[1]]?.question)
        let forged = [Octets.a(66)]
        house.receive(Octets.reply(to: others, answers: forged), on: tokens[0])
        house.receive(Octets.reply(to: mine, flags: 0xA980, answers: forged), on: tokens[0])
        house.receive(Octets.reply(to: mine, flags: 0x0180, answers: forged), on: tokens[0])
        var other = Octets.query("evil.example")
        other.replaceSubrange(0..<2, with: mine[0..<2])
        house.receive(Octets.reply(to: other, answers: forged), on: tokens[0])
        #expect(house.answers.isEmpty)
        house.receive(Octets.reply(to: others, answers: [Octets.a(1)]), on: tokens[1])
        #expect(house.answers[0]?.contains(66) == false && house.code() == 0)
    }

    @Test(
        "no honest reply needs fragments: 1,232 octets are asked for, and forged ICMP lowers no MTU (RFC 9715; CVE-2023-28450)"
    )
    func fragments() throws {
        var house = House()
        try house.ask(Octets.query("web.example", opt: Octets.opt(size: 65_535)))
        let question = try #require(house.sockets.values.first?.question)
        #expect(Array(question.suffix(11).dropFirst(3).prefix(2)) == Octets.word(1232))
    }

    @Test(
        "a reply that came in fragments is not believed, as anybody may have sent the second: it is asked over TCP (CVE-2023-28450)",
        arguments: ["an answer", "a failure", "one cut off"])
    func fragmented(_ what: String) throws {
        var house = House()
        try house.ask(Octets.query("bank.example"))
        let (token, socket) = try #require(house.sockets.first)
        // A stranger's datagram in fragments changes nothing.
        var stranger = socket.question
        stranger[0] ^= 1
        house.receive(Octets.reply(to: stranger, answers: [Octets.a(66)]), on: token, cameInFragments: true)
        #expect(house.answers.isEmpty && house.streams == 0)
        let flags = ["an answer": 0x8180, "a failure": 0x8182, "one cut off": 0x8380][what] ?? 0x8180
        house.receive(
            Octets.reply(to: socket.question, flags: flags, answers: [Octets.a(66)]), on: token, cameInFragments: true)
        #expect(house.answers.isEmpty && house.streams == 1)
        house.serve { $0.isStream ? Octets.reply(to: $0.question, answers: [Octets.a(1)]) : nil }
        #expect(house.code() == 0 && house.answers[0]?.contains(66) == false)
    }

    @Test("records of other names never answer questions about them, whichever section they stand in (CVE-2025-40778)")
    func others() throws {
        var house = House()
        let bank = Octets.name("bank.example")
        try house.ask(Octets.query("evil.example"))
        house.serve { socket in
            Octets.reply(
                to: socket.question, answers: [Octets.a(1), Octets.a(66, owner: bank)],
                authorities: [Octets.a(66, owner: bank), Octets.record(2, bank, owner: Octets.name("example"))],
                additionals: [Octets.a(66, owner: bank), Octets.opt()])
        }
        #expect(house.code() == 0)
        try house.ask(Octets.query("bank.example"), client: 1)
        #expect(house.answers[1] == nil, "it is asked")
        house.serve { Octets.reply(to: $0.question, answers: [Octets.a(1)]) }
        #expect(house.answers[1]?.contains(66) == false)
    }
}
