// Kinds of messages.

/// What a message wants done: OPCODE, four bits of the header (RFC 1035 §4.1.1).
package struct OperationCode: RawRepresentable, Hashable, Sendable {
    /// 0...15.
    package let rawValue: UInt8

    /// - Parameter rawValue: the lower four bits count.
    @inlinable
    package init(rawValue: UInt8) {
        self.rawValue = rawValue & 0xF
    }

    // Not left to the compiler, so that other modules compare numbers in line.
    @inlinable
    package static func == (left: OperationCode, right: OperationCode) -> Bool { left.rawValue == right.rawValue }

    /// A question (RFC 1035 §4.1.1).
    package static let query = OperationCode(rawValue: 0)
    /// Obsolete inverse query (RFC 3425 §3).
    package static let iquery = OperationCode(rawValue: 1)
    /// A request for the server's status, never defined (RFC 1035 §4.1.1).
    package static let status = OperationCode(rawValue: 2)
    /// Word that a zone changed (RFC 1996 §3).
    package static let notify = OperationCode(rawValue: 4)
    /// A change to a zone (RFC 2136 §2.2).
    package static let update = OperationCode(rawValue: 5)
    /// Stateful operations over a stream (RFC 8490 §5).
    package static let dso = OperationCode(rawValue: 6)
}

extension OperationCode: CustomStringConvertible {
    /// `QUERY`; `OPCODE9` for a code that has no name.
    package var description: String {
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
