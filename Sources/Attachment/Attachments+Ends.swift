// Paths that come and go, declarations that wait, containers that end.

extension Attachments {
    // MARK: - Paths

    mutating func appeared(_ path: String, _ namespace: NamespaceKey, _ now: Instant) {
        if let known = found[path], known.namespace == namespace {
            switch known.progress {
            case .opening, .attached, .behind: return
            case .waiting: break
            }
        } else {
            leave(path, now)
        }
        place(path, namespace)
        if closing.contains(namespace) {
            found[path]?.progress = .behind(namespace)
        } else if containers[namespace] != nil {
            join(path, namespace)
        } else {
            reopen(path)
        }
    }

    private mutating func reopen(_ path: String) {
        let errand = open(.path(path), defaultPort, for: .path(path))
        found[path]?.progress = .opening(errand)
    }

    /// Notes which namespace a path leads to.
    mutating func place(_ path: String, _ namespace: NamespaceKey) {
        let before = found[path]
        if let before { pathsOfNamespace.remove(path, of: before.namespace) }
        found[path] = Found(
            namespace: namespace, progress: before?.progress ?? .behind(namespace),
            backoff: before?.backoff ?? Backoff())
        pathsOfNamespace[namespace, default: []].insert(path)
    }

    /// A path to a container that is there: it is called so, unless it is called by another path.
    mutating func join(_ path: String, _ namespace: NamespaceKey) {
        found[path]?.progress = .attached(namespace)
        retries[.path(path)] = nil
        guard let container = containers[namespace] else { return }
        if let other = container.path, other != path {
            emit(.log(.secondPath(path, of: other)))
            return
        }
        containers[namespace]?.path = path
        emit(.rename(namespace, path: path))
    }

    mutating func leave(_ path: String, _ now: Instant) {
        guard let left = found.removeValue(forKey: path) else { return }
        cancel(.path(path), left.progress)
        pathsOfNamespace.remove(path, of: left.namespace)
        if case .opening = left.progress { resume(behind: left.namespace) }
        let namespace = left.namespace
        guard containers[namespace]?.path == path else { return }
        if let other = pathsOfNamespace[namespace]?.min() {
            rename(namespace, to: other)
        } else if containers[namespace]?.leader == nil {
            end(namespace, "\(path) is gone", now)
        } else {
            containers[namespace]?.path = nil
            emit(.strike(namespace, .found(path: path)))
        }
    }

    private mutating func rename(_ namespace: NamespaceKey, to path: String) {
        containers[namespace]?.path = path
        emit(.rename(namespace, path: path))
        guard containers[namespace]?.leader == nil else { return }
        containers[namespace]?.source = .path(path)
        emit(.removeResolverFiles(namespace))
        emit(.watch(namespace, .path(path), nil))
        emit(.writeResolverFiles(namespace))
    }

    mutating func wait(_ path: String, _ failure: Failure, _ now: Instant) {
        guard let before = found[path] else { return }
        // A file comes first and becomes a namespace by a mount, which takes a moment: only then it is said.
        let isFirst = failure.kind == .notThere && before.backoff == Backoff()
        if !isFirst, before.saidFailure != failure {
            found[path]?.saidFailure = failure
            emit(.log(.notAttached(path: path, failure)))
        }
        found[path]?.progress = .waiting(failure)
        if isFirst || failure.mayPass, let wait = found[path]?.backoff.next() { retry(.path(path), at: now + wait) }
    }

    // MARK: - Declarations

    mutating func wait(_ number: DeclarationNumber, _ failure: Failure, _ now: Instant) {
        guard let declared = declarations[number] else { return }
        guard declared.declaration.isStanding else { return drop(number, .failed(failure), failure, now) }
        declarations[number]?.progress = .waiting(failure)
        // Its path may appear where nobody watches it: it is looked for, too.
        if let wait = declarations[number]?.backoff.next() { retry(.declaration(number), at: now + wait) }
        emit(.settle(number, .failed(failure)))
    }

    /// Refuses a declaration; a standing one waits.
    mutating func drop(_ number: DeclarationNumber, _ settlement: Settlement, _ failure: Failure, _ now: Instant) {
        guard declarations[number]?.declaration.isStanding == true else {
            declarations[number] = nil
            emit(.settle(number, settlement))
            return
        }
        declarations[number]?.progress = .waiting(failure)
        if let wait = declarations[number]?.backoff.next() { retry(.declaration(number), at: now + wait) }
        emit(.settle(number, settlement))
    }

    /// Takes a declared container out again that could not be had whole.
    mutating func refuse(_ number: DeclarationNumber, _ failure: Failure, _ now: Instant) {
        guard case .attached(let namespace)? = declarations[number]?.progress else { return }
        emit(.strike(namespace, .declared(number)))
        let former = declarations[number]
        drop(number, .failed(failure), failure, now)
        undeclare(namespace, former)
    }

    /// Leaves a container to those who have joined it, to what the kernel shows of it, or to nothing.
    /// - Parameters:
    ///   - namespace: that of the container.
    ///   - former: the declaration that it had.
    mutating func undeclare(_ namespace: NamespaceKey, _ former: Declared?) {
        guard containers[namespace] != nil else { return }
        containers[namespace]?.declaration = nil
        containers[namespace]?.isSettled = false
        emit(.removeResolverFiles(namespace))
        followLeader(of: namespace, wantedBefore: former?.declaration.port)
    }

    /// Takes back a declaration that had joined a container.
    mutating func unjoin(_ number: DeclarationNumber, _ namespace: NamespaceKey, _ former: Declared) {
        guard let container = containers[namespace] else { return }
        containers[namespace]?.joined.removeAll { $0 == number }
        guard container.leader == number else {
            _ = fitRules(of: namespace)
            return
        }
        followLeader(of: namespace, wantedBefore: former.declaration.port)
    }

    /// Makes a container what it would have been without the declaration that it had.
    private mutating func followLeader(of namespace: NamespaceKey, wantedBefore before: PortChoice?) {
        guard let container = containers[namespace] else { return }
        let leader = container.leader.flatMap { declarations[$0]?.declaration.source }
        guard let source = leader ?? container.path.map(NamespaceSource.path) else { return close(namespace) }
        containers[namespace]?.source = source
        emit(.watch(namespace, source, nil))
        emit(.writeResolverFiles(namespace))
        let wanted = wantedPort(of: container)
        // A random port that was asked for is given up for port 53, where that may be free.
        if let port = container.port, wanted.allows(port), wanted != .automatic || port == .direct || before == wanted {
            _ = fitRules(of: namespace)
            return
        }
        // That may mean that another program has port 53.
        if container.port != nil { closePort(of: namespace) }
        openListener(of: namespace, wanted)
    }

    /// Tries soon what has failed for a reason that may have gone: a path may lead to a namespace now.
    package mutating func hastenDeclarations(now: Instant) {
        for (number, declared) in declarations {
            // A mount brings a path, not a process.
            guard case .waiting = declared.progress, case .path = declared.declaration.source else { continue }
            retry(.declaration(number), at: now)
        }
    }

    // MARK: - Trying again

    /// Tries at once all that waits to be tried again: an operator who asks for that may have mended the cause.
    package mutating func hastenAll(now: Instant) {
        for purpose in retries.keys { retry(purpose, at: now) }
    }

    /// Time of the next attempt at what a container lacks: its listener, its rules, or the proof that it is heard; nil: none waits.
    package func nextTry(of namespace: NamespaceKey) -> Instant? {
        [.listener(namespace), .rules(namespace), .proof(namespace)].compactMap { retries[$0] }.min()
    }

    mutating func tryAgain(_ purpose: Purpose) {
        switch purpose {
        case .declaration(let number):
            guard let declared = declarations[number], case .waiting = declared.progress else { return }
            let errand = open(declared.declaration.source, declared.declaration.port, for: purpose)
            declarations[number]?.progress = .opening(errand)
        case .path(let path):
            guard case .waiting? = found[path]?.progress else { return }
            reopen(path)
        case .listener(let namespace):
            guard let container = containers[namespace], case .noListener = container.phase else { return }
            openListener(of: namespace, wantedPort(of: container))
        case .links(let namespace):
            if isObserving { openLinks(of: namespace) }
        case .rules(let namespace):
            if let container = containers[namespace], wantedRules(of: container) != Rules.none {
                startRules(of: namespace)
            }
        case .proof(let namespace): prove(namespace)
        }
    }

    mutating func openListener(of namespace: NamespaceKey, _ port: PortChoice) {
        guard let container = containers[namespace] else { return }
        if case .opening(let errand) = container.phase { abandon(errand) }
        let errand = open(container.source, port, for: .listener(namespace))
        // One that has another listener is served by that meanwhile, and the reason why one has none stays.
        if container.port == nil, container.phase == .attached { containers[namespace]?.phase = .opening(errand) }
    }

    /// Brings a retry forward: something has changed in the namespace.
    mutating func hasten(_ namespace: NamespaceKey, _ now: Instant) {
        guard let due = retries[.listener(namespace)] else { return }
        retry(.listener(namespace), at: min(due, now + Self.shortestRetry))
    }

    /// The worker's sockets are dead: others are made.
    mutating func lost(_ namespace: NamespaceKey, _ failure: Failure, _ now: Instant) {
        guard let container = containers[namespace], container.port != nil else { return }
        closePort(of: namespace)
        containers[namespace]?.isSettled = true
        missListener(namespace, failure, now)
        // The first time at once; one that is lost again and again, whoever does that, costs less each time.
        let hasRecovered = container.lastLoss.map { $0 + Self.recovery < now } ?? true
        if hasRecovered { containers[namespace]?.lossBackoff = Backoff() }
        containers[namespace]?.lastLoss = now
        let pause = hasRecovered ? Self.shortestRetry : containers[namespace]?.lossBackoff.next() ?? Backoff.first
        retry(.listener(namespace), at: now + pause)
    }

    /// Closes the listener of a container that is to have another one.
    private mutating func closePort(of namespace: NamespaceKey) {
        stopProof(of: namespace)
        emit(.forget(namespace))
        if containers[namespace].map({ $0.rules != .none }) == true { dropRules(of: namespace) }
        containers[namespace]?.port = nil
        emit(.closeListener(namespace))
    }

    // MARK: - Ends

    mutating func end(_ namespace: NamespaceKey, _ why: String, _ now: Instant) {
        guard let container = containers[namespace] else { return }
        let declared = container.leader.flatMap { declarations[$0] }
        let name = declared?.declaration.name ?? container.path.map(Self.name) ?? ""
        emit(.log(.ended(namespace, name: name, why: why)))
        remember(
            Ended(
                name: name, source: container.source, declarer: declared?.declaration.declarer, why: why, at: now))
        let failure = Failure(.notThere, why)
        for number in container.allDeclarations {
            emit(.strike(namespace, .declared(number)))
            let wasAttached = container.isSettled || declarations[number]?.declaration.isStanding == true
            drop(number, wasAttached ? .ended(why) : .failed(failure), failure, now)
        }
        close(namespace)
    }

    /// Closes a listener and forgets the container. Paths that still lead there wait until the port is free.
    private mutating func close(_ namespace: NamespaceKey) {
        stopProof(of: namespace)
        guard let container = containers.removeValue(forKey: namespace) else { return }
        if case .opening(let errand) = container.phase { abandon(errand) }
        if case .opening(let errand) = container.links { abandon(errand) }
        for purpose in [Purpose.listener(namespace), .links(namespace), .rules(namespace)] { retries[purpose] = nil }
        emit(.removeResolverFiles(namespace))
        emit(.unwatch(namespace))
        if container.links == .subscribed { emit(.unsubscribe(namespace)) }
        if let path = container.path { emit(.strike(namespace, .found(path: path))) }
        emit(.forget(namespace))
        if container.rules != .none { dropRules(of: namespace) }
        emit(.closeListener(namespace))
        closing.insert(namespace)
        for path in pathsOfNamespace[namespace] ?? [] { found[path]?.progress = .behind(namespace) }
    }

    mutating func closed(_ namespace: NamespaceKey) {
        guard closing.remove(namespace) != nil else { return }
        for path in (pathsOfNamespace[namespace] ?? []).sorted() where found[path]?.progress == .behind(namespace) {
            reopen(path)
        }
        resume(behind: namespace)
    }

    /// Goes on with declarations that waited for somebody else in the same namespace.
    mutating func resume(behind namespace: NamespaceKey) {
        guard !closing.contains(namespace), let numbers = behind.removeValue(forKey: namespace) else { return }
        for number in numbers {
            guard let declared = declarations[number], declared.progress == .behind(namespace) else { continue }
            let errand = open(declared.declaration.source, declared.declaration.port, for: .declaration(number))
            declarations[number]?.progress = .opening(errand)
        }
    }

    /// The last component of a path.
    package static func name(of path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }
}

extension Dictionary where Value == Set<String> {
    /// Takes a path out; a namespace without paths is not kept.
    fileprivate mutating func remove(_ path: String, of key: Key) {
        self[key]?.remove(path)
        if self[key]?.isEmpty == true { self[key] = nil }
    }
}
