// Records by themselves, without pointers into the message that they came in.

import Testing

@testable import DNSWire

@Suite("A record by itself")
struct UncompressedRecordTests {
    /// An answer of one record to a question about `a.b`: its owner is a pointer to the question's name at 12.
    private func message(_ type: RecordType, _ data: [UInt8]) -> [UInt8] {
        let question: [UInt8] = [1, 97, 1, 98, 0, 0, 1, 0, 1]
        let number = type.rawValue
        return [0, 7, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0] + question
            + [0xC0, 12, UInt8(number >> 8), UInt8(truncatingIfNeeded: number), 0, 1, 0, 0, 0, 5, 0, UInt8(data.count)]
            + data
    }

    private func record(_ type: RecordType, _ data: [UInt8]) throws(WireError) -> [UInt8] {
        let octets = message(type, data)
        let message = try Message(octets.span)
        var records = message.records
        guard let record = try records.next() else { return [] }
        return try record.uncompressed(in: octets.span)
    }

    private static let owner: [UInt8] = [1, 97, 1, 98, 0]
    private static let times: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5]

    private static let rows: [(RecordType, data: [UInt8], written: [UInt8])] = [
        (.a, [10, 1, 0, 2], [10, 1, 0, 2]),
        (.ptr, [0xC0, 12], owner),
        (.cname, [1, 99, 0xC0, 14], [1, 99, 1, 98, 0]),
        (.mx, [0, 5, 0xC0, 12], [0, 5] + owner),
        (.srv, [0, 1, 0, 2, 0, 80, 0xC0, 12], [0, 1, 0, 2, 0, 80] + owner),
        (.soa, [0xC0, 12, 1, 99, 0xC0, 12] + times, owner + [1, 99] + owner + times),
        // 0xC0 is text in it.
        (.txt, [2, 0xC0, 12], [2, 0xC0, 12]),
        (RecordType(rawValue: 65_280), [0xC0, 12], [0xC0, 12]),
    ]

    @Test("has its names written out, and all else as it was", arguments: rows.indices)
    func names(row: Int) throws {
        let (type, data, written) = Self.rows[row]
        let fixed: [UInt8] = [
            UInt8(type.rawValue >> 8), UInt8(truncatingIfNeeded: type.rawValue), 0, 1, 0, 0, 0, 5, 0,
            UInt8(written.count),
        ]
        #expect(try record(type, data) == Self.owner + fixed + written)
    }

    @Test("is refused where its data are not of its type's form")
    func damage() {
        let rows: [(RecordType, [UInt8])] = [
            (.a, [1, 2, 3]), (.ptr, [0xC0, 200]), (.srv, [0, 1]), (.cname, [1, 99]), (.soa, [0, 0]),
        ]
        for (type, data) in rows { #expect(throws: WireError.self) { try record(type, data) } }
    }
}
