// Types of resource records, and the types that only questions have.

/// The type of a resource record or of a question: TYPE and QTYPE of RFC 1035 §3.2.2 and §3.2.3.
///
/// Any of the 65,536 values may be met on the wire; those with a name here are the ones that people type.
public struct RecordType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// True for the types that ask for a whole zone: ``axfr`` and ``ixfr``.
    @inlinable
    public var isTransfer: Bool { self == .axfr || self == .ixfr }

    // Neither this nor the constants are left to the compiler, so that other modules compare numbers in line.
    @inlinable
    public static func == (left: RecordType, right: RecordType) -> Bool { left.rawValue == right.rawValue }

    /// An IPv4 address (RFC 1035 §3.4.1).
    @inlinable public static var a: RecordType { RecordType(rawValue: 1) }
    /// A name server of a zone (RFC 1035 §3.3.11).
    @inlinable public static var ns: RecordType { RecordType(rawValue: 2) }
    /// The canonical name of an alias (RFC 1035 §3.3.1).
    @inlinable public static var cname: RecordType { RecordType(rawValue: 5) }
    /// The start of a zone of authority (RFC 1035 §3.3.13).
    @inlinable public static var soa: RecordType { RecordType(rawValue: 6) }
    /// A pointer to another name; what reverse lookups ask for (RFC 1035 §3.3.12).
    @inlinable public static var ptr: RecordType { RecordType(rawValue: 12) }
    /// Host information; today the minimal answer to ANY (RFC 1035 §3.3.2, RFC 8482 §4.2).
    @inlinable public static var hinfo: RecordType { RecordType(rawValue: 13) }
    /// A mail exchange (RFC 1035 §3.3.9).
    @inlinable public static var mx: RecordType { RecordType(rawValue: 15) }
    /// Text (RFC 1035 §3.3.14).
    @inlinable public static var txt: RecordType { RecordType(rawValue: 16) }
    /// An IPv6 address (RFC 3596 §2.1).
    @inlinable public static var aaaa: RecordType { RecordType(rawValue: 28) }
    /// The location of a service (RFC 2782).
    @inlinable public static var srv: RecordType { RecordType(rawValue: 33) }
    /// Rules that rewrite names, of telephony above all (RFC 3403 §4).
    @inlinable public static var naptr: RecordType { RecordType(rawValue: 35) }
    /// The canonical name of a whole subtree (RFC 6672 §2).
    @inlinable public static var dname: RecordType { RecordType(rawValue: 39) }
    /// EDNS: a record about the message, not about a name (RFC 6891 §6.1).
    @inlinable public static var opt: RecordType { RecordType(rawValue: 41) }
    /// The digest of a delegated zone's key (RFC 4034 §5).
    @inlinable public static var ds: RecordType { RecordType(rawValue: 43) }
    /// An SSH host key's fingerprint (RFC 4255 §3).
    @inlinable public static var sshfp: RecordType { RecordType(rawValue: 44) }
    /// A signature (RFC 4034 §3).
    @inlinable public static var rrsig: RecordType { RecordType(rawValue: 46) }
    /// Proof that a name or type does not exist (RFC 4034 §4).
    @inlinable public static var nsec: RecordType { RecordType(rawValue: 47) }
    /// A zone's public key (RFC 4034 §2).
    @inlinable public static var dnskey: RecordType { RecordType(rawValue: 48) }
    /// Hashed proof that a name or type does not exist (RFC 5155 §3).
    @inlinable public static var nsec3: RecordType { RecordType(rawValue: 50) }
    /// The parameters of NSEC3 (RFC 5155 §4).
    @inlinable public static var nsec3param: RecordType { RecordType(rawValue: 51) }
    /// A certificate's association with a TLS service (RFC 6698 §2).
    @inlinable public static var tlsa: RecordType { RecordType(rawValue: 52) }
    /// A service's binding (RFC 9460 §2).
    @inlinable public static var svcb: RecordType { RecordType(rawValue: 64) }
    /// A service's binding for HTTPS; browsers ask it beside A and AAAA (RFC 9460 §9).
    @inlinable public static var https: RecordType { RecordType(rawValue: 65) }
    /// Key agreement of transactions (RFC 2930 §2).
    @inlinable public static var tkey: RecordType { RecordType(rawValue: 249) }
    /// A transaction's signature (RFC 8945 §4.2).
    @inlinable public static var tsig: RecordType { RecordType(rawValue: 250) }
    /// Only asked: the changes of a zone (RFC 1995 §2).
    @inlinable public static var ixfr: RecordType { RecordType(rawValue: 251) }
    /// Only asked: all of a zone (RFC 5936 §2).
    @inlinable public static var axfr: RecordType { RecordType(rawValue: 252) }
    /// Only asked: whatever types there are (RFC 1035 §3.2.3, RFC 8482).
    @inlinable public static var any: RecordType { RecordType(rawValue: 255) }
    /// A URI (RFC 7553 §4).
    @inlinable public static var uri: RecordType { RecordType(rawValue: 256) }
    /// The authorities that may certify a domain (RFC 8659 §4).
    @inlinable public static var caa: RecordType { RecordType(rawValue: 257) }

    private static let mnemonics: [(RecordType, String)] = [
        (.a, "A"), (.ns, "NS"), (.cname, "CNAME"), (.soa, "SOA"), (.ptr, "PTR"), (.hinfo, "HINFO"), (.mx, "MX"),
        (.txt, "TXT"), (.aaaa, "AAAA"), (.srv, "SRV"), (.naptr, "NAPTR"), (.dname, "DNAME"), (.opt, "OPT"),
        (.ds, "DS"), (.sshfp, "SSHFP"), (.rrsig, "RRSIG"), (.nsec, "NSEC"), (.dnskey, "DNSKEY"), (.nsec3, "NSEC3"),
        (.nsec3param, "NSEC3PARAM"), (.tlsa, "TLSA"), (.svcb, "SVCB"), (.https, "HTTPS"), (.tkey, "TKEY"),
        (.tsig, "TSIG"), (.ixfr, "IXFR"), (.axfr, "AXFR"), (.any, "ANY"), (.uri, "URI"), (.caa, "CAA"),
    ]
}

extension RecordType: CustomStringConvertible {
    /// Reads a type as people write it: `AAAA` in any case, or any type by number as `TYPE65` (RFC 3597 §5).
    public init?(text: some StringProtocol) {
        let upper = text.uppercased()
        if let known = Self.mnemonics.first(where: { $0.1 == upper }) {
            self = known.0
        } else if let number = Mnemonic.number(in: upper, after: "TYPE") {
            self.init(rawValue: number)
        } else {
            return nil
        }
    }

    /// `AAAA`; `TYPE1234` for a type without a name here (RFC 3597 §5).
    public var description: String {
        Self.mnemonics.first { $0.0 == self }?.1 ?? "TYPE\(rawValue)"
    }
}

/// Codes spelled as a word and a number, such as `TYPE65` and `CLASS7` (RFC 3597 §5).
enum Mnemonic {
    /// The number behind `prefix`: decimal digits only, at most 65535.
    static func number(in text: String, after prefix: String) -> UInt16? {
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return UInt16(digits)
    }
}
