// A worker's upstream side: it carries out what the forwarder decides, and tells it what came back.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import SystemPackage
import Tables

extension Worker {
    // MARK: - Questions

    /// Puts a datagram's question to the upstreams. Out of line, so that the batch's loop has nothing ready for it.
    @inline(never)
    mutating func forwardDatagram(_ packet: Int, of listener: Ticket, _ errand: Errand) {
        let client = WaitingClient.datagram(listener: listener, datagrams.receiver.source(packet))
        let number = waiting.insert(client, errand)
        let asking = Asking(number, errand)
        switch forwarder.ask(packet, of: datagrams.receiver, &responder, asking) {
        case .accepted: counters.forwarded &+= 1
        case .refused(let refusal):
            waiting.take(number)
            counters.answers.unanswered &+= 1
            let answer = failure(refusal, datagrams.receiver.packet(packet))
            observe(answer, to: client, since: errand.now)
            deliver(answer, to: client)
        }
    }

    /// Puts the question of a connection's message to the upstreams.
    mutating func forwardMessage(_ bounds: Range<Int>, of position: Int, _ client: WaitingClient, _ errand: Errand) {
        let number = waiting.insert(client, errand)
        switch forwarder.ask(bounds, of: streams[position], &responder, Asking(number, errand)) {
        case .accepted:
            streams[position].inFlight += 1
            counters.forwarded &+= 1
        case .refused(let refusal):
            waiting.take(number)
            counters.answers.unanswered &+= 1
            let answer = failure(refusal, bounds, of: streams[position])
            observe(answer, to: client, since: errand.now)
            send(answer, on: position)
        }
    }

    /// Puts a question of the control plane to the upstreams.
    mutating func forward(_ query: Span<UInt8>, _ client: WaitingClient, _ errand: Errand) {
        let number = waiting.insert(client, errand)
        let asking = Asking(client: number, namespace: Asking.controlPlane, errand: errand)
        if case .refused(let refusal) = forwarder.ask(query, &responder, asking) {
            waiting.take(number)
            deliver(failure(refusal, query), to: client)
        }
        act(errand.now)
    }

    private func failure(
        _ refusal: Forwarding.Refusal, _ bounds: Range<Int>, of stream: borrowing StreamConnection
    ) -> Answer {
        failure(refusal, stream.inputSpan.extracting(bounds))
    }

    private func failure(_ refusal: Forwarding.Refusal, _ query: Span<UInt8>) -> Answer {
        Answer.serverFailure(to: query, responder.query, because: refusal.detail)
    }

    // MARK: - Actions

    /// Does what the forwarder wants done, until it wants nothing.
    mutating func act(_ now: Moment) {
        while let action = forwarder.nextAction() {
            switch action {
            case .openDatagram(let token, let server, let vantage, let message):
                open(token, server, isStream: false, vantage, message, now)
            case .openStream(let token, let server, let vantage, let message):
                open(token, server, isStream: true, vantage, message, now)
            case .send(let token, let message):
                do throws(LinuxError) {
                    try upstreams.send(message, on: token, by: epoll)
                } catch {
                    forwarder.failed(token, error.upstreamTrouble, now: now)
                }
            case .close(let token):
                upstreams.close(token)
            case .answer(let number, let answer):
                guard let waiting = waiting.take(number) else { continue }
                let client = waiting.client
                counters.note(answer, after: now - waiting.since, to: client)
                if answer.mayLeadElsewhere, follow(answer, to: waiting, now) { continue }
                complain(of: answer, to: client, now)
                let given = overruled(answer, for: client)
                observe(given, to: client, since: waiting.since, behind: waiting.splice)
                deliver(given, to: client, behind: waiting.splice)
            case .lookForServers(let view): reportLostServers(of: ViewID(rawValue: view), now)
            }
        }
    }

    private mutating func open(
        _ token: SocketToken, _ server: ServerAddress, isStream: Bool, _ vantage: Vantage, _ message: [UInt8],
        _ now: Moment
    ) {
        do throws(LinuxError) {
            switch vantage {
            case .host:
                try upstreams.open(token, to: server, isStream: isStream, message, by: epoll)
            case .namespace(let view):
                try open(SocketOrder(token, server, isStream: isStream, from: view, message: message), now)
            }
        } catch {
            logger.debug("upstream \(server)\(isStream ? " over TCP" : ""): \(error)")
            forwarder.failed(token, error.upstreamTrouble, now: now)
        }
    }

    /// Asks from a container's namespace: at once where a socket is ready, else when one is made.
    private mutating func open(_ order: SocketOrder, _ now: Moment) throws(LinuxError) {
        guard let position = listeners.position(of: order.view) else {
            forwarder.failed(order.token, now: now)
            return
        }
        if let count = try upstreams.open(order, at: &listeners[position], by: epoll) {
            control.post(.needsSockets(order.view, order.kind, count: count))
        }
    }

    /// Takes sockets that were made in a container's namespace; none: it cannot be entered.
    mutating func takeSockets(_ view: ViewID, _ kind: SocketKind, _ handover: Handover<SocketBatch>) {
        guard let position = listeners.position(of: view), let batch = handover.take() else { return }
        let now = Moment.now
        let isFailure = batch.isEmpty
        listeners[position].requested.remove(kind)
        listeners[position].spare.add(batch)
        for order in upstreams.takeOrders(of: view, kind) {
            do throws(LinuxError) {
                if isFailure { forwarder.failed(order.token, now: now) } else { try open(order, now) }
            } catch {
                logger.debug("upstream \(order.server) from a container's namespace: \(error)")
                forwarder.failed(order.token, now: now)
            }
        }
        act(now)
    }

    /// Tells the control plane that no upstream had an answer, now and then.
    private mutating func complain(of answer: Answer, to client: WaitingClient, _ now: Moment) {
        guard answer.responseCode == .serverFailure || answer.responseCode == .refused, now >= waiting.nextComplaint
        else {
            return
        }
        waiting.nextComplaint = now + Self.complaintInterval
        var view = view(of: client)
        if case .control = client { view = nil }
        let servers = forwarder.upstreamReports.filter { $0.vantage == view.map { .namespace($0.rawValue) } }
        control.post(.unanswered(view, servers.map(\.server)))
    }

    /// Tells the control plane that a view's former servers are lost, now and then.
    private mutating func reportLostServers(of view: ViewID, _ now: Moment) {
        guard let position = listeners.position(of: view) else { return }
        if let next = listeners[position].nextLossReport, now < next { return }
        listeners[position].nextLossReport = now + Self.lossReportInterval
        control.post(.formerServersLost(view))
    }

    /// The time between two such messages of one container: each costs an errand in its namespace.
    private static var lossReportInterval: Lapse { .seconds(1) }

    /// The time between two such messages: the control plane looks at each, and writes a line to the log now and then.
    private static var complaintInterval: Lapse { .seconds(5) }

    /// The view of a client's container.
    func view(of client: WaitingClient) -> ViewID? {
        switch client {
        case .datagram(let listener, let source):
            return listeners.position(of: listener).map { view(at: $0, of: source.number) }
        case .stream(let stream):
            guard let position = streams.position(of: stream),
                let listener = listeners.position(of: streams[position].listener)
            else { return nil }
            return view(at: listener, of: streams[position].source)
        case .control(_, let view, _, _): return view
        }
    }

    /// The view of a client of a listener: the listener's own, at a gateway that of the container with the source address.
    /// - Parameters:
    ///   - position: the listener.
    ///   - source: the client's address as a number; nil where the listener is a container's.
    func view(at position: Int, of source: UInt128?) -> ViewID {
        let listener = listeners[position].view
        guard let source, let gateway = listeners[position].gateway else { return listener }
        return responder.directory.view(ofSource: source, on: gateway.network) ?? listener
    }

    // MARK: - Answers

    /// The answer, without its denial of a name that has names of the client's view beneath it.
    private mutating func overruled(_ answer: Answer, for client: WaitingClient) -> Answer {
        guard answer.deniesName, let view = view(of: client), responder.isAboveNames(of: answer, view) else {
            return answer
        }
        var answer = answer
        answer.overruleDenial()
        return answer
    }

    /// Gives a client its answer, if it is still there.
    mutating func deliver(_ answer: Answer, to client: WaitingClient, behind splice: Splice? = nil) {
        if let splice { return deliver(answer, to: client, joining: splice) }
        switch client {
        case .datagram(let listener, let address):
            guard let position = listeners.position(of: listener) else { return }
            let written = answer.write(into: buffers.answer.mutableSpan, limit: answer.datagramLimit)
            let length = judged(written, for: view(at: position, of: address.number))
            if responder.directory.hasGates, holds(Array(buffers.answer[..<length]), for: client) { return }
            do throws(LinuxError) {
                try listeners[position].sockets.udp.send(buffers.answer.span.extracting(first: length), to: address)
            } catch {
                counters.dropped &+= 1
                listeners.doubtful.append(listener)
            }
        case .stream(let ticket):
            guard let position = streams.position(of: ticket) else { return }
            if responder.directory.hasGates, let view = view(of: client),
                holds(message(of: answer, for: view), for: client)
            {
                return
            }
            streams[position].inFlight -= 1
            send(answer, on: position, for: view(of: client))
            settle(ticket)
        case .control(let token, let view, let group, let route):
            let resolution = Resolution(
                message: message(of: answer, for: view), source: text(of: answer.source, for: view),
                .forwarded(group: group), route: route)
            control.post(.resolved(token: token, resolution))
        }
    }

    /// The author of an answer to a view, for people.
    func text(of source: Answer.Source, for view: ViewID, behind splice: Splice? = nil) -> String {
        if let splice { return splice.describe(text(of: source, for: view)) }
        guard case .upstream(let server) = source, forwarder.isFormerServer(server, of: view.rawValue) else {
            return "\(source)"
        }
        return "former server \(server)"
    }

    /// The octets of an answer that has been written for a view, once its policy has judged it.
    private mutating func judged(_ length: Int, for view: ViewID) -> Int {
        guard responder.directory.hasAnswerPolicies else { return length }
        return responder.judge(length, from: nil, for: view, in: &buffers.answer)
    }

    /// The answer to a question of the control plane's for a view.
    mutating func message(of answer: Answer, for view: ViewID) -> [UInt8] {
        let written = answer.write(into: buffers.answer.mutableSpan, limit: Transport.maximumMessage)
        let length = judged(written, for: view)
        return Array(buffers.answer[..<length])
    }

    /// Adds an answer to what a connection is owed.
    /// - Parameter view: its policy judges the answer; nil: none does.
    private mutating func send(_ answer: Answer, on position: Int, for view: ViewID? = nil) {
        var length = answer.write(into: buffers.answer.mutableSpan, limit: Transport.maximumMessage)
        if let view { length = judged(length, for: view) }
        streams[position].lastActive = Moment.now
        streams[position].send(buffers.answer, length)
    }

    // MARK: - Replies

    /// Takes what has come on a socket to an upstream.
    mutating func serveUpstream(_ ticket: Ticket, _ events: Epoll.Events, _ now: Moment) {
        guard let token = upstreams.token(of: ticket) else { return }
        do throws(LinuxError) {
            switch try upstreams.serve(ticket, events, into: &buffers.received, by: epoll) {
            case .nothing: break
            case .datagram(let count, let cameInFragments):
                forwarder.receivedDatagram(
                    buffers.received, count, on: token, cameInFragments: cameInFragments, now: now)
            case .octets(let count): forwarder.receivedStream(buffers.received, count, on: token, now: now)
            case .end: forwarder.failed(token, now: now)
            }
        } catch {
            logger.debug("an upstream socket failed: \(error)")
            forwarder.failed(token, error.upstreamTrouble, now: now)
        }
        act(now)
    }
}

extension LinuxError {
    /// Kind of failure of an upstream, when a socket to it has failed so.
    fileprivate var upstreamTrouble: UpstreamTrouble { errno == .connectionRefused ? .refused : .unreachable }
}

extension Forwarding.Refusal {
    /// The reason that an EDNS client is told (RFC 8914).
    var detail: ErrorDetail {
        switch self {
        case .tooMany: ErrorDetail(.networkError)
        case .noUpstreams: ErrorDetail(.noReachableAuthority, text: "no upstream may be asked")
        }
    }
}
