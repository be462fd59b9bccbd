// What came back on an upstream's socket: is it the reply, and what is to be done with it.

import DNSWire

/// What a message that arrived on an attempt's socket means for its exchange.
enum UpstreamReply {
    /// Not the reply to what was sent here, or no message at all. The right one is still awaited.
    case unrelated
    /// The reply, but it did not fit (RFC 1035 §4.2.1): ask the same upstream over TCP.
    case truncated
    /// The upstream does not understand EDNS (RFC 6891 §7): ask it once more without.
    case needsPlainQuery
    /// The upstream cannot or will not answer; another one may. The body is missing where the upstream sent a bare header.
    case failure(ResponseCode, AnswerBody?)
    /// The answer. NXDOMAIN is one, and so is every response code that says something about the name.
    case answer(AnswerBody)

    /// Judges a message that arrived on the socket of `attempt`.
    ///
    /// The address has been checked by the kernel, as the socket is connected. Id, QR, opcode and the question are checked
    /// here, the question octet for octet: servers copy it, so a copy in another spelling was not made from ours.
    /// - Parameter name: room for a name.
    init(
        _ message: Span<UInt8>, to query: UpstreamQuery, _ attempt: Attempt, _ policy: CachePolicy,
        name: inout FoldedName
    ) {
        guard let header = Header(message), header.id == attempt.id, header.flags.isResponse,
            header.flags.opcode == .query
        else {
            self = .unrelated
            return
        }
        let code = header.flags.responseCode
        guard header.questionCount == 1, Self.repeats(query.question, message) else {
            // Some servers send nothing but a header where they fail.
            let isBareFailure = header.questionCount == 0 && header.recordCount == 0 && Self.isFailure(code)
            self = isBareFailure ? Self.failure(code, nil, attempt, understandsEDNS: false) : .unrelated
            return
        }
        if header.flags.tc, attempt.transport == .datagram {
            self = .truncated
            return
        }
        guard let body = try? AnswerBody(message, policy, name: &name) else {
            self = .unrelated
            return
        }
        if Self.isFailure(body.responseCode) {
            self = Self.failure(body.responseCode, body, attempt, understandsEDNS: body.hasEDNS)
        } else {
            self = .answer(body)
        }
    }

    private static func failure(
        _ code: ResponseCode, _ body: AnswerBody?, _ attempt: Attempt, understandsEDNS: Bool
    ) -> UpstreamReply {
        let complainsOfForm = code == .formatError || code == .notImplemented || code == .badVersion
        if attempt.hasEDNS, complainsOfForm, !understandsEDNS || code == .badVersion { return .needsPlainQuery }
        return .failure(code, body)
    }

    private static func isFailure(_ code: ResponseCode) -> Bool {
        switch code {
        case .serverFailure, .refused, .formatError, .notImplemented, .badVersion: true
        default: false
        }
    }

    private static func repeats(_ question: [UInt8], _ message: Span<UInt8>) -> Bool {
        guard message.count >= Header.length + question.count else { return false }
        for (index, octet) in question.enumerated() where message[Header.length + index] != octet { return false }
        return true
    }
}
