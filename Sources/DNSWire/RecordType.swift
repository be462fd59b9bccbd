// Types of resource records, and the types that only questions have.

/// What a resource record holds, or what a question asks for: TYPE and QTYPE of RFC 1035 §3.2.2 and §3.2.3.
///
/// Any of the 65,536 values may be met on the wire; those with a name here are the ones that people type.
public struct RecordType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16

    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    // Not left to the compiler, so that other modules compare numbers in line.
    @inlinable
    public static func == (left: RecordType, right: RecordType) -> Bool { left.rawValue == right.rawValue }

    /// An IPv4 address (RFC 1035 §3.4.1).
    public static let a = RecordType(rawValue: 1)
    /// A name server of a zone (RFC 1035 §3.3.11).
    public static let ns = RecordType(rawValue: 2)
    /// The canonical name of an alias (RFC 1035 §3.3.1).
    public static let cname = RecordType(rawValue: 5)
    /// The start of a zone of authority (RFC 1035 §3.3.13).
    public static let soa = RecordType(rawValue: 6)
    /// A pointer to another name; what reverse lookups ask for (RFC 1035 §3.3.12).
    public static let ptr = RecordType(rawValue: 12)
    /// Host information; today the minimal answer to ANY (RFC 1035 §3.3.2, RFC 8482 §4.2).
    public static let hinfo = RecordType(rawValue: 13)
    /// A mail exchange (RFC 1035 §3.3.9).
    public static let mx = RecordType(rawValue: 15)
    /// Text (RFC 1035 §3.3.14).
    public static let txt = RecordType(rawValue: 16)
    /// An IPv6 address (RFC 3596 §2.1).
    public static let aaaa = RecordType(rawValue: 28)
    /// The location of a service (RFC 2782).
    public static let srv = RecordType(rawValue: 33)
    /// Rules that rewrite names, of telephony above all (RFC 3403 §4).
    public static let naptr = RecordType(rawValue: 35)
    /// The canonical name of a whole subtree (RFC 6672 §2).
    public static let dname = RecordType(rawValue: 39)
    /// EDNS: a record about the message, not about a name (RFC 6891 §6.1).
    public static let opt = RecordType(rawValue: 41)
    /// The digest of a delegated zone's key (RFC 4034 §5).
    public static let ds = RecordType(rawValue: 43)
    /// An SSH host key's fingerprint (RFC 4255 §3).
    public static let sshfp = RecordType(rawValue: 44)
    /// A signature (RFC 4034 §3).
    public static let rrsig = RecordType(rawValue: 46)
    /// Proof that a name or type does not exist (RFC 4034 §4).
    public static let nsec = RecordType(rawValue: 47)
    /// A zone's public key (RFC 4034 §2).
    public static let dnskey = RecordType(rawValue: 48)
    /// Hashed proof that a name or type does not exist (RFC 5155 §3).
    public static let nsec3 = RecordType(rawValue: 50)
    /// The parameters of NSEC3 (RFC 5155 §4).
    public static let nsec3param = RecordType(rawValue: 51)
    /// A certificate's association with a TLS service (RFC 6698 §2).
    public static let tlsa = RecordType(rawValue: 52)
    /// A service's binding (RFC 9460 §2).
    public static let svcb = RecordType(rawValue: 64)
    /// A service's binding for HTTPS; browsers ask it beside A and AAAA (RFC 9460 §9).
    public static let https = RecordType(rawValue: 65)
    /// Key agreement of transactions (RFC 2930 §2).
    public static let tkey = RecordType(rawValue: 249)
    /// A transaction's signature (RFC 8945 §4.2).
    public static let tsig = RecordType(rawValue: 250)
    /// Only asked: the changes of a zone (RFC 1995 §2).
    public static let ixfr = RecordType(rawValue: 251)
    /// Only asked: all of a zone (RFC 5936 §2).
    public static let axfr = RecordType(rawValue: 252)
    /// Only asked: whatever types there are (RFC 1035 §3.2.3, RFC 8482).
    public static let any = RecordType(rawValue: 255)
    /// A URI (RFC 7553 §4).
    public static let uri = RecordType(rawValue: 256)
    /// Which authorities may certify a domain (RFC 8659 §4).
    public static let caa = RecordType(rawValue: 257)

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
