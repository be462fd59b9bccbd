// The control socket: accepts clients, cuts what they send into calls, and sends the replies.

import ControlAPI
import DequeModule
import LinuxNet
import Logging
import Tables
import Varlink

/// The clients of the control socket, each at its own pace: none holds up another, nor the daemon.
///
/// Calls go to the handler of a turn, which answers each by ``reply(_:to:)``, ``reply(with:to:)`` or ``watch(_:beginning:)``, at once or
/// later. Clients have their turns one after another: one call, or one piece of a reply, each time. The socket has a loop of
/// its own, which the daemon's loop watches as one descriptor.
final class ControlSocket: Monitors {
    /// Carries out a call of a client, which may use the socket.
    typealias Handler = (_ call: VarlinkCall, _ caller: Caller) -> Void

    /// A client that has called, and what it may do.
    struct Caller {
        /// The client, for the reply.
        let client: Ticket
        /// The most that it may do.
        let permission: ControlPermission
        /// Its user's name, or number where that has none.
        let user: String
    }

    private enum Token {
        static let listener: UInt64 = .max
        static let work: UInt64 = .max - 1
        static let clock: UInt64 = .max - 2
    }

    private let listener: Descriptor
    /// The path of the socket where we made it; nil where the service manager did.
    private let ownPath: String?
    /// The group that may use the socket beside root: the one that its path was given to, whatever is configured since.
    private let group: String
    private let logger: Logger
    private var loop: Epoll
    private var connections = SlotTable<ControlConnection>()
    /// Those whose next call can begin, in turn.
    private var calls: Deque<Ticket> = []
    /// Those whose reply can have its next piece, in turn.
    private var pieces: Deque<Ticket> = []
    /// Signalled while there is work that no client's event tells of.
    private let work: EventFD
    /// Runs while a client could run out of patience; else nothing wakes an idle daemon.
    private var clock: Timer?
    /// For clients that come when there is no other descriptor.
    private var spare = SpareDescriptor()
    private var readBuffer = [UInt8](repeating: 0, count: ControlSocketLimits.read)
    /// Octets that are held for all clients.
    private var held = 0
    /// The clients that watch the registry.
    private var monitors: Set<Ticket> = []

    /// The service manager's socket, or a new one.
    /// - Parameters:
    ///   - path: where it is made, if the service manager has made none.
    ///   - group: the group whose members may call.
    ///   - inheritance: the service manager's descriptors.
    ///   - logger: for the operator.
    /// - Throws: ``LinuxError``, for example when the path cannot be had.
    init(_ path: String, group: String, _ inheritance: inout Inheritance, logger: Logger) throws(LinuxError) {
        self.group = group
        self.logger = logger
        ownPath = inheritance.hasControlSocket ? nil : path
        let listener = try inheritance.takeControlSocket(orMakeAt: path, group: group)
        loop = try Epoll()
        work = try EventFD()
        try loop.add(listener, token: Token.listener, interest: [.readable])
        try loop.add(work.descriptor, token: Token.work, interest: [.readable])
        self.listener = listener
        logger.info("listening for control calls at \(ownPath ?? "the socket of the service manager")")
    }

    /// Has the daemon's loop say by ``ControlToken/control`` when ``turn(_:)`` is to be called.
    func start(by outer: EventLoop) throws(LinuxError) {
        try loop.watch(by: outer.epoll, token: ControlToken.control.word)
    }

    /// Removes the path of the socket, if we have made it.
    func removePath() { if let ownPath { try? Files.unlink(ownPath) } }

    // MARK: - A turn

    /// Takes what clients have sent, and carries out what fits into a turn. Where more is to do, there is another turn at
    /// once, after the daemon's other work.
    func turn(_ handler: Handler) {
        let end = ContinuousClock.now + ControlSocketLimits.turn
        takeEvents(until: end)
        repeat {
            guard let client = calls.popFirst() else { break }
            step(client, handler)
        } while ContinuousClock.now < end
        // Long replies wait for short calls, but for one piece in each turn.
        repeat {
            guard let client = pieces.popFirst() else { break }
            step(client, handler)
        } while calls.isEmpty && ContinuousClock.now < end
        if calls.isEmpty, pieces.isEmpty { work.drain() }
    }

    private func takeEvents(until end: ContinuousClock.Instant) {
        guard let count = try? loop.wait(timeoutMilliseconds: 0) else { return }
        for index in 0..<count {
            let (token, events) = loop.event(index)
            switch token {
            case Token.listener: accept()
            case Token.work: break
            case Token.clock: closeLate()
            default: serve(Ticket(word: token), events)
            }
            // The others come again in the next turn: the kernel puts those that were reported last.
            if ContinuousClock.now >= end { break }
        }
    }

    private func serve(_ client: Ticket, _ events: Epoll.Events) {
        guard let position = connections.position(of: client) else { return }
        do {
            if !events.isDisjoint(with: [.error, .hangUp]) {
                connections[position].hangUp(&readBuffer)
                try loop.remove(connections[position].descriptor)
                endMonitor(client)
            } else {
                if events.contains(.writable) {
                    try connections[position].flush()
                    try tellMissed(position)
                }
                if events.contains(.readable) { _ = try connections[position].read(into: &readBuffer) }
            }
            settle(client)
        } catch {
            close(client, because: error)
        }
    }

    /// Takes the next step of a client: begins a call, or writes the next piece of a reply.
    private func step(_ client: Ticket, _ handler: Handler) {
        guard let position = connections.position(of: client) else { return }
        connections[position].isQueued = false
        do {
            if let call = try connections[position].beginCall() {
                carryOut(call, of: client, connections[position].peer, handler)
            } else {
                connections[position].sendNextPiece()
                try connections[position].flush()
            }
            settle(client)
        } catch {
            close(client, because: error)
        }
    }

    private func carryOut(_ call: VarlinkCall, of client: Ticket, _ peer: PeerCredentials, _ handler: Handler) {
        let user = Users.name(of: peer.uid) ?? "\(peer.uid)"
        guard let permission = permission(of: peer) else { return refuse(.notPermitted(user: user), to: client) }
        handler(call, Caller(client: client, permission: permission, user: user))
    }

    /// Permission of the other end: root and the user that runs the daemon everything, members of the group most; nil:
    /// nothing.
    private func permission(of peer: PeerCredentials) -> ControlPermission? {
        if peer.uid == 0 || peer.uid == Users.own { return .root }
        guard let group = Groups.id(of: group), peer.gid == group || peer.groups.contains(group) else { return nil }
        return .group
    }

    // MARK: - Replies

    /// Answers the call that a client made last.
    func reply(_ message: [UInt8], to client: Ticket) {
        change(client) { connection throws(LinuxError) in
            connection.finish(message)
            try connection.flush()
        }
    }

    /// Answers the call that a client made last with an error.
    func refuse(_ error: ControlError, to client: Ticket) {
        reply(VarlinkReply.encode(error: error.name, error), to: client)
    }

    /// Answers the call that a client made last piece by piece.
    func reply(with source: some ReplySource, to client: Ticket) {
        change(client) { connection throws(LinuxError) in connection.send(source) }
    }

    private func change(_ client: Ticket, _ body: (inout ControlConnection) throws(LinuxError) -> Void) {
        guard let position = connections.position(of: client) else { return }
        do throws(LinuxError) {
            try body(&connections[position])
            settle(client)
        } catch {
            close(client, because: error)
        }
    }

    // MARK: - Monitors

    /// True while any client watches.
    var hasMonitors: Bool { !monitors.isEmpty }

    /// Sends a client all that ``tell(_:)`` is given from now on, after a first message.
    func watch(_ client: Ticket, beginning first: [UInt8]) {
        monitors.insert(client)
        stream([first], to: client)
    }

    /// Sends all who watch some messages. Who does not read misses them, and is told how many.
    func tell(_ messages: [[UInt8]]) {
        for client in monitors { stream(messages, to: client) }
    }

    /// The last message to all who watch.
    func endMonitors(with message: [UInt8]) {
        for client in monitors { reply(message, to: client) }
    }

    private func stream(_ messages: [[UInt8]], to client: Ticket) {
        change(client) { connection throws(LinuxError) in
            for message in messages { try connection.stream(message) }
            try connection.flush()
        }
    }

    /// Tells a client that has caught up what it has missed.
    private func tellMissed(_ position: Int) throws(LinuxError) {
        guard let missed = connections[position].takeMissed() else { return }
        try connections[position].stream(VarlinkReply.encode(Monitor.Reply(missed: missed), continues: true))
        try connections[position].flush()
    }

    private func endMonitor(_ client: Ticket) { monitors.remove(client) }

    // MARK: - Coming and going

    private func accept() {
        do throws(LinuxError) {
            for _ in 0..<ControlSocketLimits.accepted {
                guard let accepted = try UnixSocket.accept(from: listener) else { return }
                guard makeRoom() else {
                    logger.warning(
                        "control connection refused: \(connections.count) are open, and none is idle",
                        metadata: .about(limitedAs: "control"))
                    continue
                }
                let peer = try UnixSocket.peerCredentials(of: accepted)
                let client = connections.insert(ControlConnection(descriptor: accepted, peer: peer))
                guard let position = connections.position(of: client) else { continue }
                try loop.add(connections[position].descriptor, token: client.word, interest: [.readable])
                startClock()
            }
        } catch {
            logger.warning("control connection cannot be accepted: \(error)", metadata: .about(limitedAs: "control"))
            spare.turnAwayNext(of: listener)
        }
    }

    /// Waits for what there is to wait for; closes what is over.
    private func settle(_ client: Ticket) {
        guard let position = connections.position(of: client) else { return }
        if connections[position].isFinished { return close(client) }
        if connections[position].hasNextStep, !connections[position].isQueued {
            connections[position].isQueued = true
            if calls.isEmpty, pieces.isEmpty { work.signal() }
            if connections[position].isSending { pieces.append(client) } else { calls.append(client) }
        }
        let interest = connections[position].interest
        if !connections[position].isGone, interest != connections[position].watched {
            connections[position].watched = interest
            do throws(LinuxError) {
                try loop.modify(connections[position].descriptor, token: client.word, interest: interest)
            } catch {
                return close(client, because: error)
            }
        }
        if connections[position].isAwaited { startClock() }
        held += connections[position].held - connections[position].counted
        connections[position].counted = connections[position].held
        while held > ControlSocketLimits.held, let greedy = latest(where: { $0.counted > ControlSocketLimits.share }) {
            logger.warning(
                "control connection closed: replies that clients do not read take \(held >> 20) MiB",
                metadata: .about(limitedAs: "control"))
            close(greedy)
        }
    }

    private func close(_ client: Ticket, because error: some Error) {
        logger.debug("control connection closed: \(error)")
        close(client)
    }

    private func close(_ client: Ticket) {
        endMonitor(client)
        if let connection = connections.remove(client) { held -= connection.counted }
    }

    // MARK: - Patience

    /// The client, of those that a condition holds for, who has kept us waiting longest.
    private func latest(where condition: (borrowing ControlConnection) -> Bool) -> Ticket? {
        var latest: (client: Ticket, since: ContinuousClock.Instant)?
        for position in 0..<connections.count where condition(connections[position]) {
            let since = connections[position].lastProgress
            if latest.map({ since < $0.since }) ?? true { latest = (connections.ticket(at: position), since) }
        }
        return latest?.client
    }

    /// Makes room for one more client, if there is none: at the cost of one who has not called yet or said half a call,
    /// else of one who is idle or does not read.
    private func makeRoom() -> Bool {
        guard connections.count >= ControlSocketLimits.connections else { return true }
        guard let least = latest(where: { $0.isAwaited }) ?? latest(where: { $0.isIdleOrStuck }) else { return false }
        close(least)
        return true
    }

    private var isClockRunning: Bool {
        switch clock {
        case .some: true
        case .none: false
        }
    }

    private func startClock() {
        if isClockRunning { return }
        guard let timer = try? Timer(every: ControlSocketLimits.checkInterval) else { return }
        try? loop.add(timer.descriptor, token: Token.clock, interest: [.readable])
        clock = consume timer
    }

    /// Closes the connections of those who have run out of patience.
    private func closeLate() {
        clock?.drain()
        let last = ContinuousClock.now - ControlSocketLimits.patience
        var late: [Ticket] = []
        var isAnyAwaited = false
        for position in 0..<connections.count where connections[position].isAwaited {
            if connections[position].lastProgress < last {
                late.append(connections.ticket(at: position))
            } else {
                isAnyAwaited = true
            }
        }
        for client in late {
            logger.debug("control connection closed: no progress for \(ControlSocketLimits.patience)")
            close(client)
        }
        if !isAnyAwaited { clock = nil }
    }
}
