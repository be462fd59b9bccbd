// Another codec's opinion: messages of dnspython read here, messages of ours read there.

import Foundation
import Testing

@testable import DNSWire

@Suite("dnspython and we")
struct DNSPythonTests {
    /// Runs a script with lines on its standard input; gives the lines that it prints.
    private func python(_ script: String, _ lines: [String] = []) throws -> [String] {
        try Self.python(["-c", script], lines)
    }

    static func python(_ arguments: [String], _ lines: [String]) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3"] + arguments
        var environment = ProcessInfo.processInfo.environment
        if let path = environment["INTERCOM_PYTHONPATH"] { environment["PYTHONPATH"] = path }
        process.environment = environment
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: scratch)
        defer { try? FileManager.default.removeItem(at: scratch) }
        process.standardInput = try FileHandle(forReadingFrom: scratch)
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "python3 with dnspython is needed; 'make check' installs it")
        return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("read its messages alike: 500 of every kind, with its compression")
    func theirs() throws {
        let lines = try python(
            #"""
            import random, dns.message, dns.rrset, dns.flags, dns.edns
            random.seed(8)
            labels = ["a", "web", "Mixed", "_tcp", "x" * 63, "é".encode().decode("latin1").encode("unicode_escape").decode().replace("\\x", "")]
            def name():
                return ".".join(random.choice(labels) for _ in range(random.randint(1, 3))) + "."
            data = {
                "A": lambda: "192.0.2.%d" % random.randrange(256),
                "AAAA": lambda: "2001:db8::%x" % random.randrange(1, 65536),
                "NS": name, "CNAME": name, "PTR": name,
                "MX": lambda: "%d %s" % (random.randrange(65536), name()),
                "SRV": lambda: "%d %d %d %s" % (random.randrange(9), random.randrange(9), random.randrange(65536), name()),
                "SOA": lambda: "%s %s 1 2 3 4 5" % (name(), name()),
                "TXT": lambda: '"%s" "two words"' % ("t" * random.randrange(255)),
            }
            for _ in range(500):
                kind = random.choice(list(data))
                query = dns.message.make_query(name(), kind, use_edns=random.choice([0, False]), payload=1400)
                response = dns.message.make_response(query, recursion_available=True)
                shown = []
                for section in (response.answer, response.authority, response.additional):
                    if random.random() < 0.7:
                        which = random.choice(list(data))
                        rrset = dns.rrset.from_text(random.choice([query.question[0].name.to_text(), name()]), random.randrange(2**31), "IN", which, data[which]())
                        section.append(rrset)
                        shown.append(rrset.to_text())
                print(response.to_wire().hex() + "|" + "|".join([query.question[0].to_text()] + shown))
            """#)
        #expect(lines.count == 500)
        for line in lines {
            let parts = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            let message = hex(parts[0])
            let read = try reply(message)
            #expect(read.header.questionCount == 1)
            let question = try MessageText.text(of: read.question, in: message.span)
            #expect(question == parts[1])
            var texts: [String] = []
            for record in try records(message) where record.type != .opt {
                texts.append(try MessageText.text(of: record, in: message.span))
            }
            #expect(texts == Array(parts[2...].filter { !$0.isEmpty }))
        }
    }

    @Test("read our messages alike")
    func ours() throws {
        let names = try ["web", "Web.Front", "a.b.c.internal", "\\046dot.test", "sp\\032ace.x"].map {
            text throws(NameError) in try Name(text)
        }
        var sent: [String] = []
        var expected: [String] = []
        for (number, name) in names.enumerated() {
            for target in names {
                let data: [RecordData] = [
                    .a(IPv4Address(bits: 0x0A00_0001)), .aaaa(IPv6Address(bits: 0xFD00 << 112 | 7)), .cname(target),
                    .ptr(target),
                    .srv(priority: 0, weight: 0, port: 80, target: target), .mx(preference: 5, exchange: target),
                    .soa(primary: target, mailbox: name, serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5),
                    .txt([Array("one".utf8), Array("two words".utf8)]),
                ]
                var buffer = [UInt8](repeating: 0, count: 4096)
                var writer = MessageWriter(buffer.mutableSpan, limit: 4096)
                writer.writeHeader(
                    Header(id: UInt16(number), flags: HeaderFlags(answering: HeaderFlags(), aa: true, .noError)))
                writer.writeQuestion(name, .any)
                for one in data {
                    let owner: RecordOwner = one.type == .soa ? .name(target) : .question
                    writer.expect(owner, ttl: 77, one, .answer)
                }
                writer.writeOPT(responseCode: .noError, extendedError: .blocked, text: "because")
                let length = writer.finish()
                let message = Array(buffer[..<length])
                sent.append(hex(message))
                for record in try records(message) where record.type != .opt {
                    expected.append(try MessageText.text(of: record, in: message.span))
                }
                expected.append("15 because")
            }
        }
        let read = try python(
            """
            import sys, dns.message
            for line in sys.stdin:
                message = dns.message.from_wire(bytes.fromhex(line.strip()), one_rr_per_rrset=True)
                for rrset in message.answer:
                    print(rrset.to_text())
                print(int(message.options[0].code), message.options[0].text)
            """, sent)
        #expect(read == expected)
    }
}
