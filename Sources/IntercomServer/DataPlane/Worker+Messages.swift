// Messages of the control plane to a worker: its listeners, its directory, its end.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import Tables

extension Worker {
    // MARK: - Messages

    /// Carries out as many messages as a turn has time for.
    mutating func carryOutMessages() {
        defer { observer.hasGates = responder.directory.hasGates }
        inbox.backlog.beginTurn()
        while let step = inbox.backlog.next() {
            switch step {
            case .message(let message): carryOut(message)
            case .changes(let changes): carryOut(changes)
            }
        }
    }

    private mutating func carryOut(_ changes: ArraySlice<DirectoryChange>) {
        for change in changes {
            settleQuestions(before: change)
            responder.directory.apply(change)
        }
    }

    private mutating func carryOut(_ message: WorkerMessage) {
        switch message {
        case .directory(let changes): carryOut(changes[...])
        case .settings(let settings):
            responder.apply(settings)
            forwarder.setPolicy(settings.cache)
            forwarder.randomizesCase = settings.randomizesCase
        case .upstreams(let group, let upstreams):
            forwarder.setUpstreams(group, upstreams)
        case .formerServers(let view, let servers):
            forwarder.setFormerServers(servers, of: view.rawValue)
        case .listen(let view, let sockets):
            listen(view, sockets)
        case .closeListener(let view):
            closeListener(view)
        case .listenV6(let view, let sockets):
            listenV6(view, sockets)
        case .closeV6Listener(let view):
            closeV6Listener(view)
        case .listenAtGateway(let gateway, let stranger, let sockets):
            listen(gateway, stranger, sockets)
        case .gateway(let gateway):
            change(gateway)
        case .closeGateway(let number):
            closeGateway(number)
        case .awaitGuest(let view):
            listeners.guests.awaited.insert(view.rawValue)
        case .gate(let view, let state):
            setGate(of: view, state)
        case .admissions(let connection):
            if let connection = connection.take() { takeAdmissions(connection) }
        case .probes(let tokens):
            responder.probes = tokens
        case .expect(let token, let view):
            responder.expected.expect(token, at: view)
        case .forgetToken(let token):
            responder.expected.forget(token)
        case .avoid(let place):
            forwarder.avoid(place)
        case .avoidNobody:
            forwarder.avoidNobody()
        case .sockets(let view, let kind, let sockets):
            takeSockets(view, kind, sockets)
        case .resolve(let token, let view, let query):
            resolve(token, view, query)
        case .fence(let token):
            control.post(.reached(token: token))
        case .counters(let token):
            updateCounters()
            control.post(.counters(token: token, counters))
        case .measure(let token, let perContainer):
            control.post(.measured(token: token, measures(perContainer: perContainer)))
        case .countGates(let token):
            control.post(.gates(token: token, waiting.admissions.countersOfViews(now: .now)))
        case .observe(let views, let withMessages):
            observer.observe(views, withMessages: withMessages)
        case .takeQuestions(let token):
            control.post(.questions(token: token, observer.take()))
        case .flush(let token, let flush):
            control.post(.flushed(token: token, forwarder.flush(flush)))
        case .listKept(let token, let selection, let limit):
            control.post(
                .kept(token: token, forwarder.keptAnswers(in: selection, limit: limit, now: Moment.now)))
        case .stop:
            beginDraining()
        }
    }

    private mutating func listen(_ view: ViewID, _ handover: Handover<ListenerSockets>) {
        guard let sockets = handover.take() else { return }
        closeListener(view)
        observe(listeners.insert(Listener(sockets: sockets, view: view)))
    }

    /// Serves a view at ::1, if it has a listener at 127.0.0.11.
    private mutating func listenV6(_ view: ViewID, _ handover: Handover<ListenerSockets>) {
        guard let sockets = handover.take(), listeners.ticket(of: view) != nil else { return }
        closeV6Listener(view)
        observe(listeners.insertV6(Listener(sockets: sockets, view: view, isV6: true)))
    }

    /// Listens at an address of the host, or changes what holds for a listener there.
    private mutating func listen(_ gateway: Gateway, _ stranger: ViewID, _ handover: Handover<ListenerSockets>) {
        guard let sockets = handover.take() else { return }
        closeGateway(gateway.number)
        var listener = Listener(sockets: sockets, view: stranger)
        listener.gateway = gateway
        observe(listeners.insert(gateway: listener))
    }

    /// Changes what holds for a gateway's listener.
    private mutating func change(_ gateway: Gateway) {
        guard let position = listeners.ticket(ofGateway: gateway.number).flatMap({ listeners.position(of: $0) }) else {
            return
        }
        listeners[position].gateway = gateway
    }

    /// Closes a gateway's listener and its connections. Answers to its questions go nowhere.
    private mutating func closeGateway(_ number: UInt32) {
        guard let ticket = listeners.ticket(ofGateway: number) else { return }
        close(listener: ticket)
    }

    private mutating func observe(_ ticket: Ticket) {
        guard let position = listeners.position(of: ticket) else { return }
        do throws(LinuxError) {
            let datagram = Token(.datagramListener, ticket).word
            try epoll.add(listeners[position].sockets.udp, token: datagram, interest: .readable)
            let stream = Token(.streamListener, ticket).word
            try epoll.add(listeners[position].sockets.tcp, token: stream, interest: .readable)
        } catch {
            fail(ticket, error)
        }
    }

    /// Closes the listeners of a view, and abandons the questions of its namespace.
    private mutating func closeListener(_ view: ViewID) {
        closeV6Listener(view)
        guard let ticket = listeners.ticket(of: view) else { return }
        close(listener: ticket)
        for client in forwarder.abandon(namespace: view.rawValue) { waiting.take(client) }
        act(Moment.now)
    }

    /// Closes the listener of a view at ::1. Answers to its questions go nowhere.
    private mutating func closeV6Listener(_ view: ViewID) {
        if let ticket = listeners.v6Ticket(of: view) { close(listener: ticket) }
    }

    /// Closes a listener and its connections.
    private mutating func close(listener ticket: Ticket) {
        settleQuestions(of: ticket)
        guard let position = listeners.position(of: ticket) else { return }
        if listeners[position].pause != nil { streams.pausedListeners -= 1 }
        for position in stride(from: streams.count - 1, through: 0, by: -1) where streams[position].listener == ticket {
            streams.remove(streams.ticket(at: position))
        }
        streams.noteRoom()
        listeners.remove(ticket)
    }

    /// Closes the listeners of a view where one cannot serve any more; the control plane makes others.
    mutating func fail(_ ticket: Ticket, _ error: LinuxError) {
        guard let position = listeners.position(of: ticket) else { return }
        if let gateway = listeners[position].gateway {
            closeGateway(gateway.number)
            return control.post(.gatewayFailed(gateway.number, error))
        }
        let view = listeners[position].view
        closeListener(view)
        control.post(.listenerFailed(view, error))
    }

    /// Repairs a listener one of whose sockets fails: root in its namespace may have destroyed it.
    /// - Parameter error: why it fails; nil where that may concern one datagram alone.
    mutating func repair(_ ticket: Ticket, _ error: LinuxError?) {
        guard let position = listeners.position(of: ticket) else { return }
        do throws(LinuxError) {
            guard try listeners[position].sockets.repair() else {
                if let error { fail(ticket, error) }
                return
            }
        } catch {
            return fail(ticket, error)
        }
        let now = Moment.now
        if let next = listeners[position].nextRepairReport, now < next { return }
        listeners[position].nextRepairReport = now + Self.repairReportInterval
        if listeners[position].gateway != nil { return }
        control.post(.listenerRepaired(listeners[position].view))
    }

    /// The time between two such reports: who destroys sockets as fast as it can does not fill the control plane's mailbox.
    private static var repairReportInterval: Lapse { .seconds(1) }

    /// A question of ours has arrived where it was to: once, and it is no query of the container's.
    mutating func reportHeard() {
        counters.queries &-= 1
        responder.expected.forget(responder.arrived)
        control.post(.heard(token: responder.arrived))
    }

    private mutating func resolve(_ token: UInt64, _ view: ViewID, _ query: [UInt8]) {
        responder.notes.isPaused = true
        defer { responder.notes.isPaused = false }
        var outcome = responder.respond(to: query.span, view: view, into: &buffers.answer)
        let errand = Errand(outcome, view)
        let route = errand.flatMap { responder.directory.routeDomain(of: $0.group) }
        if let errand, case .forward = outcome {
            outcome = forwarder.respond(to: query.span, &responder, errand, into: &buffers.answer)
        }
        switch outcome {
        case .heard(let length):
            // Asked over the control socket, it proves nothing.
            let message = Array(buffers.answer[..<length])
            let source = responder.describe(.specialUse)
            control.post(
                .resolved(token: token, Resolution(message: message, source: source, .answered(.specialUse))))
        case .answered(let length, let source):
            let decision = errand.map { Decision.forwarded(group: $0.group) } ?? .answered(source)
            let resolution = Resolution(
                message: Array(buffers.answer[..<length]), source: responder.describe(source), decision, route: route)
            control.post(.resolved(token: token, resolution))
        case .forward:
            guard let errand else { return }
            forward(query.span, .control(token: token, view, group: errand.group, route: route), errand)
        case .follow:
            guard let errand else { return }
            follow(
                .control(token: token, view, group: errand.group, route: route),
                responder.splice(for: query, over: .stream), errand, payer: Asking.controlPlane)
            act(errand.now)
        case .drop, .loop, .held:
            control.post(.resolved(token: token, Resolution(message: [], source: "dropped: not a query", .dropped)))
        }
    }

    /// Posts what policies have denied in this turn.
    @inline(never)
    mutating func postPolicyNotes() {
        let (notes, leftOut) = responder.notes.take()
        control.post(.denied(notes, leftOut: leftOut))
    }

    // MARK: - Counters

    /// Moves what has come to a listener to the listeners.ledger, under the network that its container is on now.
    mutating func settleQuestions(of ticket: Ticket?) {
        guard let ticket, let position = listeners.position(of: ticket) else { return }
        let questions = listeners[position].questions
        listeners.ledger.add(questions, of: network(ofListener: position), isV6: listeners[position].isV6)
        listeners[position].questions = ListenerQuestions()
    }

    /// The network that questions at a listener count for.
    private mutating func network(ofListener position: Int) -> ScopeID? {
        listeners[position].gateway?.network ?? responder.directory.firstNetwork(of: listeners[position].view)
    }

    /// Before a change of the directory: questions so far count for the network that there was until now.
    mutating func settleQuestions(before change: DirectoryChange) {
        switch change {
        case .view(let view, let new):
            guard responder.directory.firstNetwork(of: view) != new?.networks.first else { return }
            settleQuestions(of: listeners.ticket(of: view))
            settleQuestions(of: listeners.v6Ticket(of: view))
        case .scope(let scope, nil): listeners.ledger.forget(scope)
        case .scope, .records, .source, .policy, .policyRules, .routes, .hostDomains: return
        }
    }

    /// Everything that is counted.
    /// - Parameter perContainer: with the questions of each container.
    mutating func measures(perContainer: Bool) -> WorkerMeasures {
        var all = listeners.ledger
        var ofContainers: [ViewID: UInt64] = [:]
        for position in 0..<listeners.count {
            let (questions, view) = (listeners[position].questions, listeners[position].view)
            all.add(questions, of: network(ofListener: position), isV6: listeners[position].isV6)
            if perContainer, listeners[position].gateway == nil {
                ofContainers[view, default: 0] &+= questions.datagrams.total &+ questions.messages.total
            }
        }
        updateCounters()
        return WorkerMeasures(
            counters: counters,
            questions: all.counts.map { key, counts in
                WorkerMeasures.Questions(
                    network: key.network.map { responder.directory.networkName(of: $0) } ?? "", isV6: key.isV6,
                    isStream: key.isStream, counts: counts)
            }, containers: ofContainers.map { (view: $0.key, count: $0.value) }, servers: forwarder.serverTraffic)
    }

    /// Takes in what others count.
    mutating func updateCounters() {
        counters.listeners = listeners.viewCount
        counters.policies.gates = waiting.admissions.counters(now: .now)
        counters.policies.denials = responder.notes.denied
        counters.policies.droppedAddresses = responder.notes.droppedAddresses
        counters.policies.audits = responder.notes.audited
        counters.tcpConnections = streams.count
        counters.inFlight = forwarder.inFlight
        counters.cache = forwarder.cacheCounters
        counters.upstreams = forwarder.upstreamReports
    }

    // MARK: - The end

    /// The most that a worker waits once it was told to stop: for upstreams, and for clients that do not take their answers.
    /// Queries wait in the sockets meanwhile, and programs wait for 5 s (resolv.conf(5) `timeout`).
    static var drainTime: Lapse { .milliseconds(500) }

    /// Reads no more queries. Connections get a FIN once they have their answers.
    mutating func beginDraining() {
        drainDeadline = Moment.now + Self.drainTime
        streams.forgetWaiting()
        for position in 0..<listeners.count {
            try? epoll.remove(listeners[position].sockets.udp)
            try? epoll.remove(listeners[position].sockets.tcp)
        }
        for position in stride(from: streams.count - 1, through: 0, by: -1) {
            let ticket = streams.ticket(at: position)
            // Octets that have arrived are read once more: they are owed an answer, and a socket that is closed with
            // unread octets in it sends a reset, which takes the answers with it.
            streams[position].observe(.readable)
            serveStream(ticket)
            guard let position = streams.position(of: ticket) else { continue }
            streams[position].hasEnded = true
            settle(ticket)
        }
    }

    /// True when a worker that was told to stop may end.
    var hasDrained: Bool {
        mutating get {
            guard let drainDeadline else { return false }
            return streams.isEmpty && forwarder.inFlight == 0 && waiting.admissions.isEmpty
                || Moment.now >= drainDeadline
        }
    }
}
