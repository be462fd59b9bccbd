// EDNS(0): what the OPT record says about its message and its sender.

/// The OPT record of a message, in place (RFC 6891 §6.1.2, §6.1.3).
public struct EDNS: Hashable, Sendable {
    /// The octets of an OPT record without options.
    public static let minimumLength = 11

    /// The largest UDP payload that the sender takes, as it says: values below 512 mean 512 (RFC 6891 §6.2.3).
    public let udpPayloadSize: UInt16
    /// EXTENDED-RCODE: the upper eight bits of the response code.
    public let extendedResponseCodeBits: UInt8
    /// The version of EDNS; we speak 0.
    public let version: UInt8
    /// DO: the sender wants DNSSEC records (RFC 3225 §3).
    public let dnssecOK: Bool
    /// The offset of the record's owner, the root.
    public let recordOffset: Int
    /// The offset of the first option.
    public let optionsOffset: Int
    /// The octets of all options.
    public let optionsLength: Int

    /// The offset behind the record.
    public var recordEnd: Int { optionsOffset + optionsLength }

    /// What an OPT record says; by default one without options, which stands nowhere yet.
    public init(
        udpPayloadSize: UInt16, extendedResponseCodeBits: UInt8 = 0, version: UInt8 = 0, dnssecOK: Bool = false,
        recordOffset: Int = 0, optionsOffset: Int = EDNS.minimumLength, optionsLength: Int = 0
    ) {
        self.udpPayloadSize = udpPayloadSize
        self.extendedResponseCodeBits = extendedResponseCodeBits
        self.version = version
        self.dnssecOK = dnssecOK
        self.recordOffset = recordOffset
        self.optionsOffset = optionsOffset
        self.optionsLength = optionsLength
    }

    /// Reads an OPT record and walks over its options.
    init(_ message: Span<UInt8>, _ record: ResourceRecord) throws(WireError) {
        guard record.section == .additional else { throw .misplacedOptionRecord(offset: record.nameOffset) }
        guard message[record.nameOffset] == 0 else { throw .optionRecordNotAtRoot(offset: record.nameOffset) }
        self.init(
            udpPayloadSize: record.recordClass.rawValue,
            extendedResponseCodeBits: UInt8(truncatingIfNeeded: record.ttl >> 24),
            version: UInt8(truncatingIfNeeded: record.ttl >> 16),
            dnssecOK: record.ttl & 0x8000 != 0,
            recordOffset: record.nameOffset, optionsOffset: record.rdataOffset, optionsLength: record.rdataLength)
        var options = self.options
        while try options.next(message) != nil {}
    }

    /// Reads what nearly every query ends with: an OPT record without options; nil for any other record.
    @inline(__always)
    init?(withoutOptions message: Span<UInt8>, at offset: Int) {
        guard offset >= 0, message.count &- offset >= Self.minimumLength else { return nil }
        let record = message.extracting(offset..<offset &+ Self.minimumLength)
        guard record[0] == 0, record.word16(1) == RecordType.opt.rawValue, record.word16(9) == 0 else { return nil }
        let fields = record.word32(5)
        self.init(
            udpPayloadSize: record.word16(3), extendedResponseCodeBits: UInt8(truncatingIfNeeded: fields >> 24),
            version: UInt8(truncatingIfNeeded: fields >> 16), dnssecOK: fields & 0x8000 != 0,
            recordOffset: offset, optionsOffset: offset &+ Self.minimumLength, optionsLength: 0)
    }

    /// Writes an OPT record into a buffer that has room for it. Its options are written behind it by who calls.
    /// - Parameters:
    ///   - responseCode: of which the record holds the upper eight bits.
    ///   - dnssecOK: DO as the query has it.
    ///   - udpPayloadSize: what we take.
    ///   - optionsLength: the octets of all options.
    ///   - offset: where it begins in the buffer.
    ///   - buffer: the message.
    @inlinable
    public static func write(
        _ responseCode: ResponseCode, dnssecOK: Bool, udpPayloadSize: UInt16 = UInt16(Transport.maximumDatagram),
        optionsLength: Int, into buffer: inout MutableSpan<UInt8>, at offset: Int
    ) {
        // Owner, the root, and type; then the payload size where a class would be, and the TTL's four octets.
        let flags: UInt64 = dnssecOK ? 0x8000 : 0
        buffer[offset] = 0
        buffer.set(RecordType.opt.rawValue, at: offset + 1)
        buffer.set(
            UInt64(udpPayloadSize) << 48 | UInt64(responseCode.rawValue >> 4) << 40 | flags << 16
                | UInt64(UInt16(truncatingIfNeeded: optionsLength)), at: offset + 3)
    }

    /// The options, to be read one after another.
    public var options: OptionReader { OptionReader(position: optionsOffset, end: recordEnd) }
}

extension EDNS {
    /// An option, in place (RFC 6891 §6.1.2).
    public struct Option: Hashable, Sendable {
        /// OPTION-CODE.
        public let code: OptionCode
        /// The offset of the option's data.
        public let offset: Int
        /// The octets of the option's data.
        public let length: Int
    }

    /// Goes through the options of an OPT record.
    public struct OptionReader: Sendable {
        var position: Int
        let end: Int

        /// The next option; nil behind the last. Throws ``WireError/badOption(offset:)`` where one is longer than the record.
        public mutating func next(_ message: Span<UInt8>) throws(WireError) -> Option? {
            guard position < end else { return nil }
            guard end <= message.count, position + 4 <= end else { throw .badOption(offset: position) }
            let code = OptionCode(rawValue: message.word16(position))
            let length = Int(message.word16(position + 2))
            guard position + 4 + length <= end else { throw .badOption(offset: position) }
            defer { position += 4 + length }
            return Option(code: code, offset: position + 4, length: length)
        }
    }
}
