// Options of EDNS.

/// The subject of an option in an OPT record: OPTION-CODE (RFC 6891 §6.1.2).
public struct OptionCode: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The name server's identifier (RFC 5001 §2.3).
    public static let nsid = OptionCode(rawValue: 3)
    /// The part of the client's address that the answer depends on (RFC 7871 §6).
    public static let clientSubnet = OptionCode(rawValue: 8)
    /// A cookie against forged sources (RFC 7873 §4).
    public static let cookie = OptionCode(rawValue: 10)
    /// The time that an idle TCP connection may stay (RFC 7828 §3.1).
    public static let tcpKeepalive = OptionCode(rawValue: 11)
    /// Filling that hides a message's length (RFC 7830 §3).
    public static let padding = OptionCode(rawValue: 12)
    /// Why an answer is as it is (RFC 8914 §2).
    public static let extendedError = OptionCode(rawValue: 15)
}

extension OptionCode: CustomStringConvertible {
    /// `COOKIE`; `OPT65001` for an option that has no name here.
    public var description: String {
        switch self {
        case .nsid: "NSID"
        case .clientSubnet: "CLIENT-SUBNET"
        case .cookie: "COOKIE"
        case .tcpKeepalive: "TCP-KEEPALIVE"
        case .padding: "PADDING"
        case .extendedError: "EDE"
        default: "OPT\(rawValue)"
        }
    }
}
