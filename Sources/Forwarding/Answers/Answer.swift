// The answer that a client gets: an upstream's reply made its own, or the word that there is none.

package import DNSWire

extension Answer.Source: CustomStringConvertible {
    /// As people are told: `upstream 10.0.0.1:53`.
    package var description: String {
        switch self {
        case .upstream(let server): "upstream \(server)"
        case .staleCache: "cache, past its time"
        case .nobody: "no upstream answered"
        }
    }
}

/// The answer to one accepted question, to be written for the client that asked it.
package struct Answer: Sendable {
    let client: ClientQuery
    /// Name as the client spelled it, type and class.
    let question: [UInt8]
    let body: AnswerBody
    /// The author of the answer, for the log and for people.
    package let source: Source
    /// See ``overruleDenial()``.
    private var isOverruled = false

    /// The author of an answer.
    package enum Source: Sendable, Hashable {
        /// This server said it.
        case upstream(ServerAddress)
        /// An upstream, once; its answer is past its life (RFC 8767).
        case staleCache
        /// A failure of the forwarder's own.
        case nobody
    }

    init(to client: ClientQuery, _ question: [UInt8], _ body: AnswerBody, from source: Source) {
        self.client = client
        self.question = question
        self.body = body
        self.source = source
    }

    /// SERVFAIL for a query that is not forwarded, with its reason for people who can see it (EDNS clients).
    package static func serverFailure(to message: Span<UInt8>, _ query: Query, because detail: ErrorDetail) -> Answer {
        let question = [UInt8](message, query.question)
        let body = AnswerBody(failure: .serverFailure, [detail], question: question)
        return Answer(to: ClientQuery(query), question, body, from: .nobody)
    }

    /// True for NXDOMAIN of the question's own name, not of one that a CNAME leads to.
    package var deniesName: Bool { body.deniesName }

    /// True when the answer begins with CNAME records, whose target may be in another upstream group.
    package var mayLeadElsewhere: Bool { body.mayLeadElsewhere }

    /// Reads the question's name.
    package func readName(into name: inout FoldedName) throws(WireError) { _ = try name.read(question.span, at: 0) }

    /// The question's type.
    package var questionType: RecordType {
        RecordType(rawValue: question.span.word16(question.count - Question.fixedLength))
    }

    /// The code that the client is given: all twelve bits, but for ``overruleDenial()``.
    package var givenCode: ResponseCode { isOverruled ? .noError : responseCode }

    /// Makes NXDOMAIN an answer without data: the upstream does not know that there are names beneath this one. Who caches
    /// NXDOMAIN may take it for all of them (RFC 8020 §2).
    package mutating func overruleDenial() { isOverruled = true }

    /// All twelve bits of the response code.
    package var responseCode: ResponseCode { body.responseCode }

    /// The Extended DNS Errors that the answer carries for a client with EDNS (RFC 8914).
    package var extendedErrors: [ErrorDetail] { body.details }

    /// The largest answer that this client takes over UDP, at most `Transport.maximumAnswer`.
    package var datagramLimit: Int { client.datagramLimit }

    /// Writes the answer of at most `limit` octets (512...65535) into a buffer; gives its length.
    package func write(into buffer: consuming MutableSpan<UInt8>, limit: Int) -> Int {
        var form = body.form
        form.isOverruled = isOverruled
        if source == .staleCache { form.time = .stale } else { form.isAuthoritative = true }
        return form.write(to: client, question: question.span, into: buffer, limit: limit)
    }

    /// The answer as a message of at most `limit` octets (512...65535).
    package func message(limit: Int) -> [UInt8] {
        var message = [UInt8](repeating: 0, count: limit)
        let length = write(into: message.mutableSpan, limit: limit)
        message.removeLast(limit - length)
        return message
    }
}
