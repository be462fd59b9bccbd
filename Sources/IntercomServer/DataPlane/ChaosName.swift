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
        RecordBuilder.record(.txt, .ch, ttl: 0, RecordBuilder.strings(text))
    }
}
