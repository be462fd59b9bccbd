// Kinds of messages.

/// The kind of a query: OPCODE, four bits of the header (RFC 1035 §4.1.1).
public struct OperationCode: RawRepresentable, Hashable, Sendable {
    /// 0...15.
    public let rawValue: UInt8

    /// - Parameter rawValue: the lower four bits count.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue & 0xF
    }

    // Not left to the compiler, so that other modules compare numbers in line.
    @inlinable
    public static func == (left: OperationCode, right: OperationCode) -> Bool { left.rawValue == right.rawValue }

    /// A question (RFC 1035 §4.1.1).
    public static let query = OperationCode(rawValue: 0)
    /// Obsolete inverse query (RFC 3425 §3).
    public static let iquery = OperationCode(rawValue: 1)
    /// A request for the server's status, never defined (RFC 1035 §4.1.1).
    public static let status = OperationCode(rawValue: 2)
    /// Word that a zone changed (RFC 1996 §3).
    public static let notify = OperationCode(rawValue: 4)
    /// A change to a zone (RFC 2136 §2.2).
    public static let update = OperationCode(rawValue: 5)
    /// Stateful operations over a stream (RFC 8490 §5).
    public static let dso = OperationCode(rawValue: 6)
}

extension OperationCode: CustomStringConvertible {
    /// `QUERY`; `OPCODE9` for a code that has no name.
    public var description: String {
        switch self {
        case .query: "QUERY"
        case .iquery: "IQUERY"
        case .status: "STATUS"
        case .notify: "NOTIFY"
        case .update: "UPDATE"
        case .dso: "DSO"
        default: "OPCODE\(rawValue)"
        }
    }
}
