// An IPv4 address.

/// An IPv4 address: what an A record holds (RFC 1035 §3.4.1).
public struct IPv4Address: Hashable, Sendable {
    /// The address as a number; the first octet is the most significant.
    public let bits: UInt32

    /// 127.0.0.1 (RFC 1122 §3.2.1.3).
    public static let loopback = IPv4Address(bits: 0x7F00_0001)

    /// The address of this number.
    public init(bits: UInt32) {
        self.bits = bits
    }

    /// The four octets in network order.
    public var octets: [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bits >> $0) }
    }

    /// The name that a PTR record for this address has: `4.3.2.1.in-addr.arpa` for 1.2.3.4 (RFC 1035 §3.5).
    public var reverseName: Name {
        var wire: [UInt8] = []
        for octet in octets.reversed() { wire.appendLabel(String(octet)) }
        wire.appendLabel("in-addr")
        wire.appendLabel("arpa")
        return Name(trustedWire: wire + [0])
    }
}

extension IPv4Address: Comparable, LosslessStringConvertible {
    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }

    /// Reads `192.0.2.1`: four decimal numbers, nothing else, no leading zeros (RFC 6943 §3.1.1 says why so strictly).
    public init?(_ description: String) {
        self.init(text: description)
    }

    init?(text: some StringProtocol) {
        var bits: UInt32 = 0
        var value: UInt32?
        var dots = 0
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39:
                guard value != 0 else { return nil }
                let next = (value ?? 0) * 10 + UInt32(byte - 0x30)
                guard next <= 255 else { return nil }
                value = next
            case UInt8(ascii: "."):
                guard let octet = value, dots < 3 else { return nil }
                bits = bits << 8 | octet
                dots += 1
                value = nil
            default:
                return nil
            }
        }
        guard let octet = value, dots == 3 else { return nil }
        self.init(bits: bits << 8 | octet)
    }

    /// `192.0.2.1`.
    public var description: String {
        "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
    }
}

extension [UInt8] {
    /// Adds a label of 1 to 63 octets.
    mutating func appendLabel(_ text: String) {
        append(UInt8(truncatingIfNeeded: text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
