// The data of records that are written field by field.

@testable import DNSWire

/// The owner of a record that is written.
enum RecordOwner: Hashable, Sendable {
    /// The name of the message's first question: a pointer to it.
    case question
    /// A name of its own.
    case name(Name)
}

/// The data of a record to be written: RDATA.
enum RecordData: Hashable, Sendable {
    /// RFC 1035 §3.4.1.
    case a(IPv4Address)
    /// RFC 3596 §2.2.
    case aaaa(IPv6Address)
    /// RFC 1035 §3.3.1.
    case cname(Name)
    /// RFC 1035 §3.3.11.
    case ns(Name)
    /// RFC 1035 §3.3.12.
    case ptr(Name)
    /// RFC 1035 §3.3.9; the lowest preference first.
    case mx(preference: UInt16, exchange: Name)
    /// RFC 2782; the target is never compressed.
    case srv(priority: UInt16, weight: UInt16, port: UInt16, target: Name)
    /// RFC 1035 §3.3.13; times in seconds. Negative answers live at most `minimum` (RFC 2308 §4).
    case soa(
        primary: Name, mailbox: Name, serial: UInt32, refresh: UInt32, retry: UInt32, expire: UInt32, minimum: UInt32)
    /// RFC 1035 §3.3.14: one or more strings, at most 255 octets each.
    case txt([[UInt8]])
    /// RFC 1035 §3.3.2: two strings, at most 255 octets each.
    case hinfo(cpu: [UInt8], os: [UInt8])
    /// Any type, its data as they are on the wire (RFC 3597 §3).
    case unknown(RecordType, [UInt8])

    /// The type of the record.
    var type: RecordType {
        switch self {
        case .a: .a
        case .aaaa: .aaaa
        case .cname: .cname
        case .ns: .ns
        case .ptr: .ptr
        case .mx: .mx
        case .srv: .srv
        case .soa: .soa
        case .txt: .txt
        case .hinfo: .hinfo
        case .unknown(let type, _): type
        }
    }

    /// Writes RDATA; false where it does not fit, with some of it perhaps written.
    func write(into writer: inout MessageWriter) -> Bool {
        switch self {
        case .a(let address):
            return writer.append(address.bits)
        case .aaaa(let address):
            return writer.append(address.octets.span)
        case .cname(let name), .ns(let name), .ptr(let name):
            return writer.append(name)
        case .mx(let preference, let exchange):
            return writer.append(preference) && writer.append(exchange)
        case .srv(let priority, let weight, let port, let target):
            return writer.append(priority) && writer.append(weight) && writer.append(port)
                && writer.append(target.wire.span)
        case .soa(let primary, let mailbox, let serial, let refresh, let retry, let expire, let minimum):
            guard writer.append(primary), writer.append(mailbox) else { return false }
            for number in [serial, refresh, retry, expire, minimum] {
                guard writer.append(number) else { return false }
            }
            return true
        case .txt(let strings):
            // TXT has at least one string.
            for string in strings.isEmpty ? [[]] : strings {
                guard Self.write(string, into: &writer) else { return false }
            }
            return true
        case .hinfo(let cpu, let os):
            return Self.write(cpu, into: &writer) && Self.write(os, into: &writer)
        case .unknown(_, let bytes):
            return writer.append(bytes.span)
        }
    }

    private static func write(_ string: [UInt8], into writer: inout MessageWriter) -> Bool {
        guard let length = UInt8(exactly: string.count) else { return false }
        return writer.append(length) && writer.append(string.span)
    }
}
