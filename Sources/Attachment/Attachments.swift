// The life of all containers with a namespace, as one value: events in, effects out, no I/O.

/// Containers, the declarations and paths they come from, and the errands under way.
///
/// One namespace is one container with one listener, however many declarations and paths lead to it. Every event costs
/// time in proportion to what it changes. The owner hands in events with the time, carries out ``takeEffects()`` in their
/// order, and hands in ``Event/tick`` when ``nextDeadline`` has come.
package struct Attachments: Sendable {
    /// A point in time of the owner's clock.
    package typealias Instant = ContinuousClock.Instant

    /// Time for which an ended container is shown.
    package static let endedLife = Duration.seconds(600)
    /// The most ended containers that are shown: the oldest make room.
    package static let endedLimit = 1000
    /// A change in a namespace is a chance for a listener, but not more often than this: its root makes changes at will.
    package static let shortestRetry = Duration.milliseconds(100)

    /// A listener that has served for so long has recovered: its next loss is a first one.
    package static let recovery = Duration.seconds(60)

    /// The port for containers that nobody declared.
    package var defaultPort: PortChoice
    /// True while links of containers are to be observed.
    package private(set) var isObserving = false

    var declarations: [DeclarationNumber: Declared] = [:]
    var found: [String: Found] = [:]
    /// The paths at which a namespace was found.
    var pathsOfNamespace: [NamespaceKey: Set<String>] = [:]
    var containers: [NamespaceKey: Container] = [:]
    /// Namespaces whose listener is being closed: port 53 is not free before.
    var closing: Set<NamespaceKey> = []
    /// Declarations that wait for somebody else in their namespace.
    var behind: [NamespaceKey: [DeclarationNumber]] = [:]
    /// Purpose of each errand under way.
    var errands: [ErrandNumber: Purpose] = [:]
    /// Errands that were given up and have no result yet: what they make holds port 53 until it is released.
    var abandoned: Set<ErrandNumber> = []
    /// The number that was last when such a result was released. An errand up to this one may have met its listener at port 53.
    var lastBesideAbandoned: UInt64 = 0
    /// The rules that are being set.
    var ruling: [NamespaceKey: Ruling] = [:]
    var retries: [Purpose: Instant] = [:]
    /// Containers that ended, the oldest first.
    package private(set) var ended: [Ended] = []
    private var effects: [Effect] = []
    private(set) var lastNumber: UInt64 = 0

    /// - Parameter defaultPort: see ``defaultPort``.
    package init(defaultPort: PortChoice = .direct) {
        self.defaultPort = defaultPort
    }

    // MARK: - Values

    /// Purpose of an errand, or of an attempt that waits.
    enum Purpose: Hashable {
        case declaration(DeclarationNumber)
        case path(String)
        /// A listener for a container that has none, or another one.
        case listener(NamespaceKey)
        case links(NamespaceKey)
        case rules(NamespaceKey)
        case proof(NamespaceKey)
    }

    /// The way of a declaration or a path to its container.
    enum Progress: Equatable {
        case opening(ErrandNumber)
        case attached(NamespaceKey)
        /// Waits for an event or a retry.
        case waiting(Failure)
        /// Waits until the last listener of the namespace is closed.
        case behind(NamespaceKey)
    }

    struct Declared {
        var declaration: Declaration
        var progress: Progress
        var backoff = Backoff()
    }

    struct Found {
        let namespace: NamespaceKey
        var progress: Progress
        var backoff = Backoff()
        /// The failure that was logged last.
        var saidFailure: Failure?
    }

    /// A container that ended, while it is shown.
    package struct Ended: Sendable, Equatable {
        /// Its name.
        package let name: String
        /// The way into the namespace that it had.
        package let source: NamespaceSource
        /// Declarer, `configuration` or `control`; nil: nobody declared it.
        package let declarer: String?
        /// Why it ended.
        package let why: String
        /// Time of its end.
        package let at: Instant

        package init(name: String, source: NamespaceSource, declarer: String?, why: String, at: Instant) {
            self.name = name
            self.source = source
            self.declarer = declarer
            self.why = why
            self.at = at
        }
    }

    // MARK: - In and out

    /// Declares a container; ``Effect/settle(_:_:)`` reports the result.
    package mutating func declare(_ declaration: Declaration) -> DeclarationNumber {
        let number = DeclarationNumber(rawValue: nextNumber())
        let errand = open(declaration.source, declaration.port, for: .declaration(number))
        declarations[number] = Declared(declaration: declaration, progress: .opening(errand))
        return number
    }

    /// Gives a declaration another name in messages.
    package mutating func rename(_ number: DeclarationNumber, to name: String) {
        declarations[number]?.declaration.name = name
    }

    /// Removes a declaration. A container that is found, too, stays with the facts of the kernel.
    package mutating func remove(_ number: DeclarationNumber, now: Instant) {
        guard let declared = declarations.removeValue(forKey: number) else { return }
        cancel(.declaration(number), declared.progress)
        if case .behind(let namespace) = declared.progress {
            behind[namespace]?.removeAll { $0 == number }
            if behind[namespace]?.isEmpty == true { behind[namespace] = nil }
        }
        guard case .attached(let namespace) = declared.progress else { return }
        emit(.strike(namespace, .declared(number)))
        if containers[namespace]?.declaration == number {
            undeclare(namespace, declared)
        } else {
            unjoin(number, namespace, declared)
        }
    }

    /// Takes in something that happened.
    package mutating func handle(_ event: Event, now: Instant) {
        switch event {
        case .pathAppeared(let path, let namespace): appeared(path, namespace, now)
        case .pathGone(let path): leave(path, now)
        case .processExited(let namespace): end(namespace, "its process has exited", now)
        case .sourceGone(let namespace, let what): end(namespace, "\(what) is gone", now)
        case .opened(let errand, let result): opened(errand, result, now)
        case .rulesSet(let errand, let failure): rulesSet(errand, failure, now)
        case .enrollmentRefused(let number, let failure): refuse(number, failure, now)
        case .kernelChanged(let namespace):
            hasten(namespace, now)
            doubt(namespace, now)
        case .addressesChanged(let namespace):
            hasten(namespace, now)
            // By its addresses the kernel finds a way to other resolver addresses, before rules lead questions here.
            if containers[namespace]?.rules.lead == .interception { doubt(namespace, now) }
        case .listenerClosed(let namespace): closed(namespace)
        case .listenerLost(let namespace, let failure): lost(namespace, failure, now)
        case .resolversMayChange(let namespace): renewRules(of: namespace, now)
        case .resolversChanged(let namespace): changeRules(of: namespace, now)
        case .rulesLost(let namespace, let failure): rulesLost(namespace, failure, now)
        case .lockChanged(let namespace, let isLocked): changeLock(of: namespace, isLocked, now)
        case .proofSent(let errand): proofSent(errand, now)
        case .proved(let errand, let hearing): proved(errand, hearing, now)
        case .tick: tick(now)
        }
    }

    /// Effects since the last call, in their order.
    package mutating func takeEffects() -> [Effect] {
        defer { effects = [] }
        return effects
    }

    /// Time at which ``Event/tick`` is due; nil: only another event can change anything.
    package var nextDeadline: Instant? {
        let shown = ended.first.map { $0.at + Self.endedLife }
        guard let retry = retries.values.min() else { return shown }
        return shown.map { min($0, retry) } ?? retry
    }

    // MARK: - Observing

    /// Sets whether links are observed; each container that lacks a subscription gets one.
    package mutating func observe(_ isObserving: Bool) {
        guard isObserving != self.isObserving else { return }
        self.isObserving = isObserving
        for namespace in containers.keys.sorted(by: { $0.inode < $1.inode }) {
            if isObserving { openLinks(of: namespace) } else { unsubscribe(namespace) }
        }
    }

    /// Makes listeners that the last daemon left as they are wanted now: direct or redirected.
    package mutating func changeKeptListeners() {
        for namespace in containers.keys.sorted(by: { $0.inode < $1.inode }) {
            guard let container = containers[namespace], let port = container.port else { continue }
            let wanted = wantedPort(of: container)
            if !wanted.allows(port) { openListener(of: namespace, wanted) }
        }
    }

    // MARK: - Small steps

    mutating func emit(_ effect: Effect) { effects.append(effect) }

    /// Asks the opener.
    mutating func open(_ source: NamespaceSource, _ port: PortChoice?, for purpose: Purpose) -> ErrandNumber {
        retries[purpose] = nil
        let errand = newErrand(for: purpose)
        emit(.open(errand, source, port))
        return errand
    }

    mutating func newErrand(for purpose: Purpose) -> ErrandNumber {
        let errand = ErrandNumber(rawValue: nextNumber())
        errands[errand] = purpose
        return errand
    }

    private mutating func nextNumber() -> UInt64 {
        lastNumber &+= 1
        return lastNumber
    }

    /// Gives up what is under way: a result that comes late is released.
    mutating func cancel(_ purpose: Purpose, _ progress: Progress) {
        if case .opening(let errand) = progress { abandon(errand) }
        retries[purpose] = nil
    }

    /// Gives up an errand: its result is released when it comes.
    mutating func abandon(_ errand: ErrandNumber) {
        if errands.removeValue(forKey: errand) != nil { abandoned.insert(errand) }
    }

    mutating func retry(_ purpose: Purpose, at time: Instant) { retries[purpose] = time }

    private mutating func tick(_ now: Instant) {
        ended.removeAll { $0.at + Self.endedLife <= now }
        let due = retries.filter { $0.value <= now }.keys
        for purpose in due {
            retries[purpose] = nil
            tryAgain(purpose)
        }
    }

    /// Shows a container that ended, for a while. One that ends again and again is shown once.
    package mutating func remember(_ new: Ended) {
        ended.removeAll { $0.name == new.name }
        if ended.count >= Self.endedLimit { ended.removeFirst() }
        ended.append(new)
    }
}
