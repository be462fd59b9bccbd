// CNAME records that lead outside: the last name is asked of upstreams, and the answer put behind the chain.

import DNSWire
import Forwarding
import LinuxNet
import Registry
import Tables

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
        switch responder.respond(to: query.span, view: errand.view, into: &buffers.answer) {
        case .answered(let length, let source):
            give(Array(buffers.answer[..<length]), source, to: client, joining: splice, errand)
        case .forward(let group):
            follow(client, splice, Errand(view: errand.view, group: group, now: errand.now), payer: payer)
        case .follow(let group):
            let longer = responder.append(to: splice)
            guard longer.count <= Responder.longestChain else { return fail(client, splice, errand) }
            follow(client, longer, Errand(view: errand.view, group: group, now: errand.now), payer: payer)
        case .loop, .heard, .drop: fail(client, splice, errand)
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
        give(message, from: splice.describe(responder.describe(source)), to: client)
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

    /// Gives a client a message that is written already, if it is still there.
    private mutating func give(_ message: [UInt8], from source: String, to client: WaitingClient) {
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
