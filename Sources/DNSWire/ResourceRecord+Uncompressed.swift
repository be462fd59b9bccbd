// A record by itself, as it is written into another message or passed on without one.

extension ResourceRecord {
    /// The record on the wire without pointers into its message (RFC 1035 §4.1.4): its owner, and the names in its data, are
    /// written out.
    package func uncompressed(in message: Span<UInt8>) throws(WireError) -> [UInt8] {
        try checkData(message)
        var octets = try Name(message, at: nameOffset).wire
        for index in ttlOffset - 4..<ttlOffset + 4 { octets.append(message[index]) }
        let data = try dataWithWholeNames(in: message)
        guard data.count <= Int(UInt16.max) else { throw .badRecordData(type, offset: rdataOffset) }
        octets += [UInt8(truncatingIfNeeded: data.count >> 8), UInt8(truncatingIfNeeded: data.count)]
        return octets + data
    }

    /// The data with the names in them written out. Data of types whose names are never compressed stay as they are
    /// (RFC 3597 §4).
    package func dataWithWholeNames(in message: Span<UInt8>) throws(WireError) -> [UInt8] {
        let names = NamesInData(of: type)
        guard names.before <= rdataLength else { throw .truncated(offset: rdataOffset) }
        var offset = rdataOffset + names.before
        var octets = (rdataOffset..<offset).map { message[$0] }
        for _ in 0..<names.count {
            octets += try Name(message, at: offset).wire
            offset = try LabelReader.skip(message, at: offset)
        }
        guard offset <= endOffset else { throw .truncated(offset: offset) }
        for index in offset..<endOffset { octets.append(message[index]) }
        return octets
    }
}

/// The place of domain names in the data of a type: those that may be compressed (RFC 3597 §4).
private struct NamesInData {
    /// Octets before the first name.
    var before = 0
    /// Number of names, one behind another.
    var count = 0

    init(of type: RecordType) {
        switch type.rawValue {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, DNAME.
        case 2, 3, 4, 5, 7, 8, 9, 12, 39: count = 1
        // SOA, MINFO, RP.
        case 6, 14, 17: count = 2
        // MX, AFSDB, RT, KX.
        case 15, 18, 21, 36: (before, count) = (2, 1)
        // PX.
        case 26: (before, count) = (2, 2)
        // SRV.
        case 33: (before, count) = (6, 1)
        default: break
        }
    }
}
