// An answer, taken apart for comparison.

import DNSWire

/// A message as text, section by section.
struct ReadAnswer {
    /// The OPT record, but for its options.
    struct EDNS: Equatable {
        var version: UInt8 = 0
        var payload = UInt16(Expectation.payloadSize)
        var dnssecOK: Bool
    }

    let octetCount: Int
    /// The two octets of the id.
    let id: [UInt8]
    /// With `qr`, in `dig`'s order.
    let flags: [String]
    /// The octets of the question.
    private(set) var question: [UInt8] = []
    /// The answer section, `TTL TYPE DATA` each, sorted.
    private(set) var records: [String] = []
    /// The owners of these records on the wire, case as it is there.
    private(set) var owners: [[UInt8]] = []
    /// The names that CNAME records lead to, on the wire.
    private(set) var targets: [[UInt8]] = []
    /// The authority section, `OWNER TTL TYPE DATA` each.
    private(set) var authority: [String] = []
    /// Nil: there is no OPT record.
    private(set) var edns: EDNS?
    private(set) var extendedErrors: [UInt16] = []
    /// EXTRA-TEXT of the extended errors (RFC 8914 §2).
    private(set) var explanation = ""
    /// Parts that no local answer has: other additional records, other options.
    private(set) var others: [String] = []
    /// The response code with its upper bits, as `dig` writes it.
    private(set) var code = ""

    init(_ octets: [UInt8]) throws(WireError) {
        let bytes = octets.span
        let message = try Message(bytes)
        octetCount = octets.count
        id = Array(octets.prefix(2))
        flags = MessageText.flags(message.header.flags)
        if let question = try message.firstQuestion() {
            self.question = Array(octets[Header.length..<question.endOffset])
        }
        var upperBits: UInt16 = 0
        var records = message.records
        while let record = try records.next() {
            switch (record.section, record.type) {
            case (.answer, _):
                self.records.append(try Self.text(of: record, in: bytes))
                owners.append(try Name(bytes, at: record.nameOffset).wire)
                if record.type == .cname { targets.append(try Name(bytes, at: record.rdataOffset).wire) }
            case (.authority, _):
                let owner = try Name(bytes, at: record.nameOffset)
                authority.append("\(owner == .root ? "." : "\(owner).") \(try Self.text(of: record, in: bytes))")
            case (.additional, .opt):
                upperBits = UInt16(record.ttl >> 24)
                edns = EDNS(
                    version: UInt8(truncatingIfNeeded: record.ttl >> 16), payload: record.recordClass.rawValue,
                    dnssecOK: record.ttl & 0x8000 != 0)
                readOptions(Array(octets[record.rdataOffset..<record.endOffset]))
            default: others.append(try Self.text(of: record, in: bytes))
            }
        }
        self.records.sort()
        code = ResponseCode(rawValue: upperBits << 4 | message.header.flags.responseCode.rawValue).description
    }

    /// `5 A 10.1.0.2`; the class is IN nearly always, and told where it is not.
    private static func text(of record: ResourceRecord, in message: Span<UInt8>) throws(WireError) -> String {
        let type = record.recordClass == .in ? "\(record.type)" : "\(record.recordClass) \(record.type)"
        return "\(record.ttl) \(type) \(try MessageText.data(of: record, in: message))"
    }

    private mutating func readOptions(_ data: [UInt8]) {
        var rest = data[...]
        while rest.count >= 4 {
            let header = rest.prefix(4).map { UInt16($0) }
            let (code, length) = (header[0] << 8 | header[1], Int(header[2] << 8 | header[3]))
            let value = rest.dropFirst(4).prefix(length).map { UInt16($0) }
            if code == OptionCode.extendedError.rawValue, value.count >= 2, value.count == length {
                extendedErrors.append(value[0] << 8 | value[1])
                explanation += String(
                    decoding: value.dropFirst(2).map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
            } else {
                others.append("option \(code) \(value)")
            }
            rest = rest.dropFirst(4 + length)
        }
    }
}
