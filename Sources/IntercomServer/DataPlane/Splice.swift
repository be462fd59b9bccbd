// An answer of two parts: CNAME records, and what somebody else says of the name that they lead to.

import DNSWire

/// The first part, of our own records or of an upstream's answer, and the place where the second joins it. It is made for one client, and never cached.
struct Splice: Sendable {
    /// The client's question as it came.
    private let question: [UInt8]
    /// The type that is asked for.
    let type: RecordType
    /// The client's id, RD, CD and AD, and its EDNS.
    private let id: UInt16
    private var flags: HeaderFlags
    private let edns: EDNS?
    /// Octets that the client takes.
    private let limit: Int
    /// The CNAME records: each owner is a pointer to the target before it, and each target is whole.
    private var aliases: [UInt8] = []
    /// Number of CNAME records.
    private(set) var count: UInt16 = 0
    /// The name that the last record leads to, on the wire.
    private(set) var target: [UInt8]
    /// Its offset in the answer.
    private var targetOffset = Header.length

    /// Begins with no record: the last target is the question's name.
    /// - Parameters:
    ///   - query: the client's query.
    ///   - message: its octets.
    ///   - limit: octets that the client takes.
    init(_ query: Query, _ message: Span<UInt8>, limit: Int) {
        question = [UInt8](copying: message, Header.length..<query.question.endOffset)
        target = Array(question.dropLast(Question.fixedLength))
        type = query.question.type
        id = query.header.id
        var flags = HeaderFlags()
        flags.rd = query.header.flags.rd
        flags.cd = query.header.flags.cd
        flags.ad = query.header.flags.ad
        self.flags = flags
        edns = query.edns
        self.limit = limit
    }

    /// Begins with no record, for an answer under way instead of the query: it repeats the question, RD, CD and EDNS.
    init?(answering message: Span<UInt8>, limit: Int) {
        var name = FoldedName()
        guard let query = try? Query(message, name: &name) else { return nil }
        self.init(query, message, limit: limit)
        flags.ad = false
    }

    /// The same without the records: nothing of a chain that has no end is given.
    var withoutRecords: Splice {
        var splice = self
        splice.aliases = []
        splice.count = 0
        return splice
    }

    /// Adds a compiled CNAME record whose owner is the last target.
    mutating func add(_ record: Span<UInt8>) {
        let start = Header.length + question.count + aliases.count
        aliases.append(word: CompressionPointer.word(to: targetOffset))
        aliases += [UInt8](copying: record, 2..<record.count)
        target = [UInt8](copying: record, RecordBuilder.fixedLength..<record.count)
        targetOffset = start + RecordBuilder.fixedLength
        count &+= 1
    }

    /// Adds a CNAME record of a message.
    /// - Returns: false where its owner is not the last target.
    mutating func add(_ record: ResourceRecord, of message: Span<UInt8>) throws(WireError) -> Bool {
        let owner = try Name(message, at: record.nameOffset)
        guard let last = try? Name(wire: target.span), owner == last else { return false }
        let data = try Name(message, at: record.rdataOffset).wire
        add(RecordBuilder.record(.cname, ttl: record.ttl, data).span)
        return true
    }

    /// The query for the name that the records lead to.
    var query: [UInt8] {
        var question = target
        question.append(word: type.rawValue)
        question.append(word: RecordClass.in.rawValue)
        return QueryMessage(id: id, flags: flags, question: question, edns: edns).octets
    }

    /// Reads the name that the client asks for.
    func readName(into name: inout FoldedName) throws(WireError) { _ = try name.read(question.span, at: 0) }

    /// The author of the answer in the words of `intercomctl resolve`.
    /// - Parameter source: the author of the second part.
    func describe(_ source: String) -> String {
        let name = (try? Name(wire: target.span)).map { "\($0)" } ?? "?"
        return "CNAME to \(name) → \(source)"
    }

    // MARK: - Joining

    /// Puts both parts together. Names of the second are written whole, as its pointers mean nothing here; records that do not
    /// fit set TC.
    func join(_ reply: [UInt8]) -> [UInt8] {
        do throws(WireError) {
            return try joined(reply.span)
        } catch {
            // The forwarder has checked it; an answer that breaks all the same fails.
            var failed = HeaderFlags(answering: flags, aa: false, .serverFailure)
            failed.ad = false
            return Self.octets(of: Header(id: id, flags: failed, questionCount: 1)) + question
        }
    }

    private func joined(_ reply: Span<UInt8>) throws(WireError) -> [UInt8] {
        let message = try Message(reply)
        let opt = try optRecord(of: message)
        let room = limit - opt.count
        var octets = [UInt8](repeating: 0, count: Header.length) + question
        var counts: [Section: UInt16] = [:]
        var isTruncated = octets.count + aliases.count > room
        if !isTruncated {
            octets += aliases
            counts[.answer] = count
        }
        let isFailure = message.header.flags.responseCode == .serverFailure
        var reader = message.records
        while let record = try reader.next() {
            guard record.type != .opt else { continue }
            let written = try written(record, reply)
            guard !isTruncated, octets.count + written.count <= room else {
                // The additional section is no part of the answer (RFC 2181 §9).
                isTruncated = isTruncated || record.section != .additional
                continue
            }
            octets += written
            counts[record.section, default: 0] &+= 1
        }
        var flags = message.header.flags
        // The second part is not ours, and the first is not signed.
        flags.aa = false
        flags.ad = false
        flags.tc = flags.tc || isTruncated && !isFailure
        let header = Header(
            id: id, flags: flags, questionCount: 1, answerCount: counts[.answer] ?? 0,
            authorityCount: counts[.authority] ?? 0,
            additionalCount: (counts[.additional] ?? 0) &+ (opt.isEmpty ? 0 : 1))
        octets.replaceSubrange(0..<Header.length, with: Self.octets(of: header))
        return octets + opt
    }

    private func optRecord(of message: borrowing Message) throws(WireError) -> [UInt8] {
        var reader = message.records
        while let record = try reader.next() {
            if record.type == .opt { return [UInt8](copying: message.bytes, record.nameOffset..<record.endOffset) }
        }
        return []
    }

    /// A record with whole names, but for an owner that is the target.
    private func written(_ record: ResourceRecord, _ reply: Span<UInt8>) throws(WireError) -> [UInt8] {
        let owner = try Name(reply, at: record.nameOffset)
        var octets: [UInt8] = []
        if owner.wire.span.isEqual(to: target.span) {
            octets.append(word: CompressionPointer.word(to: targetOffset))
        } else {
            octets += owner.wire
        }
        let data = try record.dataWithWholeNames(in: reply)
        // TYPE, CLASS and TTL.
        octets += [UInt8](copying: reply, record.ttlOffset - 4..<record.ttlOffset + 4)
        octets.append(word: UInt16(truncatingIfNeeded: data.count))
        return octets + data
    }

    private static func octets(of header: Header) -> [UInt8] {
        var octets: [UInt8] = []
        octets.append(header)
        return octets
    }
}

extension [UInt8] {
    /// The octets of a range, as far as they are there.
    init(copying span: Span<UInt8>, _ range: Range<Int>) {
        self = []
        append(span.extracting(range.clamped(to: 0..<span.count)))
    }
}
