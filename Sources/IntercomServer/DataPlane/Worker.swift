// A worker: one thread, one epoll loop, its share of the namespaces. It shares nothing with other workers.

import DNSWire
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

/// The data plane's loop and all that it owns.
///
/// Much of it is `mutating` although it changes nothing, as are the lookups of ``Directory``: else all would be copied.
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

    var listeners = Listeners()
    var streams = StreamConnections()
    var upstreams = UpstreamSockets()
    /// When the control plane may be told again that no upstream answers.
    var nextComplaint = Moment.now
    /// Questions that wait for a socket of their namespace.
    var orders: [SocketOrder] = []
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

    /// Time for upstreams' replies, and for connections, in one turn of the loop: however many come at once, datagrams of
    /// others wait no longer for them. About 50 replies, or 100 queries over TCP.
    static var share: Lapse { Lapse(nanoseconds: 200_000) }

    /// Turns until the control plane stops it.
    /// - Throws: ``LinuxError`` when it cannot wait for events: it serves nobody any more.
    mutating func run() throws(LinuxError) {
        while !hasDrained {
            let count = try epoll.wait(timeoutMilliseconds: timeout())
            var upstreamsEnd: Moment?
            for event in 0..<count {
                let (word, events) = epoll.event(event)
                guard let token = Token(word: word) else { continue }
                switch token.kind {
                case .inbox: takeMessages()
                case .datagramListener: serveDatagrams(token.ticket)
                case .streamListener: acceptStream(token.ticket, events)
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
            resumeListeners()
        }
        answerBuffer.removeAll()
    }

    // MARK: - Time

    /// True when anything can become due: an exchange, an idle connection, a paused listener, the worker's end.
    private var mayExpire: Bool {
        mutating get {
            forwarder.nextDeadline != nil || !streams.isEmpty || streams.pausedListeners > 0 || drainDeadline != nil
        }
    }

    /// Milliseconds until something is due; nil when nothing is: an idle worker does not wake.
    private mutating func timeout() -> Int? {
        guard streams.ready.isEmpty, streams.triesDue == 0 else { return 0 }
        guard mayExpire else { return nil }
        var next = streams.nextDeadline
        if let deadline = forwarder.nextDeadline { next = min(next ?? deadline, deadline) }
        if let deadline = streams.retryTime { next = min(next ?? deadline, deadline) }
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
    }
}
