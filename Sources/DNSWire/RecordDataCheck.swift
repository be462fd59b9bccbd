// Checks that a record's data have the form that its type asks for.

extension ResourceRecord {
    /// Checks the data of the types that we know (RFC 1035 §3.3, RFC 3596 §2.2, RFC 2782); others hold what they hold.
    ///
    /// Names in them must end where the data end; where pointers lead is not read.
    func checkData(_ message: Span<UInt8>) throws(WireError) {
        // An update or a class of its own may have any data or none (RFC 2136 §2.4).
        guard recordClass == .in else { return }
        let end: Int
        switch type {
        case .a: end = rdataOffset + 4
        case .aaaa: end = rdataOffset + 16
        case .ns, .cname, .ptr, .dname: end = try nameEnd(message, at: rdataOffset)
        case .mx: end = try nameEnd(message, at: rdataOffset + 2)
        case .srv: end = try nameEnd(message, at: rdataOffset + 6)
        case .soa: end = try nameEnd(message, at: nameEnd(message, at: rdataOffset)) + 20
        case .txt: end = stringsEnd(message)
        case .hinfo: end = try stringEnd(message, at: stringEnd(message, at: rdataOffset))
        default: return
        }
        guard end == endOffset else { throw .badRecordData(type, offset: rdataOffset) }
    }

    /// The end of a name within the data.
    private func nameEnd(_ message: Span<UInt8>, at offset: Int) throws(WireError) -> Int {
        guard offset < endOffset else { throw .badRecordData(type, offset: rdataOffset) }
        return try LabelReader.skip(message, at: offset)
    }

    /// The end of a string within the data.
    private func stringEnd(_ message: Span<UInt8>, at offset: Int) throws(WireError) -> Int {
        guard offset < endOffset else { throw .badRecordData(type, offset: rdataOffset) }
        return offset + 1 + Int(message[offset])
    }

    /// The end of the last string of TXT. A record without any is taken as one empty string (RFC 6763 §6.1).
    private func stringsEnd(_ message: Span<UInt8>) -> Int {
        var position = rdataOffset
        while position < endOffset { position += Int(message[position]) + 1 }
        return position
    }
}
