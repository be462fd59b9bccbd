// Record data in presentation form.

extension MessageText {
    /// The data of a record as in a zone file (RFC 1035 §5.1); of types that are not known here, and of data that do not
    /// have their type's form, as `\# 4 0A000001` (RFC 3597 §5).
    public static func data(of record: ResourceRecord, in message: Span<UInt8>) throws(WireError) -> String {
        do throws(WireError) {
            try record.checkData(message)
        } catch {
            return generic(record, message)
        }
        guard record.recordClass == .in || record.type == .txt else { return generic(record, message) }
        let start = record.rdataOffset
        switch record.type {
        case .a:
            return IPv4Address(bits: message.word32(start)).description
        case .aaaa:
            let bits = octets(message, start..<start + 16).reduce(0) { $0 << 8 | UInt128($1) }
            return IPv6Address(bits: bits).description
        case .ns, .cname, .ptr, .dname:
            return try name(message, at: start)
        case .mx:
            return "\(message.word16(start)) \(try name(message, at: start + 2))"
        case .srv:
            let numbers = "\(message.word16(start)) \(message.word16(start + 2)) \(message.word16(start + 4))"
            return "\(numbers) \(try name(message, at: start + 6))"
        case .soa:
            let mailbox = try LabelReader.skip(message, at: start)
            let numbers = try LabelReader.skip(message, at: mailbox)
            let times = (0..<5).map { String(message.word32(numbers + 4 * $0)) }.joined(separator: " ")
            return "\(try name(message, at: start)) \(try name(message, at: mailbox)) \(times)"
        case .txt, .hinfo:
            return strings(record, message) ?? generic(record, message)
        case .caa:
            return authorization(octets(message, start..<record.endOffset)) ?? generic(record, message)
        case .svcb, .https:
            return serviceBinding(record, message) ?? generic(record, message)
        default:
            return generic(record, message)
        }
    }

    private static func name(_ message: Span<UInt8>, at offset: Int) throws(WireError) -> String {
        absolute(try Name(message, at: offset))
    }

    /// `"one" "two"`; nil where a string is longer than the data.
    private static func strings(_ record: ResourceRecord, _ message: Span<UInt8>) -> String? {
        var parts: [String] = []
        var position = record.rdataOffset
        while position < record.endOffset {
            let end = position + 1 + Int(message[position])
            guard end <= record.endOffset else { return nil }
            parts.append(NameText.quoted(octets(message, position + 1..<end)))
            position = end
        }
        return parts.joined(separator: " ")
    }

    /// `0 issue "ca.example"` (RFC 8659 §4.1.1); nil where the octets are something else.
    private static func authorization(_ data: [UInt8]) -> String? {
        guard data.count > 2, data[1] > 0, data.count >= 2 + Int(data[1]) else { return nil }
        let tag = data[2..<2 + Int(data[1])]
        guard tag.allSatisfy(\.isLetterOrDigit) else { return nil }
        return "\(data[0]) \(String(decoding: tag, as: UTF8.self)) \(NameText.quoted(data[(2 + tag.count)...]))"
    }

    /// `1 . alpn="h2"` (RFC 9460 §2.1); nil where the octets are something else.
    private static func serviceBinding(_ record: ResourceRecord, _ message: Span<UInt8>) -> String? {
        let start = record.rdataOffset
        guard record.rdataLength > 2, let end = try? LabelReader.skip(message, at: start + 2), end <= record.endOffset,
            let target = try? name(message, at: start + 2)
        else { return nil }
        let parameters = octets(message, end..<record.endOffset)
        guard let text = ServiceParameters.text(of: parameters[...]) else { return nil }
        return (["\(message.word16(start)) \(target)"] + text).joined(separator: " ")
    }

    private static func generic(_ record: ResourceRecord, _ message: Span<UInt8>) -> String {
        let data = hex(message, record.rdataOffset..<record.endOffset)
        return "\\# \(record.rdataLength)" + (data.isEmpty ? "" : " \(data)")
    }
}
