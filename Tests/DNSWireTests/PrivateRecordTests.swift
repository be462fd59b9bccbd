// Addresses that names of the public DNS should not lead to, and answers without them.

import Testing

@testable import DNSWire

@Suite("A private address")
struct PrivateRecordTests {
    @Test(
        "is one that the Internet does not lead to, however it is written",
        arguments: [
            ("0.0.0.0", true), ("10.255.255.255", true), ("11.0.0.0", false), ("100.64.0.1", true),
            ("100.128.0.0", false), ("127.0.0.11", true), ("169.254.169.254", true), ("172.15.255.255", false),
            ("172.16.0.0", true), ("172.32.0.0", false), ("192.168.1.1", true), ("192.169.0.0", false),
            ("8.8.8.8", false), ("::", true), ("::1", true), ("fc00::1", true), ("fdff::1", true), ("fe80::1", true),
            ("fec0::1", true), ("2001:db8::1", false), ("::ffff:10.0.0.1", true), ("::ffff:8.8.8.8", false),
            ("::10.0.0.1", true), ("64:ff9b::a00:1", true), ("64:ff9b::808:808", false), ("2002:a00:1::", true),
            ("2002:808:808::", false),
        ])
    func blocks(_ text: String, _ isPrivate: Bool) throws {
        switch try #require(IPAddress(text)) {
        case .v4(let address): #expect(address.isPrivate == isPrivate)
        case .v6(let address): #expect(address.isPrivate == isPrivate)
        }
    }

    /// An answer to `a.test` with these records, each with its owner; OPT comes last.
    private static func answer(_ records: [(type: RecordType, owner: [UInt8], data: [UInt8])]) -> [UInt8] {
        var message: [UInt8] = []
        message.append(
            Header(
                id: 7, flags: HeaderFlags(rawValue: 0x8180), questionCount: 1, answerCount: UInt16(records.count),
                additionalCount: 1))
        message += [1, 0x61, 4, 0x74, 0x65, 0x73, 0x74, 0, 0, 1, 0, 1]
        for record in records {
            message += record.owner
            message.append(word: record.type.rawValue)
            message += [0, 1, 0, 0, 0, 60]
            message.append(word: UInt16(record.data.count))
            message += record.data
        }
        return message + [0, 0, 41, 4, 0xD0, 0, 0, 0, 0, 0, 0]
    }

    private static let owner: [UInt8] = [0xC0, 12]

    @Test("is dropped from an answer wherever it stands, and what is kept stays readable")
    func drop() throws {
        let (open, closed): ([UInt8], [UInt8]) = ([8, 8, 8, 8], [10, 0, 0, 1])
        for (data, kept) in [
            ([open, closed, open], 2), ([closed, open], 1), ([closed], 0), ([open], 1), ([open, closed], 1),
            ([closed, closed, open, closed], 1),
        ] {
            var message = Self.answer(data.map { (.a, Self.owner, $0) })
            let before = message.count
            let wasFound = PrivateRecords.isFound(in: message.span)
            var span = message.mutableSpan
            let length = PrivateRecords.drop(from: &span, length: before)
            let whole = try Message(message.span.extracting(first: length))
            var records = whole.records
            var addresses: [[UInt8]] = []
            var hasOPT = false
            while let record = try records.next() {
                if record.type == .opt {
                    hasOPT = true
                } else {
                    addresses.append(Array(message[record.rdataOffset..<record.endOffset]))
                }
            }
            #expect(wasFound == (kept < data.count))
            #expect(addresses == Array(repeating: open, count: kept) && hasOPT, "\(data)")
            #expect(length == before - 16 * (data.count - kept))
        }
    }

    @Test("takes with it what would become another name if it moved")
    func pointers() throws {
        // The second owner points into the first record, which goes.
        var message = Self.answer([
            (.a, [1, 0x78, 0xC0, 12], [10, 0, 0, 1]), (.a, [0xC0, 24], [8, 8, 8, 8]),
        ])
        let before = message.count
        var span = message.mutableSpan
        let length = PrivateRecords.drop(from: &span, length: before)
        #expect(try Message(message.span.extracting(first: length)).header.answerCount == 0)
    }

    @Test("is found in the hints of HTTPS records, and where data cannot be read")
    func hints() {
        let hint: [UInt8] = [0, 1, 0, 0, 4, 0, 4, 192, 168, 0, 1]
        let open: [UInt8] = hint.dropLast(4) + [8, 8, 8, 8]
        let six: [UInt8] = [0, 1, 0, 0, 6, 0, 16, 0xFD] + [UInt8](repeating: 0, count: 15)
        for (message, expected) in [
            (Self.answer([(.https, Self.owner, hint)]), true), (Self.answer([(.https, Self.owner, open)]), false),
            (Self.answer([(.svcb, Self.owner, six)]), true), (Self.answer([(.a, Self.owner, [8, 8, 8])]), true),
            (Self.answer([(.https, Self.owner, [0, 1, 0, 0, 4, 0])]), true), ([0, 1, 2], true),
        ] {
            let isFound = PrivateRecords.isFound(in: message.span)
            #expect(isFound == expected, "\(message)")
        }
    }
}
