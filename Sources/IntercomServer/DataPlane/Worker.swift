// A worker: one thread, one epoll loop, its share of the namespaces. It shares nothing with other workers.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import Tables

/// Queries of one socket that were received at once, and the answers to them.
struct DatagramBatch: ~Copyable {
    /// Datagrams in a batch: the cost of epoll_wait, recvmmsg and sendmmsg is shared by so many that more save little, and no
    /// namespace keeps the worker for longer than 50 µs.
    private static let size = 32
    /// Octets of a query: more than 512 where EDNS options make it so, and never so many.
    private static let longestQuery = 4096

    var receiver = UDPReceiver(slots: size, slotSize: longestQuery)
    var sender = UDPSender(slots: size, slotSize: Transport.maximumAnswer)
}

/// Room for one message at a time, beside the batches of datagrams.
struct MessageBuffers: ~Copyable {
    /// For an answer to a stream or the control plane: the longest message.
    var answer = [UInt8](repeating: 0, count: Transport.maximumMessage)
    /// For what a socket has received: the longest message of a stream with its length.
    var received = [UInt8](repeating: 0, count: Transport.lengthPrefix + Transport.maximumMessage)
}

/// The data plane's loop and all that it owns.
///
/// Much of it is `mutating` although it changes nothing, as are the lookups of ``Directory``: else all would be copied.
struct Worker: ~Copyable {
    var inbox: WorkerInbox
    let control: Mailbox<WorkerReply>
    let logger: Logger
    /// The questions that somebody watches, and whether answers are looked at; the hot path pays one branch.
    var observer: QuestionObserver

    var epoll: Epoll
    var datagrams = DatagramBatch()
    var responder: Responder
    var forwarder: Forwarder
    var counters = WorkerCounters()

    var listeners = Listeners()
    var streams = StreamConnections()
    var upstreams = UpstreamSockets()
    var waiting = WaitingClients()
    var buffers = MessageBuffers()
    /// The moment at which it ends, whatever it still owes; nil until it is told to stop.
    var drainDeadline: Moment?

    /// - Parameter epoll: the worker's own, which watches `inbox` and the bell already.
    init(
        index: Int, settings: ServerSettings, inbox: Mailbox<WorkerMessage>, control: Mailbox<WorkerReply>,
        epoll: consuming Epoll, logger: Logger
    ) {
        self.inbox = WorkerInbox(mailbox: inbox)
        self.control = control
        self.logger = logger
        observer = QuestionObserver(logs: logger.logLevel <= .trace)
        counters.worker = index
        self.epoll = epoll
        responder = Responder(settings: settings, seed: Entropy.word())
        forwarder = Forwarder(
            policy: settings.cache, seed: Entropy.word(), random: { Entropy.bytes(into: &$0) },
            now: Moment.now)
        forwarder.randomizesCase = settings.randomizesCase
    }

    /// Time for upstreams' replies, and for connections, in one turn of the loop: however many come at once, datagrams of
    /// others wait no longer for them. About 50 replies, or 100 queries over TCP.
    static var share: Lapse { Lapse(nanoseconds: 200_000) }

    /// Turns until the control plane stops it.
    /// - Throws: ``LinuxError`` when it cannot wait for events: it serves nobody any more.
    mutating func run() throws(LinuxError) {
        while !hasDrained { try turn() }
        buffers.answer.removeAll()
    }

    /// Waits until something has come or is due, and sees to it.
    /// - Throws: ``LinuxError`` when it cannot wait for events.
    mutating func turn() throws(LinuxError) {
        let count = try epoll.wait(timeoutMilliseconds: timeout())
        var upstreamsEnd: Moment?
        for event in 0..<count {
            let (word, events) = epoll.event(event)
            guard let token = Token(word: word) else { continue }
            switch token.kind {
            case .inbox, .bell: inbox.take()
            case .datagramListener: serveDatagrams(token.ticket)
            case .streamListener: acceptStream(token.ticket, events)
            case .admissions: serveAdmissions()
            case .stream: wakeStream(token.ticket, events)
            case .upstream:
                // Epoll tells again of those that are left when their time is over.
                let now = Moment.now
                let end = upstreamsEnd ?? now + Self.share
                if now < end || upstreamsEnd == nil { serveUpstream(token.ticket, events, now) }
                upstreamsEnd = end
            }
        }
        if !inbox.backlog.isEmpty { carryOutMessages() }
        serveStreams()
        serveDeadlines()
        if !responder.notes.isEmpty { postPolicyNotes() }
        resumeListeners()
    }

    // MARK: - Time

    /// True when anything can become due: an exchange, an idle connection, a paused listener, the worker's end.
    private var mayExpire: Bool {
        mutating get {
            forwarder.nextDeadline != nil || !streams.isEmpty || streams.pausedListeners > 0 || drainDeadline != nil
                || waiting.admissions.deadline != nil
        }
    }

    /// Milliseconds until something is due; nil when nothing is: an idle worker does not wake.
    private mutating func timeout() -> Int? {
        guard streams.ready.isEmpty, streams.triesDue == 0, inbox.backlog.isEmpty else { return 0 }
        guard mayExpire else { return nil }
        var next = streams.nextDeadline
        if let deadline = forwarder.nextDeadline { next = min(next ?? deadline, deadline) }
        if let deadline = streams.retryTime { next = min(next ?? deadline, deadline) }
        if let deadline = waiting.admissions.deadline { next = min(next ?? deadline, deadline) }
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
        if let deadline = streams.nextDeadline, deadline <= now { closeIdleStreams(now) }
        if let deadline = streams.retryTime, deadline <= now { streams.retryListeners() }
        if let deadline = waiting.admissions.deadline, deadline <= now { finish(waiting.admissions.expire(now: now)) }
    }

    // MARK: - Datagrams

    /// Datagrams received at once where most of the last had to be forwarded: each takes as long as ten that are answered
    /// here, and other namespaces wait meanwhile.
    private static var forwardingBatch: Int { 8 }

    /// Answers one batch; what is left in the socket waits until other namespaces were served.
    private mutating func serveDatagrams(_ ticket: Ticket) {
        guard let position = listeners.position(of: ticket) else { return }
        var view = listeners[position].view
        let isGateway = listeners[position].gateway != nil
        let received: Int
        do throws(LinuxError) {
            received = try datagrams.receiver.receive(
                from: listeners[position].sockets.udp, atMost: listeners[position].batch)
        } catch {
            logger.debug("receiving for view \(view.rawValue): \(error)")
            return repair(ticket, error.endsReceiving ? error : nil)
        }
        counters.queries &+= UInt64(received)
        let timed = counters.latency.isDue() ? beginTiming() : nil
        let observed = observedSince
        // Questions that are not for an IPv4 address, as most are.
        var (aaaa, others) = (UInt64(0), UInt64(0))
        // Read once a batch, and only where it matters.
        var now: Moment?
        var forwarded = 0
        for packet in 0..<received {
            var outcome =
                isGateway
                ? respondToGuest(packet, at: position, as: &view, &now)
                : responder.respond(to: packet, of: datagrams.receiver, view: view, into: &datagrams.sender)
            if responder.query.question.type != .a {
                if responder.query.question.type == .aaaa {
                    aaaa &+= 1
                } else {
                    others &+= 1
                    countQuestion(at: position)
                }
            }
            let errand = Errand(outcome, view, now)
            if let errand {
                now = errand.now
            }
            if let errand, case .forward = outcome {
                outcome = forwarder.respond(
                    to: packet, of: datagrams.receiver, &responder, errand, into: &datagrams.sender)
            }
            if let observed { outcome = lookAtDatagram(outcome, packet, of: ticket, view, since: observed) }
            switch outcome {
            case .answered(let length, let source):
                datagrams.sender.commit(length: length, toSourceOf: datagrams.receiver, index: packet)
                counters.count(source)
                // Long answers fill the batch before the last query is answered.
                if datagrams.sender.isFull { flush(ticket, position) }
            case .forward:
                guard let errand else { continue }
                forwarded += 1
                forwardDatagram(packet, of: ticket, errand)
            case .follow:
                guard let errand else { continue }
                forwarded += 1
                followDatagram(packet, of: ticket, errand)
            case .loop(let token):
                control.post(.looped(token: token))
                counters.dropped &+= 1
            case .heard(let length):
                if !isGateway { reportHeard() }
                // It asks for an address, and is no question of the container's.
                others &+= 1
                datagrams.sender.commit(length: length, toSourceOf: datagrams.receiver, index: packet)
                if datagrams.sender.isFull { flush(ticket, position) }
            case .held(let source): counters.count(source)
            case .drop:
                counters.dropped &+= 1
            }
        }
        if !datagrams.sender.isEmpty { flush(ticket, position) }
        if let timed { endTiming(timed) }
        listeners[position].questions.datagrams.add(a: UInt64(received) &- aaaa &- others, aaaa: aaaa)
        // The batch doubles again step by step: a container that mixes both kinds does not get the most of one.
        let more = min(listeners[position].batch, datagrams.receiver.slots) * 2
        listeners[position].batch = forwarded * 2 > received ? Self.forwardingBatch : more
        if let now, forwarder.hasActions { act(now) }
    }

    /// Answers one datagram that has come to a gateway: its source says who asks, and how often it is answered is bounded.
    /// - Parameters:
    ///   - packet: its number in the batch.
    ///   - position: the listener.
    ///   - view: becomes that of its source.
    ///   - now: the time, if it is known already.
    @inline(never)
    private mutating func respondToGuest(
        _ packet: Int, at position: Int, as view: inout ViewID, _ now: inout Moment?
    ) -> Outcome {
        guard let gateway = listeners[position].gateway else { return responder.ignore() }
        let address = datagrams.receiver.source(packet).number
        let isKnown: Bool
        switch gateway.source(address, in: responder.directory) {
        case .container(let container):
            (view, isKnown) = (container, true)
            counters.guests.ofContainers &+= 1
        case .stranger:
            (view, isKnown) = (listeners[position].view, false)
            counters.guests.ofStrangers &+= 1
        case .offLink:
            counters.guests.offLink &+= 1
            return responder.ignore()
        }
        let time = now ?? Moment.now
        now = time
        let limit = isKnown ? SourcePacing.answersToKnown : SourcePacing.answersToUnknown
        switch listeners.guests.pacing.judge(address, limit: limit, now: time) {
        case .answer: break
        case .truncate:
            counters.guests.paced &+= 1
            return responder.truncate(packet, of: datagrams.receiver, into: &datagrams.sender)
        case .drop:
            counters.guests.paced &+= 1
            return responder.ignore()
        }
        guard isKnown || gateway.unknownSources == .forward else {
            return responder.refuse(packet, of: datagrams.receiver, into: &datagrams.sender)
        }
        if !listeners.guests.awaited.isEmpty, isKnown, listeners.guests.awaited.remove(view.rawValue) != nil {
            control.post(.guestAsked(view))
        }
        return responder.respondToGuest(packet, of: datagrams.receiver, view: view, into: &datagrams.sender)
    }

    /// Begins to time a batch.
    @inline(never)
    private mutating func beginTiming() -> TimedBatch {
        TimedBatch(began: .now, local: counters.answers.local, cached: counters.cached)
    }

    /// Adds the answers of a batch that has been sent.
    @inline(never)
    private mutating func endTiming(_ batch: TimedBatch) {
        let time = (Moment.now - batch.began).nanoseconds
        let (local, cached) = (counters.answers.local &- batch.local, counters.cached &- batch.cached)
        guard local > 0 || cached > 0 else { return counters.latency.putOff() }
        counters.latency.local.add(time, times: local)
        counters.latency.cached.add(time, times: cached)
    }

    /// Counts a question that is not for an address, out of the way of those that are.
    @inline(never)
    private mutating func countQuestion(at position: Int) {
        listeners[position].questions.datagrams.count(responder.query.question.type)
    }

    private mutating func flush(_ ticket: Ticket, _ position: Int) {
        let dropped = datagrams.sender.flush(to: listeners[position].sockets.udp).dropped
        if dropped == 0 { return }
        counters.dropped &+= UInt64(dropped)
        listeners.doubtful.append(ticket)
    }
}
