// What a client gets: an upstream's reply made its own, or the word that there is none.

package import DNSWire

/// The answer to one accepted question, to be written for the client that asked it.
package struct Answer: Sendable {
    /// Where the answer comes from.
    enum Content: Sendable {
        case reply(ReplyBody)
        case failure(ResponseCode, [ErrorDetail])
    }

    let asked: ClientQuery
    let content: Content
    /// Who said so; nil for a failure that is the forwarder's own.
    package let upstream: ServerAddress?

    init(_ asked: ClientQuery, _ content: Content, from upstream: ServerAddress?) {
        self.asked = asked
        self.content = content
        self.upstream = upstream
    }

    /// SERVFAIL for a query that is not forwarded, with its reason for people who can see it (EDNS clients).
    package static func serverFailure(to message: Span<UInt8>, _ query: Query, because detail: ErrorDetail) -> Answer {
        Answer(ClientQuery(message, query), .failure(.serverFailure, [detail]), from: nil)
    }

    /// All twelve bits of the response code.
    package var responseCode: ResponseCode {
        switch content {
        case .reply(let body): body.responseCode
        case .failure(let code, _): code
        }
    }

    /// The Extended DNS Errors that the answer carries for a client with EDNS (RFC 8914).
    package var extendedErrors: [ErrorDetail] {
        switch content {
        case .reply(let body): body.details
        case .failure(_, let details): details
        }
    }

    /// The largest answer that this client takes over UDP: 512 octets without EDNS (RFC 1035 §4.2.1), else what it said,
    /// at least 512 (RFC 6891 §6.2.3) and at most 1232.
    package var datagramLimit: Int {
        guard let edns = asked.edns else { return 512 }
        return Int(min(max(edns.udpPayloadSize, 512), UpstreamQuery.udpPayloadSize))
    }

    /// The answer as a message of at most `limit` octets (512...65535).
    package func message(limit: Int) -> [UInt8] {
        var message: [UInt8] = []
        write(into: &message, limit: limit)
        return message
    }

    /// Makes `message`, whose storage is used again, the answer in at most `limit` octets (512...65535).
    ///
    /// Id, RD, CD and the question's spelling are the client's, RA is set, AD is passed only to who asked for it (RFC 6840
    /// §5.8), and there is an OPT record where the client sent one. What does not fit is left out at a record's border, with
    /// TC where it belonged to the answer.
    package func write(into message: inout [UInt8], limit: Int) {
        let limit = min(max(limit, 512), 65_535)
        message.removeAll(keepingCapacity: true)
        switch content {
        case .reply(let body): write(body, into: &message, limit)
        case .failure: write(nil, ReplyBody.Cut(end: 0), 0, optRecord, into: &message)
        }
    }

    /// The OPT record for this client, if it is to have one.
    private var optRecord: OPTRecord? {
        asked.edns.map { OPTRecord(responseCode: responseCode, dnssecOK: $0.dnssecOK, details: extendedErrors) }
    }

    private func write(_ body: ReplyBody, into message: inout [UInt8], _ limit: Int) {
        let all = ReplyBody.Cut(
            end: body.recordsEnd, answerCount: body.header.answerCount, authorityCount: body.header.authorityCount)
        guard let full = optRecord else {
            if all.end <= limit {
                write(body, all, body.additionalCount, nil, into: &message)
            } else {
                write(body, body.cut(to: limit), 0, nil, into: &message)
            }
            return
        }
        if body.hasInnerOPT, body.message.count <= limit {
            var whole = all
            whole.end = body.message.count
            write(body, whole, body.header.additionalCount, nil, into: &message)
            return
        }
        let bare = full.withoutTexts
        for opt in [full, bare] where all.end + opt.length <= limit {
            write(body, all, body.additionalCount, opt, into: &message)
            return
        }
        write(body, body.cut(to: limit - bare.length), 0, bare, into: &message)
    }

    /// Writes the header and the question for this client, then what `cut` leaves of the records, then the OPT record.
    private func write(
        _ body: ReplyBody?, _ cut: ReplyBody.Cut, _ additionalCount: UInt16, _ opt: OPTRecord?,
        into message: inout [UInt8]
    ) {
        var flags = HeaderFlags()
        flags.isResponse = true
        flags.aa = body?.header.flags.aa ?? false
        flags.tc = cut.isTruncated || body?.header.flags.tc ?? false
        flags.rd = asked.recursionDesired
        flags.ra = true
        flags.ad = asked.wantsAuthenticData && body?.header.flags.ad ?? false
        flags.cd = asked.checkingDisabled
        // A code of more than four bits cannot be said without an OPT record.
        let isSayable = asked.edns != nil || responseCode.rawValue <= 0xF
        flags.responseCode = isSayable ? responseCode : .serverFailure
        message.append(
            Header(
                id: asked.id, flags: flags, questionCount: 1, answerCount: cut.answerCount,
                authorityCount: cut.authorityCount, additionalCount: additionalCount &+ (opt == nil ? 0 : 1)))
        message += asked.question
        if let body { message += body.message[body.questionEnd..<cut.end] }
        opt?.write(into: &message)
    }
}
