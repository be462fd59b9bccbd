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
        let found = forwarder.respond(to: query.span, &responder, errand, into: &buffers.answer)
        if case .answered(let length, let source) = found {
            let message = splice.join(Array(buffers.answer[..<length]))
            count(source, for: client)
            observe(
                splice, HeaderFlags(rawValue: message.span.word16(Header.flagsOffset)).responseCode, source,
                to: client, since: errand.now)
            return give(message, from: splice.describe(responder.describe(source)), to: client)
        }
        let number = waiting.insert(client, since: errand.now, behind: splice)
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
