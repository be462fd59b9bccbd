// The content of an answer of ours, once the rules have decided.

import DNSWire
import Registry

/// The content of an answer, before it is written.
enum AnswerContent {
    /// The records that a name has of the type that is asked for; it exists, even if it has none.
    case records(Directory.Match)
    /// The chain of CNAME records in ``Responder/chain``, and what it leads to.
    case chain(ChainEnd)
    /// A chain of CNAME records that was followed before, and the records behind it: `Directory.recallChain()`.
    case followed(Int)
    /// The addresses of `localhost`.
    case loopback
    /// The name of a loopback address.
    case loopbackPointer
    /// The domain's SOA record.
    case authority
    /// The server's version or identity.
    case identity(ChaosName)
    /// The name exists, and has no such record.
    case noData
    /// The name does not exist: NXDOMAIN.
    case noName
    /// NXDOMAIN with EDE 15: the container may not use upstreams.
    case blocked
    /// SERVFAIL with EDE 14: other hosts have not told everything yet.
    case notReady
    /// A code, and nothing else.
    case code(ResponseCode)

    /// True for NXDOMAIN.
    var isDenial: Bool { if case .noName = self { true } else { false } }

    fileprivate var isLoopbackPointer: Bool { if case .loopbackPointer = self { true } else { false } }
}

extension Responder {
    /// Writes the content; ``AnswerWriter/finish()`` completes the answer.
    /// - Parameters:
    ///   - content: what the rules have decided.
    ///   - view: who asks.
    ///   - answer: the answer under way.
    mutating func write(_ content: AnswerContent, for view: ViewID, into answer: inout AnswerWriter) {
        switch content {
        case .records(let match):
            if query.question.type == .any { return writeAny(match, into: &answer) }
            let hasAny = answer.append(directory.records(match, query.question.type, room: answer.room))
            if !hasAny { writeOtherRecords(match, view, into: &answer) }
        case .chain(let end): writeChain(end, view, into: &answer)
        case .followed(let number): writeChain(number, into: &answer)
        case .loopback, .loopbackPointer:
            writeLoopback(isPointer: content.isLoopbackPointer, into: &answer)
        case .authority:
            records.authority.write(into: &answer)
        case .identity(let name):
            // TTL 0: it is nobody's business to keep it.
            answer.append(one: ChaosName.record(text(of: name)).span)
        case .noData:
            records.authority.write(for: name, under: domainLabel, into: &answer)
        case .noName, .blocked:
            answer.code = .nameError
            if case .blocked = content { answer.extendedError = .blocked }
            records.authority.write(for: name, under: domainLabel, into: &answer)
        case .notReady:
            answer.code = .serverFailure
            answer.isAuthoritative = false
            answer.extendedError = .notReady
        case .code(let code):
            answer.code = code
            answer.isAuthoritative = false
        }
    }

    /// Writes NXDOMAIN with the SOA record of the domain, or of the root.
    /// - Parameters:
    ///   - message: the query.
    ///   - isUnderDomain: true for a name under the domain.
    ///   - transport: how the query came.
    ///   - buffer: gets the answer.
    /// - Returns: the octets of the answer.
    @inline(never)
    mutating func writeDenial(
        of message: Span<UInt8>, _ isUnderDomain: Bool, over transport: Transport,
        into buffer: consuming MutableSpan<UInt8>
    ) -> Int {
        var answer = AnswerWriter(query, of: message, over: transport, into: buffer)
        answer.code = .nameError
        let label = isUnderDomain ? name.labelCount &- directory.domainLabels : nil
        records.authority.write(for: name, under: label, into: &answer)
        return answer.finish()
    }

    /// Writes the minimal answer to ANY; of an alias its CNAME record, which stands alone (RFC 8482 §4.2, §4.4).
    @inline(never)
    private mutating func writeAny(_ match: Directory.Match, into answer: inout AnswerWriter) {
        guard directory.isAlias(match) else { return answer.append(one: records.minimalAny.span) }
        _ = answer.append(directory.records(match, .cname))
    }

    /// Writes what an operator's record adds to a name that has no record of the type that is asked for; else no data. A
    /// container's name is no alias, whatever record there is.
    @inline(never)
    private mutating func writeOtherRecords(
        _ match: Directory.Match, _ view: ViewID, into answer: inout AnswerWriter
    ) {
        if directory.hasRecords, !match.isRecord, let match = directory.findRecord(name, view: view),
            query.question.type != .cname, answer.append(directory.records(match, query.question.type))
        {
            return
        }
        records.authority.write(for: name, under: domainLabel, into: &answer)
    }

    private mutating func writeLoopback(isPointer: Bool, into answer: inout AnswerWriter) {
        switch query.question.type {
        case .a where !isPointer: answer.append(one: records.loopbackA.span)
        case .aaaa where !isPointer: answer.append(one: records.loopbackAAAA.span)
        case .ptr where isPointer: answer.append(one: records.loopbackPointer.span)
        case .any: answer.append(one: records.minimalAny.span)
        default: records.authority.write(for: name, under: nil, into: &answer)
        }
    }

    /// The label at which the domain begins in the question's name; nil where it is not under the domain.
    private var domainLabel: Int? {
        mutating get { directory.isUnderDomain(name) ? name.labelCount - directory.domainLabels : nil }
    }

    /// The configured text of a name of class CHAOS; empty: it is refused.
    func text(of name: ChaosName) -> String {
        switch name {
        case .version: settings.version
        case .identity: settings.identity
        }
    }
}
