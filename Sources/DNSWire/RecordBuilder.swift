// Records made ahead of any message, octet by octet: what answers are copied from.

/// Builds whole resource records (RFC 1035 §4.1.3) that later go into messages as they are: all records that we write.
///
/// Names in them are never compressed, but for an owner that is the question's name. It allocates: records are built when
/// the configuration or the registry changes, not when somebody asks.
public struct RecordBuilder: Sendable {
    /// The owner of a record.
    public enum Owner: Sendable {
        /// The name of the message's question: a compression pointer to it, `C0 0C`.
        case question
        /// The root.
        case root
    }

    /// Octets before RDATA where the owner is the question: pointer, type, class, TTL and RDLENGTH.
    @inlinable public static var fixedLength: Int { 2 + ResourceRecord.fixedLength }

    /// All records, one behind another.
    public private(set) var octets: [UInt8] = []
    /// The number of records.
    public private(set) var count = 0

    /// No records yet.
    public init() {}

    /// Adds a record.
    /// - Parameters:
    ///   - type: its type.
    ///   - owner: the name that it is of.
    ///   - recordClass: its class, nearly always IN.
    ///   - ttl: seconds that it may be kept.
    ///   - data: RDATA, at most 65,535 octets; of more, nothing is added.
    /// - Returns: the octets that it takes.
    @discardableResult
    public mutating func append(
        _ type: RecordType, of owner: Owner = .question, _ recordClass: RecordClass = .in, ttl: UInt32, _ data: [UInt8]
    ) -> Int {
        let added = Self.append(type, of: owner, recordClass, ttl: ttl, data, to: &octets)
        if added > 0 { count += 1 }
        return added
    }

    /// Adds a record to octets.
    /// - Returns: the octets that it takes.
    package static func append(
        _ type: RecordType, of owner: Owner = .question, _ recordClass: RecordClass = .in, ttl: UInt32, _ data: [UInt8],
        to octets: inout [UInt8]
    ) -> Int {
        guard let length = UInt16(exactly: data.count) else { return 0 }
        let start = octets.count
        switch owner {
        case .question: octets.append(word: CompressionPointer.word(to: Header.length))
        case .root: octets.append(0)
        }
        octets.append(word: type.rawValue)
        octets.append(word: recordClass.rawValue)
        octets.append(word: ttl)
        octets.append(word: length)
        octets += data
        return octets.count - start
    }

    /// Builds one record alone.
    /// - Parameters:
    ///   - type: its type.
    ///   - owner: the name that it is of.
    ///   - recordClass: its class, nearly always IN.
    ///   - ttl: seconds that it may be kept.
    ///   - data: RDATA, at most 65,535 octets.
    /// - Returns: its octets; none for more data.
    public static func record(
        _ type: RecordType, of owner: Owner = .question, _ recordClass: RecordClass = .in, ttl: UInt32, _ data: [UInt8]
    ) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(fixedLength + data.count)
        _ = append(type, of: owner, recordClass, ttl: ttl, data, to: &octets)
        return octets
    }
}

/// RDATA of the types that we make ourselves.
extension RecordBuilder {
    /// A or AAAA: the address in network order (RFC 1035 §3.4.1, RFC 3596 §2.2).
    public static func data(_ address: IPAddress) -> (type: RecordType, data: [UInt8]) {
        switch address {
        case .v4(let address): (.a, address.octets)
        case .v6(let address): (.aaaa, address.octets)
        }
    }

    /// SRV (RFC 2782): priority and weight are 0, so all are equally good; the target is not compressed.
    public static func service(at target: Name, port: UInt16) -> [UInt8] {
        var data: [UInt8] = []
        data.reserveCapacity(6 + target.wire.count)
        data.append(word: 0 as UInt32)
        data.append(word: port)
        data += target.wire
        return data
    }

    /// SOA (RFC 1035 §3.3.13) of a zone that nobody transfers: MNAME and RNAME are the root.
    /// - Parameter minimum: seconds that negative answers may be kept (RFC 2308 §4).
    public static func startOfAuthority(minimum: UInt32) -> [UInt8] {
        var data = Name.root.wire + Name.root.wire
        // Serial, refresh, retry, expire: they matter to secondary servers alone, and there are none.
        for number in [1, 3600, 600, 86_400, minimum] as [UInt32] { data.append(word: number) }
        return data
    }

    /// TXT and HINFO: strings of at most 255 octets (RFC 1035 §3.3); what is longer is cut.
    public static func strings(_ texts: String...) -> [UInt8] {
        texts.flatMap { text in
            let octets = text.utf8.prefix(Int(UInt8.max))
            return [UInt8(truncatingIfNeeded: octets.count)] + octets
        }
    }

    /// OPT without options (RFC 6891 §6.1.2): its class is the payload size, its TTL holds version and flags.
    public static func record(_ edns: EDNS) -> [UInt8] {
        record(.opt, of: .root, RecordClass(rawValue: edns.udpPayloadSize), ttl: edns.flags, [])
    }
}
