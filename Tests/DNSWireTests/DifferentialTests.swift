// Another reader's opinion of messages by chance, whole and damaged: each disagreement has a reason, or is a mistake.

import Foundation
import Testing

@testable import DNSWire

@Suite(
    "dnspython and we, of the same octets by chance,",
    .enabled(if: (try? DNSPythonTests.python(["-c", "import dns.message"], [])) != nil, "dnspython is not installed"))
struct DifferentialTests {
    /// `make differential MESSAGES=` asks for more, and for others each time. Without it they are always the same, as
    /// what dnspython makes of a new one is not known before somebody has thought about it.
    private static let asked = ProcessInfo.processInfo.environment["INTERCOM_DIFFERENTIAL"].flatMap { Int($0) }
    private static let count = asked ?? 2000

    @Test("read the same, or refuse them both, but where it is known why")
    func differences() throws {
        let packets = Packet.all.map { hex($0.bytes) }
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("differential.py").path
        let seed =
            ProcessInfo.processInfo.environment["INTERCOM_DIFFERENTIAL_SEED"]
            ?? (Self.asked == nil ? "485803594" : "\(Int.random(in: 1...Int(Int32.max)))")
        let lines = try DNSPythonTests.python([script, "\(Self.count)", seed], packets)
        #expect(lines.count == Self.count, "seed \(seed)")
        var tally: [String: Int] = [:]
        for line in lines {
            let parts = line.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            let bytes = hex(parts[0])
            let ours = Self.reading(bytes)
            let theirs = parts[1] == "read" ? Reading.read(parts[2]) : .refused(parts[2])
            let reason = Self.reason(ours, theirs, of: bytes)
            tally[reason ?? "unknown", default: 0] += 1
            if reason == nil, tally["unknown"] ?? 0 < 10 {
                Issue.record("seed \(seed): \(parts[0]): we: \(ours); they: \(theirs)")
            }
        }
        if Self.asked != nil {
            for (reason, count) in tally.sorted(by: { $0.value > $1.value }) { print("\(count) × \(reason)") }
        }
    }

    private enum Reading: Equatable {
        case read(String)
        case refused(String)
    }

    /// Why two readings are what they are; nil: nobody knows.
    private static func reason(_ ours: Reading, _ theirs: Reading, of bytes: [UInt8]) -> String? {
        switch (ours, theirs) {
        case (.read(let ours), .read(let theirs)): ours == theirs ? "the same is read" : reason(readPast: bytes)
        case (.refused, .refused): "both refuse it"
        case (.refused(let ours), .read): reason(weRefuse: ours)
        case (.read, .refused(let theirs)): reason(theyRefuse: theirs) ?? reason(readPast: bytes)
        }
    }

    private static func reason(weRefuse why: String) -> String? {
        if why.hasSuffix("questions instead of one") { return "a server takes one question (RFC 9619)" }
        if why.hasSuffix("that is not owned by the root") { return "an OPT begins with the octet 0, no pointer" }
        let isPointer = why.hasPrefix("the compression pointer")
        return isPointer ? "no name begins in the header, and so no pointer leads there" : nil
    }

    private static func reason(theyRefuse why: String) -> String? {
        if why.contains("BadTSIG") { return "where a signature stands is for those who know its key" }
        guard why.hasPrefix("data ") else { return nil }
        let isOfName = ["BadPointer", "BadLabelType", "NameTooLong", "FormError"].contains { why.contains($0) }
        return isOfName ? "where pointers in data lead is not read by who passes the data on" : nil
    }

    /// dnspython goes on behind the furthest octet of a name, which is not always behind its first pointer.
    private static func reason(readPast bytes: [UInt8]) -> String? {
        guard let records = try? records(bytes), let question = try? reply(bytes).question else { return nil }
        let names = [question.nameOffset] + records.map(\.nameOffset)
        return names.contains { endsBehindItsPointer(bytes, nameAt: $0) }
            ? "a label that a pointer leads to reaches over that pointer" : nil
    }

    private static func endsBehindItsPointer(_ bytes: [UInt8], nameAt offset: Int) -> Bool {
        guard let behind = try? skipName(bytes, at: offset) else { return false }
        var position = offset
        while position + 1 < bytes.count, bytes[position] != 0 {
            position =
                bytes[position] < 0xC0
                ? position + 1 + Int(bytes[position])
                : Int(bytes[position] & 0x3F) << 8 | Int(bytes[position + 1])
            // A name that we have read ends: its pointers lead back alone.
            if position > behind { return true }
        }
        return position + 1 > behind
    }

    /// Our reading, in the format of `differential.py`.
    private static func reading(_ bytes: [UInt8]) -> Reading {
        do throws(WireError) {
            return .read(try describe(bytes))
        } catch {
            return .refused("\(error)")
        }
    }

    private static func describe(_ bytes: [UInt8]) throws(WireError) -> String {
        let reply = try reply(bytes)
        let header = reply.header
        var parts = [
            "\(header.id) \(header.flags.rawValue & ~15) \(reply.responseCode.rawValue)",
            "\(hex(try Name(bytes, at: reply.question.nameOffset).folded)) \(reply.question.type.rawValue) "
                + "\(reply.question.recordClass.rawValue)",
        ]
        for record in try records(bytes) where record.type != .opt {
            // Values from 2³¹ on mean 0 (RFC 2181 §8).
            let ttl = record.ttl > Int32.max ? 0 : record.ttl
            parts.append(
                "\(record.section.rawValue) \(hex(try Name(bytes, at: record.nameOffset).folded)) "
                    + "\(record.type.rawValue) \(record.recordClass.rawValue) \(ttl)")
        }
        if let edns = reply.edns {
            let codes = try options(edns, in: bytes).map { "\($0.code.rawValue)" }.joined(separator: ",")
            parts.append("edns \(edns.version) \(edns.dnssecOK ? 1 : 0) \(codes)")
        }
        return parts.joined(separator: "|")
    }
}
