// The forwarder of one worker: questions, replies and times in; sockets to open, messages to send and answers out.

package import DNSWire
import DequeModule
import Tables

/// The number by which the owner of a ``Forwarder`` finds a client that waits. It has no meaning here.
package typealias Client = Int

/// Asks upstreams what is not answered here. A value without I/O: its owner has the sockets and the clock.
///
/// After every call that takes a time, do what ``nextAction()`` says until it gives nil, and call ``expire(now:)`` when
/// ``nextDeadline`` has come.
package struct Forwarder: ~Copyable {
    let limits: ForwardingLimits
    var random: Randomness
    /// True when names are asked for in a spelling that nobody can guess, of upstreams that repeat it.
    package var randomizesCase = false
    private(set) var groups: [UInt32: UpstreamList] = [:]
    /// The servers that a view had before us, for groups of the origin ``UpstreamList/Origin/former``.
    private var formerServers: [UInt32: [ServerAddress]] = [:]
    private(set) var scopes = Scopes()
    var upstreams = Upstreams()
    var cache: AnswerCache
    /// Room for a name, made once.
    var name = FoldedName()

    var table = SlotTable<Exchange>()
    /// The exchange that each question is being asked in: never two at once, or who guesses could guess for both (RFC 5452
    /// §5).
    var exchangeOf: [QuestionKey: Ticket] = [:]
    /// Exchanges that nobody waits for, in the order in which they became so; others may be among them.
    private(set) var unattended = TicketQueue()
    var accounts = Accounts()
    var sockets = UpstreamSocketTable()
    var deadlines = Deadlines()
    private(set) var actions = Deque<Action>()
    /// The exchanges under way that somebody waits for.
    package internal(set) var inFlight = 0

    /// - Parameters:
    ///   - limits: how many questions may wait at once.
    ///   - policy: what is kept of answers.
    ///   - seed: a secret that nobody outside knows.
    ///   - random: fills an array with octets that nobody can guess: ids, spellings.
    ///   - now: no time that is given later is before this one.
    package init(
        limits: ForwardingLimits = ForwardingLimits(), policy: CachePolicy = CachePolicy(), seed: UInt64,
        random: @escaping @Sendable (inout [UInt8]) -> Void, now: Moment
    ) {
        self.limits = limits
        self.random = Randomness(random)
        cache = AnswerCache(policy, seed: seed, now: now)
    }

    /// The moment at which ``expire(now:)`` is to be called next; nil while nothing is under way.
    package var nextDeadline: Moment? {
        guard let exchange = deadlines.earliest else { return sockets.nextDeadline }
        return sockets.nextDeadline.map { min($0, exchange) } ?? exchange
    }

    /// Takes what is to be done next; nil when everything is done.
    package mutating func nextAction() -> Action? {
        actions.popFirst()
    }

    /// True when there is anything to be done.
    package var hasActions: Bool { !actions.isEmpty }

    mutating func act(_ action: Action) { actions.append(action) }

    /// Makes these the upstreams of a group; nil forgets the group.
    ///
    /// Exchanges under way go on with the new list when they turn to their next upstream. What the old ones still answer
    /// counts; if the group is gone, they go on with the old list.
    package mutating func setUpstreams(_ group: UInt32, _ list: UpstreamList?) {
        guard groups[group] != list else { return }
        groups[group] = list
        let old = scopes.renew(group, list?.origin)
        if let list, list.origin == .host, let scope = scopes.scope(of: group, for: 0) {
            upstreams.set(list, of: scope, from: .host)
        }
        for upstream in upstreams.forget(scopes: old) { closeSockets(of: upstream) }
    }

    /// Makes these the servers that a view had before us, in the order in which they are asked; none: it has none any more.
    ///
    /// Answers of the servers before are forgotten. Exchanges under way go on with the new ones.
    package mutating func setFormerServers(_ servers: [ServerAddress], of view: UInt32) {
        let new = servers.isEmpty ? nil : servers
        guard formerServers[view] != new else { return }
        formerServers[view] = new
        let former = Set(groups.lazy.filter { $0.value.origin == .former }.map(\.key))
        for upstream in upstreams.forget(scopes: scopes.forget(view: view, in: former)) { closeSockets(of: upstream) }
    }

    /// True for a server that a view had before us.
    package func isFormerServer(_ server: ServerAddress, of view: UInt32) -> Bool {
        formerServers[view]?.contains(server) == true
    }

    /// Asks a server no more, for example because it asks us; what it is asked already goes on.
    package mutating func avoid(_ place: UpstreamPlace) { upstreams.avoid(place) }

    /// Asks all servers again that were avoided.
    package mutating func avoidNobody() { upstreams.stopAvoiding { _ in true } }

    /// Questions to all servers that were asked, and their replies.
    package var serverTraffic: [ServerTraffic] { upstreams.traffic.servers }

    /// Reports of all upstreams, for people.
    package var upstreamReports: [UpstreamReport] { upstreams.reports }
}

extension Forwarder {
    // MARK: - Questions

    /// Takes a question of a client.
    ///
    /// - Parameters:
    ///   - message: the client's query as it came.
    ///   - query: the same as it was read.
    ///   - name: its name.
    ///   - client: who waits for the answer.
    ///   - namespace: who pays for it: questions that wait are counted by namespace.
    ///   - view: whose namespace it is asked from, where the group says so.
    ///   - group: the upstream group that it goes to.
    ///   - now: the time.
    package mutating func ask(
        _ message: Span<UInt8>, _ query: Query, _ name: borrowing FoldedName, client: Client, namespace: UInt32,
        view: UInt32, group: UInt32, now: Moment
    ) -> Verdict {
        guard let scope = scope(of: group, for: view) else { return .refused(.noUpstreams) }
        cache.counters.misses += 1
        let asked = ClientQuery(query)
        let question = [UInt8](message, query.question)
        let key = QuestionKey(name, query.question, Circumstances(scope: scope, asking: asked), cache.hash)
        let place = Exchange.Place(client: client, namespace: namespace, query: asked, question: question)
        if let ticket = exchangeOf[key] { return join(ticket, place, now) }
        makeRoom(for: namespace)
        let query = UpstreamQuery(question, asked)
        let ticket = begin(Exchange(key, query, group: group, view: view, payer: namespace, began: now))
        table[ticket]?.places = [place]
        inFlight += 1
        accounts.join(namespace, ticket, isFirst: true, in: table)
        start(ticket, now)
        return .accepted
    }

    /// Asks anew for an answer that is kept, for nobody in particular; false where there is no room for that.
    mutating func renew(
        _ key: QuestionKey, _ query: UpstreamQuery, group: UInt32, view: UInt32, _ now: Moment
    ) -> Bool {
        guard exchangeOf[key] == nil, table.count < limits.renewing else { return false }
        let ticket = begin(Exchange(key, query, group: group, view: view, payer: nil, began: now))
        noteUnattended(ticket)
        start(ticket, now)
        return true
    }

    /// The scope of a group's answers for a view; nil where the group has no upstream.
    mutating func scope(of group: UInt32, for view: UInt32) -> UInt32? {
        guard var list = groups[group] else { return nil }
        if list.origin == .former { list.servers = formerServers[view] ?? [] }
        guard !list.servers.isEmpty else { return nil }
        if let known = scopes.scope(of: group, for: view) { return known }
        let scope = scopes.makeScope(of: group, for: view)
        upstreams.set(list, of: scope, from: .namespace(view))
        return scope
    }

    private mutating func begin(_ exchange: Exchange) -> Ticket {
        let key = exchange.key
        exchange.hasStaleAnswer = cache.hasStale(key.lent, exchange.began)
        let ticket = table.insert(exchange)
        exchangeOf[exchange.key] = ticket
        return ticket
    }

    /// Notes an exchange that goes on, though nobody waits for it.
    mutating func noteUnattended(_ ticket: Ticket) {
        unattended.append(ticket, waiting: table.count) { table[$0]?.places.isEmpty == true }
    }

    /// Lets one more wait for what is being asked already.
    private mutating func join(_ ticket: Ticket, _ place: Exchange.Place, _ now: Moment) -> Verdict {
        guard let exchange = table[ticket], exchange.places.count < limits.waiters,
            accounts.places(of: place.namespace) < limits.waiters
        else { return .refused(.tooMany) }
        cache.counters.coalesced += 1
        let isFirst = !exchange.isAwaited(in: place.namespace)
        if exchange.places.isEmpty { inFlight += 1 }
        table[ticket]?.places.append(place)
        accounts.join(place.namespace, ticket, isFirst: isFirst, in: table)
        if let time = table[ticket]?.staleTime, time <= now { serveStale(ticket, now) }
        return .accepted
    }

    // MARK: - Limits

    /// Makes room for one more exchange: past the limits the oldest gives way, of the namespace that has too many.
    private mutating func makeRoom(for namespace: UInt32) {
        if accounts.exchanges(of: namespace) >= limits.namespace { giveWay(in: namespace) }
        guard table.count >= limits.worker else { return }
        giveWayAnywhere()
    }

    /// An exchange that nobody waits for gives way, else the oldest of the namespace that has the most.
    mutating func giveWayAnywhere() {
        if let ticket = unattended.first(where: { table[$0]?.places.isEmpty == true }) {
            close(ticket)
        } else if let largest = accounts.largest {
            giveWay(in: largest)
        }
    }

    /// Those of a namespace who have waited longest get SERVFAIL. Others who wait for the same wait on.
    mutating func giveWay(in namespace: UInt32) {
        guard let ticket = accounts.oldest(of: namespace, in: table), let question = table[ticket]?.query.question
        else {
            return
        }
        let detail = ErrorDetail(.networkError, text: "too many questions wait for upstreams")
        let body = AnswerBody(failure: .serverFailure, [detail], question: question)
        for place in takePlaces(of: ticket, in: namespace) {
            act(.answer(place.client, Answer(to: place.query, place.question, body, from: .nobody)))
        }
        if table[ticket]?.places.isEmpty == true { close(ticket) }
    }

    /// Takes those of a namespace out of an exchange.
    private mutating func takePlaces(of ticket: Ticket, in namespace: UInt32) -> [Exchange.Place] {
        let places = (table[ticket]?.places ?? []).filter { $0.namespace == namespace }
        guard !places.isEmpty else { return [] }
        table[ticket]?.places.removeAll { $0.namespace == namespace }
        accounts.leave(namespace, places: places.count)
        if table[ticket]?.places.isEmpty == true { inFlight -= 1 }
        return places
    }

    /// Takes all who wait out of an exchange.
    mutating func takePlaces(of ticket: Ticket) -> [Exchange.Place] {
        guard let places = table[ticket]?.places, let first = places.first else { return [] }
        table[ticket]?.places = []
        inFlight -= 1
        if places.count == 1 {
            accounts.leave(first.namespace, places: 1)
        } else {
            let counts = places.reduce(into: [UInt32: Int]()) { $0[$1.namespace, default: 0] += 1 }
            for (namespace, count) in counts { accounts.leave(namespace, places: count) }
        }
        return places
    }

    // MARK: - The end of a namespace

    /// Forgets who waits in a namespace that is gone, and gives them back: no answer actions for them are added any more.
    /// Sockets that only it needed, or that were made in it, are closed; what was asked from there for others fails. Takes
    /// time in proportion to all exchanges.
    @discardableResult
    package mutating func abandon(namespace: UInt32) -> [Client] {
        var abandoned: [Client] = []
        for ticket in table.tickets {
            let places = takePlaces(of: ticket, in: namespace)
            abandoned += places.map(\.client)
            let isUnattended = !places.isEmpty && table[ticket]?.places.isEmpty == true
            if isUnattended || table[ticket]?.vantage == .namespace(namespace) {
                fail(ticket, "the namespace is gone", now: nil)
            }
        }
        for upstream in upstreams.forget(scopes: scopes.forget(view: namespace)) { closeSockets(of: upstream) }
        upstreams.stopAvoiding { $0.vantage == .namespace(namespace) }
        for token in sockets.tokens where sockets[token]?.vantage == .namespace(namespace) { close(token) }
        return abandoned
    }
}
