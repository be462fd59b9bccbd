// Answers that are larger than their client takes.

import DNSWire
import Testing

@testable import Forwarding

@Suite("Answers that do not fit")
struct TruncationTests {
    @Test(
        "the client's UDP size is honoured: 512 without EDNS, at least 512, at most 16,384",
        arguments: [
            (nil, 512), (0, 512), (511, 512), (512, 512), (800, 800), (1232, 1232), (4096, 4096), (65_535, 16_384),
        ] as [(UInt16?, Int)])
    func limit(size: UInt16?, limit: Int) throws {
        let query = AnswerTests.query(opt: size.map { Packet.opt(size: $0) })
        #expect(try AnswerTests.answer(to: query, reply()).datagramLimit == limit)
    }

    @Test(
        "whole answer records are kept as far as they fit, with TC; over TCP all of them come",
        arguments: [nil, 512, 700, 1232] as [UInt16?])
    func truncation(size: UInt16?) throws {
        let query = AnswerTests.query(opt: size.map { Packet.opt(size: $0) })
        let answers = (0..<200).map { Packet.a(UInt8($0)) }
        let answer = try AnswerTests.answer(to: query, reply { $0.answers = answers })
        let limit = answer.datagramLimit
        let short = answer.message(limit: limit)
        let message = try #require(Parsed(short))
        #expect(message.isTruncated)
        #expect(message.sections[0] == Array(answers.prefix(message.sections[0].count)))
        #expect(short.count <= limit)
        #expect(short.count + 16 > limit, "one more record would not have fitted")
        #expect((message.opt != nil) == (size != nil))
        let whole = try #require(Parsed(answer.message(limit: 65_535)))
        #expect(!whole.isTruncated)
        #expect(whole.sections[0] == answers)
    }

    @Test("at every limit the answer is a message within it, and TC says whether records of the answer are missing")
    func everyLimit() throws {
        let answers = (0..<20).map { Packet.a(UInt8($0)) }
        let authorities = (0..<10).map { Packet.record(2, [1, UInt8($0), 0xC0, 0x0C]) }
        let glue = (0..<10).map { Packet.record(1, [10, 0, 0, UInt8($0)], owner: [1, UInt8($0), 0xC0, 0x0C]) }
        let options = Packet.extendedError(3, "kept by the upstream")
        for query in [Packet(), .plain] {
            let answer = try AnswerTests.answer(
                to: query,
                reply { packet in
                    packet.answers = answers
                    packet.authorities = authorities
                    packet.additionals = glue + [Packet.opt(options: options)]
                })
            for limit in 512...1000 {
                let bytes = answer.message(limit: limit)
                let message = try #require(Parsed(bytes))
                let additionals = message.sections[2].filter { $0 != message.opt }
                #expect(bytes.count <= limit)
                #expect(message.rest == [])
                #expect(message.sections[0] == Array(answers.prefix(message.sections[0].count)))
                #expect(message.sections[1] == Array(authorities.prefix(message.sections[1].count)))
                #expect(additionals == [] || additionals == glue)
                #expect(message.isTruncated == (message.sections[0].count < 20 || message.sections[1].count < 10))
                if message.sections[0].count < 20 { #expect(message.sections[1] == []) }
            }
        }
    }

    @Test("additional records that do not fit are left out without TC (RFC 2181 §9)")
    func additionals() throws {
        let glue = (0..<40).map { Packet.record(1, [10, 0, 0, UInt8($0)], owner: Packet.name("ns\($0).test")) }
        let answer = try AnswerTests.parsed(to: Packet(), reply { $0.additionals = glue + [Packet.opt()] })
        #expect(!answer.isTruncated)
        #expect(answer.sections.map(\.count) == [1, 0, 0])
    }

    @Test("texts for people give way before records do")
    func texts() throws {
        let text = String(repeating: "x", count: 900)
        let answers = (0..<40).map { Packet.a(UInt8($0)) }
        let answer = try AnswerTests.parsed(
            to: .plain,
            reply {
                $0.answers = answers; $0.additionals = [Packet.opt(options: Packet.extendedError(3, text))]
            })
        #expect(answer.sections[0] == answers)
        #expect(answer.errors == ["3 "])
        #expect(!answer.isTruncated)
    }

    @Test("an inner OPT record gives way to one of our own, and so do the records behind it")
    func innerOPT() throws {
        let opt = Packet.opt(
            size: 4096, options: Packet.extendedError(3) + Packet.option(12, [UInt8](repeating: 0, count: 900)))
        let glue = Packet.record(16, [200] + [UInt8](repeating: 65, count: 200), owner: Packet.name("b.test"))
        let upstream = reply {
            $0.answers = (0..<20).map { Packet.a(UInt8($0)) }; $0.additionals = [glue, opt, glue]
        }
        let answer = try AnswerTests.parsed(to: .plain, upstream)
        #expect(answer.sections[0].count == 20)
        #expect(answer.sections[2] == [glue, Packet.opt(options: Packet.extendedError(3))])
        #expect(!answer.isTruncated)
    }

    @Test("the buffer is used again: what was in it before is gone")
    func reuse() throws {
        let answer = try AnswerTests.answer(to: .plain, reply())
        var buffer = [UInt8](repeating: 0xEE, count: 2000)
        let length = answer.write(into: buffer.mutableSpan, limit: 1232)
        #expect(Array(buffer[..<length]) == answer.message(limit: 1232))
        #expect(buffer[length...].allSatisfy { $0 == 0xEE })
    }
}
