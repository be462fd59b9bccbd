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
        guard let since, case .answered(let length, let source) = outcome, observer.wants(view) else { return }
        let code = Self.responseCode(of: datagrams.sender.nextBuffer)
        let message = observer.keepsMessages ? Self.kept(datagrams.sender.nextBuffer, length) : []
        observe(source, code, view, over: .datagram, message, since)
    }

    /// Observes the outcome of the message that was just answered into ``MessageBuffers/answer``.
    mutating func observeMessage(_ outcome: Outcome, _ view: ViewID, since: Moment?) {
        guard let since, case .answered(let length, let source) = outcome, observer.wants(view) else { return }
        let code = Self.responseCode(of: buffers.answer.mutableSpan)
        let message = observer.keepsMessages ? Self.kept(buffers.answer.mutableSpan, length) : []
        observe(source, code, view, over: .stream, message, since)
    }

    /// The code in the header of an answer.
    private static func responseCode(of answer: consuming MutableSpan<UInt8>) -> ResponseCode {
        let answer = answer
        return HeaderFlags(rawValue: answer.span.word16(Header.flagsOffset)).responseCode
    }

    /// An answer's octets; none where they are more than are kept.
    private static func kept(_ answer: consuming MutableSpan<UInt8>, _ length: Int) -> [UInt8] {
        guard length <= QuestionObserver.maximumMessage else { return [] }
        let answer = answer
        let octets = answer.span
        return (0..<min(length, octets.count)).map { octets[$0] }
    }

    private mutating func observe(
        _ source: AnswerSource, _ code: ResponseCode, _ view: ViewID, over transport: Transport, _ message: [UInt8],
        _ since: Moment
    ) {
        let isReadable = source != .malformed && source != .notImplemented
        let type = responder.query.question.type
        keep(
            source == .badVersion ? .badVersion : code, view, transport,
            isReadable ? Self.asked(responder.name, type) : nil, responder.describe(source), message, since,
            isDenied: source == .policy)
    }

    /// Observes an answer of the forwarder's to a client that has waited for it.
    mutating func observe(_ answer: Answer, to client: WaitingClient, since: Moment, behind splice: Splice? = nil) {
        if case .control = client { return }
        guard observer.isActive, let view = view(of: client), observer.wants(view) else { return }
        var name = FoldedName()
        let isReadable = (try? splice?.readName(into: &name) ?? answer.readName(into: &name)) != nil
        var message: [UInt8] = []
        if observer.keepsMessages {
            message = answer.message(limit: QuestionObserver.maximumMessage)
            if let splice { message = splice.join(message) }
        }
        keep(
            answer.givenCode, view, client.transport, isReadable ? Self.asked(name, answer.questionType) : nil,
            text(of: answer.source, for: view, behind: splice), message, since)
    }

    /// Observes an answer behind CNAME records that was there at once.
    /// - Parameters:
    ///   - splice: the chain.
    ///   - message: the whole answer on the wire.
    ///   - source: the author of its end.
    ///   - client: gets the answer.
    ///   - since: the time of the question.
    mutating func observe(
        _ splice: Splice, _ message: [UInt8], _ source: AnswerSource, to client: WaitingClient, since: Moment
    ) {
        if case .control = client { return }
        guard observer.isActive, let view = view(of: client), observer.wants(view) else { return }
        var name = FoldedName()
        guard (try? splice.readName(into: &name)) != nil else { return }
        keep(
            HeaderFlags(rawValue: message.span.word16(Header.flagsOffset)).responseCode, view, client.transport,
            Self.asked(name, splice.type), splice.describe(responder.describe(source)),
            observer.keepsMessages ? message : [], since)
    }

    private static func asked(_ name: borrowing FoldedName, _ type: RecordType) -> ObservedQuestion.Asked? {
        (try? Name(wire: name.span)).map { ObservedQuestion.Asked(name: $0.description, type: type) }
    }

    private mutating func keep(
        _ code: ResponseCode, _ view: ViewID, _ transport: Transport, _ asked: ObservedQuestion.Asked?,
        _ decision: String, _ message: [UInt8], _ since: Moment, isDenied: Bool = false
    ) {
        let now = Moment.now
        let question = ObservedQuestion(
            answered: now, view: view, transport: transport, asked: asked, responseCode: code, decision: decision,
            duration: now - since, message: message, isDenied: isDenied)
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
