// Protocol Buffers, the writing half: varints and length-delimited fields, which is all that etcd's requests have.

/// Writes the fields of one message (protobuf.dev, "Encoding"). A field that has its default value is left out.
struct ProtobufWriter {
    /// The message so far.
    private(set) var octets: [UInt8] = []

    /// Appends a number; negative ones take ten octets.
    mutating func append(_ field: Int, _ value: Int64) {
        guard value != 0 else { return }
        appendTag(field, .varint)
        appendVarint(UInt64(bitPattern: value))
    }

    /// Appends true; false is the default.
    mutating func append(_ field: Int, _ value: Bool) { append(field, value ? 1 : 0) }

    /// Appends octets.
    mutating func append(_ field: Int, _ value: [UInt8]) {
        guard !value.isEmpty else { return }
        appendMessage(field, value)
    }

    /// Appends a message that is a field; it stands there even where it is empty.
    mutating func appendMessage(_ field: Int, _ message: [UInt8]) {
        appendTag(field, .octets)
        appendVarint(UInt64(message.count))
        octets += message
    }

    /// Appends a message that is a field, written by `write`.
    mutating func appendMessage(_ field: Int, _ write: (inout ProtobufWriter) -> Void) {
        var message = ProtobufWriter()
        write(&message)
        appendMessage(field, message.octets)
    }

    private mutating func appendTag(_ field: Int, _ type: ProtobufWireType) {
        appendVarint(UInt64(field) << 3 | UInt64(type.rawValue))
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            octets.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        octets.append(UInt8(rest))
    }
}

/// Encoding of a field's value; groups (3 and 4) are of proto2 alone.
enum ProtobufWireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case octets = 2
    case fixed32 = 5
}
