// Proof that a container's listener is heard: sent at first, after changes, and again where it failed.

/// Proof that questions of a container's programs reach its listener.
struct Proof: Sendable {
    /// The errand that is under way.
    enum Progress: Equatable {
        case idle
        /// Nothing has been sent yet: what changes until then is covered.
        case requested(ErrandNumber)
        case sent(ErrandNumber)
    }

    /// The last verdict; nil: none has come since the listener was handed over.
    var verdict: Hearing?
    var progress = Progress.idle
    /// True when something changed in the namespace since the last questions were sent.
    var isDoubted = false
    /// Time at which questions were sent last.
    var lastSent: ContinuousClock.Instant?
    /// Pauses after failures.
    var backoff = Backoff()
    /// Pauses between proofs that changes in the namespace cause: its root makes changes at will.
    var doubtBackoff = Backoff()

    /// The state of a container with a listener.
    var state: State {
        switch verdict {
        case nil: .proving
        case .heard?: .ready
        case .unheard(let unheard)?: .unheard(unheard)
        case .notAsked(let servers)?: .notAsked(servers)
        case .untried(let failure)?: .untried(failure)
        }
    }

    var errand: ErrandNumber? {
        switch progress {
        case .idle: nil
        case .requested(let errand), .sent(let errand): errand
        }
    }
}

extension Attachments {
    /// Asks anew whether the listener of a container is heard, unless that is being asked.
    /// - Returns: true when a verdict is on its way.
    @discardableResult
    package mutating func prove(_ namespace: NamespaceKey) -> Bool {
        guard let container = containers[namespace], container.port != nil, container.phase == .attached else {
            return false
        }
        if container.proof.errand != nil { return true }
        retries[.proof(namespace)] = nil
        let errand = newErrand(for: .proof(namespace))
        containers[namespace]?.proof.progress = .requested(errand)
        containers[namespace]?.proof.isDoubted = false
        emit(.prove(errand, namespace))
        return true
    }

    /// True when it is being asked whether the listener of a container is heard.
    package func isProving(_ namespace: NamespaceKey) -> Bool { containers[namespace]?.proof.errand != nil }

    /// True when an errand is the proof that is under way for a container.
    package func isProving(_ namespace: NamespaceKey, by errand: ErrandNumber) -> Bool {
        containers[namespace]?.proof.errand == errand
    }

    /// Containers with a listener that is not heard, or of which that cannot be tried, with their state.
    package var unheard: [(namespace: NamespaceKey, state: State)] {
        containers.compactMap { namespace, container in
            switch container.state {
            case .unheard, .notIntercepted, .notAsked, .untried: (namespace, container.state)
            case .ready, .draining, .noListener, .elsewhere, .starting, .proving, .ended: nil
            }
        }
    }

    // MARK: - For the life of a container

    /// Asks for the first time, once the container has a listener and what leads to it.
    mutating func proveFirst(_ namespace: NamespaceKey) {
        if containers[namespace]?.proof.verdict == nil, retries[.proof(namespace)] == nil { prove(namespace) }
    }

    /// Forgets what was proved of a listener that is to go, and stops asking.
    mutating func stopProof(of namespace: NamespaceKey) {
        guard let proof = containers[namespace]?.proof else { return }
        retries[.proof(namespace)] = nil
        if let errand = proof.errand {
            errands[errand] = nil
            emit(.stopProof(errand))
        }
        containers[namespace]?.proof = Proof()
    }

    /// Something has changed in the namespace: the last verdict may be wrong.
    mutating func doubt(_ namespace: NamespaceKey, _ now: Instant) {
        guard let container = containers[namespace], container.port != nil, container.phase == .attached else { return }
        switch container.proof.progress {
        case .requested: return
        case .sent: containers[namespace]?.proof.isDoubted = true
        case .idle: scheduleDoubted(namespace, now)
        }
    }

    /// The way into the namespace is another one: also a proof that has only been requested may go by the last.
    mutating func doubtSource(of namespace: NamespaceKey, _ now: Instant) {
        guard let container = containers[namespace], container.port != nil, container.phase == .attached else { return }
        if container.proof.errand == nil {
            scheduleDoubted(namespace, now)
        } else {
            containers[namespace]?.proof.isDoubted = true
        }
    }

    // MARK: - Events

    mutating func proofSent(_ errand: ErrandNumber, _ now: Instant) {
        guard case .proof(let namespace)? = errands[errand] else { return }
        containers[namespace]?.proof.progress = .sent(errand)
        containers[namespace]?.proof.lastSent = now
    }

    mutating func proved(_ errand: ErrandNumber, _ verdict: Hearing, _ now: Instant) {
        guard case .proof(let namespace)? = errands.removeValue(forKey: errand),
            let before = containers[namespace]?.proof
        else { return }
        containers[namespace]?.proof.progress = .idle
        containers[namespace]?.proof.verdict = verdict
        if verdict == .heard {
            containers[namespace]?.proof.backoff = Backoff()
        } else if let wait = containers[namespace]?.proof.backoff.next() {
            retry(.proof(namespace), at: now + wait)
        }
        if verdict != before.verdict { tell(namespace, verdict, before: before.verdict) }
        if before.isDoubted {
            containers[namespace]?.proof.isDoubted = false
            scheduleDoubted(namespace, now)
        }
    }

    private mutating func tell(_ namespace: NamespaceKey, _ verdict: Hearing, before: Hearing?) {
        emit(.tellState(namespace))
        if verdict != .heard {
            emit(.log(.unheard(namespace, verdict)))
        } else if before != nil {
            emit(.log(.heard(namespace)))
        }
    }

    /// Asks again soon, but the later the more often changes made it necessary.
    private mutating func scheduleDoubted(_ namespace: NamespaceKey, _ now: Instant) {
        guard let proof = containers[namespace]?.proof, !proof.isDoubted else { return }
        containers[namespace]?.proof.isDoubted = true
        let last = proof.lastSent ?? now
        if last + Self.recovery < now { containers[namespace]?.proof.doubtBackoff = Backoff() }
        let pause = containers[namespace]?.proof.doubtBackoff.next() ?? Backoff.first
        let due = max(now + Self.shortestRetry, last + pause)
        retry(.proof(namespace), at: min(due, retries[.proof(namespace)] ?? due))
    }
}
