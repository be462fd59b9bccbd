// A domain name of the control plane: kept as it was written, compared without regard to case.

/// A domain name (RFC 1035 §3.1): at most 255 octets on the wire, labels of 1 to 63 octets, any octets.
///
/// Two names are equal when they differ only in the case of ASCII letters (RFC 4343). The data plane uses ``FoldedName``.
public struct Name: Sendable {
    /// The most octets that a name may have on the wire, the root's included (RFC 1035 §2.3.4).
    @inlinable public static var maximumLength: Int { 255 }
    /// The most octets that a label may have (RFC 1035 §2.3.4).
    @inlinable public static var maximumLabelLength: Int { 63 }
    /// The most labels that a name may have, the root's not counted: each takes two octets at least.
    @inlinable public static var maximumLabels: Int { 127 }

    /// The name on the wire: uncompressed, the root's octet 0 at the end, case as given.
    public let wire: [UInt8]

    /// The root of all names.
    public static let root = Name(trustedWire: [0])

    /// - Parameter trustedWire: a well-formed name on the wire.
    init(trustedWire: [UInt8]) {
        wire = trustedWire
    }

    /// Makes a name of its labels, without the root's.
    public init(labels: [[UInt8]]) throws(NameError) {
        var wire: [UInt8] = []
        for label in labels {
            guard !label.isEmpty else { throw .emptyLabel }
            guard label.count <= Self.maximumLabelLength else { throw .labelTooLong(NameText.escaped(label)) }
            wire.append(UInt8(truncatingIfNeeded: label.count))
            wire += label
        }
        wire.append(0)
        guard wire.count <= Self.maximumLength else { throw .nameTooLong(octets: wire.count) }
        self.wire = wire
    }

    /// Reads a name of exactly these octets, uncompressed, root included.
    public init(wire: Span<UInt8>) throws(NameError) {
        var copy: [UInt8] = []
        copy.reserveCapacity(wire.count)
        for index in wire.indices { copy.append(wire[index]) }
        var next = 0
        while next < copy.count, copy[next] != 0 {
            guard copy[next] <= UInt8(Self.maximumLabelLength) else { throw .malformedWire }
            next += Int(copy[next]) + 1
        }
        guard next == copy.count - 1 else { throw .malformedWire }
        guard copy.count <= Self.maximumLength else { throw .nameTooLong(octets: copy.count) }
        self.wire = copy
    }

    /// Reads the possibly compressed name at an offset of a message; case as it is there.
    public init(_ message: Span<UInt8>, at offset: Int) throws(WireError) {
        var reader = LabelReader(at: offset)
        var wire: [UInt8] = []
        while let label = try reader.next(message) {
            wire.append(UInt8(truncatingIfNeeded: label.count))
            for index in label.offset..<label.offset + label.count { wire.append(message[index]) }
        }
        self.wire = wire + [0]
    }

    /// The labels without the root's; empty for the root.
    public var labels: [[UInt8]] {
        var labels: [[UInt8]] = []
        var next = 0
        while wire[next] != 0 {
            let end = next + 1 + Int(wire[next])
            labels.append(Array(wire[next + 1..<end]))
            next = end
        }
        return labels
    }

    /// The number of labels without the root's: 0...127.
    public var labelCount: Int {
        var count = 0
        var next = 0
        while wire[next] != 0 {
            next += Int(wire[next]) + 1
            count += 1
        }
        return count
    }

    /// The name on the wire in lower case: what names are compared by.
    public var folded: [UInt8] {
        // Length octets are at most 63 and so never letters.
        wire.span.hasUpperCase ? wire.map { DNSWire.folded($0) } : wire
    }

    /// This name with another behind it: `web` and `frontend.internal` make `web.frontend.internal`.
    public func appending(_ suffix: Name) throws(NameError) -> Name {
        let length = wire.count - 1 + suffix.wire.count
        guard length <= Self.maximumLength else { throw .nameTooLong(octets: length) }
        var joined: [UInt8] = []
        joined.reserveCapacity(length)
        joined += wire[..<(wire.count - 1)]
        joined += suffix.wire
        return Name(trustedWire: joined)
    }

    /// True when this name is the other one or under it (RFC 9499 §7, "subdomain"). Every name is under the root.
    public func isSubdomain(of other: Name) -> Bool {
        let start = wire.count - other.wire.count
        guard start >= 0, wire.span.extracting(droppingFirst: start).isEqualFolded(to: other.wire.span) else {
            return false
        }
        // The same octets, but perhaps from the middle of a label on.
        var next = 0
        while next < start { next += Int(wire[next]) + 1 }
        return next == start
    }
}

extension Name: Hashable, Comparable {
    public static func == (left: Name, right: Name) -> Bool {
        left.wire.span.isEqualFolded(to: right.wire.span)
    }

    public func hash(into hasher: inout Hasher) {
        // Eight octets at a time: the hasher costs the same for one as for eight.
        let octets = wire.span
        var index = 0
        while index + 8 < octets.count {
            hasher.combine(DNSWire.folded(octets.word64(index)))
            index += 8
        }
        var rest: UInt64 = 0
        while index < octets.count {
            rest = rest << 8 | UInt64(DNSWire.folded(octets[index]))
            index += 1
        }
        hasher.combine(rest)
    }

    /// The canonical order of names: from the last label to the first, octet by octet in lower case (RFC 4034 §6.1).
    public static func < (left: Name, right: Name) -> Bool {
        func key(_ name: Name) -> [[UInt8]] { name.labels.reversed().map { $0.map { DNSWire.folded($0) } } }
        return key(left).lexicographicallyPrecedes(key(right)) { $0.lexicographicallyPrecedes($1) }
    }
}

/// Why something is no name.
public enum NameError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No text at all; the root is written `.`.
    case empty
    /// Two dots in a row, or one at the beginning.
    case emptyLabel
    /// A label of more than 63 octets.
    case labelTooLong(String)
    /// A name of more than 255 octets on the wire.
    case nameTooLong(octets: Int)
    /// A backslash without a character or three digits up to 255 behind it.
    case badEscape(String)
    /// Octets that are no uncompressed name.
    case malformedWire
    /// A label in another script that cannot be written as an A-label (RFC 5891 §4.2).
    case badULabel(String, reason: String)

    public var description: String {
        switch self {
        case .empty: "the name is empty"
        case .emptyLabel: "the name has an empty label"
        case .labelTooLong(let label): "the label '\(label)' is longer than 63 octets"
        case .nameTooLong(let octets): "the name takes \(octets) octets, more than 255"
        case .badEscape(let text): "bad escape in '\(text)': expected \\. or \\DDD with DDD up to 255"
        case .badULabel(let label, let reason): "the label '\(DisplayText.escaped(label))': \(reason)"
        case .malformedWire: "the octets are not a domain name"
        }
    }
}
