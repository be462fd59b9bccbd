// The addresses of an answer, which take turns in coming first.

import DNSWire

/// Records of one name and type, A or AAAA, that stand one behind another in the answer section and have one length each:
/// they can change places without any other octet of the message being changed.
///
/// Programs use the first address. So that not all containers use the same until a TTL ends, each answer from the cache begins
/// with another one, as dnsmasq and unbound do. The CNAME records before them and all other types stay where they are.
struct AddressRun: Sendable, Equatable {
    /// The offset of the first record.
    var start: UInt16
    /// The octets of each record.
    var stride: UInt8
    /// 0: the answer has no such records.
    var count: UInt16

    static let none = AddressRun(start: 0, stride: 0, count: 0)

    /// The octets of all records.
    @inline(__always)
    var length: Int { Int(stride) &* Int(count) }

    /// The offset behind the last record.
    @inline(__always)
    var end: Int { Int(start) &+ length }

    /// The octets before the record that comes first in a turn.
    ///
    /// The number is mixed: clients that ask for A and AAAA, or over UDP and then TCP, advance it in lockstep, and each address
    /// is to be first as often as any other even so.
    @inline(__always)
    func shift(_ turn: UInt64) -> Int {
        // The finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
        var mixed = (turn ^ turn &>> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed &>> 27) &* 0x94D0_49BB_1331_11EB
        // In two steps: a shift binds more tightly than a product.
        let scaled = (mixed &>> 32) &* UInt64(count)
        return Int(truncatingIfNeeded: scaled &>> 32) &* Int(stride)
    }
}

extension AddressRun {
    /// Adds a record to the end; false where it does not continue the run.
    mutating func append(_ record: ResourceRecord, _ message: Span<UInt8>) -> Bool {
        let length = record.endOffset - record.nameOffset
        guard count > 0, record.nameOffset == end, length == Int(stride), isLike(record, message) else { return false }
        count += 1
        return true
    }

    /// Begins a run with a record; false for a type that is not rotated.
    init?(_ record: ResourceRecord) {
        guard record.type == .a || record.type == .aaaa, record.recordClass == .in,
            let stride = UInt8(exactly: record.endOffset - record.nameOffset),
            let start = UInt16(exactly: record.nameOffset)
        else { return nil }
        self.init(start: start, stride: stride, count: 1)
    }

    /// True when a record has the owner, type, class and TTL of the first one, octet for octet.
    private func isLike(_ record: ResourceRecord, _ message: Span<UInt8>) -> Bool {
        let same = record.rdataOffset - 2 - record.nameOffset
        return message.extracting(Int(start)..<Int(start) + same)
            .isEqual(to: message.extracting(record.nameOffset..<record.nameOffset + same))
    }

    /// True when anything behind the run may be a compression pointer to within it (RFC 1035 §4.1.4): then another record would
    /// become another name. Looks at all octets, so that it is sometimes true of data.
    func isPointedTo(in message: Span<UInt8>, until limit: Int) -> Bool {
        var offset = end
        while offset + 1 < limit {
            let isPointer = message[offset] & CompressionPointer.mark == CompressionPointer.mark
            if isPointer, Int(start)..<end ~= CompressionPointer.target(message.word16(offset)) { return true }
            offset += 1
        }
        return false
    }
}
