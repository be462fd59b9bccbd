// Faults of the octets of a message.

/// Why bytes are no DNS message that we can use. Offsets count octets from the start of the message.
public enum WireError: Error, Equatable, Sendable {
    /// The message ends in the middle of something: `offset` is where that began.
    case truncated(offset: Int)
    /// A label begins with the bits `01` or `10`, which have no meaning today (RFC 1035 §4.1.4, RFC 6891 §5).
    case unknownLabelType(offset: Int)
    /// With this label the name has more than 255 octets (RFC 1035 §2.3.4).
    case nameTooLong(offset: Int)
    /// A compression pointer does not point to an earlier part of the message, behind the header (RFC 1035 §4.1.4).
    case badPointer(offset: Int, target: Int)
    /// A name goes through more compression pointers than a name can have labels.
    case tooManyPointers(offset: Int)
    /// A message with another number of questions than one (RFC 9619).
    case questionCount(Int)
    /// An OPT record whose owner is not the root (RFC 6891 §6.1.2).
    case optionRecordNotAtRoot(offset: Int)
    /// An OPT record outside of the additional section (RFC 6891 §6.1.1).
    case misplacedOptionRecord(offset: Int)
    /// A second OPT record (RFC 6891 §6.1.1).
    case secondOptionRecord(offset: Int)
    /// An EDNS option is longer than its record (RFC 6891 §6.1.2).
    case badOption(offset: Int)
    /// The data of a record is not of the form that its type asks for.
    case badRecordData(RecordType, offset: Int)
}

extension WireError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let offset):
            "the message ends inside of what begins at offset \(offset)"
        case .unknownLabelType(let offset):
            "a label of unknown type at offset \(offset)"
        case .nameTooLong(let offset):
            "a name of more than 255 octets, with the label at offset \(offset)"
        case .badPointer(let offset, let target):
            "the compression pointer at offset \(offset) points to \(target), not to an earlier name"
        case .tooManyPointers(let offset):
            "too many compression pointers in one name, at offset \(offset)"
        case .questionCount(let count):
            "\(count) questions instead of one"
        case .optionRecordNotAtRoot(let offset):
            "an OPT record at offset \(offset) that is not owned by the root"
        case .misplacedOptionRecord(let offset):
            "an OPT record outside of the additional section, at offset \(offset)"
        case .secondOptionRecord(let offset):
            "a second OPT record at offset \(offset)"
        case .badOption(let offset):
            "an EDNS option at offset \(offset) that is longer than its record"
        case .badRecordData(let type, let offset):
            "malformed data of a record of type \(type) at offset \(offset)"
        }
    }
}
