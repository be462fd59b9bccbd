// An address of either family.

/// An IPv4 or IPv6 address. All IPv4 addresses sort before all IPv6 addresses.
public enum IPAddress: Hashable, Sendable {
    /// RFC 791.
    case v4(IPv4Address)
    /// RFC 8200.
    case v6(IPv6Address)

    /// True for the machine's own addresses: 127.0.0.0/8 (RFC 1122 §3.2.1.3), ::1 (RFC 4291 §2.5.3).
    public var isLoopback: Bool {
        switch self {
        case .v4(let address): address.bits >> 24 == 127
        case .v6(let address): address == .loopback
        }
    }

    /// True for nobody's addresses: 0.0.0.0 (RFC 1122 §3.2.1.3), :: (RFC 4291 §2.5.2).
    public var isUnspecified: Bool {
        switch self {
        case .v4(let address): address.bits == 0
        case .v6(let address): address.bits == 0
        }
    }

    /// True for an address that a server can have: not nobody's, a group's (RFC 1112 §4, RFC 4291 §2.7) or everybody's (RFC
    /// 919 §7).
    public var isOneHost: Bool {
        switch self {
        case .v4(let address): address.bits != 0 && address.bits < 0xE000_0000
        case .v6(let address): address.bits != 0 && address.bits >> 120 != 0xFF
        }
    }

    /// The name that a PTR record for this address has (RFC 1035 §3.5, RFC 3596 §2.5).
    public var reverseName: Name {
        switch self {
        case .v4(let address): address.reverseName
        case .v6(let address): address.reverseName
        }
    }
}

extension IPAddress: Comparable, LosslessStringConvertible {
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        switch (left, right) {
        case (.v4(let left), .v4(let right)): left < right
        case (.v6(let left), .v6(let right)): left < right
        case (.v4, .v6): true
        case (.v6, .v4): false
        }
    }

    /// Reads an address of either family, as ``IPv4Address`` and ``IPv6Address`` do.
    public init?(_ description: String) {
        self.init(text: description)
    }

    init?(text: some StringProtocol) {
        // Each name that somebody declares is tried as an address: most have a letter that no address has.
        guard
            text.utf8.allSatisfy({
                $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") || IPv6Address.isHexadecimalDigit($0)
            })
        else {
            return nil
        }
        if let address = IPv4Address(text: text) {
            self = .v4(address)
        } else if let address = IPv6Address(text: text) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }
}
