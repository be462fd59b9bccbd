// Compression pointers, good and bad.

import Testing

@testable import DNSWire

struct CompressionTests {
    /// RFC 1035 §4.1.4: F.ISI.ARPA at 20, FOO and a pointer to it at 40, a pointer to ARPA at 64, the root at 92.
    private static let example: [UInt8] = {
        var message = [UInt8](repeating: 0xEE, count: 93)
        for (offset, text) in [(20, "0146 03495349 0441525041 00"), (40, "03464F4F C014"), (64, "C01A"), (92, "00")] {
            let bytes = hex(text)
            message.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        return message
    }()

    private static let webFrontend = Name(trustedWire: hex("03776562 0866726f6e74656e64 00"))

    @Test(
        "The example of RFC 1035 §4.1.4 reads as it says",
        arguments: [(20, "F.ISI.ARPA", 32), (40, "FOO.F.ISI.ARPA", 46), (64, "ARPA", 66), (92, ".", 93)])
    func example(offset: Int, text: String, end: Int) throws {
        #expect(try Name(Self.example, at: offset).description == text)
        let folded = try Folded(Self.example, at: offset)
        #expect(folded.end == end)
        #expect(folded.wire == (try Name(text).folded))
        #expect(try skipName(Self.example, at: offset) == end)
    }

    @Test(
        "A name that cannot be is refused where it goes wrong",
        arguments: [
            ("a pointer to itself", "c00c", .badPointer(offset: 12, target: 12)),
            ("a pointer forward", "c00e 00", .badPointer(offset: 12, target: 14)),
            ("a pointer into the header", "c000", .badPointer(offset: 12, target: 0)),
            ("a pointer to the labels before it", "0161 c00c", .badPointer(offset: 14, target: 12)),
            ("a pointer out of the message", "ffff", .badPointer(offset: 12, target: 0x3FFF)),
            ("half a pointer", "c0", .truncated(offset: 12)),
            ("a label type 01", "41 00", .unknownLabelType(offset: 12)),
            ("a label type 10", "80 00", .unknownLabelType(offset: 12)),
            ("a label longer than the message", "0561", .truncated(offset: 12)),
            ("no root", "0161", .truncated(offset: 12)),
            ("nothing", "", .truncated(offset: 12)),
        ] as [(String, String, WireError)])
    func bad(what: String, bytes: String, error: WireError) {
        let message = [UInt8](repeating: 0, count: 12) + hex(bytes)
        #expect(throws: error) { try Folded(message, at: 12) }
        #expect(throws: error) { try Name(message, at: 12) }
        #expect(throws: WireError.self) { try skipName(message, at: 12) }
        // The buffer is the root then, whatever it was before.
        var name = FoldedName()
        name.set(Self.webFrontend)
        _ = try? name.read(message.span, at: 12)
        #expect(Folded(name) == Folded(.root))
    }

    @Test("Two names that point at each other are refused")
    func loop() {
        let message = [UInt8](repeating: 0, count: 12) + hex("0161 c010 0162 c00c")
        #expect(throws: WireError.badPointer(offset: 14, target: 16)) { try Folded(message, at: 12) }
        #expect(throws: WireError.badPointer(offset: 14, target: 16)) { try Folded(message, at: 16) }
    }

    @Test("255 octets are a name, 256 are not, with and without compression (RFC 1035 §2.3.4)")
    func longest() throws {
        let label = [63] + [UInt8](repeating: 0x78, count: 63)
        let header = [UInt8](repeating: 0, count: 12)
        let longest = header + label + label + label + [61] + [UInt8](repeating: 0x79, count: 61) + [0]
        #expect(try Folded(longest, at: 12).end == 12 + 255)
        #expect(try Folded(longest, at: 12).offsets == [0, 64, 128, 192, 254])
        let longer = header + label + label + label + [62] + [UInt8](repeating: 0x79, count: 62) + [0]
        #expect(throws: WireError.nameTooLong(offset: 204)) { try Folded(longer, at: 12) }
        #expect(throws: WireError.nameTooLong(offset: 204)) { try skipName(longer, at: 12) }
        let pointed = longest + [1, 0x7A, 0xC0, 12]
        #expect(throws: WireError.nameTooLong(offset: 204)) { try Folded(pointed, at: 12 + 255) }
        let shorter = longest + [1, 0x7A, 0xC0, 12 + 64]
        #expect(try Folded(shorter, at: 12 + 255).end == 12 + 259)
        #expect(try Folded(shorter, at: 12 + 255).wire.count == 255 - 64 + 2)
    }

    @Test("A name passes 127 pointers and no more")
    func pointerChain() throws {
        var message = [UInt8](repeating: 0, count: 13)
        for link in 0..<200 {
            let target = link == 0 ? 12 : 13 + 2 * (link - 1)
            message += [0xC0 | UInt8(target >> 8), UInt8(target & 0xFF)]
        }
        #expect(try Folded(message, at: 13 + 2 * 126).end == 13 + 2 * 127)
        #expect(try Folded(message, at: 13 + 2 * 126).wire == [0])
        #expect(throws: WireError.tooManyPointers(offset: 13)) { try Folded(message, at: 13 + 2 * 127) }
    }

    @Test("127 labels of one octet are a name")
    func manyLabels() throws {
        let message = [UInt8](repeating: 0, count: 12) + Array(repeatElement([1, 0x41], count: 127).joined()) + [0]
        #expect(try Folded(message, at: 12).end == message.count)
        #expect(try Folded(message, at: 12).offsets == Array(stride(from: 0, through: 254, by: 2)))
    }

    @Test("64 KiB of labels are refused at the 255th octet")
    func endlessLabels() {
        let message = [UInt8](repeating: 0, count: 12) + Array(repeatElement([1, 0x41], count: 32_000).joined())
        #expect(throws: WireError.nameTooLong(offset: 12 + 254)) { try Folded(message, at: 12) }
        #expect(throws: WireError.nameTooLong(offset: 12 + 254)) { try skipName(message, at: 12) }
    }
}
