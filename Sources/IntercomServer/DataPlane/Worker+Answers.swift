// Answers on their way to clients, beside the fast path: behind CNAME records, behind gates, and before those who watch.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import Tables

// MARK: - Behind CNAME records

extension Worker {
    /// Asks for the name that a datagram's question leads to.
    @inline(never)
    mutating func followDatagram(_ packet: Int, of listener: Ticket, _ errand: Errand) {
        let message = [UInt8](copying: datagrams.receiver.packet(packet), 0..<responder.query.question.endOffset)
        let splice = responder.splice(for: message, over: .datagram)
        let client = WaitingClient.datagram(listener: listener, datagrams.receiver.source(packet))
        follow(client, splice, errand, payer: errand.view.rawValue)
    }

    /// Asks for the name that the question of a connection's message leads to.
    mutating func followMessage(_ bounds: Range<Int>, of position: Int, _ ticket: Ticket, _ errand: Errand) {
        let message = [UInt8](copying: streams[position].inputSpan, bounds)
        let splice = responder.splice(for: message, over: .stream)
        streams[position].inFlight += 1
        follow(.stream(ticket), splice, errand, payer: errand.view.rawValue)
    }

    /// Asks for the last name of a chain: of the cache, then of upstreams.
    /// - Parameters:
    ///   - client: who waits for the answer.
    ///   - splice: the chain.
    ///   - errand: the upstream group of its last name.
    ///   - payer: the namespace whose share of waiting questions this one takes.
    mutating func follow(_ client: WaitingClient, _ splice: Splice, _ errand: Errand, payer: UInt32) {
        let query = splice.query
        responder.take(query.span)
        switch forwarder.respond(to: query.span, &responder, errand, into: &buffers.answer) {
        case .answered(let length, let source):
            give(Array(buffers.answer[..<length]), source, to: client, joining: splice, errand)
        case .follow:
            guard let longer = responder.extend(splice, by: buffers.answer, errand) else {
                return fail(client, splice, errand)
            }
            resume(client, longer, errand, payer: payer)
        default: ask(query, client, splice, errand, payer: payer)
        }
    }

    /// Goes on behind an upstream's answer whose CNAME records lead to a name of ours, or into another upstream group.
    /// - Returns: false where they do not.
    @inline(never)
    mutating func follow(_ answer: Answer, to waiting: Waiting, _ now: Moment) -> Bool {
        guard let view = view(of: waiting.client) else { return false }
        let limit: Int
        if case .datagram = waiting.client { limit = answer.datagramLimit } else { limit = Transport.maximumMessage }
        let message = answer.message(limit: Transport.maximumMessage)
        let errand = Errand(view: view, group: waiting.errand.group, now: now)
        guard let splice = waiting.splice ?? Splice(answering: message.span, limit: limit),
            let longer = responder.extend(splice, by: message, errand)
        else { return false }
        var payer = view.rawValue
        if case .control = waiting.client { payer = Asking.controlPlane }
        resume(waiting.client, longer, errand, payer: payer)
        if case .stream(let ticket) = waiting.client { settle(ticket) }
        return true
    }

    /// Answers the last name of a chain by the rules. Each time the chain is longer, so it ends.
    private mutating func resume(_ client: WaitingClient, _ splice: Splice, _ errand: Errand, payer: UInt32) {
        guard splice.count <= Responder.longestChain else { return fail(client, splice, errand) }
        let query = splice.query
        responder.isFollowing = true
        let outcome = responder.respond(to: query.span, view: errand.view, into: &buffers.answer)
        responder.isFollowing = false
        switch outcome {
        case .answered(let length, let source):
            give(Array(buffers.answer[..<length]), source, to: client, joining: splice, errand)
        case .forward(let group):
            follow(client, splice, Errand(view: errand.view, group: group, now: errand.now), payer: payer)
        case .follow(let group):
            let longer = responder.append(to: splice)
            guard longer.count <= Responder.longestChain else { return fail(client, splice, errand) }
            follow(client, longer, Errand(view: errand.view, group: group, now: errand.now), payer: payer)
        case .loop, .heard, .drop, .held: fail(client, splice, errand)
        }
    }

    private mutating func ask(
        _ query: [UInt8], _ client: WaitingClient, _ splice: Splice, _ errand: Errand, payer: UInt32
    ) {
        let number = waiting.insert(client, errand, behind: splice)
        let asking = Asking(client: number, namespace: payer, errand: errand)
        switch forwarder.ask(query.span, &responder, asking) {
        case .accepted: counters.forwarded &+= 1
        case .refused(let refusal):
            waiting.take(number)
            if payer != Asking.controlPlane { counters.answers.unanswered &+= 1 }
            let failure = Answer.serverFailure(to: query.span, responder.query, because: refusal.detail)
            observe(failure, to: client, since: errand.now, behind: splice)
            deliver(failure, to: client, joining: splice)
        }
    }

    /// SERVFAIL for a chain that is too long or leads in a circle.
    private mutating func fail(_ client: WaitingClient, _ splice: Splice, _ errand: Errand) {
        let query = splice.query
        responder.take(query.span)
        let detail = ErrorDetail(.other, text: "more than \(Responder.longestChain) CNAME records, or a circle of them")
        let failure = Answer.serverFailure(to: query.span, responder.query, because: detail)
        observe(failure, to: client, since: errand.now, behind: splice)
        deliver(failure, to: client, joining: splice.withoutRecords)
    }

    /// Gives a client an answer that was there at once, behind a chain.
    private mutating func give(
        _ answer: [UInt8], _ source: AnswerSource, to client: WaitingClient, joining splice: Splice, _ errand: Errand
    ) {
        let message = splice.join(answer)
        count(source, for: client)
        observe(splice, message, source, to: client, since: errand.now)
        give(message, of: source.teller, from: splice.describe(responder.describe(source)), to: client)
    }

    private mutating func count(_ source: AnswerSource, for client: WaitingClient) {
        if case .control = client { return }
        counters.count(source)
    }

    /// Gives a client an answer behind a chain, if it is still there.
    mutating func deliver(_ answer: Answer, to client: WaitingClient, joining splice: Splice) {
        guard let view = view(of: client) else { return }
        let message = splice.join(message(of: answer, for: view))
        give(message, from: text(of: answer.source, for: view, behind: splice), to: client)
        if case .stream(let ticket) = client { settle(ticket) }
    }

    /// Gives a client a message that is written already, if it is still there, or holds it.
    private mutating func give(
        _ message: [UInt8], of teller: Teller = .upstream, from source: String, to client: WaitingClient
    ) {
        if responder.directory.hasGates, holds(message, of: teller, for: client) { return }
        hand(message, from: source, to: client)
    }

    /// Gives a client a message that is written already, if it is still there.
    mutating func hand(_ message: [UInt8], from source: String = "", to client: WaitingClient) {
        switch client {
        case .datagram(let listener, let address):
            guard let position = listeners.position(of: listener) else { return }
            do throws(LinuxError) {
                try listeners[position].sockets.udp.send(message.span, to: address)
            } catch {
                counters.dropped &+= 1
                listeners.doubtful.append(listener)
            }
        case .stream(let ticket):
            guard let position = streams.position(of: ticket) else { return }
            streams[position].inFlight -= 1
            streams[position].lastActive = Moment.now
            streams[position].send(message, message.count)
        case .control(let token, _, let group, let route):
            let resolution = Resolution(message: message, source: source, .forwarded(group: group), route: route)
            control.post(.resolved(token: token, resolution))
        }
    }
}

// MARK: - Behind a gate

extension Worker {
    /// Looks at an answer that is about to go out: a gate may hold it, and somebody may watch.
    /// - Returns: what is to be done with it.
    @inline(never)
    mutating func lookAtDatagram(
        _ outcome: Outcome, _ packet: Int, of listener: Ticket, _ view: ViewID, since: Moment
    ) -> Outcome {
        var passed = outcome
        if case .answered(let length, let source) = outcome, isGated(view) {
            let message = Self.kept(datagrams.sender.nextBuffer, length)
            let client = WaitingClient.datagram(listener: listener, datagrams.receiver.source(packet))
            switch waiting.admissions.judge(message.span, for: view, of: source.teller, now: since) {
            case .open: break
            case .hold(let addresses):
                hold(message, for: client, of: view, addresses, since)
                passed = .held(source)
            case .refuse(let reason):
                let failure = Answer.unreachable(behind: message, because: reason)
                let octets = failure.message(limit: failure.datagramLimit)
                Self.copy(octets, into: datagrams.sender.nextBuffer)
                passed = .answered(length: octets.count, .gate)
            }
        }
        if observer.isActive { observeDatagram(passed.isHeld ? outcome : passed, view, since: since) }
        return passed
    }

    /// The same for the message of a connection, whose answer is in ``MessageBuffers/answer``.
    @inline(never)
    mutating func lookAtMessage(
        _ outcome: Outcome, of position: Int, _ ticket: Ticket, _ view: ViewID, since: Moment
    ) -> Outcome {
        var passed = outcome
        if case .answered(let length, let source) = outcome, isGated(view) {
            let message = Array(buffers.answer[..<length])
            switch waiting.admissions.judge(message.span, for: view, of: source.teller, now: since) {
            case .open: break
            case .hold(let addresses):
                streams[position].inFlight += 1
                hold(message, for: .stream(ticket), of: view, addresses, since)
                passed = .held(source)
            case .refuse(let reason):
                let octets = Answer.unreachable(behind: message, because: reason).message(
                    limit: Transport.maximumMessage)
                Self.copy(octets, into: buffers.answer.mutableSpan)
                passed = .answered(length: octets.count, .gate)
            }
        }
        if observer.isActive { observeMessage(passed.isHeld ? outcome : passed, view, since: since) }
        return passed
    }

    private static func copy(_ octets: [UInt8], into buffer: consuming MutableSpan<UInt8>) {
        var buffer = buffer
        buffer.copy(octets.span, to: 0)
    }

    /// Holds an answer for a client that has waited for it, or answers with a failure.
    /// - Returns: false where it is to go out as it is.
    @inline(never)
    mutating func holds(_ message: [UInt8], of teller: Teller = .upstream, for client: WaitingClient) -> Bool {
        if case .control = client { return false }
        guard let view = view(of: client), isGated(view) else { return false }
        let now = Moment.now
        switch waiting.admissions.judge(message.span, for: view, of: teller, now: now) {
        case .open: return false
        case .hold(let addresses): hold(message, for: client, of: view, addresses, now)
        case .refuse(let reason): refuse(message, for: client, reason)
        }
        return true
    }

    private mutating func isGated(_ view: ViewID) -> Bool {
        guard responder.directory.hasGates, !view.isHost, let policy = responder.directory.policy(of: view) else {
            return false
        }
        return responder.directory.policyIsGate(policy)
    }

    private mutating func hold(
        _ message: [UInt8], for client: WaitingClient, of view: ViewID,
        _ addresses: [(address: ToldAddress, seconds: UInt32)], _ now: Moment
    ) {
        waiting.admissions.hold(message, for: client, of: view, addresses, now: now)
        finish(waiting.admissions.flush())
    }

    /// Takes over a connection to the thread of the opener that lets addresses through gates.
    mutating func takeAdmissions(_ connection: consuming Descriptor) {
        do throws(LinuxError) {
            try epoll.add(connection, token: Token(.admissions).word, interest: .readable)
            finish(waiting.admissions.connect(connection))
        } catch {
            logger.debug("admissions: \(error)")
            control.post(.admissionsLost(worker: counters.worker))
        }
    }

    /// Takes replies of that thread.
    mutating func serveAdmissions() {
        finish(waiting.admissions.receive(into: &buffers.received))
        finish(waiting.admissions.flush())
    }

    /// The gate of a view is in force, has failed, or is gone.
    mutating func setGate(of view: ViewID, _ state: GateState?) {
        finish(waiting.admissions.setGate(of: view, state, now: .now))
        finish(waiting.admissions.flush())
    }

    /// Gives clients the answers that wait no longer, and tells the control plane what it has to see to.
    mutating func finish(_ released: [ReleasedAnswer]) {
        for one in released {
            let (message, client) = (one.answer.message, one.answer.client)
            if let reason = one.refusal {
                refuse(message, for: client, reason)
            } else {
                hand(message, to: client)
                if case .stream(let ticket) = client { settle(ticket) }
            }
        }
        for notice in waiting.admissions.takeNotices() {
            switch notice {
            case .failed(let view, let errno): control.post(.gateFailed(view, errno: errno))
            case .madeRoom(let view): control.post(.gateMadeRoom(view))
            case .lost: control.post(.admissionsLost(worker: counters.worker))
            }
        }
    }

    private mutating func refuse(_ message: [UInt8], for client: WaitingClient, _ reason: String) {
        let failure = Answer.unreachable(behind: message, because: reason)
        counters.answers.unanswered &+= 1
        var limit = Transport.maximumMessage
        if case .datagram = client { limit = failure.datagramLimit }
        hand(failure.message(limit: limit), to: client)
        if case .stream(let ticket) = client { settle(ticket) }
    }
}

// MARK: - Observed

extension Worker {
    /// The moment from which the questions of a batch are timed; nil while nobody looks at answers.
    var observedSince: Moment? { observer.looksAtAnswers ? .now : nil }

    /// Observes the outcome of the datagram that was just answered, before its answer is committed.
    @inline(never)
    mutating func observeDatagram(_ outcome: Outcome, _ view: ViewID, since: Moment?) {
        guard let since, case .answered(let length, let source) = outcome, observer.wants(view) else { return }
        let code = Self.responseCode(of: datagrams.sender.nextBuffer)
        let keeps = observer.keepsMessages && length <= QuestionObserver.maximumMessage
        let message = keeps ? Self.kept(datagrams.sender.nextBuffer, length) : []
        observe(source, code, view, over: .datagram, message, since)
    }

    /// Observes the outcome of the message that was just answered into ``MessageBuffers/answer``.
    mutating func observeMessage(_ outcome: Outcome, _ view: ViewID, since: Moment?) {
        guard let since, case .answered(let length, let source) = outcome, observer.wants(view) else { return }
        let code = Self.responseCode(of: buffers.answer.mutableSpan)
        let keeps = observer.keepsMessages && length <= QuestionObserver.maximumMessage
        let message = keeps ? Self.kept(buffers.answer.mutableSpan, length) : []
        observe(source, code, view, over: .stream, message, since)
    }

    /// The code in the header of an answer.
    private static func responseCode(of answer: consuming MutableSpan<UInt8>) -> ResponseCode {
        let answer = answer
        return HeaderFlags(rawValue: answer.span.word16(Header.flagsOffset)).responseCode
    }

    /// An answer's octets.
    static func kept(_ answer: consuming MutableSpan<UInt8>, _ length: Int) -> [UInt8] {
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
