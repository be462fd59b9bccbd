// A socket to an upstream, as the forwarder knows it: what it is used for.

import DNSWire

/// A socket that its owner has opened, or is opening.
struct UpstreamSocket: Sendable {
    enum Use: Sendable {
        /// A datagram socket with a question of this exchange.
        case asking(Slot)
        /// A datagram socket on which no question waits for its reply.
        case idle
        /// A datagram socket whose question another upstream has answered already. What it still brings says how its
        /// upstream does, and nothing else.
        case straggling(Attempt)
        /// A connection.
        case stream(UpstreamStream)
    }

    let upstream: Slot
    let vantage: Vantage
    let opened: Moment
    var use: Use

    /// A datagram socket takes no new question after this, and is closed.
    ///
    /// A port that is used again can be looked for from its first question on. So it is not used for longer than a fresh
    /// one may be: as long as one exchange lasts. And it has one question at a time: who guesses has to find both
    /// the port and the id of one question, as with a fresh port each (RFC 5452 §9.2), never one of many ids.
    static let lifetime = Lapse.seconds(4)
}

/// A connection to an upstream: questions go over it one behind another, and replies come in any order (RFC 7766 §6.2.1.1).
struct UpstreamStream: Sendable {
    /// What has come, as far as it is no whole message.
    var framing = StreamFraming()
    /// The exchanges that wait for a reply with this id.
    var pending: [UInt16: Slot] = [:]
    /// When something came over it last; nil: nothing yet.
    var lastHeard: Moment?

    /// It is closed when nobody has asked anything for this long.
    static let idleTime = Lapse.seconds(10)
}

/// The sockets, with the times at which those that nobody waits for are closed.
struct UpstreamSocketTable {
    private var table = Slots<UpstreamSocket>()
    private var deadlines = Deadlines()

    subscript(_ token: SocketToken) -> UpstreamSocket? {
        get { table[token.slot] }
        _modify { yield &table[token.slot] }
    }

    var nextDeadline: Moment? { deadlines.earliest }

    var tokens: [SocketToken] { table.slots.map { SocketToken($0) } }

    mutating func insert(_ socket: UpstreamSocket) -> SocketToken { SocketToken(table.insert(socket)) }

    mutating func remove(_ token: SocketToken) -> UpstreamSocket? {
        guard let socket = table.remove(token.slot) else { return nil }
        deadlines.remove(token.slot)
        return socket
    }

    /// Sets when a socket is to be closed; nil: not by time.
    mutating func setDeadline(_ token: SocketToken, _ moment: Moment?) {
        guard let moment else {
            deadlines.remove(token.slot)
            return
        }
        deadlines.set(token.slot, moment)
    }

    /// A socket whose time has come.
    mutating func takeDue(_ now: Moment) -> SocketToken? { deadlines.takeDue(now).map { SocketToken($0) } }
}
