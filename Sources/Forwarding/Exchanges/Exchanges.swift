// The forwarder of one worker: questions, replies and times in; sockets to open, messages to send and answers out.

package import DNSWire
import DequeModule

/// How long upstreams are waited for.
enum Patience {
    /// After this silence the next upstream is asked; the silent one is still listened to.
    static let attempt = Lapse.seconds(1)
    /// After this the client is told that nobody answered: before the 5 s of a libc resolver (resolv.conf(5)) run out.
    static let exchange = Lapse.milliseconds(4500)
}

/// All that ``Forwarder`` does, for waiters that are plain numbers: not generic, so that it is compiled once and for good.
package struct Exchanges: ~Copyable {

    private let limits: ForwardingLimits
    private let random: @Sendable () -> UInt16
    private var groups: [UInt32: UpstreamList] = [:]
    private(set) var scopes = Scopes()
    var cache: AnswerCache
    /// Room for a name, made once.
    var name = FoldedName()
    private var waiting: [UInt32: Int] = [:]
    var table = Slots<Exchange>()
    var attempts = Slots<Attempt>()
    var deadlines = Deadlines()
    private var actions = Deque<Action<Waiter>>()

    package init(
        limits: ForwardingLimits, policy: CachePolicy, seed: UInt64, random: @escaping @Sendable () -> UInt16,
        now: Moment
    ) {
        self.limits = limits
        self.random = random
        cache = AnswerCache(policy, seed: seed, now: now)
    }

    package var inFlight: Int { table.count }

    package var nextDeadline: Moment? { deadlines.earliest }

    package mutating func nextAction() -> Action<Waiter>? {
        actions.popFirst()
    }

    package mutating func setUpstreams(_ group: UInt32, _ upstreams: UpstreamList?) {
        guard groups[group] != upstreams else { return }
        groups[group] = upstreams
        scopes.renew(group, upstreams?.origin)
    }

    package mutating func ask(
        _ message: Span<UInt8>, _ query: Query, _ name: borrowing FoldedName, waiter: Waiter, namespace: UInt32,
        view: UInt32, group: UInt32, now: Moment
    ) -> Verdict {
        guard let upstreams = groups[group], !upstreams.servers.isEmpty else { return .refused(.noUpstreams) }
        let neighbours = waiting[namespace, default: 0]
        guard table.count < limits.worker, neighbours < limits.namespace else { return .refused(.tooMany) }
        waiting[namespace] = neighbours + 1
        cache.counters.misses += 1
        let client = ClientQuery(query)
        let question = [UInt8](message, query.question)
        let place = Exchange.Place(waiter: waiter, namespace: namespace, client: client, question: question)
        let key = QuestionKey(
            name, query.question, Circumstances(scope: scopes.makeScope(of: group, for: view), client))
        let slot = table.insert(
            Exchange(
                place, key, query: UpstreamQuery(question, client), group: group,
                vantage: upstreams.origin == .host ? .host : .namespace(view), upstreams: upstreams,
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
                fail(slot, "the namespace is gone", now: nil)
            }
        }
        waiting[namespace] = nil
        scopes.forget(view: namespace)
        return abandoned
    }

    package mutating func expire(now: Moment) {
        while let slot = deadlines.takeDue(now) {
            guard let exchange = table[slot] else { continue }
            if exchange.end <= now {
                fail(slot, "no upstream answered in time", now: now)
            } else {
                proceed(slot, now: now)
            }
        }
    }
}

extension Exchanges {
    /// Takes the next step of an exchange and sets the time of the one after it.
    mutating func proceed(_ slot: Slot, now: Moment) {
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
            giveUp(slot, now: now)
        }
    }

    /// Puts the question of an exchange to an upstream on a new socket, under a new id.
    mutating func open(
        _ transport: Transport, _ server: ServerAddress, edns: Bool, for slot: Slot, now: Moment
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

    private mutating func wait(for socket: SocketToken, _ slot: Slot, now: Moment) {
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
    mutating func finish(_ slot: Slot, _ body: AnswerBody, from upstream: ServerAddress?) {
        for place in table[slot]?.places ?? [] {
            let answer = Answer(to: place.client, place.question, body, from: upstream)
            actions.append(.answer(place.waiter, answer))
            let neighbours = waiting[place.namespace, default: 0]
            waiting[place.namespace] = neighbours > 1 ? neighbours - 1 : nil
        }
        close(slot)
    }

    /// Says that nobody answers (RFC 8914 §4.23).
    /// - Parameter now: nil where that says nothing about the question.
    private mutating func fail(_ slot: Slot, _ reason: String, now: Moment?) {
        guard let question = table[slot]?.query.question else { return }
        let detail = ErrorDetail(.noReachableAuthority, text: reason)
        let body = AnswerBody(failure: .serverFailure, [detail], question: question)
        if let now { keepFailure(body, of: slot, seconds: FailureLife.silence, now) }
        finish(slot, body, from: nil)
    }

    /// All upstreams failed: passes on the best of what they said, if they said anything.
    private mutating func giveUp(_ slot: Slot, now: Moment) {
        guard let complaint = table[slot]?.bestComplaint, let question = table[slot]?.query.question else {
            fail(slot, "no upstream could be reached", now: now)
            return
        }
        let body = complaint.body ?? AnswerBody(failure: complaint.code, [], question: question)
        keepFailure(body, of: slot, seconds: FailureLife.complaint, now)
        finish(slot, body, from: complaint.upstream)
    }

    /// Ends an exchange and closes its sockets.
    private mutating func close(_ slot: Slot) {
        guard let exchange = table.remove(slot) else { return }
        deadlines.remove(slot)
        for socket in exchange.sockets { close(socket) }
    }
}
