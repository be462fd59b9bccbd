// EDNS(0): what the OPT record says about its message and its sender.

/// The OPT record of a message, in place (RFC 6891 §6.1.2, §6.1.3).
public struct EDNS: Hashable, Sendable {
    /// The octets of an OPT record without options: the root, then the ten that every record has before its data.
    @inlinable public static var minimumLength: Int { 11 }
    /// The octets of an option before its data: OPTION-CODE and OPTION-LENGTH.
    @inlinable public static var optionHeaderLength: Int { 4 }
    /// DO, the first of the sixteen flags (RFC 3225 §3).
    @inlinable static var dnssecOKFlag: UInt16 { 0x8000 }

    /// The largest UDP payload that the sender takes, as it says: values below 512 mean 512 (RFC 6891 §6.2.3).
    public let udpPayloadSize: UInt16
    /// The field that is the TTL of other records: it holds the three below.
    @usableFromInline let flags: UInt32
    /// The offset of the record's owner, the root.
    public let recordOffset: Int
    /// The octets of all options.
    public let optionsLength: Int

    /// EXTENDED-RCODE: the upper eight bits of the response code.
    public var extendedResponseCodeBits: UInt8 { UInt8(truncatingIfNeeded: flags >> 24) }
    /// The version of EDNS; we speak 0.
    @inlinable
    public var version: UInt8 { UInt8(truncatingIfNeeded: flags >> 16) }
    /// DO: the sender wants DNSSEC records (RFC 3225 §3).
    @inlinable
    public var dnssecOK: Bool { flags & UInt32(Self.dnssecOKFlag) != 0 }
    /// The offset of the first option.
    public var optionsOffset: Int { recordOffset + Self.minimumLength }
    /// The offset behind the record.
    public var recordEnd: Int { optionsOffset + optionsLength }

    /// The fields of an OPT record; by default one without options, which stands nowhere yet.
    public init(
        udpPayloadSize: UInt16, extendedResponseCodeBits: UInt8 = 0, version: UInt8 = 0, dnssecOK: Bool = false,
        recordOffset: Int = 0, optionsLength: Int = 0
    ) {
        self.init(
            udpPayloadSize: udpPayloadSize,
            flags: UInt32(extendedResponseCodeBits) << 24 | UInt32(version) << 16
                | (dnssecOK ? UInt32(Self.dnssecOKFlag) : 0),
            recordOffset: recordOffset, optionsLength: optionsLength)
    }

    /// The same with another size of datagrams.
    func limited(to octets: Int) -> EDNS {
        EDNS(
            udpPayloadSize: UInt16(clamping: octets), flags: flags, recordOffset: recordOffset,
            optionsLength: optionsLength)
    }

    private init(udpPayloadSize: UInt16, flags: UInt32, recordOffset: Int, optionsLength: Int) {
        self.udpPayloadSize = udpPayloadSize
        self.flags = flags
        self.recordOffset = recordOffset
        self.optionsLength = optionsLength
    }

    /// Reads an OPT record and walks over its options.
    init(_ message: Span<UInt8>, _ record: ResourceRecord) throws(WireError) {
        guard record.section == .additional else { throw .misplacedOptionRecord(offset: record.nameOffset) }
        guard message[record.nameOffset] == 0 else { throw .optionRecordNotAtRoot(offset: record.nameOffset) }
        self.init(
            udpPayloadSize: record.recordClass.rawValue, flags: record.ttl,
            recordOffset: record.nameOffset, optionsLength: record.rdataLength)
        var options = self.options
        while try options.next(message) != nil {}
    }

    /// Reads what nearly every query ends with: an OPT record without options; nil for any other record.
    @inline(__always)
    init?(withoutOptions message: Span<UInt8>, at offset: Int) {
        guard message.count &- offset >= Self.minimumLength else { return nil }
        let record = message.extracting(offset..<offset &+ Self.minimumLength)
        // The owner, the root, and the type; then RDLENGTH.
        guard record.word32(0) >> 8 == UInt32(RecordType.opt.rawValue), record.word16(9) == 0 else { return nil }
        self.init(
            udpPayloadSize: record.word16(3), flags: record.word32(5), recordOffset: offset, optionsLength: 0)
    }

    /// Writes an OPT record into a buffer that has room for it. The caller writes its options behind it.
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
        var record = buffer._mutatingExtracting(offset..<offset &+ minimumLength)
        // The owner, the root, and the type; the payload size where a class would be, the TTL's four octets, RDLENGTH.
        record[0] = 0
        record.set(RecordType.opt.rawValue, at: 1)
        record.set(udpPayloadSize, at: 3)
        record.set((responseCode.rawValue >> 4) << 8, at: 5)
        record.set(dnssecOK ? dnssecOKFlag : 0, at: 7)
        record.set(UInt16(truncatingIfNeeded: optionsLength), at: 9)
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
            guard end <= message.count, position + EDNS.optionHeaderLength <= end else {
                throw .badOption(offset: position)
            }
            let code = OptionCode(rawValue: message.word16(position))
            let length = Int(message.word16(position + 2))
            let data = position + EDNS.optionHeaderLength
            guard data + length <= end else { throw .badOption(offset: position) }
            position = data + length
            return Option(code: code, offset: data, length: length)
        }
    }
}
