// An IPv6 address.

/// An IPv6 address: what an AAAA record holds (RFC 3596 §2.2).
public struct IPv6Address: Hashable, Sendable {
    /// The address as a number; the first octet is the most significant.
    public let bits: UInt128

    /// The address of this number.
    public init(bits: UInt128) {
        self.bits = bits
    }

    /// ::1.
    public static let loopback = IPv6Address(bits: 1)

    /// The sixteen octets in network order.
    public var octets: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * $0)) }
    }

    /// True for an address that has a meaning on one link alone: fe80::/10 (RFC 4291 §2.5.6).
    public var isLinkLocal: Bool { bits >> 118 == 0xFE80 >> 6 }

    /// The name that a PTR record for this address has: 32 nibbles, the last first, under `ip6.arpa` (RFC 3596 §2.5).
    public var reverseName: Name {
        var wire: [UInt8] = []
        for nibble in 0..<32 {
            wire.appendLabel(String(UInt8(truncatingIfNeeded: bits >> UInt128(4 * nibble)) & 0xF, radix: 16))
        }
        wire.appendLabel("ip6")
        wire.appendLabel("arpa")
        return Name(trustedWire: wire + [0])
    }

    private var groups: [UInt16] {
        (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - 16 * $0)) }
    }
}

extension IPv6Address: Comparable, LosslessStringConvertible {
    public static func < (left: IPv6Address, right: IPv6Address) -> Bool { left.bits < right.bits }

    /// Reads any of the forms of RFC 4291 §2.2: full, with one `::`, with an IPv4 address at the end. No scope.
    public init?(_ description: String) {
        self.init(text: description)
    }

    init?(text: some StringProtocol) {
        var head: [UInt16] = []
        var tail: [UInt16]?
        var rest = Substring(text)
        guard rest.utf8.count <= 45 else { return nil }
        if rest.hasPrefix("::") {
            tail = []
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: ":")
            guard let read = Self.groups(in: rest[..<(end ?? rest.endIndex)], isLast: end == nil) else { return nil }
            if tail == nil { head += read } else { tail? += read }
            guard let end else { break }
            rest = rest[end...].dropFirst()
            if rest.hasPrefix(":") {
                guard tail == nil else { return nil }
                tail = []
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let zeros = 8 - head.count - (tail?.count ?? 0)
        guard tail == nil ? zeros == 0 : zeros >= 1 else { return nil }
        let all = head + Array(repeating: 0, count: zeros) + (tail ?? [])
        self.init(bits: all.reduce(0) { $0 << 16 | UInt128($1) })
    }

    /// One group of one to four hexadecimal digits, or the two that an IPv4 address at the end makes.
    private static func groups(in part: Substring, isLast: Bool) -> [UInt16]? {
        if isLast, let address = IPv4Address(text: part) {
            return [UInt16(truncatingIfNeeded: address.bits >> 16), UInt16(truncatingIfNeeded: address.bits)]
        }
        guard 1...4 ~= part.utf8.count, part.utf8.allSatisfy(isHexadecimalDigit) else { return nil }
        return UInt16(part, radix: 16).map { [$0] }
    }

    static func isHexadecimalDigit(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x46 ~= byte || 0x61...0x66 ~= byte
    }

    /// The one text that RFC 5952 recommends: lower case, no leading zeros, `::` for the first of the longest runs of
    /// two or more zero groups, and an IPv4-mapped address with its dots.
    public var description: String {
        if bits >> 32 == 0xFFFF { return "::ffff:\(IPv4Address(bits: UInt32(truncatingIfNeeded: bits)))" }
        let groups = self.groups
        var best = 0..<0
        var start = 0
        for end in 1...8 where end == 8 || (groups[end] == 0) != (groups[start] == 0) {
            if groups[start] == 0 && end - start > max(best.count, 1) { best = start..<end }
            start = end
        }
        func text(_ range: Range<Int>) -> String {
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty ? text(0..<8) : "\(text(0..<best.lowerBound))::\(text(best.upperBound..<8))"
    }
}
