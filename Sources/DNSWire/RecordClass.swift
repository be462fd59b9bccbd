// Classes of resource records.

/// The class of a record or question (RFC 1035 §3.2.4 and §3.2.5). Nearly always `IN`.
public struct RecordClass: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    // Neither this nor the constants are left to the compiler, so that other modules compare numbers in line.
    @inlinable
    public static func == (left: RecordClass, right: RecordClass) -> Bool { left.rawValue == right.rawValue }

    /// The Internet (RFC 1035 §3.2.4).
    @inlinable public static var `in`: RecordClass { RecordClass(rawValue: 1) }
    /// CHAOS: a server's word about itself, such as `version.bind` (RFC 4892 §2).
    @inlinable public static var ch: RecordClass { RecordClass(rawValue: 3) }
    /// Hesiod (RFC 1035 §3.2.4).
    @inlinable public static var hs: RecordClass { RecordClass(rawValue: 4) }
    /// No class: only in prerequisites of updates (RFC 2136 §2.4).
    @inlinable public static var none: RecordClass { RecordClass(rawValue: 254) }
    /// Any class: only asked (RFC 1035 §3.2.5).
    @inlinable public static var any: RecordClass { RecordClass(rawValue: 255) }

    private static let mnemonics: [(RecordClass, String)] = [
        (.in, "IN"), (.ch, "CH"), (.hs, "HS"), (.none, "NONE"), (.any, "ANY"),
    ]
}

extension RecordClass: CustomStringConvertible {
    /// `IN`; `CLASS7` for a class without a name here (RFC 3597 §5).
    public var description: String {
        Self.mnemonics.first { $0.0 == self }?.1 ?? "CLASS\(rawValue)"
    }
}
