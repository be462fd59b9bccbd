// A worker's listeners, one for each of its namespaces.

import Forwarding
import LinuxNet
import Registry
import Tables

/// The UDP and TCP sockets inside one namespace.
struct Listener: ~Copyable {
    /// Why connections are left in the kernel's queue.
    enum Pause {
        /// The namespace has all the connections that it may have, and each is owed an answer.
        case namespaceIsFull
        /// The worker has all the connections that it may have, or descriptors or memory are short.
        case workerIsFull
    }

    let sockets: ListenerSockets
    let view: ViewID
    /// True at ::1, false at 127.0.0.11.
    let isV6: Bool
    /// The gateway that it is of; nil for a listener inside a container's namespace. ``view`` is that of strangers then.
    var gateway: Gateway?
    /// Questions that have come, until they are settled.
    var questions = ListenerQuestions()
    /// Its open connections.
    var connections = 0
    /// Nil while the loop accepts connections.
    var pause: Pause?
    /// Datagrams that are received at once: few while most of them have to be forwarded.
    var batch = Int.max
    /// Unconnected sockets in the namespace for questions to upstreams, and the kinds that were requested.
    var spare = SocketBatch()
    var requested: Set<SocketKind> = []
    /// The moment from which the control plane may be told again that its former servers are lost.
    var nextLossReport: Moment?
    /// The moment from which the control plane may be told again that a socket was destroyed and repaired.
    var nextRepairReport: Moment?

    init(sockets: consuming ListenerSockets, view: ViewID, isV6: Bool = false) {
        self.sockets = sockets
        self.view = view
        self.isV6 = isV6
    }
}

/// Listeners, found by the loop's ticket or by their view: one at 127.0.0.11, and perhaps one at ::1.
struct Listeners: ~Copyable {
    private var table = SlotTable<Listener>()
    private var ofView: [ViewID: Ticket] = [:]
    /// Those at ::1, of the few views that have one.
    private var v6OfView: [ViewID: Ticket] = [:]
    /// Guests, who ask at those of gateways.
    var guests = Guests()
    /// Those of gateways, by their numbers.
    private var ofGateway: [UInt32: Ticket] = [:]
    /// Questions that came before a listener was closed, or its container changed its network.
    var ledger = QuestionLedger()
    /// Listeners that could not send: perhaps a socket of theirs was destroyed, and that error is told once only.
    var doubtful: [Ticket] = []

    var count: Int { table.count }

    /// Number of views that have a listener.
    var viewCount: Int { ofView.count }

    /// Adds the listener of a view that has none.
    mutating func insert(_ listener: consuming Listener) -> Ticket {
        let view = listener.view
        let ticket = table.insert(listener)
        ofView[view] = ticket
        return ticket
    }

    /// Adds the listener of a view at ::1, beside the one at 127.0.0.11.
    mutating func insertV6(_ listener: consuming Listener) -> Ticket {
        let view = listener.view
        let ticket = table.insert(listener)
        v6OfView[view] = ticket
        return ticket
    }

    /// Adds the listener of a gateway that has none.
    mutating func insert(gateway listener: consuming Listener) -> Ticket {
        let number = listener.gateway?.number
        let ticket = table.insert(listener)
        if let number { ofGateway[number] = ticket }
        return ticket
    }

    /// Closes a listener's sockets; that takes them out of the epoll set.
    mutating func remove(_ ticket: Ticket) {
        guard let removed = table.remove(ticket) else { return }
        if let number = removed.gateway?.number, ofGateway[number] == ticket { ofGateway[number] = nil }
        if ofView[removed.view] == ticket { ofView[removed.view] = nil }
        if v6OfView[removed.view] == ticket { v6OfView[removed.view] = nil }
    }

    func v6Ticket(of view: ViewID) -> Ticket? { v6OfView[view] }

    func ticket(of view: ViewID) -> Ticket? { ofView[view] }

    func ticket(ofGateway number: UInt32) -> Ticket? { ofGateway[number] }

    /// The position of a ticket's listener, for the subscript; nil once it is closed.
    func position(of ticket: Ticket) -> Int? { table.position(of: ticket) }

    func position(of view: ViewID) -> Int? { ofView[view].flatMap { table.position(of: $0) } }

    subscript(position: Int) -> Listener {
        _read { yield table[position] }
        _modify { yield &table[position] }
    }
}
