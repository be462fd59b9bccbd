// The forwarder of one worker: questions, replies and times in; sockets to open, messages to send and answers out.

package import DNSWire
import DequeModule

/// How long upstreams are waited for.
enum Patience {
    /// After this silence the next upstream is asked; the silent one is still listened to.
    static let attempt = Duration.seconds(1)
    /// After this the client is told that nobody answered: before the 5 s of a libc resolver (resolv.conf(5)) run out.
    static let exchange = Duration.milliseconds(4500)
}

/// All that ``Forwarder`` does, for waiters that are plain numbers: not generic, so that it is compiled once and for good.
package struct Exchanges: ~Copyable {
    package typealias Instant = ContinuousClock.Instant

    private let limits: ForwardingLimits
    private let random: @Sendable () -> UInt16
    private var groups: [UInt32: UpstreamList] = [:]
    private var waiting: [UInt32: Int] = [:]
    var table = Slots<Exchange>()
    var attempts = Slots<Attempt>()
    var deadlines = Deadlines()
    private var actions = Deque<Action<Waiter>>()

    package init(limits: ForwardingLimits, random: @escaping @Sendable () -> UInt16) {
        self.limits = limits
        self.random = random
    }

    package var inFlight: Int { table.count }

    package var nextDeadline: Instant? { deadlines.earliest }

    package mutating func nextAction() -> Action<Waiter>? {
        actions.popFirst()
    }

    package mutating func setUpstreams(_ group: UInt32, _ upstreams: UpstreamList?) {
        groups[group] = upstreams
    }

    package mutating func ask(
        _ message: Span<UInt8>, _ query: Query, waiter: Waiter, namespace: UInt32, view: UInt32, group: UInt32,
        now: Instant
    ) -> Verdict {
        guard let upstreams = groups[group], !upstreams.servers.isEmpty else { return .refused(.noUpstreams) }
        let neighbours = waiting[namespace, default: 0]
        guard table.count < limits.worker, neighbours < limits.namespace else { return .refused(.tooMany) }
        waiting[namespace] = neighbours + 1
        let asked = ClientQuery(message, query)
        let slot = table.insert(
            Exchange(
                Exchange.Place(waiter: waiter, namespace: namespace, asked: asked), query: UpstreamQuery(asked),
                group: group, vantage: upstreams.origin == .host ? .host : .namespace(view), upstreams: upstreams,
                end: now + Patience.exchange))
        proceed(slot, now: now)
        return .accepted
    }

    /// Forgets who waits in a namespace, and gives them back. What was asked from there for others fails.
    package mutating func abandon(namespace: UInt32) -> [Waiter] {
        var abandoned: [Waiter] = []
        for slot in table.slots {
            for place in table[slot]?.places ?? [] where place.namespace == namespace { abandoned.append(place.waiter) }
            table[slot]?.places.removeAll { $0.namespace == namespace }
            if table[slot]?.places.isEmpty == true {
                close(slot)
            } else if table[slot]?.vantage == .namespace(namespace) {
                fail(slot, "the namespace is gone")
            }
        }
        waiting[namespace] = nil
        return abandoned
    }

    package mutating func expire(now: Instant) {
        while let slot = deadlines.takeDue(now) {
            guard let exchange = table[slot] else { continue }
            if exchange.end <= now {
                fail(slot, "no upstream answered in time")
            } else {
                proceed(slot, now: now)
            }
        }
    }
}

extension Exchanges {
    /// Takes the next step of an exchange and sets the time of the one after it.
    mutating func proceed(_ slot: Slot, now: Instant) {
        guard let group = table[slot]?.group else { return }
        table[slot]?.take(groups[group])
        guard let step = table[slot]?.nextStep(attempts) else { return }
        switch step {
        case .ask(let server):
            open(.datagram, server, edns: true, for: slot, now: now)
        case .remind(let socket):
            guard let attempt = attempts[socket.slot], let query = table[slot]?.query else { return }
            actions.append(.send(socket, message: attempt.message(query)))
            wait(for: socket, slot, now: now)
        case .wait:
            guard let end = table[slot]?.end else { return }
            deadlines.set(slot, end)
        case .giveUp:
            giveUp(slot)
        }
    }

    /// Puts the question of an exchange to an upstream on a new socket, under a new id.
    mutating func open(
        _ transport: Attempt.Transport, _ server: ServerAddress, edns: Bool, for slot: Slot, now: Instant
    ) {
        guard let query = table[slot]?.query, let vantage = table[slot]?.vantage else { return }
        let attempt = Attempt(exchange: slot, upstream: server, transport: transport, id: random(), hasEDNS: edns)
        let socket = SocketToken(attempts.insert(attempt))
        let message = attempt.message(query)
        switch transport {
        case .datagram: actions.append(.openDatagram(socket, server, from: vantage, message: message))
        case .stream: actions.append(.openStream(socket, server, from: vantage, message: message))
        }
        table[slot]?.sockets.append(socket)
        wait(for: socket, slot, now: now)
    }

    private mutating func wait(for socket: SocketToken, _ slot: Slot, now: Instant) {
        guard let end = table[slot]?.end else { return }
        table[slot]?.current = socket
        deadlines.set(slot, min(now + Patience.attempt, end))
    }

    /// Closes one socket of an exchange.
    mutating func close(_ socket: SocketToken) {
        guard let attempt = attempts.remove(socket.slot) else { return }
        actions.append(.close(socket))
        table[attempt.exchange]?.sockets.removeAll { $0 == socket }
        if table[attempt.exchange]?.current == socket { table[attempt.exchange]?.current = nil }
    }

    /// Gives all who wait for an exchange their answer and ends it.
    mutating func finish(_ slot: Slot, _ content: Answer.Content, from upstream: ServerAddress?) {
        for place in table[slot]?.places ?? [] {
            actions.append(.answer(place.waiter, Answer(place.asked, content, from: upstream)))
            let neighbours = waiting[place.namespace, default: 0]
            waiting[place.namespace] = neighbours > 1 ? neighbours - 1 : nil
        }
        close(slot)
    }

    /// Says that nobody answers (RFC 8914 §4.23).
    private mutating func fail(_ slot: Slot, _ reason: String) {
        finish(slot, .failure(.serverFailure, [ErrorDetail(.noReachableAuthority, text: reason)]), from: nil)
    }

    /// All upstreams failed: passes on the best of what they said, if they said anything.
    private mutating func giveUp(_ slot: Slot) {
        guard let complaint = table[slot]?.bestComplaint else {
            fail(slot, "no upstream could be reached")
            return
        }
        let content = complaint.body.map { Answer.Content.reply($0) } ?? .failure(complaint.code, [])
        finish(slot, content, from: complaint.upstream)
    }

    /// Ends an exchange and closes its sockets.
    private mutating func close(_ slot: Slot) {
        guard let exchange = table.remove(slot) else { return }
        deadlines.remove(slot)
        for socket in exchange.sockets { close(socket) }
    }
}
