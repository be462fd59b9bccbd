// Messages for the tests, put together and taken apart octet by octet, without the codec that is tested elsewhere.

import DNSWire

/// A message whose parts can be set at will, wrong ones too.
struct Packet: Sendable {
    var id: UInt16 = 0x1234
    var flags: UInt16 = 0x0100
    var question: [UInt8] = Self.question("www.example.com", type: 1)
    var answers: [[UInt8]] = []
    var authorities: [[UInt8]] = []
    var additionals: [[UInt8]] = []
    /// Octets behind the message.
    var rest: [UInt8] = []

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        let counts = [question.isEmpty ? 0 : 1, answers.count, authorities.count, additionals.count]
        for word in [id, flags] + counts.map(UInt16.init) { bytes += word16(word) }
        bytes += question
        for record in answers + authorities + additionals { bytes += record }
        return bytes + rest
    }

    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    static func question(_ text: String, type: UInt16, recordClass: UInt16 = 1) -> [UInt8] {
        name(text) + word16(type) + word16(recordClass)
    }

    /// A record; its owner is the question's name unless another is given.
    static func record(
        _ type: UInt16, _ data: [UInt8], owner: [UInt8] = [0xC0, 0x0C], recordClass: UInt16 = 1, ttl: UInt32 = 300
    ) -> [UInt8] {
        let seconds = word16(UInt16(ttl >> 16)) + word16(UInt16(truncatingIfNeeded: ttl))
        return owner + word16(type) + word16(recordClass) + seconds + word16(UInt16(data.count)) + data
    }

    /// An A record of 192.0.2.`last`.
    static func a(_ last: UInt8, ttl: UInt32 = 300) -> [UInt8] { record(1, [192, 0, 2, last], ttl: ttl) }

    /// A SOA record of `example.com`, or of another zone.
    static func soa(ttl: UInt32, minimum: UInt32, owner: [UInt8] = [0xC0, 16]) -> [UInt8] {
        let numbers: [UInt32] = [1, 3600, 600, 86400, minimum]
        let octets = numbers.flatMap { word16(UInt16($0 >> 16)) + word16(UInt16(truncatingIfNeeded: $0)) }
        return record(6, [0, 0] + octets, owner: owner, ttl: ttl)
    }

    /// An OPT record.
    static func opt(
        size: UInt16 = 1232, dnssecOK: Bool = false, codeBits: UInt32 = 0, version: UInt32 = 0, options: [UInt8] = []
    ) -> [UInt8] {
        let ttl = codeBits << 24 | version << 16 | (dnssecOK ? 0x8000 : 0)
        return record(41, options, owner: [0], recordClass: size, ttl: ttl)
    }

    static func option(_ code: UInt16, _ data: [UInt8]) -> [UInt8] {
        word16(code) + word16(UInt16(data.count)) + data
    }

    /// An Extended DNS Error option (RFC 8914 §2).
    static func extendedError(_ code: UInt16, _ text: String = "") -> [UInt8] {
        option(15, word16(code) + Array(text.utf8))
    }
}

func word16(_ number: UInt16) -> [UInt8] {
    [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
}

/// A well-formed message, taken apart again.
struct Parsed {
    var id: UInt16
    var flags: UInt16
    var question: [UInt8]
    /// Answer, authority, additional: each record's octets.
    var sections: [[[UInt8]]]
    var opt: [UInt8]?
    /// Octets behind the last record.
    var rest: [UInt8]

    var code: UInt16 { flags & 0xF | UInt16(opt?[5] ?? 0) << 4 }
    var isTruncated: Bool { flags & 0x0200 != 0 }
    /// Code and text of each Extended DNS Error.
    var errors: [String] {
        var errors: [String] = []
        var options = (opt ?? []).dropFirst(11)
        while options.count >= 4 {
            let head = Array(options.prefix(4))
            let data = options.dropFirst(4).prefix(Int(head[2]) << 8 | Int(head[3]))
            if head[1] == 15, data.count >= 2 {
                let number = data.prefix(2).reduce(0) { $0 << 8 | Int($1) }
                errors.append("\(number) \(String(decoding: data.dropFirst(2), as: UTF8.self))")
            } else {
                errors.append("option \(head[1])")
            }
            options = options.dropFirst(4 + data.count)
        }
        return errors
    }

    /// Of all records but OPT, in their order.
    var ttls: [UInt32] {
        sections.flatMap { $0 }.filter { $0 != opt }.map { record in
            // The owner ends with the first pointer, or with the root.
            let end = record.firstIndex { $0 == 0 || $0 >= 0xC0 } ?? 0
            let owner = record[end] == 0 ? end + 1 : end + 2
            return record[owner + 4..<owner + 8].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// Nil for a message whose lengths do not agree.
    init?(_ bytes: [UInt8]) {
        func word(_ offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }
        func nameEnd(_ start: Int) -> Int? {
            var offset = start
            while offset < bytes.count {
                if bytes[offset] >= 0xC0 { return offset + 2 }
                if bytes[offset] == 0 { return offset + 1 }
                offset += 1 + Int(bytes[offset])
            }
            return nil
        }
        guard bytes.count >= 12, word(4) == 1, let end = nameEnd(12), end + 4 <= bytes.count else { return nil }
        id = UInt16(word(0))
        flags = UInt16(word(2))
        question = Array(bytes[12..<end + 4])
        sections = []
        var offset = end + 4
        for count in [word(6), word(8), word(10)] {
            var records: [[UInt8]] = []
            for _ in 0..<count {
                guard let fixed = nameEnd(offset), fixed + 10 <= bytes.count else { return nil }
                let next = fixed + 10 + word(fixed + 8)
                guard next <= bytes.count else { return nil }
                let record = Array(bytes[offset..<next])
                if word(fixed) == 41 { opt = record }
                records.append(record)
                offset = next
            }
            sections.append(records)
        }
        rest = Array(bytes[offset...])
    }
}

extension Packet {
    /// The id of a message.
    static func id(_ message: some Collection<UInt8>) -> UInt16 {
        message.prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
    }
}
