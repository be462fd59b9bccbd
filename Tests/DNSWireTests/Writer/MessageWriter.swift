// Messages of any records, written field by field: what the reader is tested against.

@testable import DNSWire

/// Writes one message: header, question, then the records of each section in order, then OPT.
///
/// The daemon has no use for it: its answers are compiled records (``RecordBuilder``), and copies of what upstreams sent.
///
/// A part that does not fit is not written at all, and the call gives false: a message always ends at a record's
/// border. The header's counts are filled in by ``finish()``. Nothing here allocates.
struct MessageWriter: ~Copyable, ~Escapable {
    private var buffer: MutableSpan<UInt8>
    /// The octets written so far.
    private(set) var count = 0
    /// The most octets that the message may have.
    let limit: Int
    private var reserved = 0
    /// Offset of the OPT record's options; 0 before there is one.
    private var optionsStart = 0
    private var header = Header(id: 0, flags: HeaderFlags())
    private var compressor = NameCompressor()

    /// - Parameters:
    ///   - buffer: where the message goes.
    ///   - limit: octets; no more than the buffer has and than a message can have (65,535) in any case.
    @_lifetime(copy buffer)
    init(_ buffer: consuming MutableSpan<UInt8>, limit: Int) {
        self.limit = max(0, min(limit, buffer.count, 65_535))
        self.buffer = buffer
    }

    /// The octets that are left for records; below 0 where more is kept free than there is.
    var available: Int { limit &- reserved &- count }

    /// Flags and response code; they may change until ``finish()``.
    var flags: HeaderFlags {
        get { header.flags }
        set { header.flags = newValue }
    }

    // MARK: - Header and question

    /// Begins the message. The counts of the given header do not matter: they come to be by writing.
    /// - Returns: false where the limit leaves no room for a header.
    @discardableResult
    mutating func writeHeader(_ header: Header) -> Bool {
        self.header = Header(id: header.id, flags: header.flags)
        compressor.count = 0
        count = 0
        optionsStart = 0
        guard available >= Header.length else { return false }
        count = Header.length
        return true
    }

    /// Adds a question that a ``Query`` or ``Reply`` has read, octet by octet: its name's case is kept (RFC 4343 §4).
    @discardableResult
    mutating func writeQuestion(from message: Span<UInt8>, _ question: Question) -> Bool {
        guard question.nameOffset >= 0, question.nameOffset <= question.endOffset, question.endOffset <= message.count
        else { return false }
        return writeQuestion(message.extracting(question.nameOffset..<question.endOffset))
    }

    /// Adds a question that is on the wire already: name, type and class.
    @discardableResult
    mutating func writeQuestion(_ bytes: Span<UInt8>) -> Bool {
        guard append(bytes) else { return false }
        header.questionCount &+= 1
        return true
    }

    /// Adds a question.
    @discardableResult
    mutating func writeQuestion(_ name: Name, _ type: RecordType, _ recordClass: RecordClass = .in) -> Bool {
        let start = count
        guard append(name.wire.span), append(type.rawValue), append(recordClass.rawValue) else {
            count = start
            return false
        }
        header.questionCount &+= 1
        return true
    }

    // MARK: - Records

    /// Adds records that are on the wire already, such as compiled ones: all of them, or none where they do not fit.
    ///
    /// Compression pointers in them must suit this message: `C0 0C` is the question's name.
    @discardableResult
    mutating func writeRecords(_ bytes: Span<UInt8>, count records: Int, section: Section) -> Bool {
        guard append(bytes) else { return false }
        add(records, to: section)
        return true
    }

    /// Adds one record; names in it are compressed where that is allowed (RFC 3597 §4).
    @discardableResult
    mutating func writeRecord(
        name: RecordOwner, recordClass: RecordClass = .in, ttl: UInt32, _ data: RecordData, section: Section
    ) -> Bool {
        let start = count
        let known = compressor.count
        guard append(owner: name), append(data.type.rawValue), append(recordClass.rawValue), append(ttl),
            append(0 as UInt16), append(data)
        else {
            count = start
            compressor.count = known
            return false
        }
        add(1, to: section)
        return true
    }

    private mutating func append(owner: RecordOwner) -> Bool {
        switch owner {
        case .question: append(UInt16(0xC000 | Header.length))
        case .name(let name): append(name)
        }
    }

    /// Adds RDATA and then sets the RDLENGTH before it.
    private mutating func append(_ data: RecordData) -> Bool {
        let start = count
        guard data.write(into: &self), let length = UInt16(exactly: count - start) else { return false }
        buffer.set(length, at: start - 2)
        return true
    }

    // MARK: - EDNS and the end

    /// Keeps room that records cannot take, for an OPT record to come. ``writeOPT(udpPayloadSize:responseCode:dnssecOK:extendedError:text:)`` frees it.
    mutating func reserve(_ octets: Int) {
        reserved += max(0, octets)
    }

    /// Sets TC: the message lacks what did not fit (RFC 2181 §9).
    mutating func setTruncated() {
        header.flags.tc = true
    }

    /// Adds the OPT record (RFC 6891 §6.1.2), at most one a message; sets the header's part of the response code.
    ///
    /// Its Extended DNS Error (RFC 8914 §2), or that one's text, is left out where it does not fit.
    /// - Returns: false where not even the bare record fits.
    @discardableResult
    mutating func writeOPT(
        udpPayloadSize: UInt16 = 1232, responseCode: ResponseCode, dnssecOK: Bool = false,
        extendedError: ExtendedError? = nil, text: String? = nil
    ) -> Bool {
        reserved = 0
        guard available >= EDNS.minimumLength else { return false }
        header.flags.responseCode = responseCode
        header.additionalCount &+= 1
        EDNS.write(
            responseCode, dnssecOK: dnssecOK, udpPayloadSize: udpPayloadSize, optionsLength: 0, into: &buffer, at: count
        )
        count += EDNS.minimumLength
        optionsStart = count
        guard let extendedError, available >= 6 else { return true }
        _ = append(OptionCode.extendedError.rawValue) && append(2 as UInt16) && append(extendedError.rawValue)
        if let text { _ = append(text.utf8.span) }
        buffer.set(UInt16(truncatingIfNeeded: count - optionsStart - 4), at: optionsStart + 2)
        buffer.set(UInt16(truncatingIfNeeded: count - optionsStart), at: optionsStart - 2)
        return true
    }

    /// Fills in the header. The message may still grow and be finished again.
    /// - Returns: the octets of the message; 0 where there was no room for a header.
    mutating func finish() -> Int {
        guard count >= Header.length else { return 0 }
        header.write(into: &buffer)
        return count
    }

    // MARK: - Octets

    /// Sets a 32-bit number within what has been written, such as a compiled record's TTL. Elsewhere it does nothing.
    mutating func overwrite(_ word: UInt32, at offset: Int) {
        guard offset >= 0, offset + 4 <= count else { return }
        buffer.set(word, at: offset)
    }

    private mutating func add(_ records: Int, to section: Section) {
        let records = UInt16(truncatingIfNeeded: records)
        switch section {
        case .answer: header.answerCount &+= records
        case .authority: header.authorityCount &+= records
        case .additional: header.additionalCount &+= records
        }
    }

    mutating func append(_ octet: UInt8) -> Bool {
        guard available >= 1 else { return false }
        buffer[count] = octet
        count += 1
        return true
    }

    mutating func append(_ word: UInt16) -> Bool {
        guard available >= 2 else { return false }
        buffer.set(word, at: count)
        count += 2
        return true
    }

    mutating func append(_ word: UInt32) -> Bool {
        guard available >= 4 else { return false }
        buffer.set(word, at: count)
        count += 4
        return true
    }

    @inline(__always)
    mutating func append(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count <= available else { return false }
        buffer.copy(bytes, to: count)
        count &+= bytes.count
        return true
    }

    /// Adds a name, as a pointer to where it or its end stands already.
    mutating func append(_ name: Name) -> Bool {
        // A copy, as the buffer's span borrows all of self. Only the answers of cold paths come here.
        var places = compressor
        if places.count == 0, header.questionCount > 0 {
            places.note(Header.length, in: buffer.span.extracting(first: count))
        }
        let start = count
        let (octets, pointer) = places.match(name, in: buffer.span.extracting(first: start))
        guard append(name.wire.span.extracting(first: octets)) else { return false }
        if let pointer, !append(0xC000 | pointer) {
            count = start
            return false
        }
        places.note(start, in: buffer.span.extracting(first: count))
        compressor = places
        return true
    }
}
