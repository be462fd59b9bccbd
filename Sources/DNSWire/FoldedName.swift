// The question's name as the data plane compares it: without compression, in lower case, in a buffer used again and again.

/// A name read from a message, uncompressed and case-folded (RFC 4343 §3).
///
/// One of these lives as long as its worker; ``read(_:at:)`` fills it anew for each query and allocates nothing. (Its
/// storage is an array, not an `InlineArray`: the compiler copies a borrowed `InlineArray` whole for each look into it.)
public struct FoldedName: ~Copyable, Sendable {
    /// The name from ``nameStart`` on, the offsets of its labels from ``offsetsStart`` on; as many octets from beginning to
    /// end.
    @usableFromInline var storage: [UInt8]
    /// Octets that are folded and copied at once.
    @inlinable static var block: Int { 16 }
    /// Before the name is what comes along with a short one, as whole blocks are copied.
    @inlinable static var nameStart: Int { block }
    @inlinable static var offsetsStart: Int { nameStart + Name.maximumLength + 1 }

    /// The octets of the name with the root's: 1...255.
    public private(set) var length: Int
    /// The labels of the name without the root: 0...127.
    public private(set) var labelCount: Int

    /// The root.
    public init() {
        storage = Array(repeating: 0, count: Self.offsetsStart + Name.maximumLabels + 1)
        length = 1
        labelCount = 0
    }

    /// The octet at an offset of the name: 0..<``length``.
    @inlinable
    public subscript(_ offset: Int) -> UInt8 { storage[Self.nameStart &+ offset] }

    /// The offset of a label's length octet; `labelOffset(labelCount)` is that of the root.
    @inlinable
    public func labelOffset(_ label: Int) -> Int { Int(storage[Self.offsetsStart &+ label]) }

    /// True for a label that begins with an underscore, as those of services and of facts about a host do (RFC 8552).
    /// - Parameter label: 0..<``labelCount``.
    @inlinable
    @inline(__always)
    public func isUnderscored(_ label: Int) -> Bool { self[labelOffset(label) &+ 1] == UInt8(ascii: "_") }

    /// True when a label before the last one is underscored.
    @inlinable
    @inline(__always)
    public var hasUnderscoredLabel: Bool {
        var label = labelCount &- 1
        while label > 0 {
            label &-= 1
            if isUnderscored(label) { return true }
        }
        return false
    }

    /// The folded name on the wire, root included.
    @inlinable
    @inline(__always)
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span.extracting(Self.nameStart..<Self.nameStart &+ length) }
    }

    /// The labels `first..<end` on the wire, without a root; 0...``labelCount``.
    @inlinable
    @inline(__always)
    @_lifetime(borrow self)
    public func labels(_ first: Int, _ end: Int) -> Span<UInt8> {
        storage.span.extracting(Self.nameStart &+ labelOffset(first)..<Self.nameStart &+ labelOffset(end))
    }

    /// Reads the name at an offset of a message and folds it; gives the offset behind it.
    ///
    /// If it throws, the name is the root.
    @inline(__always)
    public mutating func read(_ message: Span<UInt8>, at offset: Int) throws(WireError) -> Int {
        if let end = readPlain(message, at: offset) { return end }
        return try readAny(message, at: offset)
    }

    /// Reads a name of nothing but labels, as those of questions are; nil for any other, and for what is no name.
    @inline(__always)
    private mutating func readPlain(_ message: Span<UInt8>, at offset: Int) -> Int? {
        guard offset >= 0 else { return nil }
        var bytes = storage.mutableSpan
        let available = min(message.count &- offset, Name.maximumLength)
        var used = 0
        var labels = 0
        while used < available {
            let count = Int(message[offset &+ used])
            bytes[Self.offsetsStart &+ labels] = UInt8(truncatingIfNeeded: used)
            used &+= count &+ 1
            if 1...Name.maximumLabelLength ~= count {
                labels &+= 1
                continue
            }
            // The root, or no label.
            guard count == 0 else { return nil }
            Self.fold(message, offset..<offset &+ used, into: &bytes)
            length = used
            labelCount = labels
            return offset &+ used
        }
        return nil
    }

    /// Copies a whole name, folded: the octets that tell lengths are no letters, and stay as they are.
    @inline(__always)
    private static func fold(_ message: Span<UInt8>, _ name: Range<Int>, into bytes: inout MutableSpan<UInt8>) {
        // The last block ends with the name: of a short one it begins before it.
        guard name.upperBound >= block else { return fold(message, name, into: &bytes, at: nameStart) }
        var index = name.lowerBound
        while index &+ block < name.upperBound {
            bytes.set(folded(message.block(index)), at: nameStart &+ index &- name.lowerBound)
            index &+= block
        }
        let last = message.block(name.upperBound &- block)
        bytes.set(folded(last), at: nameStart &+ name.count &- block)
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
                bytes[Self.nameStart + used] = UInt8(truncatingIfNeeded: label.count)
                bytes[Self.offsetsStart + labels] = UInt8(truncatingIfNeeded: used)
                Self.fold(
                    message, label.offset..<label.offset + label.count, into: &bytes, at: Self.nameStart + used + 1)
                used += label.count + 1
                labels += 1
            }
        } catch {
            bytes[Self.nameStart] = 0
            bytes[Self.offsetsStart] = 0
            throw error
        }
        bytes[Self.nameStart + used] = 0
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
            storage[Self.nameStart + index] = folded(octet)
            guard index == next else { continue }
            storage[Self.offsetsStart + labels] = UInt8(truncatingIfNeeded: index)
            if octet != 0 { labels += 1 }
            next += Int(octet) + 1
        }
        length = name.wire.count
        labelCount = labels
    }

    /// True when the name from a label on is the given one.
    /// - Parameters:
    ///   - other: a folded name on the wire, root included.
    ///   - label: 0...``labelCount``.
    @inlinable
    @inline(__always)
    public func suffixEquals(_ other: Span<UInt8>, fromLabel label: Int) -> Bool {
        // Nearly always the lengths differ.
        length &- labelOffset(label) == other.count && ends(with: other)
    }

    /// True when the name ends with these octets, of which there are no more than it has.
    @usableFromInline
    func ends(with other: Span<UInt8>) -> Bool {
        span.extracting(last: other.count).isEqual(to: other)
    }
}
