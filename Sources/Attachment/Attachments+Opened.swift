// Results of errands: containers get their namespace, their listener, their rules and their links.

extension Attachments {
    // MARK: - Opened

    mutating func opened(_ errand: ErrandNumber, _ result: Result<Opened, Failure>, _ now: Instant) {
        switch (errands.removeValue(forKey: errand), result) {
        case (nil, _): return released(errand)
        case (.declaration(let number)?, .success(let opened)): attach(number, errand, opened, now)
        case (.declaration(let number)?, .failure(let failure)): wait(number, failure, now)
        case (.path(let path)?, .success(let opened)):
            attach(path, errand, opened, now)
            resume(behind: opened.namespace)
        case (.path(let path)?, .failure(let failure)):
            let namespace = found[path]?.namespace
            wait(path, failure, now)
            if let namespace { resume(behind: namespace) }
        case (.listener(let namespace)?, .success(let opened)): relisten(namespace, errand, opened, now)
        case (.listener(let namespace)?, .failure(let failure)): missListener(namespace, failure, by: errand, now)
        case (.links(let namespace)?, .success(let opened)): link(namespace, errand, opened, now)
        case (.links(let namespace)?, .failure(let failure)): missLinks(namespace, failure, now)
        case (.rules?, _), (.proof?, _): break
        }
        emit(.release(errand))
    }

    /// The result of an errand that was given up: who waited for its port goes on.
    private mutating func released(_ errand: ErrandNumber) {
        emit(.release(errand))
        guard abandoned.remove(errand) != nil else { return }
        lastBesideAbandoned = lastNumber
        guard abandoned.isEmpty else { return }
        for namespace in behind.keys.sorted(by: { $0.inode < $1.inode }) { resume(behind: namespace) }
    }

    private mutating func attach(_ number: DeclarationNumber, _ errand: ErrandNumber, _ opened: Opened, _ now: Instant)
    {
        guard let declared = declarations[number]?.declaration else { return }
        let namespace = opened.namespace
        let mayBeOurs = isOpening(namespace) || ranBesideAbandoned(errand)
        let isTaken = isPortTaken(opened, wanted: declared.port)
        if closing.contains(namespace) || isTaken && containers[namespace]?.port == nil && mayBeOurs {
            declarations[number]?.progress = .behind(namespace)
            behind[namespace, default: []].append(number)
            if !isOpening(namespace), abandoned.isEmpty { resume(behind: namespace) }
            return
        }
        if declared.joins { return join(number, errand, opened, now) }
        if let other = containers[namespace]?.declaration {
            let name = declarations[other]?.declaration.name ?? ""
            return drop(number, .inUse(by: name), Failure(.forbidden, "it is container \(name) already"), now)
        }
        let isNew = containers[namespace] == nil
        let hasListener = containers[namespace]?.port.map(declared.port.allows) ?? false
        if case .refused(let failure) = opened.listener, !hasListener, !declared.isStanding {
            return drop(number, .failed(failure), failure, now)
        }
        if isNew { containers[namespace] = Container(source: declared.source, phase: .opening(errand)) }
        let isOtherWay = containers[namespace]?.source != declared.source
        containers[namespace]?.declaration = number
        containers[namespace]?.source = declared.source
        containers[namespace]?.isSettled = false
        declarations[number]?.progress = .attached(namespace)
        declarations[number]?.backoff = Backoff()
        retries[.declaration(number)] = nil
        emit(.enroll(namespace, errand, .declared(number)))
        emit(.watch(namespace, declared.source, errand))
        finish(namespace, errand, opened, isNew: isNew, now)
        // Its programs may read another resolv.conf than the one that the last proof went by.
        if isOtherWay { doubtSource(of: namespace, now) }
    }

    /// Joins the container of a namespace, or makes it.
    private mutating func join(_ number: DeclarationNumber, _ errand: ErrandNumber, _ opened: Opened, _ now: Instant) {
        guard let source = declarations[number]?.declaration.source else { return }
        let namespace = opened.namespace
        let isNew = containers[namespace] == nil
        if isNew { containers[namespace] = Container(source: source, phase: .opening(errand)) }
        containers[namespace]?.joined.append(number)
        declarations[number]?.progress = .attached(namespace)
        declarations[number]?.backoff = Backoff()
        retries[.declaration(number)] = nil
        emit(.enroll(namespace, errand, .declared(number)))
        let isOtherWay = containers[namespace]?.leader == number && containers[namespace]?.source != source
        if containers[namespace]?.leader == number {
            containers[namespace]?.source = source
            emit(.watch(namespace, source, errand))
        }
        finish(namespace, errand, opened, isNew: isNew, now)
        if isOtherWay { doubtSource(of: namespace, now) }
        emit(.settle(number, .attached(namespace)))
    }

    private mutating func attach(_ path: String, _ errand: ErrandNumber, _ opened: Opened, _ now: Instant) {
        guard let before = found[path] else { return }
        let namespace = opened.namespace
        // A file comes first, a mount follows: it may be another than the one that was seen.
        if before.namespace != namespace { place(path, namespace) }
        if closing.contains(namespace) {
            found[path]?.progress = .behind(namespace)
            return
        }
        guard containers[namespace] == nil else { return join(path, namespace) }
        containers[namespace] = Container(path: path, source: .path(path), phase: .opening(errand))
        found[path]?.progress = .attached(namespace)
        retries[.path(path)] = nil
        emit(.enroll(namespace, errand, .found(path: path)))
        emit(.watch(namespace, .path(path), errand))
        emit(.log(.found(namespace, path: path)))
        finish(namespace, errand, opened, isNew: true, now)
    }

    /// True when another errand had been given up, and not been released, while this one was under way.
    private func ranBesideAbandoned(_ errand: ErrandNumber) -> Bool {
        !abandoned.isEmpty || errand.rawValue <= lastBesideAbandoned
    }

    /// True when port 53 of the namespace was taken: no listener was made, or one at another port in its place.
    private func isPortTaken(_ opened: Opened, wanted: PortChoice) -> Bool {
        switch opened.listener {
        case .refused(let failure): failure.kind == .portTaken
        case .made(let port): wanted == .automatic && port == .redirected
        case .kept, .none: false
        }
    }

    /// True while a path to the namespace is being opened: the port may be taken by the listener that comes of it.
    private func isOpening(_ namespace: NamespaceKey) -> Bool {
        pathsOfNamespace[namespace]?.contains {
            if case .opening? = found[$0]?.progress { true } else { false }
        } ?? false
    }

    /// Gives a container what an errand has made.
    private mutating func finish(
        _ namespace: NamespaceKey, _ errand: ErrandNumber, _ opened: Opened, isNew: Bool, _ now: Instant
    ) {
        if isObserving, containers[namespace]?.links != .subscribed {
            if opened.hasLinks {
                containers[namespace]?.links = .subscribed
                emit(.subscribe(namespace, errand))
            } else {
                openLinks(of: namespace)
            }
        }
        install(opened.listener, namespace, errand, now)
        emit(.writeResolverFiles(namespace))
    }

    // MARK: - Listeners

    /// Gives a container the listener of an errand, unless it has such a one.
    private mutating func install(
        _ listener: Opened.Listener, _ namespace: NamespaceKey, _ errand: ErrandNumber, _ now: Instant
    ) {
        guard let container = containers[namespace] else { return }
        let wanted = wantedPort(of: container)
        let hasWanted = container.port.map(wanted.allows) ?? false
        switch listener {
        case .made(.redirected)
        where wanted == .automatic && container.port == nil && mayHoldPort(of: container, beside: errand):
            missListener(namespace, Failure(.portTaken, "port 53 is taken"), by: errand, now)
        case .made, .kept:
            // Another errand was quicker with the same.
            if hasWanted { return keepListener(namespace, now) }
            hand(listener, namespace, errand, now)
        case .refused(let failure):
            if container.port == nil {
                missListener(namespace, failure, by: errand, now)
            } else {
                keepListener(namespace, now)
            }
        case .none:
            keepListener(namespace, now)
        }
    }

    /// Leaves a container the listener that it has, or none, with the rules that it is to have now.
    private mutating func keepListener(_ namespace: NamespaceKey, _ now: Instant) {
        if fitRules(of: namespace), containers[namespace]?.phase == .attached {
            containers[namespace]?.phase = .settingRules
        }
        settle(namespace, now)
    }

    private mutating func hand(
        _ listener: Opened.Listener, _ namespace: NamespaceKey, _ errand: ErrandNumber, _ now: Instant
    ) {
        let port: ListenerPort
        switch listener {
        case .made(let made):
            port = made
            if containers[namespace]?.port != nil { emit(.forget(namespace)) }
            emit(.store(namespace, errand))
        case .kept(let kept): port = kept
        case .none, .refused: return
        }
        containers[namespace]?.port = port
        stopProof(of: namespace)
        retries[.listener(namespace)] = nil
        emit(.handOver(namespace, errand))
        // Rules that there are lead to the listener before.
        containers[namespace]?.areRulesOfListener = false
        let awaitsRules = fitRules(of: namespace)
        if case .made = listener, awaitsRules {
            containers[namespace]?.phase = .settingRules
        } else {
            // Rules of a kept listener stand since the last daemon; they are made anew so that they are watched.
            containers[namespace]?.phase = .attached
            settle(namespace, now)
        }
    }

    /// An errand for a container that had no listener, or was to have another one.
    private mutating func relisten(
        _ namespace: NamespaceKey, _ errand: ErrandNumber, _ opened: Opened, _ now: Instant
    ) {
        guard containers[namespace] != nil, opened.namespace == namespace else {
            return missListener(namespace, Failure(.refused, "its path leads to another namespace"), by: errand, now)
        }
        let hadNone = containers[namespace]?.port == nil
        install(opened.listener, namespace, errand, now)
        if hadNone, containers[namespace]?.port != nil {
            emit(.log(.listens(namespace)))
            emit(.writeResolverFiles(namespace))
        }
    }

    /// Notes why a container has no listener, and tries again by and by. One that has another keeps it.
    /// - Parameters:
    ///   - namespace: that of the container.
    ///   - failure: the reason.
    ///   - errand: the one that failed; nil: the listener was lost.
    ///   - now: the time.
    mutating func missListener(
        _ namespace: NamespaceKey, _ failure: Failure, by errand: ErrandNumber? = nil, _ now: Instant
    ) {
        guard let container = containers[namespace] else { return }
        if container.port == nil, failure.kind == .portTaken, mayHoldPort(of: container, beside: errand) {
            containers[namespace]?.phase = .noListener(
                Failure(.refused, "an earlier request holds port 53 for a moment"))
            return retry(.listener(namespace), at: now + Self.shortestRetry)
        }
        if let number = waitingDeclaration(of: namespace) { return refuse(number, failure, now) }
        guard container.port == nil else {
            containers[namespace]?.phase = .attached
            return
        }
        if container.phase != .noListener(failure) {
            emit(.tellState(namespace))
            emit(.log(.noListener(namespace, failure)))
        }
        containers[namespace]?.phase = .noListener(failure)
        if let wait = containers[namespace]?.backoff.next() { retry(.listener(namespace), at: now + wait) }
        settle(namespace, now)
    }

    /// True while an errand of ours may have port 53 of a container: one that was given up, or one for a declaration of
    /// the same namespace.
    private func mayHoldPort(of container: Container, beside errand: ErrandNumber?) -> Bool {
        if errand.map(ranBesideAbandoned) ?? !abandoned.isEmpty { return true }
        guard container.declaration == nil else { return false }
        return errands.values.contains { if case .declaration = $0 { true } else { false } }
    }

    /// Reports the result to the declaration, once.
    mutating func settle(_ namespace: NamespaceKey, _ now: Instant) {
        guard let container = containers[namespace] else { return }
        if case .opening = container.phase { containers[namespace]?.phase = .attached }
        if container.phase == .settingRules { return }
        if containers[namespace]?.phase == .attached { containers[namespace]?.backoff = Backoff() }
        proveFirst(namespace)
        guard !container.isSettled, let number = container.declaration else { return }
        containers[namespace]?.isSettled = true
        if case .noListener(let failure) = container.phase {
            emit(.settle(number, .failed(failure)))
        } else {
            emit(.settle(number, .attached(namespace)))
        }
    }

    /// The port that a container's listener is to have.
    func wantedPort(of container: Container) -> PortChoice {
        container.leader.flatMap { declarations[$0]?.declaration.port } ?? defaultPort
    }

    // MARK: - Links

    mutating func openLinks(of namespace: NamespaceKey) {
        guard let container = containers[namespace] else { return }
        switch container.links {
        case .none, .failed: break
        case .subscribed, .opening: return
        }
        let errand = open(container.source, nil, for: .links(namespace))
        containers[namespace]?.links = .opening(errand)
    }

    private mutating func link(_ namespace: NamespaceKey, _ errand: ErrandNumber, _ opened: Opened, _ now: Instant) {
        guard let container = containers[namespace], container.links == .opening(errand) else { return }
        guard opened.hasLinks, opened.namespace == namespace else {
            return missLinks(namespace, Failure(.refused, "its path leads to another namespace"), now)
        }
        containers[namespace]?.links = .subscribed
        containers[namespace]?.linksBackoff = Backoff()
        emit(.subscribe(namespace, errand))
    }

    private mutating func missLinks(_ namespace: NamespaceKey, _ failure: Failure, _ now: Instant) {
        guard let wait = containers[namespace]?.linksBackoff.next() else { return }
        containers[namespace]?.links = .failed
        emit(.log(.linksUnknown(namespace, failure)))
        retry(.links(namespace), at: now + wait)
    }

    mutating func unsubscribe(_ namespace: NamespaceKey) {
        switch containers[namespace]?.links {
        case .subscribed?: emit(.unsubscribe(namespace))
        case .opening(let errand)?: abandon(errand)
        default: break
        }
        containers[namespace]?.links = .none
        retries[.links(namespace)] = nil
    }
}
