// A worker: one thread, one epoll loop, its share of the namespaces. It shares nothing with other workers.

import DNSWire
import DequeModule
import Forwarding
import LinuxNet
import Logging
import Registry

/// Who waits for an upstream's answer.
enum Client: Sendable {
    case datagram(listener: Ticket, SocketAddress)
    case stream(Ticket)
    /// `intercomctl resolve`; by the control plane's token, with the domain of the route that the question takes.
    case control(token: UInt64, route: Name?)
}

/// The UDP and TCP sockets inside one namespace.
struct Listener: ~Copyable {
    let sockets: ListenerSockets
    let view: ViewID
    var connections = 0
    /// Datagrams that are taken at once: few while most of them have to be forwarded.
    var batch = Int.max
    /// Sockets in the namespace that can be connected to upstreams, and the kinds that were asked for.
    var spare = SocketBatch()
    var requested: Set<SocketKind> = []

    init(sockets: consuming ListenerSockets, view: ViewID) {
        self.sockets = sockets
        self.view = view
    }
}

/// The data plane's loop and all that it owns.
///
/// What each turn of it asks for is `mutating`, as are the lookups of ``Directory``: else all would be copied.
struct Worker: ~Copyable {
    let index: Int
    let inbox: Mailbox<WorkerMessage>
    let control: Mailbox<WorkerReply>
    let logger: Logger
    /// Whether each query is logged; looked up once, so that the hot path pays one branch.
    let logsQueries: Bool

    var epoll: Epoll
    var receiver = UDPReceiver(slots: 32, slotSize: 4096)
    var sender = UDPSender(slots: 32, slotSize: Transport.maximumDatagram)
    var responder: Responder
    var forwarder: Forwarder<Client>
    var counters = WorkerCounters()

    var listeners = SlotTable<Listener>()
    /// The listener of each view that has one.
    var listenerOfView: [ViewID: Ticket] = [:]
    var streams = SlotTable<StreamConnection>()
    /// Connections that there is something to do for, in the order in which they have their turns.
    var readyStreams = Deque<Ticket>()
    var upstreams = UpstreamSockets()
    /// When the control plane may be told again that no upstream answers.
    var nextComplaint = Moment.now
    /// For connections that come when there is no other descriptor.
    var spare = SpareDescriptor()
    /// Questions that wait for a socket of their namespace.
    var orders: [SocketOrder] = []
    /// When the next idle connection is due; nil while there are none.
    var nextStreamDeadline: Moment?
    /// Where answers for streams and the control plane are written, and what reads from sockets fill.
    var answerBuffer = [UInt8](repeating: 0, count: 65535)
    var readBuffer = [UInt8](repeating: 0, count: 65535 + 2)
    /// When it ends, whatever it still owes; nil until it is told to stop.
    var drainDeadline: Moment?

    /// - Parameter epoll: the worker's own, which watches `inbox` already.
    init(
        index: Int, settings: ServerSettings, inbox: Mailbox<WorkerMessage>, control: Mailbox<WorkerReply>,
        epoll: consuming Epoll, logger: Logger
    ) {
        self.index = index
        self.inbox = inbox
        self.control = control
        self.logger = logger
        self.logsQueries = logger.logLevel <= .trace
        counters.worker = index
        self.epoll = epoll
        responder = Responder(settings: settings, seed: Entropy.word())
        forwarder = Forwarder(
            policy: settings.cache, seed: Entropy.word(), random: { Entropy.bytes(into: &$0) },
            now: Moment.now)
        forwarder.randomizesCase = settings.randomizesCase
    }

    /// How long replies of upstreams, and connections, have at a turn of the loop before datagrams are looked after again:
    /// however many come at once, what others ask does not wait for all of them.
    static var share: Lapse { Lapse(nanoseconds: 200_000) }

    /// Turns until it is told to stop.
    mutating func run() {
        while !hasDrained {
            let count: Int
            do {
                count = try epoll.wait(timeoutMilliseconds: timeout())
            } catch {
                logger.critical("worker \(index) cannot wait for events and ends: \(error)")
                return
            }
            var upstreamsEnd: Moment?
            for event in 0..<count {
                let (word, events) = epoll.event(event)
                guard let token = Token(word: word) else { continue }
                switch token.kind {
                case .inbox: takeMessages()
                case .datagramListener: serveDatagrams(token.ticket)
                case .streamListener: acceptStream(token.ticket)
                case .stream: wakeStream(token.ticket, events)
                case .upstream:
                    // Of those that are left when their time is over epoll tells again.
                    let now = Moment.now
                    let end = upstreamsEnd ?? now + Self.share
                    if now < end || upstreamsEnd == nil { serveUpstream(token.ticket, events, now) }
                    upstreamsEnd = end
                }
            }
            serveStreams()
            serveDeadlines()
        }
        answerBuffer.removeAll()
    }

    // MARK: - Time

    /// Whether anything can become due: an exchange, an idle connection, the worker's end.
    private var mayExpire: Bool {
        mutating get { forwarder.nextDeadline != nil || !streams.isEmpty || drainDeadline != nil }
    }

    /// Milliseconds until something is due; nil when nothing is: an idle worker does not wake.
    private mutating func timeout() -> Int? {
        guard readyStreams.isEmpty else { return 0 }
        guard mayExpire else { return nil }
        var next = nextStreamDeadline
        if let deadline = forwarder.nextDeadline { next = min(next ?? deadline, deadline) }
        if let deadline = drainDeadline { next = min(next ?? deadline, deadline) }
        guard let next else { return nil }
        let left = next - Moment.now
        // Rounded up, so that a deadline is past when we wake for it.
        return left.nanoseconds > 0 ? left.milliseconds + 1 : 0
    }

    private mutating func serveDeadlines() {
        guard mayExpire else { return }
        let now = Moment.now
        if let deadline = forwarder.nextDeadline, deadline <= now {
            forwarder.expire(now: now)
            act(now)
        }
        if let deadline = nextStreamDeadline, deadline <= now { closeIdleStreams(now) }
    }

    // MARK: - The control plane

    private mutating func takeMessages() {
        for message in inbox.takeAll() {
            switch message {
            case .directory(let changes):
                for change in changes { responder.directory.apply(change) }
            case .settings(let settings):
                responder.apply(settings)
                forwarder.setPolicy(settings.cache)
                forwarder.randomizesCase = settings.randomizesCase
            case .upstreams(let group, let upstreams):
                forwarder.setUpstreams(group, upstreams)
            case .listen(let view, let sockets):
                listen(view, sockets)
            case .closeListener(let view):
                closeListener(view)
            case .probes(let tokens):
                responder.probes = tokens
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
                counters.listeners = listeners.count
                counters.tcpConnections = streams.count
                counters.inFlight = forwarder.inFlight
                counters.cache = forwarder.cacheCounters
                counters.upstreams = forwarder.upstreamReports
                control.post(.counters(token: token, counters))
            case .flush(let token, let flush):
                control.post(.flushed(token: token, forwarder.flush(flush)))
            case .stop:
                beginDraining()
            }
        }
    }

    private mutating func listen(_ view: ViewID, _ handover: Handover<ListenerSockets>) {
        guard let sockets = handover.take() else { return }
        closeListener(view)
        let ticket = listeners.insert(Listener(sockets: sockets, view: view))
        guard let position = listeners.position(of: ticket) else { return }
        do throws(LinuxError) {
            let datagram = Token(.datagramListener, ticket).word
            try epoll.add(listeners[position].sockets.udp, token: datagram, interest: [.readable])
            let stream = Token(.streamListener, ticket).word
            try epoll.add(listeners[position].sockets.tcp, token: stream, interest: [.readable])
            listenerOfView[view] = ticket
        } catch {
            logger.error("a listener cannot be watched and is closed: \(error)")
            listeners.remove(ticket)
        }
    }

    private mutating func closeListener(_ view: ViewID) {
        guard let ticket = listenerOfView.removeValue(forKey: view) else { return }
        for position in stride(from: streams.count - 1, through: 0, by: -1) where streams[position].listener == ticket {
            streams.remove(streams.ticket(at: position))
        }
        forwarder.abandon(namespace: view.rawValue)
        act(Moment.now)
        // Closing a descriptor takes it out of the epoll set.
        listeners.remove(ticket)
    }

    private mutating func resolve(_ token: UInt64, _ view: ViewID, _ query: [UInt8]) {
        var outcome = responder.respond(to: query.span, view: view, into: &answerBuffer)
        let errand = Errand(outcome, view)
        let route = errand.flatMap { responder.directory.routeDomain(of: $0.group) }
        if let errand { outcome = forwarder.respond(to: query.span, &responder, errand, into: &answerBuffer) }
        switch outcome {
        case .answered(let length, let source):
            let resolution = Resolution(
                message: Array(answerBuffer[..<length]), source: responder.describe(source), route: route)
            control.post(.resolved(token: token, resolution))
        case .forward:
            let client = Client.control(token: token, route: route)
            guard let errand else { return }
            forward(query.span, Asking(client: client, namespace: Asking.controlPlane, errand: errand))
        case .drop, .loop:
            control.post(.resolved(token: token, Resolution(message: [], source: "dropped: not a query")))
        }
    }

    // MARK: - Datagrams

    /// Datagrams that are taken at once where most of the last had to be forwarded: each takes as long as ten that are
    /// answered here, and other namespaces wait meanwhile.
    private static var forwardingBatch: Int { 8 }

    /// Answers one batch; what is left in the socket waits until the others were served.
    private mutating func serveDatagrams(_ ticket: Ticket) {
        guard let position = listeners.position(of: ticket) else { return }
        let view = listeners[position].view
        let received: Int
        do {
            received = try receiver.receive(
                from: listeners[position].sockets.udp, atMost: listeners[position].batch)
        } catch {
            logger.debug("receiving for view \(view.rawValue): \(error)")
            return
        }
        counters.queries &+= UInt64(received)
        // Read once a batch, and only where it matters.
        var now: Moment?
        var forwarded = 0
        for packet in 0..<received {
            var outcome = responder.respond(to: packet, of: receiver, view: view, into: &sender)
            let errand = Errand(outcome, view, now)
            if let errand {
                now = errand.now
                outcome = forwarder.respond(to: packet, of: receiver, &responder, errand, into: &sender)
            }
            if logsQueries { log(receiver.packet(packet), outcome, view) }
            switch outcome {
            case .answered(let length, let source):
                sender.commit(length: length, toSourceOf: receiver, index: packet)
                counters.count(source)
            case .forward:
                guard let errand else { continue }
                forwarded += 1
                forwardDatagram(packet, Asking(.datagram(listener: ticket, receiver.source(packet)), errand))
            case .loop(let token):
                control.post(.looped(token: token))
                counters.dropped &+= 1
            case .drop:
                counters.dropped &+= 1
            }
        }
        if !sender.isEmpty { counters.dropped &+= UInt64(sender.flush(to: listeners[position].sockets.udp).dropped) }
        // More again by and by: who mixes both kinds does not get the most of one.
        let more = min(listeners[position].batch, receiver.slots) * 2
        listeners[position].batch = forwarded * 2 > received ? Self.forwardingBatch : more
        if let now, forwarder.exchanges.hasActions { act(now) }
    }

    private static func text(_ packet: Span<UInt8>) -> String {
        do throws(WireError) {
            let message = try Message(packet)
            guard let question = try message.firstQuestion() else { return "without a question" }
            return try MessageText.text(of: question, in: packet)
        } catch {
            return "of \(packet.count) octets (\(error))"
        }
    }

    private func log(_ packet: Span<UInt8>, _ outcome: Outcome, _ view: ViewID) {
        let what: String
        switch outcome {
        case .answered(_, let source): what = responder.describe(source)
        case .forward: what = "forwarded"
        case .loop: what = "asked by an upstream of ours"
        case .drop: what = "dropped"
        }
        logger.trace("query \(Self.text(packet)) from view \(view.rawValue): \(what)")
    }
}
