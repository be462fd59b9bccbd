// Tables find names by this hash: whoever may choose names must not be able to choose where they land.

import DNSWire
import Testing

@Suite("The hash of names")
struct NameHashTests {
    private static let count = 512

    /// A name of 255 octets, with a number and one word of choice in its first label.
    private func name(_ number: Int, word: UInt64 = 0) -> [UInt8] {
        var octets: [UInt8] = []
        for label in [63, 63, 63, 61] { octets += [UInt8(label)] + [UInt8](repeating: 0x78, count: label) }
        octets.append(0)
        for index in 0..<8 {
            octets[8 + index] = UInt8(truncatingIfNeeded: number >> (7 * index)) & 0x7F
            octets[16 + index] = UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * index))
        }
        return octets
    }

    /// Names that have one hash under a secret that is known: whatever their numbers have made of it, there is a next word
    /// that makes the same of all.
    private func colliding(_ hash: NameHash) -> [[UInt8]] {
        let nothing: [UInt8] = []
        return (1...Self.count).map { number in
            let plain = name(number)
            var state = hash.hash(nothing.span) ^ UInt64(plain.count)
            state = hash.mix(state, word(plain, 0))
            state = hash.mix(state, word(plain, 8))
            return name(number, word: state ^ 0x0123_4567_89AB_CDEF)
        }
    }

    private func word(_ octets: [UInt8], _ index: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(octets[index + $1]) << UInt64(56 - 8 * $1) }
    }

    /// Number of different hashes of the names, and number of names in the fullest of 512 slots.
    private func spread(_ names: [[UInt8]], _ hash: NameHash) -> (hashes: Int, fullest: Int) {
        let hashes = names.map { hash.hash($0.span) }
        let slots = Dictionary(grouping: hashes) { $0 & 511 }
        return (Set(hashes).count, slots.values.map(\.count).max() ?? 0)
    }

    @Test("of names that collide under one secret is apart under any other", arguments: [0, 1, 2, 0xDEAD_BEEF])
    func crafted(known: UInt64) {
        let names = colliding(NameHash(seed: known))
        #expect(Set(names).count == Self.count)
        #expect(spread(names, NameHash(seed: known)) == (1, Self.count), "they do collide")
        // Of so many in as many slots by chance no more than eight or nine are in one.
        for bit in stride(from: 0, to: 64, by: 7) {
            let (hashes, fullest) = spread(names, NameHash(seed: known ^ 1 << UInt64(bit)))
            #expect(hashes == Self.count && fullest <= 12, "secret \(known) with bit \(bit) changed")
        }
    }

    @Test("of names that differ in one octet or one bit is apart under any secret", arguments: 0..<16 as Range<UInt64>)
    func alike(seed: UInt64) {
        let hash = NameHash(seed: seed &* 0x9E37_79B9_7F4A_7C15)
        let plain = name(0)
        var flipped = [plain]
        for bit in 0..<Self.count {
            var octets = plain
            octets[bit / 8] ^= 1 << UInt8(bit % 8)
            flipped.append(octets)
        }
        for names in [(0..<Self.count).map { name($0) }, flipped] {
            let (hashes, fullest) = spread(names, hash)
            #expect(hashes == names.count && fullest <= 12)
        }
    }
}
