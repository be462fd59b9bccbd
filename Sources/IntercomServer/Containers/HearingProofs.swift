// The proof that listeners are heard: a question with a token goes out from inside the namespace, and a worker sees it arrive.

import Attachment
import ControlAPI
import DNSWire
import DequeModule
import LinuxNet
import Registry
import SystemPackage
import Tables

/// Asks each server of a container from inside its namespace, over UDP and TCP, as a program there does. Only where the question arrives at
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

    /// The question that is under way is given up; its socket closes.
    private func forgetToken(of position: Int) {
        let (token, view) = (proofs[position].token, proofs[position].order.view)
        proofs[position].socket = nil
        proofs[position].unsent = []
        guard ofToken.removeValue(forKey: token) != nil else { return }
        workers.post(.forgetToken(token), to: publisher.worker(of: view))
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
        guard let position = proofs.position(of: ticket), let asked = proofs[position].questions.first else { return }
        let unheard = Unheard(at: "\(asked.server)", cause, path: asked.path, isStream: asked.isStream)
        let isLeftOut = cause == .noRoute && asked.path == .led && !asked.server.address.isLoopback
        guard isLeftOut else { return end(ticket, .unheard(unheard)) }
        forgetToken(of: position)
        proofs[position].leaveOut(unheard)
        askNext(ticket)
    }

    // MARK: - Questions

    /// Asks the next question; where there is none left, all have led to the listener.
    private func askNext(_ ticket: Ticket) {
        guard let position = proofs.position(of: ticket) else { return }
        guard !proofs[position].questions.isEmpty else { return end(ticket, proofs[position].verdict) }
        // One that goes on comes before those that wait, and counts as one of them.
        if !proofs[position].isOpening { openingCount += 1 }
        proofs[position].isOpening = true
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
            let question = proofs[position].questions.first
        else { return }
        let kind = SocketKind(to: question.server, isStream: question.isStream)
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
            let question = proofs[position].questions.first, let name = try? TokenName.hearing.name(of: token)
        else { return }
        let order = proofs[position].order
        let id = UInt16(truncatingIfNeeded: Entropy.word())
        let message = OwnQuery.octets(of: name, .a, id: id)
        do throws(LinuxError) {
            let address = try SocketAddress(question.server, over: question.isStream ? .stream : .datagram, on: socket)
            if question.isStream {
                try TCPSocket.connect(socket, to: address)
                // RFC 1035 §4.2.2: the length comes first.
                proofs[position].unsent =
                    [UInt8(truncatingIfNeeded: message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
                try loop.watch(socket, as: .proof(ticket), for: [.readable, .writable])
            } else {
                try UDPSocket.connect(socket, to: address)
                _ = try socket.send(message.span)
                try loop.watch(socket, as: .proof(ticket))
            }
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

    /// Sends the question when its connection stands.
    private func flush(_ position: Int, _ ticket: Ticket) throws(LinuxError) {
        guard try proofs[position].flush() else { return }
        switch proofs[position].socket {
        case .some(let socket):
            try loop.unwatch(socket)
            try loop.watch(socket, as: .proof(ticket))
        case .none: break
        }
    }

    // MARK: - Verdicts

    /// A question has arrived at the listener that it was to arrive at.
    func arrived(_ token: UInt128) {
        guard let ticket = ofToken.removeValue(forKey: token), let position = proofs.position(of: ticket) else {
            return
        }
        proofs[position].socket = nil
        proofs[position].unsent = []
        proofs[position].noteArrival()
        dropPastDeadlines()
        askNext(ticket)
    }

    /// Something has come on the socket of a proof.
    func serve(_ ticket: Ticket) {
        guard let position = proofs.position(of: ticket) else { return }
        do throws(LinuxError) {
            if !proofs[position].unsent.isEmpty { return try flush(position, ticket) }
            var answer = [UInt8](repeating: 0, count: Self.answerSize)
            guard let count = try proofs[position].socket?.receive(into: &answer) else { return }
            // A server that says anything on the connection, or ends it, has the question.
            let isStream = proofs[position].questions.first?.isStream == true
            guard isStream || count > 0 && Header(answer.span)?.id == proofs[position].id else { return }
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

    /// Time at which ``expire()`` is due.
    var nextDeadline: ContinuousClock.Instant? { deadlines.first?.time }

    /// Gives up questions that have not arrived in time.
    func expire() {
        let now = ContinuousClock.now
        while let (time, token) = deadlines.first, time <= now {
            deadlines.removeFirst()
            if let ticket = ofToken[token], let position = proofs.position(of: ticket) {
                end(ticket, proofs[position].loss)
            }
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
