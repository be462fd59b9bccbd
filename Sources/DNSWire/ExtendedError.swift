// Extended DNS Errors.

/// Why an answer is as it is: INFO-CODE of an Extended DNS Error (RFC 8914 §4).
///
/// It explains, it never decides: a client may show it, and must not act on it (RFC 8914 §3).
public struct ExtendedError: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// None of the others fits (RFC 8914 §4.1).
    public static let other = ExtendedError(rawValue: 0)
    /// The answer is from the cache and past its time (RFC 8914 §4.4, RFC 8767).
    public static let stale = ExtendedError(rawValue: 3)
    /// The answer was made up, by policy (RFC 8914 §4.5).
    public static let forged = ExtendedError(rawValue: 4)
    /// DNSSEC says that the answer is wrong (RFC 8914 §4.7).
    public static let bogus = ExtendedError(rawValue: 6)
    /// The failure is from the cache (RFC 8914 §4.14).
    public static let cachedError = ExtendedError(rawValue: 13)
    /// The server is not ready yet (RFC 8914 §4.15).
    public static let notReady = ExtendedError(rawValue: 14)
    /// This server blocks the name (RFC 8914 §4.16).
    public static let blocked = ExtendedError(rawValue: 15)
    /// This client may not ask (RFC 8914 §4.19).
    public static let prohibited = ExtendedError(rawValue: 18)
    /// NXDOMAIN from the cache and past its time (RFC 8914 §4.20).
    public static let staleNameError = ExtendedError(rawValue: 19)
    /// The server is no authority for the name (RFC 8914 §4.21).
    public static let notAuthoritative = ExtendedError(rawValue: 20)
    /// The server does not do this (RFC 8914 §4.22).
    public static let notSupported = ExtendedError(rawValue: 21)
    /// No server could be reached that knows (RFC 8914 §4.23).
    public static let noReachableAuthority = ExtendedError(rawValue: 22)
    /// An unrecoverable error of the network on the way to a server (RFC 8914 §4.24).
    public static let networkError = ExtendedError(rawValue: 23)
    /// The reply made no sense (RFC 8914 §4.25).
    public static let invalidData = ExtendedError(rawValue: 24)
}

extension ExtendedError {
    /// The octets of an option without a text: its header and INFO-CODE.
    @inlinable public static var optionLength: Int { EDNS.optionHeaderLength + infoCodeLength }
    /// The octets of INFO-CODE.
    @inlinable public static var infoCodeLength: Int { 2 }

    /// Writes an option of an OPT record that says this, without a text (RFC 8914 §2), into a buffer that has room for it.
    public func write(into buffer: inout MutableSpan<UInt8>, at offset: Int) {
        buffer.set(UInt32(OptionCode.extendedError.rawValue) << 16 | UInt32(Self.infoCodeLength), at: offset)
        buffer.set(rawValue, at: offset + EDNS.optionHeaderLength)
    }
}

extension ExtendedError: CustomStringConvertible {
    /// The name in IANA's registry: `No Reachable Authority`; `EDE 4711` for a code that has none here.
    public var description: String {
        switch self {
        case .other: "Other Error"
        case .stale: "Stale Answer"
        case .forged: "Forged Answer"
        case .bogus: "DNSSEC Bogus"
        case .cachedError: "Cached Error"
        case .notReady: "Not Ready"
        case .blocked: "Blocked"
        case .prohibited: "Prohibited"
        case .staleNameError: "Stale NXDOMAIN Answer"
        case .notAuthoritative: "Not Authoritative"
        case .notSupported: "Not Supported"
        case .noReachableAuthority: "No Reachable Authority"
        case .networkError: "Network Error"
        case .invalidData: "Invalid Data"
        default: "EDE \(rawValue)"
        }
    }
}
