// Writing an answer for one client.

import DNSWire

/// An answer, lent by who keeps it: all that is needed to write it for a client, without allocation.
struct AnswerForm: ~Escapable {
    /// The age of an answer, from which its TTLs follow.
    enum Time {
        /// The answer is this many seconds old.
        case age(UInt32)
        /// Its life is over, and it serves because nobody else does (RFC 8767).
        case stale
    }

    /// Header, question and records; the question in any case.
    let message: Span<UInt8>
    /// The offset behind the question.
    let questionEnd: Int
    let responseCode: ResponseCode
    /// Extended DNS Errors, as options of an OPT record.
    let options: Span<UInt8>
    /// Offsets of the TTLs in `message`, two octets each.
    let ttlOffsets: Span<UInt8>
    var time: Time
    /// The addresses that take turns in coming first, and whose turn it is.
    let run: AddressRun
    let turn: UInt64
    /// An authority has just said so.
    var isAuthoritative = false
    /// NXDOMAIN becomes NODATA, see ``Answer/overruleDenial()``.
    var isOverruled = false

    /// Seconds that a client may keep an answer whose life is over (RFC 8767 §4).
    private static let staleTTL: UInt32 = 30

    @_lifetime(copy message, copy options, copy ttlOffsets)
    init(
        message: Span<UInt8>, questionEnd: Int, responseCode: ResponseCode, options: Span<UInt8>,
        ttlOffsets: Span<UInt8>, time: Time = .age(0), run: AddressRun = .none, turn: UInt64 = 0
    ) {
        self.message = message
        self.questionEnd = questionEnd
        self.responseCode = responseCode
        self.options = options
        self.ttlOffsets = ttlOffsets
        self.time = time
        self.run = run
        self.turn = turn
    }

    /// Writes the answer of at most `limit` octets; gives its length.
    ///
    /// Id, RD, CD and the question's spelling are the client's, RA is set, AD is passed only to who asked for it (RFC 6840
    /// §5.8), and there is an OPT record where the client sent one. What does not fit is left out at a record's border, with
    /// TC where it belonged to the answer; texts for people give way before that.
    ///
    /// All that is done is copying.
    /// - Parameters:
    ///   - question: name, type and class as the client sent them: as long as the question of this answer.
    ///   - limit: 512...65535, and at most the octets of `buffer`.
    @inline(__always)
    func write(
        to client: ClientQuery, question: Span<UInt8>, into buffer: consuming MutableSpan<UInt8>, limit: Int
    ) -> Int {
        var room = limit
        var hasTexts = true
        if client.edns != nil {
            room -= EDNS.minimumLength + (extendedError == nil ? 0 : ExtendedError.optionLength)
            hasTexts = message.count + options.count <= room
            room -= hasTexts ? options.count : ErrorDetail.count(in: options) * ExtendedError.optionLength
        }
        let cut = message.count <= room ? Cut(all: message) : Self.cut(message, questionEnd, to: room)

        let header = Header(
            id: client.id, flags: flags(to: client, isTruncated: cut.isTruncated), questionCount: 1,
            answerCount: cut.answers, authorityCount: cut.authorities,
            additionalCount: cut.additionals + (client.edns == nil ? 0 : 1))
        header.write(into: &buffer)
        buffer.copy(question, to: Header.length)
        if run.count < 2 {
            buffer.copy(message.extracting(questionEnd..<cut.end), to: questionEnd)
        } else {
            copyRotated(into: &buffer, before: cut.end)
        }
        writeTTLs(into: &buffer, before: cut.end)
        guard let edns = client.edns else { return cut.end }
        return writeOPT(edns, hasTexts: hasTexts, into: &buffer, at: cut.end)
    }

    /// The extended error beside those of the upstream (RFC 8914 §4.4, §4.20).
    private var extendedError: ExtendedError? {
        guard case .stale = time else { return nil }
        return responseCode == .nameError ? .staleNameError : .stale
    }

    @inline(__always)
    private func flags(to client: ClientQuery, isTruncated: Bool) -> HeaderFlags {
        let said = HeaderFlags(rawValue: message.word16(Header.flagsOffset))
        // A code of more than four bits cannot be said without an OPT record.
        let isSayable = client.edns != nil || responseCode.rawValue <= 0xF
        let code = isOverruled ? .noError : isSayable ? responseCode : .serverFailure
        var flags = HeaderFlags(answering: client.flags, aa: isAuthoritative && said.aa, code)
        flags.tc = isTruncated || said.tc
        flags.ad = said.ad && client.wantsAuthenticData && !isOverruled
        return flags
    }

    /// Copies the records before an offset; as many addresses as there is room for, from the one on whose turn it is.
    @inline(__always)
    private func copyRotated(into buffer: inout MutableSpan<UInt8>, before end: Int) {
        let start = min(Int(run.start), end)
        let runEnd = min(run.end, end)
        let first = Int(run.start) &+ run.shift(turn)
        let untilEnd = min(run.end &- first, runEnd &- start)
        buffer.copy(message.extracting(questionEnd..<start), to: questionEnd)
        buffer.copy(message.extracting(first..<first &+ untilEnd), to: start)
        buffer.copy(message.extracting(start..<runEnd &- untilEnd), to: start &+ untilEnd)
        buffer.copy(message.extracting(runEnd..<end), to: runEnd)
    }

    /// Sets the TTLs of the records that are there: those before an offset.
    @inline(__always)
    private func writeTTLs(into buffer: inout MutableSpan<UInt8>, before end: Int) {
        if case .age(0) = time { return }
        var place = 0
        while place < ttlOffsets.count {
            let offset = Int(ttlOffsets.word16(place))
            guard offset < end else { return }
            switch time {
            case .age(let seconds):
                let ttl = message.word32(offset)
                buffer.set(ttl > seconds ? ttl - seconds : 0, at: offset)
            case .stale:
                buffer.set(Self.staleTTL, at: offset)
            }
            place += 2
        }
    }

    /// Writes the OPT record at an offset; gives the offset behind it.
    @inline(__always)
    private func writeOPT(
        _ edns: ClientQuery.EDNS, hasTexts: Bool, into buffer: inout MutableSpan<UInt8>, at start: Int
    ) -> Int {
        let optionsStart = start &+ EDNS.minimumLength
        var end = optionsStart
        if let extendedError {
            extendedError.write(into: &buffer, at: end)
            end += ExtendedError.optionLength
        }
        if options.isEmpty {
            // As nearly always.
        } else if hasTexts {
            buffer.copy(options, to: end)
            end += options.count
        } else {
            end = ErrorDetail.writeBare(options, into: &buffer, at: end)
        }
        EDNS.write(
            responseCode, dnssecOK: edns.dnssecOK, optionsLength: end - optionsStart, into: &buffer, at: start)
        return end
    }
}

extension AnswerForm {
    /// The part of an answer that fits.
    struct Cut {
        var end: Int
        var answers: UInt16 = 0
        var authorities: UInt16 = 0
        var additionals: UInt16 = 0
        /// True when something that belongs to the answer was left out (RFC 2181 §9): the additional section does not.
        var isTruncated = false

        init(upTo end: Int) {
            self.end = end
        }

        @inline(__always)
        init(all message: Span<UInt8>) {
            end = message.count
            answers = message.word16(Header.answerCountOffset)
            authorities = message.word16(Header.authorityCountOffset)
            additionals = message.word16(Header.additionalCountOffset)
        }
    }

    /// The records of the answer and authority sections that end within `room` octets, in their order and each whole.
    @inline(never)
    private static func cut(_ message: Span<UInt8>, _ questionEnd: Int, to room: Int) -> Cut {
        var cut = Cut(upTo: questionEnd)
        guard let reader = try? Message(message) else { return cut }
        var records = reader.records
        while let record = try? records.next(), record.section != .additional {
            guard record.endOffset <= room else {
                cut.isTruncated = true
                break
            }
            cut.end = record.endOffset
            switch record.section {
            case .answer: cut.answers += 1
            case .authority: cut.authorities += 1
            case .additional: break
            }
        }
        return cut
    }
}
