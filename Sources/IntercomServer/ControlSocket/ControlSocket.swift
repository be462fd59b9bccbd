// The control socket: accepts clients, cuts what they send into calls, and sends the replies.

import ControlAPI
import LinuxNet
import Logging
import Tables
import Varlink

/// The clients of the control socket, each at its own pace: none holds up another, nor the daemon.
///
/// Calls go to the handler of a turn, which answers each by ``reply(_:to:)``, ``reply(with:to:)`` or ``watch(_:_:beginning:)``, at once or
/// later. Clients have their turns one after another: one call, or one piece of a reply, each time. The socket has a loop of
/// its own, which the daemon's loop watches as one descriptor.
final class ControlSocket: Monitors {
    /// Carries out a call of a client, which may use the socket.
    typealias Handler = (_ call: VarlinkCall, _ caller: Caller) -> Void

    /// The interface that a socket has. Its name is `FileDescriptorName=` of the socket's unit.
    enum Purpose: String {
        /// `intercom.Control`, for people and adapters.
        case control
        /// `intercom.Cluster`, for the bridge to other hosts.
        case cluster
        /// `io.systemd.Resolve.Hook`, for systemd-resolved.
        case resolveHook = "resolve-hook"

        /// Name of the interface.
        var interface: String {
            switch self {
            case .control: ControlInterface.name
            case .cluster: ClusterInterface.name
            case .resolveHook: ResolveHookInterface.name
            }
        }

        /// Its methods.
        var methods: [any ControlMethod.Type] {
            switch self {
            case .control: ControlInterface.methods
            case .cluster: ClusterInterface.methods
            case .resolveHook: ResolveHookInterface.methods
            }
        }

        /// Token of the socket in the daemon's loop.
        var token: ControlToken {
            switch self {
            case .control: .control
            case .cluster: .cluster
            case .resolveHook: .resolveHook
            }
        }

        /// The user that may call beside root; nil: none.
        var user: String? { self == .resolveHook ? "systemd-resolve" : nil }
    }

    /// A client that has called, and what it may do.
    struct Caller {
        /// The client, for the reply.
        let client: Ticket
        /// The most that it may do.
        let permission: ControlPermission
        /// Its user's name, or number where that has none.
        let user: String
    }

    /// Place of the socket, and who may come there.
    private struct Place {
        /// The path where we made it; nil where the service manager did.
        let ownPath: String?
        /// The group that may use it beside root: the one that its path was given to, whatever is configured since.
        let group: String
    }

    enum Token {
        static let listener: UInt64 = .max
        static let work: UInt64 = .max - 1
        static let clock: UInt64 = .max - 2
    }

    /// Interface that it has.
    let purpose: Purpose
    private let parameterTypes: VarlinkParameterTypes
    private let listener: Descriptor
    private let place: Place
    let logger: Logger
    var loop: Epoll
    var connections = SlotTable<ControlConnection>()
    /// Clients whose next step can be taken.
    private var steps: ClientSteps
    /// Runs while a client could run out of patience; else nothing wakes an idle daemon.
    var clock: Timer?
    /// For clients that come when there is no other descriptor.
    private var spare = SpareDescriptor()
    private var readBuffer = [UInt8](repeating: 0, count: ControlSocketLimits.read)
    /// Octets that are held for all clients.
    private var held = 0
    /// The clients that watch, and what.
    var monitors: [Ticket: MonitorSubject] = [:]
    /// Clients that have gone since the last ``takeClosed()``.
    private var closed: [Ticket] = []

    /// The service manager's socket, or a new one.
    /// - Parameters:
    ///   - purpose: interface that it has.
    ///   - path: where it is made, if the service manager has made none.
    ///   - group: the group whose members may call.
    ///   - inheritance: the service manager's descriptors.
    ///   - logger: for the operator.
    /// - Throws: ``LinuxError``, for example when the path cannot be had.
    init(
        _ purpose: Purpose, _ path: String, group: String, _ inheritance: inout Inheritance, logger: Logger
    ) throws(LinuxError) {
        self.purpose = purpose
        parameterTypes = VarlinkParameterTypes(of: purpose.methods)
        self.logger = logger
        place = Place(ownPath: inheritance.has(purpose) ? nil : path, group: group)
        let listener = try inheritance.take(purpose, orMakeAt: path, group: group)
        loop = try Epoll()
        steps = try ClientSteps()
        try loop.add(listener, token: Token.listener, interest: [.readable])
        try loop.add(steps.descriptor, token: Token.work, interest: [.readable])
        self.listener = listener
        logger.info(
            "listening for \(purpose.rawValue) calls at \(place.ownPath ?? "the socket of the service manager")")
    }

    /// Has the daemon's loop say by its token when ``turn(_:)`` is to be called.
    func start(by outer: EventLoop) throws(LinuxError) {
        try loop.watch(by: outer.epoll, token: purpose.token.word)
    }

    /// Removes the path of the socket, if we have made it.
    func removePath() { if let path = place.ownPath { try? Files.unlink(path) } }

    // MARK: - A turn

    /// Takes what clients have sent, and carries out what fits into a turn. Where more is to do, there is another turn at
    /// once, after the daemon's other work.
    func turn(_ handler: Handler) {
        let end = ContinuousClock.now + ControlSocketLimits.turn
        // Workers may wait for this core.
        var pace = Pace()
        steps.beginTurn()
        takeEvents(until: end)
        repeat {
            guard let client = steps.takeCall() else { break }
            step(client, handler)
            pace.giveWay()
        } while ContinuousClock.now < end
        // Long replies wait for short calls, but for one piece in each turn.
        repeat {
            guard let client = steps.takePiece() else { break }
            step(client, handler)
            pace.giveWay()
        } while !steps.hasCall && ContinuousClock.now < end
        steps.endTurn()
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
                // Nobody takes the last reply to a call that watches.
                if isWatching(client) { connections[position].finish([]) }
                endMonitor(client)
            } else {
                if events.contains(.writable) {
                    try connections[position].flush()
                    try tellMissed(position)
                }
                if events.contains(.readable) { try takeOctets(position) }
            }
            proceed(with: client)
        } catch {
            close(client, because: error)
        }
    }

    private func takeOctets(_ position: Int) throws {
        if connections[position].interest.contains(.readable) {
            _ = try connections[position].read(into: &readBuffer)
        } else {
            // It calls again before its call is answered: what it sends waits in the kernel.
            try watch(position, for: connections[position].interest)
        }
    }

    /// Takes the next step of a client: begins a call, or writes the next piece of a reply.
    private func step(_ client: Ticket, _ handler: Handler) {
        guard let position = connections.position(of: client) else { return }
        connections[position].isQueued = false
        do {
            if let call = try connections[position].beginCall(reading: parameterTypes) {
                carryOut(call, of: client, at: position, handler)
            } else if connections[position].hasLongCall {
                refuse(.messageTooLong(limit: VarlinkFramer.maximumMessage), to: client)
            } else {
                connections[position].sendNextPiece()
                try connections[position].flush()
            }
            proceed(with: client)
        } catch {
            close(client, because: error)
        }
    }

    private func carryOut(_ call: VarlinkCall, of client: Ticket, at position: Int, _ handler: Handler) {
        let standing = connections[position].standing ?? standing(of: connections[position].peer)
        connections[position].standing = standing
        guard let permission = standing.permission else {
            return refuse(.notPermitted(user: standing.user, socket: purpose.rawValue), to: client)
        }
        handler(call, Caller(client: client, permission: permission, user: standing.user))
    }

    private func standing(of peer: PeerCredentials) -> ControlConnection.Standing {
        let user = Users.name(of: peer.uid) ?? "\(peer.uid)"
        return ControlConnection.Standing(user: user, permission: permission(of: peer, called: user))
    }

    /// Permission of the other end: root and the user that runs the daemon everything, the socket's own user and members of
    /// the group most; nil: nothing.
    private func permission(of peer: PeerCredentials, called user: String) -> ControlPermission? {
        if peer.uid == 0 || peer.uid == Users.own { return .root }
        if user == purpose.user { return .group }
        guard let group = Groups.id(of: place.group), peer.gid == group || peer.groups.contains(group) else {
            return nil
        }
        return .group
    }

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

    /// Queues the next step of a client, watches for its next events, and closes a connection that is over.
    func proceed(with client: Ticket) {
        guard let position = connections.position(of: client) else { return }
        if connections[position].isFinished { return close(client) }
        if connections[position].hasNextStep, !connections[position].isQueued {
            connections[position].isQueued = true
            steps.add(client, isPiece: connections[position].isSending)
        }
        let interest = connections[position].interest
        // Few clients call again before their call is answered: see takeOctets(_:).
        if !connections[position].isGone, interest != [] || connections[position].watched != [.readable] {
            do throws(LinuxError) {
                try watch(position, for: interest)
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

    private func watch(_ position: Int, for interest: Epoll.Events) throws(LinuxError) {
        guard interest != connections[position].watched else { return }
        connections[position].watched = interest
        try loop.modify(
            connections[position].descriptor, token: connections.ticket(at: position).word, interest: interest)
    }

    func close(_ client: Ticket, because error: some Error) {
        logger.debug("control connection closed: \(error)")
        close(client)
    }

    func close(_ client: Ticket) {
        endMonitor(client)
        guard let connection = connections.remove(client) else { return }
        held -= connection.counted
        closed.append(client)
    }

    /// Clients that have gone since the last call.
    func takeClosed() -> [Ticket] {
        defer { closed = [] }
        return closed
    }
}

extension VarlinkParameterTypes {
    fileprivate init(of methods: [any ControlMethod.Type]) {
        func entry<Method: ControlMethod>(_ method: Method.Type) -> (String, any (Decodable & Sendable).Type) {
            (Method.name, Method.Parameters.self)
        }
        self.init(Dictionary(methods.map { entry($0) }) { first, _ in first })
    }
}
