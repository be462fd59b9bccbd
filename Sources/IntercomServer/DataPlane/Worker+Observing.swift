// Observing questions as they are answered: for those who watch, and for the log. Out of line, as it is rare.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

extension Worker {
    /// The moment from which the questions of a batch are timed; nil while nobody observes.
    var observedSince: Moment? { observer.isActive ? .now : nil }

    /// Observes the outcome of the datagram that was just answered, before its answer is committed.
    @inline(never)
    mutating func observeDatagram(_ outcome: Outcome, _ view: ViewID, since: Moment?) {
        guard let since, case .answered(_, let source) = outcome else { return }
        let code = Self.responseCode(of: datagrams.sender.nextBuffer)
        observe(source, code, view, over: .datagram, since)
    }

    /// Observes the outcome of the message that was just answered into ``MessageBuffers/answer``.
    mutating func observeMessage(_ outcome: Outcome, _ view: ViewID, since: Moment?) {
        guard let since, case .answered(_, let source) = outcome else { return }
        let code = Self.responseCode(of: buffers.answer.mutableSpan)
        observe(source, code, view, over: .stream, since)
    }

    /// The code in the header of an answer.
    private static func responseCode(of answer: consuming MutableSpan<UInt8>) -> ResponseCode {
        let answer = answer
        return HeaderFlags(rawValue: answer.span.word16(Header.flagsOffset)).responseCode
    }

    private mutating func observe(
        _ source: AnswerSource, _ code: ResponseCode, _ view: ViewID, over transport: Transport, _ since: Moment
    ) {
        guard observer.wants(view) else { return }
        let isReadable = source != .malformed && source != .notImplemented
        let type = responder.query.question.type
        keep(
            source == .badVersion ? .badVersion : code, view, transport,
            isReadable ? Self.asked(responder.name, type) : nil, responder.describe(source), since)
    }

    /// Observes an answer of the forwarder's to a client that has waited for it.
    mutating func observe(_ answer: Answer, to client: WaitingClient, since: Moment, behind splice: Splice? = nil) {
        if case .control = client { return }
        guard observer.isActive, let view = view(of: client), observer.wants(view) else { return }
        var name = FoldedName()
        let isReadable = (try? splice?.readName(into: &name) ?? answer.readName(into: &name)) != nil
        keep(
            answer.givenCode, view, client.transport, isReadable ? Self.asked(name, answer.questionType) : nil,
            text(of: answer.source, for: view, behind: splice), since)
    }

    /// Observes an answer behind CNAME records that was there at once.
    mutating func observe(
        _ splice: Splice, _ code: ResponseCode, _ source: AnswerSource, to client: WaitingClient, since: Moment
    ) {
        if case .control = client { return }
        guard observer.isActive, let view = view(of: client), observer.wants(view) else { return }
        var name = FoldedName()
        guard (try? splice.readName(into: &name)) != nil else { return }
        keep(
            code, view, client.transport, Self.asked(name, splice.type), splice.describe(responder.describe(source)),
            since)
    }

    private static func asked(_ name: borrowing FoldedName, _ type: RecordType) -> ObservedQuestion.Asked? {
        (try? Name(wire: name.span)).map { ObservedQuestion.Asked(name: $0.description, type: type) }
    }

    private mutating func keep(
        _ code: ResponseCode, _ view: ViewID, _ transport: Transport, _ asked: ObservedQuestion.Asked?,
        _ decision: String, _ since: Moment
    ) {
        let now = Moment.now
        let question = ObservedQuestion(
            answered: now, view: view, transport: transport, asked: asked, responseCode: code, decision: decision,
            duration: now - since)
        if observer.logs { logger.trace("\(question)") }
        observer.add(question)
    }
}

extension ObservedQuestion: CustomStringConvertible {
    /// As the log has it.
    var description: String {
        let what = asked.map { "query \($0.name) \($0.type)" } ?? "a message that is no query"
        let way = transport == .datagram ? "UDP" : "TCP"
        return "\(what) from view \(view.rawValue) over \(way): \(responseCode), \(decision), "
            + "\(duration.nanoseconds / 1000) µs"
    }
}
