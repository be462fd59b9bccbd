// The outcome of a query.

/// The result of a query: RCODE.
///
/// Four bits stand in the header (RFC 1035 §4.1.1); EDNS puts eight more on top of them (RFC 6891 §6.1.3), so codes of
/// 16 and above can only be said to a client that speaks EDNS.
public struct ResponseCode: RawRepresentable, Hashable, Sendable {
    /// 0...4095.
    public let rawValue: UInt16

    /// - Parameter rawValue: the lower twelve bits count.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue & 0xFFF
    }

    // Neither this nor the constants are left to the compiler, so that other modules compare numbers in line.
    @inlinable
    public static func == (left: ResponseCode, right: ResponseCode) -> Bool { left.rawValue == right.rawValue }

    /// Done: there is an answer, or the name has no record of that type (RFC 1035 §4.1.1).
    @inlinable public static var noError: ResponseCode { ResponseCode(rawValue: 0) }
    /// The query could not be read (RFC 1035 §4.1.1).
    @inlinable public static var formatError: ResponseCode { ResponseCode(rawValue: 1) }
    /// The server could not find out (RFC 1035 §4.1.1).
    @inlinable public static var serverFailure: ResponseCode { ResponseCode(rawValue: 2) }
    /// The name does not exist: NXDOMAIN (RFC 1035 §4.1.1, RFC 8020 §2).
    @inlinable public static var nameError: ResponseCode { ResponseCode(rawValue: 3) }
    /// The server does not do this kind of query (RFC 1035 §4.1.1).
    @inlinable public static var notImplemented: ResponseCode { ResponseCode(rawValue: 4) }
    /// The server will not answer this (RFC 1035 §4.1.1).
    @inlinable public static var refused: ResponseCode { ResponseCode(rawValue: 5) }
    /// The server is no authority for the zone (RFC 2136 §2.2).
    @inlinable public static var notAuthoritative: ResponseCode { ResponseCode(rawValue: 9) }
    /// The client's EDNS version is newer than the server's: only with EDNS (RFC 6891 §6.1.3).
    @inlinable public static var badVersion: ResponseCode { ResponseCode(rawValue: 16) }
    /// A server cookie is wrong or missing: only with EDNS (RFC 7873 §5.2.3).
    @inlinable public static var badCookie: ResponseCode { ResponseCode(rawValue: 23) }
}

extension ResponseCode: CustomStringConvertible {
    /// As `dig` writes it: `NOERROR`, `NXDOMAIN`; `RCODE12` for a code that has no name here.
    public var description: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        case .notAuthoritative: "NOTAUTH"
        case .badVersion: "BADVERS"
        case .badCookie: "BADCOOKIE"
        default: "RCODE\(rawValue)"
        }
    }
}
