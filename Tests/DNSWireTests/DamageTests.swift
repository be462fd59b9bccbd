// Every reader survives every truncation and every change of one octet of every test packet.

import Testing

@testable import DNSWire

struct DamageTests {
    /// Reads octets in every way there is, and checks what must hold for whatever could be read.
    private func read(_ bytes: [UInt8], _ name: inout FoldedName) -> (query: Query?, reply: Reply?) {
        let message = bytes.span
        let query = try? Query(message, name: &name)
        if let query {
            if query.question.endOffset > bytes.count || name.length > 255 || name.labelCount > 127
                || name[name.length - 1] != 0 || (query.edns?.recordEnd ?? 0) > bytes.count
            {
                Issue.record("\(query) of \(hex(bytes))")
            }
        }
        let reply = try? Reply.parse(message, name: &name)
        if let reply {
            if reply.bodyEnd > reply.end || reply.end > bytes.count || query == nil {
                Issue.record("\(reply) of \(hex(bytes))")
            }
        }
        if MessageText.describe(message).isEmpty { Issue.record("no text for \(hex(bytes))") }
        return (query, reply)
    }

    @Test("Every truncation is survived, and none passes for the whole", arguments: Packet.all)
    func truncation(packet: Packet) {
        var name = FoldedName()
        for length in 0..<packet.bytes.count {
            let (query, reply) = read(Array(packet.bytes.prefix(length)), &name)
            #expect(query == nil && reply == nil, "at \(length)")
        }
    }

    @Test("Every change of one octet is survived", arguments: Packet.all)
    func change(packet: Packet) {
        var name = FoldedName()
        var bytes = packet.bytes
        for index in bytes.indices {
            for change in 1...UInt8.max {
                bytes[index] = packet.bytes[index] ^ change
                _ = read(bytes, &name)
            }
            bytes[index] = packet.bytes[index]
        }
    }

    @Test("A name may be asked for at any offset of any packet, and outside of it", arguments: Packet.all)
    func anyOffset(packet: Packet) {
        var name = FoldedName()
        for offset in [-1, Int.max - 1] + Array(0...packet.bytes.count + 1) {
            let folded = try? name.read(packet.bytes.span, at: offset)
            let read = try? Name(packet.bytes.span, at: offset)
            #expect((folded == nil) == (read == nil))
            if let read { #expect(Folded(name).wire == read.folded) }
        }
    }

    @Test("Random octets are survived")
    func noise() {
        var random = SplitMix(seed: 1035)
        var name = FoldedName()
        for _ in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            // Small counts, and octets that mean something in names, so that some get further than the header.
            for index in bytes.indices where index > 2 && index < 12 { bytes[index] &= index % 2 == 0 ? 0 : 3 }
            for index in bytes.indices where index >= 12 && Bool.random(using: &random) {
                bytes[index] = [0, 1, 3, 0xC0, 0x0C, 0x29].randomElement(using: &random) ?? 0
            }
            _ = read(bytes, &name)
        }
    }
}

/// A small generator of random numbers that gives the same ones each time.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
