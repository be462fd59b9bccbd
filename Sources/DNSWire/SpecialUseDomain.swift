// Domains that have their meaning from an RFC, not from a registry of anybody's.

/// A special-use domain (RFC 6761) whose names we answer ourselves: nobody can declare or forward them.
public enum SpecialUseDomain: String, Sendable, CaseIterable {
    /// The asker's own loopback addresses (RFC 6761 §6.3).
    case localhost
    /// Names that exist nowhere (RFC 6761 §6.4).
    case invalid
    /// Names of Tor, which no DNS server knows (RFC 7686 §2).
    case onion
    /// The resolver's statements about itself (RFC 9462 §6.4).
    case resolverARPA = "resolver.arpa"

    /// The domain as a name.
    public var name: Name {
        Name(trustedWire: rawValue.split(separator: ".").reduce(into: []) { $0.appendLabel(String($1)) } + [0])
    }

    /// All domains with their names, made once: each name that somebody declares is compared with them.
    private static let names = allCases.map { (domain: $0, name: $0.name) }

    /// The domain that a name is or is under; nil where there is none.
    public init?(of name: Name) {
        guard let found = Self.names.first(where: { name.isSubdomain(of: $0.name) }) else { return nil }
        self = found.domain
    }
}
