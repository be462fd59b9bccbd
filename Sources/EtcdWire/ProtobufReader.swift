// Protocol Buffers, the reading half: fields one after another, each within the message that it is in.

/// Octets that are no message of etcd's.
package enum EtcdWireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A message ends within a field.
    case cutOff
    /// A number has more than ten octets, or a field has no number or an unknown type.
    case malformed
    /// A gRPC frame is compressed, which nobody asked for.
    case compressed
    /// A gRPC frame is longer than the limit that was set.
    case tooLong(limit: Int)

    package var description: String {
        switch self {
        case .cutOff: "a message ends within a field"
        case .malformed: "a message is malformed"
        case .compressed: "a message is compressed, which was not asked for"
        case .tooLong(let limit): "a message is longer than \(limit) octets"
        }
    }
}

/// Reads the fields of one message; it copies nothing.
struct ProtobufReader {
    /// A field's value. Numbers of a fixed size, which no message that is read here has, are passed over.
    enum Value {
        case number(UInt64)
        case octets(ArraySlice<UInt8>)
    }

    private var rest: ArraySlice<UInt8>

    init(_ message: ArraySlice<UInt8>) { rest = message }

    /// The next field; nil at the end of the message.
    mutating func next() throws(EtcdWireError) -> (field: UInt64, value: Value)? {
        while !rest.isEmpty {
            let tag = try readVarint()
            let field = tag >> 3
            guard field > 0, let type = ProtobufWireType(rawValue: UInt8(tag & 7)) else { throw .malformed }
            switch type {
            case .varint: return (field, .number(try readVarint()))
            case .octets: return (field, .octets(try take(try readVarint())))
            case .fixed64: _ = try take(8)
            case .fixed32: _ = try take(4)
            }
        }
        return nil
    }

    private mutating func take(_ count: UInt64) throws(EtcdWireError) -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw .cutOff }
        let octets = rest.prefix(Int(count))
        rest = rest.dropFirst(Int(count))
        return octets
    }

    private mutating func readVarint() throws(EtcdWireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let octet = rest.popFirst() {
            // The tenth octet has the one bit that is left of 64.
            guard shift < 63 || octet <= 1 else { throw .malformed }
            value |= UInt64(octet & 0x7F) << shift
            if octet & 0x80 == 0 { return value }
            shift += 7
        }
        throw .cutOff
    }
}

extension ProtobufReader.Value {
    /// The value as an `int64`; of octets, 0.
    var int: Int64 {
        if case .number(let number) = self { Int64(bitPattern: number) } else { 0 }
    }

    /// The value as a `bool`.
    var bool: Bool { int != 0 }

    /// The value as octets; of a number, none.
    var bytes: ArraySlice<UInt8> {
        if case .octets(let octets) = self { octets } else { [] }
    }
}
