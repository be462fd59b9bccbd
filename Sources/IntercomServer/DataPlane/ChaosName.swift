// Names by which servers tell about themselves.

import DNSWire

/// The names of class CHAOS by which servers tell about themselves (RFC 4892 §2, and BIND's tradition).
enum ChaosName {
    case version, identity

    init?(_ name: borrowing FoldedName) {
        for (text, meaning) in Self.known where name.suffixEquals(text.span, fromLabel: 0) {
            self = meaning
            return
        }
        return nil
    }

    private static let known: [([UInt8], ChaosName)] = [
        ([7] + Array("version".utf8) + [4] + Array("bind".utf8) + [0], .version),
        ([7] + Array("version".utf8) + [6] + Array("server".utf8) + [0], .version),
        ([2] + Array("id".utf8) + [6] + Array("server".utf8) + [0], .identity),
        ([8] + Array("hostname".utf8) + [4] + Array("bind".utf8) + [0], .identity),
    ]

    /// `TXT "text"`, of at most 255 octets; TTL 0.
    static func record(_ text: String) -> [UInt8] {
        let text = Array(text.utf8.prefix(255))
        let type = [0, UInt8(RecordType.txt.rawValue), 0, UInt8(RecordClass.ch.rawValue)]
        return [0xC0, 0x0C] + type + [0, 0, 0, 0, UInt8((text.count + 1) >> 8), UInt8((text.count + 1) & 0xFF)]
            + [UInt8(text.count)] + text
    }
}
