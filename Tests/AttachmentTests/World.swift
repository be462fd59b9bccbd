// A small machine to carry out effects on: namespaces with a port 53 each, a registry, a worker, an opener.

@testable import Attachment

/// Everything that effects change, checked as they come.
struct World {
    /// Owner of port 53 of 127.0.0.11 in a namespace.
    enum Port: Equatable {
        case free, foreign
        case ours(ErrandNumber)
    }

    struct Request: Equatable {
        let source: NamespaceSource
        let port: PortChoice?
    }

    var room = Attachments()
    var now = ContinuousClock.now
    /// The namespace behind each source; absent: there is none.
    var namespaces: [NamespaceSource: NamespaceKey] = [:]
    var ports: [NamespaceKey: Port] = [:]
    /// Requests without a result, in their order.
    var requests: [(errand: ErrandNumber, request: Request)] = []
    var rules: [(errand: ErrandNumber, namespace: NamespaceKey)] = []
    /// Proofs without a verdict, in their order.
    var proofs: [(errand: ErrandNumber, namespace: NamespaceKey)] = []
    /// Verdict that a proof in a namespace ends with; absent: heard.
    var hearing: [NamespaceKey: Hearing] = [:]
    /// Containers of which monitors were told that their state is another.
    var toldStates: [NamespaceKey] = []
    /// The listener that each errand has made and nobody has taken.
    var made: [ErrandNumber: (namespace: NamespaceKey, port: ListenerPort)] = [:]
    /// Names in the registry.
    var names: [NamespaceKey: Set<Identity>] = [:]
    /// Listeners with the worker.
    var listeners: [NamespaceKey: ErrandNumber] = [:]
    var stored: [NamespaceKey: ErrandNumber] = [:]
    var watches: [NamespaceKey: NamespaceSource] = [:]
    var subscriptions: Set<NamespaceKey> = []
    var ruled: Set<NamespaceKey> = []
    var closing: [NamespaceKey] = []
    var settlements: [DeclarationNumber: Settlement] = [:]
    var unreleased: Set<ErrandNumber> = []
    var log: [Note] = []
    var isOpenerAway = false
    /// Keeps results of the opener until ``answer(_:)``.
    var isHeld = false
    private var isSettling = false
    /// A registry behind the world: takes effects on names, and may refuse to enroll a container.
    var registry: ((Effect, Attachments) -> Failure?)?
    /// Refusals that the room is to be told of when the effects before them are carried out.
    private var refusals: [Event] = []

    init(observing: Bool = true, defaultPort: PortChoice = .direct) {
        room.defaultPort = defaultPort
        room.observe(observing)
    }

    // MARK: - The opener

    /// Results of all requests that are kept back, in the order in which the opener has served them.
    /// - Parameter isReversed: true where it has served the last request first.
    mutating func takeResults(isReversed: Bool = false) -> [Event] {
        let held = isReversed ? requests.reversed() : requests
        requests = []
        return held.map { .opened($0.errand, result($0.errand, $0.request)) }
    }

    /// Result of a request to the opener now.
    mutating func result(_ errand: ErrandNumber, _ request: Request) -> Result<Opened, Failure> {
        if isOpenerAway { return .failure(Failure(.openerAway, "the opener does not answer")) }
        guard let namespace = namespaces[request.source] else {
            return .failure(Failure(.notThere, "\(request.source) is no network namespace"))
        }
        switch (request.port, ports[namespace] ?? .free) {
        case (nil, _): return .success(Opened(namespace: namespace, listener: .none))
        case (.redirected?, _):
            made[errand] = (namespace, .redirected)
            return .success(Opened(namespace: namespace, listener: .made(.redirected)))
        case (.automatic?, let port) where port != .free:
            made[errand] = (namespace, .redirected)
            return .success(Opened(namespace: namespace, listener: .made(.redirected)))
        case (.direct?, .free), (.automatic?, _):
            made[errand] = (namespace, .direct)
            ports[namespace] = .ours(errand)
            return .success(Opened(namespace: namespace, listener: .made(.direct)))
        case (.direct?, _):
            let failure = Failure(.portTaken, "port 53 is taken")
            return .success(Opened(namespace: namespace, listener: .refused(failure)))
        }
    }

    /// Gives the result of one request, the oldest by default.
    mutating func answer(_ index: Int = 0) {
        guard requests.indices.contains(index) else { return }
        let (errand, request) = requests.remove(at: index)
        let result = result(errand, request)
        handle(.opened(errand, result))
    }

    /// Answers everything until nothing is under way.
    mutating func settle() {
        if isSettling { return }
        isSettling = true
        defer { isSettling = false }
        while !requests.isEmpty || !rules.isEmpty || !closing.isEmpty || !proofs.isEmpty {
            if !requests.isEmpty { answer() }
            if !rules.isEmpty { finishRules() }
            if !closing.isEmpty { finishClosing() }
            if !proofs.isEmpty { finishProof() }
        }
    }

    /// Sends the questions of the oldest proof, and gives its verdict.
    mutating func finishProof() {
        guard let (errand, namespace) = proofs.first else { return }
        handle(.proofSent(errand))
        proofs.removeFirst()
        handle(.proved(errand, hearing[namespace] ?? .heard))
    }

    mutating func finishRules(_ failure: Failure? = nil) {
        let (errand, namespace) = rules.removeFirst()
        if failure == nil { ruled.insert(namespace) }
        handle(.rulesSet(errand, failure))
    }

    mutating func finishClosing() { handle(.listenerClosed(closing.removeFirst())) }

    // MARK: - Effects

    mutating func handle(_ event: Event) {
        room.handle(event, now: now)
        carryOut()
    }

    mutating func declare(
        _ name: String, _ source: NamespaceSource, _ port: PortChoice = .direct, isIntercepted: Bool = false,
        isStanding: Bool = false
    ) -> DeclarationNumber {
        let number = room.declare(
            Declaration(
                name: name, source: source, port: port, isIntercepted: isIntercepted, isStanding: isStanding))
        carryOut()
        return number
    }

    mutating func carryOut() {
        for effect in room.takeEffects() {
            carryOut(effect)
            if let failure = registry?(effect, room), case .enroll(_, _, .declared(let number)) = effect {
                refusals.append(.enrollmentRefused(number, failure))
            }
        }
        if let refusal = refusals.popLast() { return handle(refusal) }
        if !isHeld, !requests.isEmpty || !rules.isEmpty || !closing.isEmpty || !proofs.isEmpty { settle() }
    }

    private mutating func carryOut(_ effect: Effect) {
        switch effect {
        case .open(let errand, let source, let port):
            requests.append((errand, Request(source: source, port: port)))
            holds(unreleased.insert(errand).inserted)
        case .release(let errand):
            holds(unreleased.remove(errand) != nil, "each errand is released once")
            close(errand)
        case .enroll(let namespace, _, let identity): names[namespace, default: []].insert(identity)
        case .rename(let namespace, let path):
            names[namespace] = (names[namespace] ?? []).filter { if case .declared = $0 { true } else { false } }
            names[namespace]?.insert(.found(path: path))
        case .strike(let namespace, let identity):
            holds(names[namespace]?.remove(identity) != nil, "\(identity) was known")
        case .watch(let namespace, let source, _): watches[namespace] = source
        case .unwatch(let namespace): holds(watches.removeValue(forKey: namespace) != nil)
        case .subscribe(let namespace, _): holds(subscriptions.insert(namespace).inserted)
        case .unsubscribe(let namespace): holds(subscriptions.remove(namespace) != nil)
        case .store(let namespace, let errand): stored[namespace] = errand
        case .forget(let namespace): stored[namespace] = nil
        case .handOver(let namespace, let errand):
            if let before = listeners[namespace] { free(namespace, before) }
            holds(made.removeValue(forKey: errand) != nil, "the errand made a listener")
            holds(names[namespace]?.isEmpty == false, "names come before the listener")
            listeners[namespace] = errand
        case .closeListener(let namespace):
            if let errand = listeners.removeValue(forKey: namespace) { free(namespace, errand) }
            closing.append(namespace)
        case .setRules(let errand, let namespace): rules.append((errand, namespace))
        case .removeRules(let namespace): ruled.remove(namespace)
        case .prove(let errand, let namespace):
            holds(listeners[namespace] != nil, "a listener can be heard")
            holds(!proofs.contains { $0.namespace == namespace }, "one proof at a time in a namespace")
            proofs.append((errand, namespace))
        case .stopProof(let errand):
            holds(proofs.contains { $0.errand == errand }, "the proof is under way")
            proofs.removeAll { $0.errand == errand }
        case .tellState(let namespace): toldStates.append(namespace)
        case .writeResolverFiles, .removeResolverFiles: break
        case .settle(let number, let settlement): settlements[number] = settlement
        case .log(let note): log.append(note)
        }
    }

    private mutating func close(_ errand: ErrandNumber) {
        guard let listener = made.removeValue(forKey: errand) else { return }
        free(listener.namespace, errand)
    }

    private mutating func free(_ namespace: NamespaceKey, _ errand: ErrandNumber) {
        if ports[namespace] == .ours(errand) { ports[namespace] = .free }
    }

    // MARK: - Time

    /// Lets time pass, with each deadline on its way.
    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let deadline = room.nextDeadline, deadline <= end {
            now = max(now, deadline)
            handle(.tick)
        }
        now = end
    }

    func state(_ namespace: NamespaceKey) -> State? { room.state(of: namespace, isDraining: false) }

    /// Remains of containers, by kind.
    var leftovers: [String] {
        var left: [String] = []
        func note(_ kind: String, _ isLeft: Bool) { if isLeft { left.append(kind) } }
        note("names", !names.values.allSatisfy(\.isEmpty))
        note("listeners", !listeners.isEmpty)
        note("stored", !stored.isEmpty)
        note("watches", !watches.isEmpty)
        note("subscriptions", !subscriptions.isEmpty)
        note("rules", !ruled.isEmpty)
        note("made", !made.isEmpty)
        note("errands", !unreleased.isEmpty || !room.errands.isEmpty)
        note("closing", !closing.isEmpty)
        note("proofs", !proofs.isEmpty)
        note("containers", !room.namespaces.isEmpty)
        note("ports", ports.values.contains { if case .ours = $0 { true } else { false } })
        return left
    }
}

extension NamespaceKey: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt64) { self.init(device: 4, inode: value) }
}

extension NamespaceSource: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .path(value) }
}
