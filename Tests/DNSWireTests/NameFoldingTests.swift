// Names compared and hashed many octets at a time, against the same octet by octet.

import Testing

@testable import DNSWire

@Suite("Names that differ in case alone")
struct NameFoldingTests {
    /// The lower case of one octet, as RFC 4343 §3 has it.
    private static func folded(_ octet: UInt8) -> UInt8 { 0x41...0x5A ~= octet ? octet + 0x20 : octet }

    /// Labels of all lengths and octets, made from a number.
    private static func labels(_ number: Int) -> [[UInt8]] {
        var state = UInt64(number) &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: state >> 33) % bound
        }
        return (0...next(3)).map { _ in
            // Letters of both cases, and their neighbours: '@', '[', '`', '{', and those with the high bit.
            (0...next(20)).map { _ in
                UInt8(
                    truncatingIfNeeded: [0x40, 0x41, 0x5A, 0x5B, 0x60, 0x61, 0x7A, 0x7B, 0xC1, 0xDA, 0x2D, 0x00][
                        next(12)])
            }
        }
    }

    @Test("are equal, have one hash, and are under one another; others are not", arguments: 0..<200)
    func random(number: Int) throws {
        let name = try Name(labels: Self.labels(number))
        let lower = try Name(labels: name.labels.map { $0.map(Self.folded) })
        let upper = try Name(labels: name.labels.map { $0.map { 0x61...0x7A ~= $0 ? $0 - 0x20 : $0 } })
        #expect(name.folded == name.wire.map(Self.folded))
        #expect(lower.folded == lower.wire)
        for other in [lower, upper] {
            #expect(name == other)
            #expect(name.hashValue == other.hashValue)
            #expect(name.isSubdomain(of: other))
            #expect(try Name("Www").appending(other).isSubdomain(of: name))
        }
        // One octet that is another, in each place.
        for position in name.wire.indices where name.wire[position] > 63 {
            for bit in [1, 0x80] as [UInt8] {
                var wire = name.wire
                wire[position] ^= bit
                let other = try Name(wire: wire.span)
                #expect((name == other) == (name.wire.map(Self.folded) == wire.map(Self.folded)))
                #expect(!(name == other) || name.hashValue == other.hashValue)
            }
        }
    }

    @Test("join to one with both's octets, up to 255")
    func join() throws {
        for (first, second) in [(".", "."), ("a", "."), (".", "b"), ("a.B", "c.D")] {
            let joined = try Name(first).appending(Name(second))
            #expect(joined.wire == Array(try Name(first).wire.dropLast()) + (try Name(second).wire))
        }
    }
}
