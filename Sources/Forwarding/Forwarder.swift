// The forwarder of one worker: questions, replies and times in; sockets to open, messages to send and answers out.

package import DNSWire

/// Asks upstreams what is not answered here. A value without I/O: its owner has the sockets and the clock.
///
/// After every call that takes a time, do what ``nextAction()`` says until it gives nil, and call ``expire(now:)`` when
/// ``nextDeadline`` has come. `Client` is what the owner needs to find a waiting client again.
package struct Forwarder<Client: Sendable>: ~Copyable {

    /// What does the work; it knows clients by numbers alone.
    package var exchanges: Exchanges
    /// Who waits, by the number that the exchanges know.
    @usableFromInline var clients: [Client?] = []
    @usableFromInline var freeNumbers: [UInt32] = []

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
        exchanges = Exchanges(limits: limits, policy: policy, seed: seed, random: random, now: now)
    }

    /// The exchanges under way.
    @inlinable
    package var inFlight: Int { exchanges.inFlight }

    /// When ``expire(now:)`` is to be called next; nil while nothing is under way.
    @inlinable
    package var nextDeadline: Moment? { exchanges.nextDeadline }

    /// Makes these the upstreams of a group; nil forgets the group.
    ///
    /// Exchanges under way go on with the new list when they turn to their next upstream. What the old ones still answer
    /// counts; if the group is gone, they go on with the old list.
    @inlinable
    package mutating func setUpstreams(_ group: UInt32, _ upstreams: UpstreamList?) {
        exchanges.setUpstreams(group, upstreams)
    }

    /// Asks a server no more, for example because it asks us; what it is asked already goes on.
    package mutating func avoid(_ place: UpstreamPlace) { exchanges.upstreams.avoid(place) }

    /// Asks all servers again that were avoided.
    package mutating func avoidNobody() { exchanges.upstreams.stopAvoiding { _ in true } }

    /// Whether names are asked for in a spelling that nobody can guess, of upstreams that repeat it.
    @inlinable
    package var randomizesCase: Bool {
        get { exchanges.randomizesCase }
        set { exchanges.randomizesCase = newValue }
    }

    /// What is known of each upstream.
    @inlinable
    package var upstreamReports: [UpstreamReport] { exchanges.upstreamReports }

    /// Changes what is kept, from now on.
    @inlinable
    package mutating func setPolicy(_ policy: CachePolicy) {
        exchanges.setPolicy(policy)
    }

    /// Answers a question from the cache; gives the answer's length, or nil where upstreams must be
    /// asked (``ask(_:_:_:client:namespace:view:group:now:)``).
    ///
    /// Allocates nothing and counts no references. Actions may follow: an answer that is asked for often is renewed.
    /// - Parameters:
    ///   - message: the client's query as it came.
    ///   - query: the same as it was read.
    ///   - name: its name.
    ///   - view: whose namespace it is asked from, where the group says so.
    ///   - group: the upstream group that it would go to.
    ///   - transport: how the answer will go.
    ///   - now: the time.
    ///   - buffer: at least the largest message of the transport.
    @inlinable
    package mutating func answer(
        _ message: Span<UInt8>, _ query: Query, _ name: borrowing FoldedName, view: UInt32, group: UInt32,
        over transport: Transport, now: Moment, into buffer: consuming MutableSpan<UInt8>
    ) -> Int? {
        exchanges.answer(message, query, name, view: view, group: group, over: transport, now: now, into: buffer)
    }

    /// Forgets answers; gives how many.
    @inlinable
    package mutating func flush(_ flush: Flush) -> Int {
        exchanges.flush(flush)
    }

    /// What the cache has done.
    @inlinable
    package var cacheCounters: CacheCounters { exchanges.cacheCounters }

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
    @inlinable
    package mutating func ask(
        _ message: Span<UInt8>, _ query: Query, _ name: borrowing FoldedName, client: Client, namespace: UInt32,
        view: UInt32, group: UInt32, now: Moment
    ) -> Verdict {
        let number = freeNumbers.last ?? UInt32(truncatingIfNeeded: clients.count)
        let verdict = exchanges.ask(
            message, query, name, waiter: number, namespace: namespace, view: view, group: group, now: now)
        guard verdict == .accepted else { return verdict }
        if freeNumbers.popLast() == nil {
            clients.append(client)
        } else {
            clients[Int(number)] = client
        }
        return verdict
    }

    /// What is to be done next; nil when everything is.
    @inlinable
    package mutating func nextAction() -> Action<Client>? {
        while let action = exchanges.nextAction() {
            switch action {
            case .openDatagram(let socket, let address, let vantage, let message):
                return .openDatagram(socket, address, from: vantage, message: message)
            case .openStream(let socket, let address, let vantage, let message):
                return .openStream(socket, address, from: vantage, message: message)
            case .send(let socket, let message):
                return .send(socket, message: message)
            case .close(let socket):
                return .close(socket)
            case .answer(let number, let answer):
                guard let client = takeClient(number) else { continue }
                return .answer(client, answer)
            }
        }
        return nil
    }

    /// Takes a UDP message that came on a socket of the forwarder's.
    @inlinable
    package mutating func receivedDatagram(_ message: Span<UInt8>, on socket: SocketToken, now: Moment) {
        exchanges.receivedDatagram(message, on: socket, now: now)
    }

    /// Takes octets that came over a TCP connection of the forwarder's, cut in any way.
    @inlinable
    package mutating func receivedStream(_ bytes: Span<UInt8>, on socket: SocketToken, now: Moment) {
        exchanges.receivedStream(bytes, on: socket, now: now)
    }

    /// Takes the news that a socket is of no more use: it could not be opened, an ICMP error came (ECONNREFUSED,
    /// EHOSTUNREACH), the connection was reset, or the peer closed it. A close action follows for it.
    @inlinable
    package mutating func failed(_ socket: SocketToken, now: Moment) {
        exchanges.failed(socket, now: now)
    }

    /// Turns to the next upstream where one has been silent for too long, and gives up where all have.
    @inlinable
    package mutating func expire(now: Moment) {
        exchanges.expire(now: now)
    }

    /// Forgets who waits in a namespace that is gone: no answer actions for it are added any more, and sockets that only it
    /// needed, or that were made in it, are closed. Takes time in proportion to all exchanges.
    @inlinable
    package mutating func abandon(namespace: UInt32) {
        for number in exchanges.abandon(namespace: namespace) { _ = takeClient(number) }
    }

    @inlinable
    mutating func takeClient(_ number: UInt32) -> Client? {
        guard Int(number) < clients.count, let client = clients[Int(number)] else { return nil }
        clients[Int(number)] = nil
        freeNumbers.append(number)
        return client
    }
}
