// Finds where in a message under way a name, or its end, stands already.

@testable import DNSWire

/// The places of names in one message, for compression pointers (RFC 1035 §4.1.4).
///
/// Names are matched octet by octet, so each keeps the case it was given in. It remembers a fixed number of places and
/// needs no heap; names that come after those are compressed against them alone.
struct NameCompressor: Sendable {
    // Few: the writer of every answer carries them along, and ours have few names.
    private static var capacity: Int { 16 }

    private var offsets = InlineArray<16, UInt16>(repeating: 0)
    /// The places remembered; to set it to an earlier value forgets the later ones.
    var count = 0

    /// Remembers the labels of the name that was written at an offset.
    mutating func note(_ offset: Int, in message: Span<UInt8>) {
        var position = offset
        // A pointer has 14 bits.
        while count < Self.capacity, position < message.count, position <= 0x3FFF {
            let octet = message[position]
            guard octet != 0, octet & 0xC0 == 0 else { return }
            offsets[count] = UInt16(truncatingIfNeeded: position)
            count += 1
            position += Int(octet) + 1
        }
    }

    /// The part of a name that is to be written out, and the place of the rest; nil where it is to be written whole.
    func match(_ name: Name, in message: Span<UInt8>) -> (octets: Int, pointer: UInt16?) {
        var start = 0
        while start < name.wire.count, name.wire[start] != 0 {
            for index in 0..<count where Self.matches(name.wire.span, from: start, message, at: Int(offsets[index])) {
                return (start, offsets[index])
            }
            start += Int(name.wire[start]) + 1
        }
        return (name.wire.count, nil)
    }

    /// True when the name from `start` on is the one that stands at `offset` of the message.
    private static func matches(_ name: Span<UInt8>, from start: Int, _ message: Span<UInt8>, at offset: Int) -> Bool {
        var next = start
        var reader = LabelReader(at: offset)
        do throws(WireError) {
            while let label = try reader.next(message) {
                guard Int(name[next]) == label.count, next + label.count + 1 < name.count else { return false }
                for index in 0..<label.count where name[next + 1 + index] != message[label.offset + index] {
                    return false
                }
                next += label.count + 1
            }
        } catch {
            return false
        }
        return name[next] == 0
    }
}
