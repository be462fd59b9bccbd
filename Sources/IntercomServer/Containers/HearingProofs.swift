// The proof that listeners are heard: a question with a token goes out from inside the namespace, and a worker sees it arrive.

import Attachment
import ControlAPI
import DNSWire
import DequeModule
import LinuxNet
import Registry
import SystemPackage
import Tables

/// A container whose listener is to be proved to be heard.
struct HearingOrder {
    /// The errand of the room Attachment.
    let errand: ErrandNumber
    /// The view at whose listener the questions are to arrive.
    let view: ViewID
    let namespace: NamespaceIdentity
    let source: NamespaceSource
    /// The servers that its programs ask, with the path of questions to each. Each is asked.
    let servers: [(server: ServerAddress, path: Unheard.Path)]
    /// Takes ``Event/proofSent(_:)`` and, once, ``Event/proved(_:_:)``.
    let tell: (Event) -> Void
}

/// A proof that is under way. (Not private: swiftc 6.3 breaks on the metadata of a private type in a table.)
struct HearingProof: ~Copyable {
    let order: HearingOrder
    /// Servers that are still to be asked; the first one is being asked.
    var servers: ArraySlice<(server: ServerAddress, path: Unheard.Path)>
    /// The token of the question that is under way: 128 bits that nobody can guess.
    var token: UInt128 = 0
    /// The message's id (RFC 1035 §4.1.1).
    var id: UInt16 = 0
    /// The socket inside the namespace that has sent the question.
    var socket: Descriptor?
    /// True until the question has been sent.
    var isOpening = true

    init(_ order: HearingOrder) {
        self.order = order
        servers = order.servers[...]
    }
}

/// Asks each server of a container from inside its namespace, as a program there does. Only where the question arrives at
/// the container's own listener it is heard; an answer alone says that somebody else is.
final class HearingProofs {
    /// Time for a question to arrive.
    static let deadline = Duration.seconds(1)
    /// The most proofs at once; each has a descriptor. Those of silent namespaces take the whole deadline.
    static let limit = 256
    /// The most sockets that the opener is requested at once: containers that are being attached do not wait for long.
    static let openingLimit = 8
    /// The same while the opener has much to do: containers are served first, and one proof at a time goes on.
    static let crowdedOpeningLimit = 1
    /// Octets of an answer that are read: its header is enough.
    private static let answerSize = Header.length

    /// Makes a socket of a kind in the namespace of an order, and hands it to the callback.
    typealias SocketMaker = (HearingOrder, SocketKind, _ done: @escaping (SocketResult) -> Void) -> Void
    /// A batch of one socket, or why there is none.
    typealias SocketResult = Result<Handover<SocketBatch>, LinuxError>

    private let makeSocket: SocketMaker
    private let isCrowded: () -> Bool
    private let publisher: Publisher
    private let workers: WorkerPool
    private let loop: EventLoop
    /// Callers that wait for the verdict of a proof.
    var waiters = VerdictWaiters()
    private var proofs = SlotTable<HearingProof>()
    private var openingCount = 0
    private var ofErrand: [ErrandNumber: Ticket] = [:]
    private var ofToken: [UInt128: Ticket] = [:]
    private var queue: Deque<HearingOrder> = []
    /// The errands in the queue that nobody has stopped.
    private var queued: Set<ErrandNumber> = []
    /// In their order: all questions have the same time.
    private var deadlines: Deque<(time: ContinuousClock.Instant, token: UInt128)> = []

    /// - Parameters:
    ///   - publisher: says which worker serves a view, and when that has the listener.
    ///   - workers: tell of tokens that arrive.
    ///   - loop: tells of answers.
    ///   - isCrowded: says whether the opener has much to do.
    ///   - makeSocket: makes sockets in namespaces; ``SocketMaker``.
    init(
        publisher: Publisher, workers: WorkerPool, loop: EventLoop, isCrowded: @escaping () -> Bool,
        makeSocket: @escaping SocketMaker
    ) {
        self.isCrowded = isCrowded
        self.makeSocket = makeSocket
        self.publisher = publisher
        self.workers = workers
        self.loop = loop
    }

    // MARK: - Beginning and end

    /// Begins a proof, at once or when there is room.
    func prove(_ order: HearingOrder) {
        queue.append(order)
        queued.insert(order.errand)
        beginQueued()
    }

    /// Ends a proof whose verdict nobody wants: its socket would keep the namespace alive.
    func stop(_ errand: ErrandNumber) {
        queued.remove(errand)
        if let ticket = ofErrand[errand] { remove(ticket) }
    }

    private func beginQueued() {
        let limit = isCrowded() ? Self.crowdedOpeningLimit : Self.openingLimit
        while openingCount < limit, proofs.count < Self.limit, let order = queue.popFirst() {
            guard queued.remove(order.errand) != nil else { continue }
            openingCount += 1
            let ticket = proofs.insert(HearingProof(order))
            ofErrand[order.errand] = ticket
            askNext(ticket)
        }
    }

    private func remove(_ ticket: Ticket) {
        guard let proof = proofs.remove(ticket) else { return }
        ofErrand[proof.order.errand] = nil
        if proof.isOpening { openingCount -= 1 }
        if ofToken.removeValue(forKey: proof.token) != nil {
            workers.post(.forgetToken(proof.token), to: publisher.worker(of: proof.order.view))
        }
        dropPastDeadlines()
    }

    /// An idle daemon does not wake for what has ended.
    private func dropPastDeadlines() {
        while let first = deadlines.first, ofToken[first.token] == nil { deadlines.removeFirst() }
    }

    private func end(_ ticket: Ticket, _ verdict: Hearing) {
        guard let position = proofs.position(of: ticket) else { return }
        let order = proofs[position].order
        remove(ticket)
        order.tell(.proved(order.errand, verdict))
        beginQueued()
    }

    private func end(_ ticket: Ticket, _ cause: Unheard.Cause) {
        guard let position = proofs.position(of: ticket), let asked = proofs[position].servers.first else { return }
        end(ticket, .unheard(Unheard(at: "\(asked.server)", cause, path: asked.path)))
    }

    // MARK: - Questions

    /// Asks the next server; where there is none left, all have led to the listener.
    private func askNext(_ ticket: Ticket) {
        guard let position = proofs.position(of: ticket) else { return }
        guard !proofs[position].servers.isEmpty else { return end(ticket, .heard) }
        let token = UInt128(Entropy.word()) << 64 | UInt128(Entropy.word())
        proofs[position].token = token
        ofToken[token] = ticket
        let view = proofs[position].order.view
        workers.post(.expect(token: token, view), to: publisher.worker(of: view))
        // The worker has the listener and the token then.
        publisher.whenInForce { [self] in openSocket(for: token) }
    }

    private func openSocket(for token: UInt128) {
        guard let ticket = ofToken[token], let position = proofs.position(of: ticket),
            let server = proofs[position].servers.first?.server
        else { return }
        let kind = SocketKind(to: server, isStream: false)
        makeSocket(proofs[position].order, kind) { [self] result in
            switch result {
            case .success(let handover):
                var batch = handover.take() ?? SocketBatch()
                guard let socket = batch.take(kind) else {
                    return fail(token, LinuxError(call: "socket", errno: .noData))
                }
                send(token, by: socket)
            case .failure(let error): fail(token, error)
            }
        }
    }

    private func fail(_ token: UInt128, _ error: LinuxError) {
        guard let ticket = ofToken[token], let position = proofs.position(of: ticket) else { return }
        let source = proofs[position].order.source
        let failure = Failure(
            error.kind == .openerAway ? .openerAway : .refused, "\(source) cannot be entered: \(error)")
        end(ticket, .untried(failure))
    }

    private func send(_ token: UInt128, by socket: consuming Descriptor) {
        guard let ticket = ofToken[token], let position = proofs.position(of: ticket),
            let server = proofs[position].servers.first?.server, let name = try? TokenName.hearing.name(of: token)
        else { return }
        let order = proofs[position].order
        let id = UInt16(truncatingIfNeeded: Entropy.word())
        do throws(LinuxError) {
            try UDPSocket.connect(socket, to: try SocketAddress(server, on: socket))
            _ = try socket.send(OwnQuery.octets(of: name, .a, id: id).span)
            try loop.watch(socket, as: .proof(ticket))
        } catch {
            if let cause = Unheard.Cause(error) { return end(ticket, cause) }
            return fail(token, error)
        }
        proofs[position].id = id
        proofs[position].socket = consume socket
        if proofs[position].isOpening { openingCount -= 1 }
        proofs[position].isOpening = false
        deadlines.append((.now + Self.deadline, token))
        order.tell(.proofSent(order.errand))
        beginQueued()
    }

    // MARK: - Verdicts

    /// A question has arrived at the listener that it was to arrive at.
    func arrived(_ token: UInt128) {
        guard let ticket = ofToken.removeValue(forKey: token), let position = proofs.position(of: ticket) else {
            return
        }
        proofs[position].socket = nil
        proofs[position].servers.removeFirst()
        dropPastDeadlines()
        askNext(ticket)
    }

    /// Something has come on the socket of a proof.
    func serve(_ ticket: Ticket) {
        guard let position = proofs.position(of: ticket) else { return }
        do throws(LinuxError) {
            var answer = [UInt8](repeating: 0, count: Self.answerSize)
            guard try proofs[position].socket?.receive(into: &answer) != nil,
                Header(answer.span)?.id == proofs[position].id
            else { return }
        } catch {
            return end(ticket, Unheard.Cause(error) ?? .noReply)
        }
        proofs[position].socket = nil
        let token = proofs[position].token
        // Our own answer comes with it: the worker tells of the question before it answers.
        workers.ask([publisher.worker(of: proofs[position].order.view)], { .fence(token: $0) }) { [self] _ in
            if let ticket = ofToken[token] { end(ticket, .answeredByAnother) }
        }
    }

    /// Reason why a question to a loopback address was lost: `lo` is down, and the kernel takes it and drops it, or `lo` has no
    /// address, and it left by another link, from an address of that.
    private func loss(of ticket: Ticket) -> Unheard.Cause {
        guard let position = proofs.position(of: ticket),
            proofs[position].servers.first?.server.address.isLoopback == true
        else { return .noReply }
        switch proofs[position].socket {
        case .some(let socket):
            if (try? InterfaceName.isUp("lo", on: socket)) == false { return .loopbackDown }
            let source = (try? socket.localAddress())?.number ?? 0
            // 127.0.0.0/8 as ::ffff:0:0/96 has it, or ::1.
            return source >> 24 == 0xFFFF << 8 | 127 || source == 1 ? .noReply : .loopbackBare
        case .none: return .noReply
        }
    }

    /// Time at which ``expire()`` is due.
    var nextDeadline: ContinuousClock.Instant? { deadlines.first?.time }

    /// Gives up questions that have not arrived in time.
    func expire() {
        let now = ContinuousClock.now
        while let (time, token) = deadlines.first, time <= now {
            deadlines.removeFirst()
            if let ticket = ofToken[token] { end(ticket, loss(of: ticket)) }
        }
    }
}

extension Unheard.Cause {
    /// Fate of a question that failed so; nil where the namespace is not to blame.
    init?(_ error: LinuxError) {
        switch error.errno {
        case .networkUnreachable, .noRouteToHost, .networkDown, .addressNotAvailable: self = .noRoute
        case .notPermitted: self = .dropped
        case .connectionRefused: self = .refused
        default: return nil
        }
    }
}

extension OpenerRequests {
    /// Makes a socket as a program in the namespace of an order would: nothing distinguishes its questions.
    func makeSocket(
        for order: HearingOrder, _ kind: SocketKind, _ done: @escaping (HearingProofs.SocketResult) -> Void
    ) {
        let (source, namespace) = (order.source, order.namespace)
        request { opener in
            Result { () throws(LinuxError) in
                let namespace = try source.openNamespace(namespace, by: opener)
                return Handover(try opener.openSockets(in: namespace, kind, count: 1, isMarked: false))
            }
        } late: {
            done(.failure(LinuxError(call: "setns", errno: .timedOut, kind: .openerAway)))
        } done: { (result: HearingProofs.SocketResult) in
            done(result)
        }
    }
}
