// Walks over a name inside a message, label by label, with all of a name's limits.

/// Reads the labels of a possibly compressed name in place (RFC 1035 §4.1.4).
///
/// A pointer must lead to before the labels that it stands behind, so a walk can only go backwards: no loop. It passes at
/// most 127 pointers and 255 octets of labels, so its time has a bound, whatever the message.
struct LabelReader {
    /// The most pointers that a name may pass: as many as it may have labels.
    static var maximumPointers: Int { Name.maximumLabels }
    /// The bits that a pointer has and a label's length has not.
    private static var mark: Int { Int(CompressionPointer.mark) }

    /// The offset of the next length octet or pointer.
    private var position: Int
    /// Pointers must lead to before this offset: where the current run of labels began.
    private var floor: Int
    /// The octets of the name so far, length octets included, root excluded.
    private(set) var length = 0
    private var pointers = 0
    private var endOfFirstRun = -1

    @inline(__always)
    init(at offset: Int) {
        position = offset
        floor = offset
    }

    /// The offset behind the name, once ``next(_:)`` has given nil.
    @inline(__always)
    var end: Int { endOfFirstRun }

    /// The offset and length of the next label's octets; nil at the root.
    @inline(__always)
    mutating func next(_ message: Span<UInt8>) throws(WireError) -> (offset: Int, count: Int)? {
        while true {
            guard position >= 0, position < message.count else { throw .truncated(offset: floor) }
            let octet = Int(message[position])
            if octet & Self.mark != 0 {
                try follow(octet, message)
                continue
            }
            if octet == 0 {
                if endOfFirstRun < 0 { endOfFirstRun = position + 1 }
                return nil
            }
            let start = position + 1
            guard start + octet <= message.count else { throw .truncated(offset: position) }
            guard length + octet + 2 <= Name.maximumLength else { throw .nameTooLong(offset: position) }
            length += octet + 1
            position = start + octet
            return (start, octet)
        }
    }

    @inline(never)
    private mutating func follow(_ octet: Int, _ message: Span<UInt8>) throws(WireError) {
        guard octet & Self.mark == Self.mark else { throw .unknownLabelType(offset: position) }
        guard position + 1 < message.count else { throw .truncated(offset: position) }
        let target = CompressionPointer.target(message.word16(position))
        guard target < floor, target >= Header.length else { throw .badPointer(offset: position, target: target) }
        pointers += 1
        guard pointers <= Self.maximumPointers else { throw .tooManyPointers(offset: position) }
        if endOfFirstRun < 0 { endOfFirstRun = position + 2 }
        position = target
        floor = target
    }

    /// The offset behind the name at an offset.
    ///
    /// It looks at the name's own octets alone: a pointer must lead back, but where it leads is not read. So going through
    /// all records of a message takes time in proportion to the message.
    static func skip(_ message: Span<UInt8>, at offset: Int) throws(WireError) -> Int {
        var position = offset
        while true {
            guard position >= 0, position < message.count else { throw .truncated(offset: offset) }
            let octet = Int(message[position])
            if octet == 0 { return position + 1 }
            if octet & Self.mark != 0 {
                guard octet & Self.mark == Self.mark else { throw .unknownLabelType(offset: position) }
                guard position + 1 < message.count else { throw .truncated(offset: offset) }
                let target = CompressionPointer.target(message.word16(position))
                guard target < offset, target >= Header.length else {
                    throw .badPointer(offset: position, target: target)
                }
                return position + 2
            }
            guard position - offset + octet + 2 <= Name.maximumLength else { throw .nameTooLong(offset: position) }
            position += octet + 1
        }
    }
}
