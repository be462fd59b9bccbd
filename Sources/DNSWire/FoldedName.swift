// The question's name as the data plane compares it: without compression, in lower case, in a buffer used again and again.

/// A name read from a message, uncompressed and case-folded (RFC 4343 §3).
///
/// One of these lives as long as its worker; ``read(_:at:)`` fills it anew for each query and allocates nothing. (Its
/// storage is an array, not an `InlineArray`: the compiler copies a borrowed `InlineArray` whole for each look into it.)
public struct FoldedName: ~Copyable, Sendable {
    /// The name from 0 on, the offsets of its labels from ``offsetsStart`` on; as many octets from beginning to end.
    @usableFromInline var storage: [UInt8]
    @usableFromInline static var offsetsStart: Int { 256 }

    /// The octets of the name with the root's: 1...255.
    public private(set) var length: Int
    /// The labels of the name without the root: 0...127.
    public private(set) var labelCount: Int

    /// The root.
    public init() {
        storage = Array(repeating: 0, count: Self.offsetsStart + 128)
        length = 1
        labelCount = 0
    }

    /// The octet at an offset of the name: 0..<``length``.
    @inlinable
    public subscript(_ offset: Int) -> UInt8 { storage[offset] }

    /// The offset of a label's length octet; `labelOffset(labelCount)` is that of the root.
    @inlinable
    public func labelOffset(_ label: Int) -> Int { Int(storage[Self.offsetsStart + label]) }

    /// The folded name on the wire, root included.
    @inlinable
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span.extracting(first: length) }
    }

    /// Reads the name at an offset of a message and folds it; gives the offset behind it.
    ///
    /// When it throws, the name is the root.
    public mutating func read(_ message: Span<UInt8>, at offset: Int) throws(WireError) -> Int {
        if let end = readPlain(message, at: offset) { return end }
        return try readAny(message, at: offset)
    }

    /// Reads a name of nothing but labels, as those of questions are; nil for any other, and for what is no name.
    private mutating func readPlain(_ message: Span<UInt8>, at offset: Int) -> Int? {
        guard offset >= 0 else { return nil }
        var bytes = storage.mutableSpan
        let available = min(message.count &- offset, Name.maximumLength)
        var used = 0
        var labels = 0
        while used < available {
            let count = Int(message[offset &+ used])
            guard count < 64 else { return nil }
            bytes[Self.offsetsStart &+ labels] = UInt8(truncatingIfNeeded: used)
            used &+= count &+ 1
            labels &+= 1
            guard count == 0 else { continue }
            Self.fold(message, offset..<offset &+ used, into: &bytes)
            length = used
            labelCount = labels &- 1
            return offset &+ used
        }
        return nil
    }

    /// Copies a whole name to the beginning, folded: the octets that tell lengths are no letters, and stay as they are.
    @inline(__always)
    private static func fold(_ message: Span<UInt8>, _ name: Range<Int>, into bytes: inout MutableSpan<UInt8>) {
        guard name.upperBound &+ 7 <= message.count else { return fold(message, name, into: &bytes, at: 0) }
        // Eight at a time: what stands behind the name comes along, and nobody looks at it.
        var index = 0
        while index < name.count {
            bytes.set(folded(message.word64(name.lowerBound &+ index)), at: index)
            index &+= 8
        }
    }

    /// Reads a name that may be compressed, or says what is wrong with it.
    @inline(never)
    private mutating func readAny(_ message: Span<UInt8>, at offset: Int) throws(WireError) -> Int {
        length = 1
        labelCount = 0
        var bytes = storage.mutableSpan
        var reader = LabelReader(at: offset)
        var used = 0
        var labels = 0
        do throws(WireError) {
            while let label = try reader.next(message) {
                bytes[used] = UInt8(truncatingIfNeeded: label.count)
                bytes[Self.offsetsStart + labels] = UInt8(truncatingIfNeeded: used)
                Self.fold(message, label.offset..<label.offset + label.count, into: &bytes, at: used + 1)
                used += label.count + 1
                labels += 1
            }
        } catch {
            bytes[0] = 0
            bytes[Self.offsetsStart] = 0
            throw error
        }
        bytes[used] = 0
        bytes[Self.offsetsStart + labels] = UInt8(truncatingIfNeeded: used)
        length = used + 1
        labelCount = labels
        return reader.end
    }

    @inline(never)
    private static func fold(
        _ message: Span<UInt8>, _ label: Range<Int>, into bytes: inout MutableSpan<UInt8>, at place: Int
    ) {
        var place = place
        for index in label {
            bytes[place] = folded(message[index])
            place &+= 1
        }
    }

    /// Makes this the given name, folded.
    public mutating func set(_ name: Name) {
        var labels = 0
        var next = 0
        for (index, octet) in name.wire.enumerated() {
            storage[index] = folded(octet)
            guard index == next else { continue }
            storage[Self.offsetsStart + labels] = UInt8(truncatingIfNeeded: index)
            if octet != 0 { labels += 1 }
            next += Int(octet) + 1
        }
        length = name.wire.count
        labelCount = labels
    }

    /// Whether the name from a label on is the given one.
    /// - Parameters:
    ///   - other: a folded name on the wire, root included.
    ///   - label: 0...``labelCount``.
    @inlinable
    public func suffixEquals(_ other: Span<UInt8>, fromLabel label: Int) -> Bool {
        let start = labelOffset(label)
        guard length - start == other.count else { return false }
        return span.extracting(start..<length).isEqual(to: other)
    }
}
