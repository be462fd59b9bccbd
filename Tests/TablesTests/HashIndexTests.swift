// The index of hashes against a plain list.

import Testing

@testable import Tables

@Suite("An index of hashes")
struct HashIndexTests {
    /// All numbers that are found under a hash.
    private func find(_ hash: UInt32, in index: HashIndex) -> Set<Int> {
        var probe = index.probe(hash)
        var found: Set<Int> = []
        while let number = index.next(&probe) { found.insert(number) }
        return found
    }

    @Test("finds what a plain list has, whatever was added, moved and removed", arguments: [1, 2, 7, 64, 1 << 20])
    func model(hashes: UInt32) {
        var index = HashIndex()
        var model: [(hash: UInt32, number: Int)] = []
        var random = SystemRandomNumberGenerator()
        for step in 0..<1000 {
            // Few hashes, far apart: most entries share theirs, or its home.
            let hash = UInt32.random(in: 0..<hashes, using: &random) &* 0x9E37_79B9
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where !model.isEmpty:
                let gone = model.remove(at: .random(in: model.indices, using: &random))
                index.remove(gone.hash, gone.number)
            case 1 where !model.isEmpty:
                let position = Int.random(in: model.indices, using: &random)
                index.move(model[position].hash, from: model[position].number, to: 10_000 + step)
                model[position].number = 10_000 + step
            case 2:
                // What is not there: nothing happens.
                index.remove(hash, 99_999)
            default:
                index.insert(hash, step)
                model.append((hash, step))
            }
            #expect(index.count == model.count)
            #expect(find(hash, in: index) == Set(model.filter { $0.hash == hash }.map(\.number)))
        }
    }

    @Test("never takes more memory than it may", arguments: [0, 8, 15, 16, 100, 1024, 8192])
    func bounded(octets: Int) {
        var index = HashIndex(octets: octets)
        #expect(index.maximumOctets <= octets)
        var added = 0
        while !index.isFull {
            index.insert(UInt32(added) &* 0x9E37_79B9, added)
            added += 1
        }
        #expect(index.slots.count * 8 <= max(8, octets))
        #expect(added == index.maximumOctets / 8 * 3 / 4)
        for number in 0..<added { #expect(find(UInt32(number) &* 0x9E37_79B9, in: index) == [number]) }
        #expect(find(1, in: index).isEmpty)
    }

    @Test("keeps the largest number that it can")
    func largest() {
        var index = HashIndex()
        index.insert(.max, Int(UInt32.max) - 1)
        #expect(find(.max, in: index) == [Int(UInt32.max) - 1])
    }
}
