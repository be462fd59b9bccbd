// Messages on an upstream's socket: is it the reply, and what is to be done with it.

import DNSWire

/// The meaning of a message on an attempt's socket for its exchange.
enum UpstreamReply {
    /// Not the reply to what was sent here, or no message at all. The right one is still awaited.
    case unrelated
    /// The reply by its id, but to a question in another spelling: of one who guesses, or of an upstream that respells.
    case respelled
    /// The reply, but it did not fit (RFC 1035 §4.2.1): ask the same upstream over TCP. The body is what did fit.
    case truncated(AnswerBody?)
    /// The reply, but damaged: ask over TCP, then another upstream. The body is what can be read, where the answer section
    /// is whole.
    case damaged(AnswerBody?)
    /// The upstream does not understand EDNS (RFC 6891 §7): ask it once more without.
    case needsPlainQuery
    /// The upstream cannot or will not answer; another one may.
    case failure(AnswerBody)
    /// The answer. NXDOMAIN is one, and so is every response code that says something about the name.
    case answer(AnswerBody)

    /// True when it is the reply to our question, whatever it says: id and question are ours.
    var isOurs: Bool {
        switch self {
        case .unrelated, .respelled: false
        case .truncated, .damaged, .needsPlainQuery, .failure, .answer: true
        }
    }

    /// Judges a message that arrived on the socket of `attempt`.
    ///
    /// The address has been checked by the kernel, as the socket is connected. Id, QR, opcode and the question are checked
    /// here, the question octet for octet: servers copy it, so a copy in another spelling was not made from ours.
    /// - Parameters:
    ///   - trustsSpelling: whether a question in another spelling is none.
    ///   - isProven: whether the upstream is known to understand EDNS.
    ///   - name: room for a name.
    init(
        _ message: Span<UInt8>, to attempt: Attempt, trustsSpelling: Bool, isProven: Bool, _ policy: CachePolicy,
        name: inout FoldedName
    ) {
        guard let header = Header(message), header.id == attempt.id, header.flags.isResponse,
            header.flags.opcode == .query
        else {
            self = .unrelated
            return
        }
        let code = header.flags.responseCode
        if header.questionCount == 0, header.recordCount == 0, Self.isFailure(code) {
            // Some servers send nothing but a header where they fail.
            self = Self.failure(AnswerBody(failure: code, [], question: attempt.question), attempt, isProven: isProven)
            return
        }
        let spelling = header.questionCount == 1 ? Self.spelling(of: attempt.question, in: message) : .different
        guard spelling != .different, spelling == .same || !trustsSpelling else {
            self = spelling == .different ? .unrelated : .respelled
            return
        }
        if header.flags.tc, attempt.transport == .datagram {
            self = .truncated(Self.readablePart(message, policy, name: &name, isEnough: { _ in true }))
            return
        }
        guard let body = try? AnswerBody(message, policy, name: &name) else {
            guard !Self.isFailure(code) else {
                let body = AnswerBody(failure: code, [], question: attempt.question)
                self = Self.failure(body, attempt, isProven: isProven)
                return
            }
            self = .damaged(Self.readablePart(message, policy, name: &name, isEnough: \.hasWholeAnswer))
            return
        }
        if Self.isFailure(body.responseCode) {
            self = Self.failure(body, attempt, isProven: isProven)
        } else {
            self = .answer(body)
        }
    }

    /// The beginning of a message that is not whole, if it is enough to be passed on.
    @inline(never)
    private static func readablePart(
        _ message: Span<UInt8>, _ policy: CachePolicy, name: inout FoldedName, isEnough: (ReadablePart) -> Bool
    ) -> AnswerBody? {
        guard let part = ReadablePart(of: message), isEnough(part) else { return nil }
        return try? AnswerBody(part.octets.span, policy, name: &name)
    }

    /// A failure, or the sign of a server that does not understand EDNS. Such servers answer FORMERR, NOTIMP or SERVFAIL
    /// (RFC 2671 §5.3); some copy the OPT record into that without understanding it.
    private static func failure(_ body: AnswerBody, _ attempt: Attempt, isProven: Bool) -> UpstreamReply {
        guard attempt.hasEDNS else { return .failure(body) }
        switch body.responseCode {
        case .formatError, .notImplemented, .badVersion: return .needsPlainQuery
        case .serverFailure where !body.hasEDNS && !isProven: return .needsPlainQuery
        default: return .failure(body)
        }
    }

    /// Codes that say nothing about the name, only about the server.
    static func isFailure(_ code: ResponseCode) -> Bool {
        switch code {
        case .serverFailure, .refused, .formatError, .notImplemented, .notAuthoritative, .badVersion: true
        default: false
        }
    }

    /// The spelling in which a message repeats a question.
    enum Spelling {
        case same, otherCase, different
    }

    static func spelling(of question: [UInt8], in message: Span<UInt8>) -> Spelling {
        guard message.count >= Header.length + question.count else { return .different }
        let repeated = message.extracting(Header.length..<Header.length + question.count)
        if repeated.isEqual(to: question.span) { return .same }
        let nameEnd = question.count - 4
        for index in question.indices {
            let isLetter = index < nameEnd && 0x61...0x7A ~= question[index] | 0x20
            let mask: UInt8 = isLetter ? 0x20 : 0
            if repeated[index] | mask != question[index] | mask { return .different }
        }
        return .otherCase
    }
}
