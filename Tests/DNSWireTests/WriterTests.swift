// Messages written into a buffer: octet by octet as the RFCs have them, cut at a record's border, never past the limit.

import Testing

@testable import DNSWire

/// A message written by a closure; the buffer is longer than the limit and full of 0xEE, so that a stray octet shows.
private func written(limit: Int = 512, _ body: (inout MessageWriter) throws -> Void) rethrows -> [UInt8] {
    var buffer = [UInt8](repeating: 0xEE, count: limit + 64)
    var writer = MessageWriter(buffer.mutableSpan, limit: limit)
    try body(&writer)
    let length = writer.finish()
    #expect(buffer[length...].allSatisfy { $0 == 0xEE } || length < limit, "past the end")
    #expect(buffer[limit...].allSatisfy { $0 == 0xEE }, "past the limit")
    return Array(buffer[..<length])
}

extension MessageWriter {
    /// Writes a record that has to fit.
    mutating func expect(_ name: RecordOwner, ttl: UInt32, _ data: RecordData, _ section: Section) {
        let fits = writeRecord(name: name, recordClass: .in, ttl: ttl, data, section: section)
        #expect(fits, "\(data)")
    }
}

private let response: HeaderFlags = HeaderFlags(answering: HeaderFlags(rawValue: 0x0100), aa: true, .noError)

@Suite("A message")
struct WriterTests {
    @Test("begins with its header and the question in its own case")
    func question() throws {
        let packet = try #require(Packet.queries.first).bytes
        let asked = try query(packet)
        let message = written { writer in
            writer.writeHeader(Header(id: asked.header.id, flags: response))
            writer.writeQuestion(from: packet.span, asked.question)
        }
        #expect(
            hex(message) == "3236" + "8580" + "0001000000000000" + hex(Array(packet[12..<asked.question.endOffset])))
    }

    @Test("has records with their names compressed, in each section")
    func records() throws {
        let zone = try Name("Example.test")
        let web = try Name("web.Example.test")
        let message = try written { writer in
            writer.writeHeader(Header(id: 7, flags: response))
            writer.writeQuestion(try Name("www.Example.test"), .a)
            writer.expect(.question, ttl: 300, .cname(web), .answer)
            writer.expect(.name(web), ttl: 5, .a(IPv4Address(bits: 0xC000_0201)), .answer)
            writer.expect(.name(zone), ttl: 5, .mx(preference: 10, exchange: web), .authority)
        }
        #expect(
            hex(message)
                == hex(
                    hex(
                        """
                        0007 8580 0001 0002 0001 0000
                        03777777 074578616d706c65 0474657374 00 0001 0001
                        c00c 0005 0001 0000012c 0006 03776562 c010
                        c02e 0001 0001 00000005 0004 c0000201
                        c010 000f 0001 00000005 0004 000a c02e
                        """)))
    }

    @Test(
        "is read back as it was written, each type of record",
        arguments: [
            RecordData.a(IPv4Address(bits: 0x0A00_0001)), .aaaa(IPv6Address(bits: 1)), .cname(.root),
            .ns(try Name("ns.test")), .ptr(try Name("web.front.internal")),
            .mx(preference: 65535, exchange: try Name("m.test")),
            .srv(priority: 1, weight: 2, port: 3, target: try Name("a.b")),
            .txt([[], Array("x".utf8), [UInt8](repeating: 0, count: 255)]),
            .soa(
                primary: try Name("ns.test"), mailbox: try Name("host.test"), serial: 1, refresh: 2, retry: 3,
                expire: 4, minimum: 5),
            .hinfo(cpu: Array("RFC8482".utf8), os: []), .unknown(RecordType(rawValue: 65280), [0xDE, 0xAD]),
        ])
    func roundTrip(data: RecordData) throws {
        let message = try written(limit: 1232) { writer in
            writer.writeHeader(Header(id: 1, flags: response))
            writer.writeQuestion(try Name("x.test"), data.type)
            writer.expect(.question, ttl: 1, data, .answer)
        }
        let read = try DNSWireTests.records(message)
        #expect(read.map(\.type) == [data.type] && read.first?.endOffset == message.count)
        _ = try reply(message)
    }

    @Test("ends at a record's border, whatever its limit", arguments: 0...140)
    func limits(limit: Int) throws {
        var complete = 0
        let message = try written(limit: limit) { writer in
            guard writer.writeHeader(Header(id: 1, flags: response)) else { return }
            guard writer.writeQuestion(try Name("web.test"), .a) else { return }
            writer.reserve(EDNS.minimumLength)
            for number in 0..<6 {
                let address = RecordData.a(IPv4Address(bits: UInt32(number)))
                if writer.writeRecord(name: .question, recordClass: .in, ttl: 1, address, section: .answer) {
                    complete += 1
                } else {
                    writer.setTruncated()
                }
            }
            writer.writeOPT(responseCode: .noError)
        }
        guard message.count > Header.length else { return }
        let read = try reply(message)
        #expect(Int(read.header.answerCount) == complete)
        #expect(complete == min(6, max(0, (limit - 26 - 11) / 16)))
        #expect(read.header.flags.tc == (complete < 6))
        #expect((read.edns != nil) == (limit >= 26 + 11))
    }

    @Test("tells why in its OPT record (RFC 8914), as far as there is room")
    func extendedErrors() throws {
        func answer(limit: Int, _ text: String?) throws -> [UInt8] {
            try written(limit: limit) { writer in
                writer.writeHeader(Header(id: 1, flags: response))
                writer.writeQuestion(try Name("x"), .a)
                writer.reserve(EDNS.minimumLength)
                writer.writeOPT(
                    responseCode: .badVersion, dnssecOK: true, extendedError: .noReachableAuthority, text: text)
            }
        }
        let message = try answer(limit: 512, "why")
        #expect(
            hex(message.suffix(20)) == "000029" + "04d0" + "01008000" + "0009" + "000f" + "0005" + "0016"
                + hex(Array("why".utf8)))
        let read = try reply(message)
        #expect(read.responseCode == .badVersion && read.edns?.dnssecOK == true)
        let tooLong = try answer(limit: 45, String(repeating: "x", count: 100))
        #expect(try extendedError(tooLong) == .noReachableAuthority, "without its text")
        #expect(try reply(try answer(limit: 30, nil)).edns?.optionsLength == 0, "without the error")
    }
}
