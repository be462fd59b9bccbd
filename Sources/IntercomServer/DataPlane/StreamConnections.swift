// A worker's TCP connections, and which of them makes room for a new one.

import DequeModule
import Forwarding
import LinuxNet
import Tables

/// Connections, found by ticket, and the queues of those that wait.
struct StreamConnections: ~Copyable {
    /// Connections of one namespace: some tens of programs keep one each, and more than one namespace is needed to fill a
    /// worker.
    let perNamespace: Int
    /// Connections of a worker. Each has at most 192 KiB of answers and 80 KiB of queries in memory.
    let perWorker: Int
    /// The time that listeners wait where nothing tells that descriptors or memory are there again.
    static let retryInterval = Lapse.milliseconds(100)
    /// Listeners that try again in one turn of the loop.
    static let triesInTurn = 16

    private var table = SlotTable<StreamConnection>()
    /// Connections with something to do, in the order of their turns.
    var ready = Deque<Ticket>()
    /// The moment at which the next idle connection is due; nil while there are none.
    var nextDeadline: Moment?
    /// Listeners that wait until the worker has room, in the order in which they get it.
    var waitingListeners = Deque<Ticket>()
    /// Those of them that are to try now: room was made since they began to wait.
    var triesDue = 0
    /// Listeners that accept nothing now, for whatever reason.
    var pausedListeners = 0
    /// The moment at which listeners try again although nothing was closed: what was short may be there.
    var retryTime: Moment?

    init(perNamespace: Int = 64, perWorker: Int = 1024) {
        self.perNamespace = perNamespace
        self.perWorker = perWorker
    }

    /// Lets waiting listeners try again: a connection has ended, or is owed nothing any more.
    mutating func noteRoom() { if !waitingListeners.isEmpty { triesDue = waitingListeners.count } }

    /// Lets no listener try any more.
    mutating func forgetWaiting() {
        waitingListeners.removeAll()
        triesDue = 0
        retryTime = nil
    }

    /// Lets waiting listeners try again: what was short may be there.
    mutating func retryListeners() {
        retryTime = nil
        noteRoom()
    }

    var count: Int { table.count }
    var isEmpty: Bool { table.isEmpty }

    mutating func insert(_ connection: consuming StreamConnection) -> Ticket { table.insert(connection) }
    mutating func remove(_ ticket: Ticket) { table.remove(ticket) }
    func position(of ticket: Ticket) -> Int? { table.position(of: ticket) }
    func ticket(at position: Int) -> Ticket { table.ticket(at: position) }

    subscript(position: Int) -> StreamConnection {
        _read { yield table[position] }
        _modify { yield &table[position] }
    }

    /// The room for one more connection.
    enum Room: Equatable {
        case free
        /// Once this connection is closed.
        case inPlaceOf(Ticket)
        /// Not now: it waits in the kernel's queue.
        case none(Listener.Pause)
    }

    /// Looks for room for one more connection of a listener.
    ///
    /// A namespace that is full makes room itself, with a connection that is owed nothing. Where the worker is full, a
    /// namespace with more connections than the newcomer's makes room; with one that is owed an answer only as a last resort.
    func room(for newcomer: Ticket, _ listeners: borrowing Listeners) -> Room {
        guard let position = listeners.position(of: newcomer) else { return .none(.namespaceIsFull) }
        let own = listeners[position].connections
        let isFull = own >= perNamespace
        guard isFull || count >= perWorker else { return .free }
        return among(newcomer, own, includingOthers: !isFull, listeners)
            .map { .inPlaceOf($0) } ?? .none(isFull ? .namespaceIsFull : .workerIsFull)
    }

    /// The connection of a listener that is the first to make room; nil where each is owed an answer.
    func leastNeeded(of listener: Ticket, _ listeners: borrowing Listeners) -> Ticket? {
        among(listener, 0, includingOthers: false, listeners)
    }

    private func among(
        _ newcomer: Ticket, _ own: Int, includingOthers: Bool, _ listeners: borrowing Listeners
    ) -> Ticket? {
        var best: (position: Int, rank: Rank)?
        for position in 0..<count {
            let owner = table[position].listener
            let isOwn = owner == newcomer
            guard isOwn || includingOthers, let listener = listeners.position(of: owner) else { continue }
            let need = table[position].need
            let held = listeners[listener].connections
            // A swap of what is in use would only turn round who waits: the other must have more even afterwards.
            let mayGo = isOwn ? need < .owedAnswer : held > own + (need == .idle ? 0 : 1)
            guard mayGo else { continue }
            let rank = Rank(need: need, held: held, lastActive: table[position].lastActive)
            if best.map({ rank < $0.rank }) ?? true { best = (position, rank) }
        }
        return best.map { table.ticket(at: $0.position) }
    }

    /// The order in which connections make room: the least needed, of the namespace that has most, longest without traffic.
    private struct Rank {
        let need: StreamConnection.Need
        let held: Int
        let lastActive: Moment

        static func < (left: Rank, right: Rank) -> Bool {
            if left.need != right.need { return left.need < right.need }
            if left.held != right.held { return left.held > right.held }
            return left.lastActive < right.lastActive
        }
    }
}
