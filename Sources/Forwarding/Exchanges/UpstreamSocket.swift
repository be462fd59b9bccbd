// A socket to an upstream, as the forwarder knows it: its use, and who pays for it.

import DNSWire
import Tables

/// A socket that its owner has opened, or is opening.
///
/// A datagram socket carries one question, is closed with its reply, and its port is not used for the next question: who
/// guesses has to find both port and id of each question anew (RFC 5452 §9.2).
struct UpstreamSocket: Sendable {
    enum Use: Sendable {
        /// A datagram socket with a question of this exchange.
        case asking(Ticket)
        /// A datagram socket whose question another upstream has answered already. What it still brings says how its
        /// upstream does, and nothing else.
        case straggling(Attempt)
        /// A connection.
        case stream(UpstreamStream)
    }

    let upstream: Ticket
    let vantage: Vantage
    /// The namespace whose question it was opened for; nil for connections, which all share, and for renewals.
    let payer: UInt32?
    var use: Use
}

/// A connection to an upstream: questions go over it one behind another, and replies come in any order (RFC 7766 §6.2.1.1).
struct UpstreamStream: Sendable {
    /// Octets that have come, as far as they are no whole message.
    var framing = StreamFraming()
    /// The exchanges that wait for a reply with this id.
    var pending: [UInt16: Ticket] = [:]
    /// The moment at which something came over it last; nil: nothing yet.
    var lastReply: Moment?
    /// Messages in a row that were no reply to any question: empty ones, or under an id that nobody waits for.
    var strays = 0

    /// It is closed when nobody has asked anything for this long.
    static let idleTime = Lapse.seconds(10)
    /// It is closed after so many strays. More than late replies to questions that were given up, which are honest.
    static let maximumStrays = 100
}

/// The sockets, the times at which those that nobody waits for are closed, and how many each namespace pays for.
struct UpstreamSocketTable: ~Copyable {
    private struct Account {
        var sockets = 0
        var stragglers = 0
    }

    private var table = SlotTable<UpstreamSocket>()
    private var deadlines = Deadlines()
    private var accounts: [UInt32: Account] = [:]
    /// In the order in which they became so; others may be among them.
    private var stragglers = TicketQueue()
    private var stragglerCount = 0

    subscript(_ token: SocketToken) -> UpstreamSocket? {
        get { table[token.ticket] }
        _modify { yield &table[token.ticket] }
    }

    var nextDeadline: Moment? { deadlines.earliest }

    var tokens: [SocketToken] { table.tickets.map { SocketToken($0) } }

    var count: Int { table.count }

    /// The sockets that a namespace pays for.
    func count(of payer: UInt32?) -> Int { payer.flatMap { accounts[$0]?.sockets } ?? 0 }

    /// Those of them that straggle; of nobody in particular: all.
    func stragglers(of payer: UInt32?) -> Int {
        guard let payer else { return stragglerCount }
        return accounts[payer]?.stragglers ?? 0
    }

    mutating func insert(_ socket: UpstreamSocket) -> SocketToken {
        if let payer = socket.payer { accounts[payer, default: Account()].sockets += 1 }
        return SocketToken(table.insert(socket))
    }

    mutating func remove(_ token: SocketToken) -> UpstreamSocket? {
        guard let socket = table.remove(token.ticket) else { return nil }
        deadlines.remove(token.ticket)
        var isStraggler = false
        if case .straggling = socket.use { isStraggler = true }
        if isStraggler { stragglerCount -= 1 }
        guard let payer = socket.payer, var account = accounts[payer] else { return socket }
        account.sockets -= 1
        if isStraggler { account.stragglers -= 1 }
        accounts[payer] = account.sockets > 0 ? account : nil
        return socket
    }

    /// Lets a datagram socket straggle until a moment.
    mutating func straggle(_ token: SocketToken, _ attempt: Attempt, until end: Moment) {
        guard let payer = table[token.ticket].map(\.payer) else { return }
        table[token.ticket]?.use = .straggling(attempt)
        deadlines.set(token.ticket, end)
        stragglerCount += 1
        if let payer { accounts[payer]?.stragglers += 1 }
        stragglers.append(token.ticket, waiting: stragglerCount) { Self.straggles($0, in: table) }
    }

    /// The socket that has straggled longest: of a namespace, or of all.
    mutating func oldestStraggler(of payer: UInt32?) -> SocketToken? {
        guard let payer else { return stragglers.first { Self.straggles($0, in: table) }.map { SocketToken($0) } }
        guard stragglers(of: payer) > 0 else { return nil }
        let ticket = stragglers.any { Self.straggles($0, in: table) && table[$0]?.payer == payer }
        return ticket.map { SocketToken($0) }
    }

    private static func straggles(_ ticket: Ticket, in table: borrowing SlotTable<UpstreamSocket>) -> Bool {
        if case .straggling? = table[ticket]?.use { true } else { false }
    }

    /// Sets when a socket is to be closed; nil: not by time.
    mutating func setDeadline(_ token: SocketToken, _ moment: Moment?) {
        guard let moment else {
            deadlines.remove(token.ticket)
            return
        }
        deadlines.set(token.ticket, moment)
    }

    /// A socket whose time has come.
    mutating func takeDue(_ now: Moment) -> SocketToken? { deadlines.takeDue(now).map { SocketToken($0) } }
}
