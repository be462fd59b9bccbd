// Containers with namespaces: the room Attachment decides, this part does it and hands in what came of it.

import Attachment
import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry
import SystemPackage
import Tables

/// The descriptors and files of containers, and what was declared of them, beside the room that knows their lives.
///
/// Order within one turn: all effects of an event are carried out before the next event is handled; what they change comes
/// into force at the end of the turn, by ``Publisher``.
final class Containers {
    /// The address that containers ask.
    static var listenerAddress: SocketAddress { SocketAddress(v4: IPv4Address.intercom.bits, port: 53) }

    /// Outcome of a declaration.
    enum Outcome {
        case attached(ContainerID)
        /// A standing declaration is tried again.
        case failed(ControlError, Failure.Kind)
        case ended
    }

    /// A declaration, and who wants to know what comes of it.
    struct Definition {
        var definition: ContainerDefinition
        let source: NamespaceSource
        /// The resolv.conf that its runtime asked for.
        let resolverFile: String?
        /// The namespace that it had before the daemon's restart.
        let before: AttachedNamespace?
        /// The last refusal, in the words of the control interface.
        var refusal: ControlError?
        let tell: (Outcome) -> Void
    }

    /// Facts about a container outside the room.
    struct Attached {
        let container: ContainerID
        let cookie: NamespaceCookie
        /// Start of the process by which it came.
        var processStart: UInt64?
        /// Its number in the host's namespace, while its links are observed.
        var number: NamespaceID?
        /// The port of its listener.
        var port: UInt16 = 53
        /// The port of its listener at ::1, to which questions to IPv6 addresses are led; nil: it has none.
        var v6Port: UInt16?
        /// Servers that it asks, as far as that is known.
        var resolvers = ResolverAddresses()
    }

    /// Descriptors that came of an errand and nobody has taken yet.
    final class Entry {
        var entrance: Entrance
        /// A listener that the service manager has kept.
        var kept: ListenerSockets?
        /// Its sockets at ::1.
        var keptV6: ListenerSockets?

        init(_ entrance: consuming Entrance) {
            self.entrance = entrance
        }
    }

    /// Tells somebody else what is intercepted.
    struct InterceptionObserver {
        /// Is told of the servers whose questions will be led to a container's listener, and calls back when it is ready.
        var willBegin: (ContainerID, [ServerAddress], @escaping () -> Void) -> Void = { $2() }
        /// Is told of the addresses whose questions are led to a container's listener; none: it is not intercepted any more.
        var changed: (ContainerID, [IPAddress]) -> Void = { _, _ in }
    }

    /// Events that are being handled, one after another.
    private struct Turn {
        var events: [Event] = []
        var isBusy = false
        /// Namespaces whose listeners were closed: of those that the room has no more, everything is forgotten.
        var closed: [NamespaceKey] = []
    }

    let publisher: Publisher
    let discovery: Discovery
    let entrances: Entrances
    let redirections: Redirections
    let resolverFiles: ContainerResolverFiles
    let hearing: HearingProofs
    let logger: Logger
    var room: Attachments
    var entries: [ErrandNumber: Entry] = [:]
    var attached: [NamespaceKey: Attached] = [:]
    var definitions: [DeclarationNumber: Definition] = [:]
    var namespaceOfContainer: [ContainerID: NamespaceKey] = [:]
    var watch: ContainerWatch
    /// Is told of containers whose questions to other servers are led to their listeners.
    var interception = InterceptionObserver()
    private var turn = Turn()

    /// - Parameters:
    ///   - publisher: knows the names, and has workers listen.
    ///   - discovery: observes the links of containers.
    ///   - entrances: enters namespaces.
    ///   - redirections: sets rules in namespaces.
    ///   - resolverFiles: writes resolv.conf files.
    ///   - hearing: proves that listeners are heard.
    ///   - watch: notices the ends of containers.
    ///   - port: the port for containers that do not say.
    ///   - logger: for the operator.
    init(
        publisher: Publisher, discovery: Discovery, entrances: Entrances, redirections: Redirections,
        resolverFiles: ContainerResolverFiles, hearing: HearingProofs, watch: consuming ContainerWatch,
        port: PortChoice, logger: Logger
    ) {
        self.publisher = publisher
        self.discovery = discovery
        self.entrances = entrances
        self.redirections = redirections
        self.resolverFiles = resolverFiles
        self.hearing = hearing
        self.watch = watch
        self.logger = logger
        room = Attachments(defaultPort: port)
        resolverFiles.search = { [unowned self] in search(of: $0) }
    }

    // MARK: - Declarations

    /// Declares a container with a namespace. `tell` is called with what comes of it, more than once where it is standing.
    /// - Parameter isStanding: whether it stays declared while it cannot be attached.
    @discardableResult
    func declare(
        _ definition: ContainerDefinition, at source: NamespaceSource, resolverFile: String?, isStanding: Bool,
        before: AttachedNamespace? = nil, tell: @escaping (Outcome) -> Void
    ) -> DeclarationNumber {
        let port = definition.listen.map(PortChoice.init) ?? room.defaultPort
        let number = room.declare(
            Attachment.Declaration(
                name: definition.name, source: source, port: port, isIntercepted: definition.intercept != nil,
                isStanding: isStanding, joins: definition.publication != nil, declarer: definition.source.name))
        definitions[number] = Definition(
            definition: definition, source: source, resolverFile: resolverFile, before: before, tell: tell)
        carryOut()
        return number
    }

    /// Takes in what a source tells of a container whose namespace is the same.
    func redefine(_ number: DeclarationNumber, _ definition: ContainerDefinition) {
        definitions[number]?.definition = definition
        room.rename(number, to: definition.name)
    }

    /// Removes a declaration. A container that was found, too, stays with the facts of the kernel.
    func remove(_ number: DeclarationNumber) {
        room.remove(number, now: .now)
        carryOut()
        definitions[number] = nil
    }

    /// The declaration of a container that somebody declared and that is waited for.
    func waiting(named name: String) -> DeclarationNumber? {
        definitions.first {
            $0.value.definition.name == name && $0.value.definition.publication == nil
                && room.namespace(of: $0.key) == nil
        }?.key
    }

    /// Subjects of the requests by which rules of the containers of a policy are made and removed.
    func requestSubjects(ofPolicy name: String) -> [String] {
        publisher.registry.containers(ofPolicy: name).compactMap { namespaceOfContainer[$0] }
            .map(Redirections.subject)
    }

    /// Subjects of the requests by which files and rules of a container are made and removed, for
    /// ``OpenerRequests/whenEnded(about:_:)``.
    func requestSubjects(of container: ContainerID) -> [String] {
        guard let namespace = namespaceOfContainer[container] else { return [] }
        let gate = attached[namespace].map { PolicyGates.subjects($0.cookie.rawValue) } ?? []
        return resolverFiles.namedFiles(of: namespace) + [Redirections.subject(namespace)] + gate
    }

    // MARK: - Events

    /// Sets whether links of containers are observed; each that lacks a subscription gets one.
    func observe(_ isObserving: Bool) {
        guard room.isObserving != isObserving else { return }
        room.observe(isObserving)
        carryOut()
    }

    /// Tries again what is due.
    func tick(now: ContinuousClock.Instant) {
        guard let deadline = room.nextDeadline, deadline <= now else { return }
        handle(.tick)
    }

    /// Goes on with the start: listeners that the last daemon left are made as they are wanted now, and those of containers
    /// that have ended meanwhile are let go of.
    func completeStart() {
        room.changeKeptListeners()
        carryOut()
        closeUnclaimedListeners()
    }

    /// Hands something that happened to the room, and carries out what follows.
    func handle(_ event: Event) {
        turn.events.append(event)
        carryOut()
    }

    /// Does what the room wants done. Events that come of it are handled afterwards, one after another.
    func carryOut() {
        if turn.isBusy { return }
        turn.isBusy = true
        defer { turn.isBusy = false }
        var next = 0
        while true {
            let effects = room.takeEffects()
            for effect in effects { carryOut(effect) }
            for namespace in turn.closed { forgetLeft(namespace) }
            turn.closed.removeAll(keepingCapacity: true)
            if next < turn.events.count {
                next += 1
                room.handle(turn.events[next - 1], now: .now)
            } else if effects.isEmpty {
                // Who is told of an effect may want something of the room in turn.
                break
            }
        }
        turn.events.removeAll(keepingCapacity: true)
    }

    /// Notes that a listener is being closed.
    func noteClosed(_ namespace: NamespaceKey) { turn.closed.append(namespace) }

    /// Forgets a container that the room has no more: after all effects of its end, which need what is known of it.
    private func forgetLeft(_ namespace: NamespaceKey) {
        guard room[namespace] == nil, let container = attached.removeValue(forKey: namespace)?.container else { return }
        interception.changed(container, [])
        if namespaceOfContainer[container] == namespace { namespaceOfContainer[container] = nil }
    }

    // MARK: - Lookups

    /// The namespace of a container, and the way in; nil where it has none here.
    func namespace(of container: ContainerID) -> (NamespaceIdentity, NamespaceSource)? {
        guard let namespace = namespaceOfContainer[container], let source = room[namespace]?.source else { return nil }
        return (NamespaceIdentity(namespace), source)
    }

    /// The declaration of a container that is attached; nil where nobody declared its namespace.
    func declaration(of container: ContainerID) -> DeclarationNumber? {
        namespaceOfContainer[container].flatMap { room[$0]?.declaration }
    }

    /// Facts about a container outside the room; nil where it has no namespace.
    func attached(_ container: ContainerID) -> Attached? { namespaceOfContainer[container].flatMap { attached[$0] } }

    /// The name that people call a container by.
    func name(of namespace: NamespaceKey) -> String {
        attached[namespace].map { publisher.name(of: $0.container) } ?? ""
    }

    // MARK: - Entering

    /// Has the opener enter a namespace for an errand.
    func open(_ errand: ErrandNumber, _ source: NamespaceSource, _ port: PortChoice?) {
        entrances.enter(
            source, port: port, receiveBuffer: discovery.roomOfNamespace, kept: entrances.storedListeners.inodes,
            before: room.declaration(of: errand).flatMap { definitions[$0]?.before }
        ) { [self] result in
            entered(errand, source, port, result)
        }
    }

    private func entered(
        _ errand: ErrandNumber, _ source: NamespaceSource, _ port: PortChoice?, _ result: Entrances.Result
    ) {
        switch result {
        case .failure(let failure):
            if let number = room.declaration(of: errand) { definitions[number]?.refusal = failure.error }
            handle(.opened(errand, .failure(failure.failure)))
        case .success(let handover):
            guard let entrance = handover.take() else { return }
            let opened = facts(entrance, source, port)
            if case .refused = opened.0.listener, let number = room.declaration(of: errand) {
                definitions[number]?.refusal = opened.refusal
            }
            entries[errand] = opened.entry
            handle(.opened(errand, .success(opened.0)))
        }
    }

    private func facts(
        _ entrance: consuming Entrance, _ source: NamespaceSource, _ port: PortChoice?
    ) -> (Opened, entry: Entry, refusal: ControlError?) {
        let entry = Entry(entrance)
        let identity = entry.entrance.identity
        let hasLinks: Bool
        switch entry.entrance.opened {
        case .some: hasLinks = discovery.isObserving
        case .none: hasLinks = false
        }
        var opened = Opened(namespace: NamespaceKey(identity), listener: .none, hasLinks: hasLinks)
        var refusal: ControlError?
        if port != nil, let kept = entrances.storedListeners.take(identity) {
            opened.listener = .kept(kept.port)
            entry.kept = consume kept
            entry.keptV6 = entrances.storedListeners.takeV6()
        } else if let port = entry.madePort {
            opened.listener = .made(port)
        } else if let cause = entry.entrance.refusal {
            let error = ControlError.noListener(in: source, cause)
            refusal = error
            opened.listener = .refused(
                Failure(cause.errno == .addressInUse ? .portTaken : .refused, error.message))
        }
        return (opened, entry, refusal)
    }
}

extension Containers.Entry {
    /// The port of the listener that was made; nil: none was.
    var madePort: ListenerPort? {
        switch entrance.listener {
        case .some(let listener): listener.port
        case .none: nil
        }
    }

    /// The listener that came of the errand, new or kept; once.
    func takeListener() -> ListenerSockets? {
        if let kept = kept.take() { return kept }
        return entrance.listener.take()
    }

    /// The listener at ::1 that was kept; once.
    func takeV6Listener() -> ListenerSockets? { keptV6.take() }

    /// The namespace's SO_NETNS_COOKIE.
    var cookie: UInt64? {
        switch kept {
        case .some(let kept): return kept.cookie
        case .none: break
        }
        switch entrance.opened {
        case .some(let opened): return opened.cookie
        case .none: return entrance.cookie
        }
    }
}

extension ListenerSockets {
    /// The port that it is bound to.
    fileprivate var port: ListenerPort {
        (try? tcp.localAddress()) == Containers.listenerAddress ? .direct : .redirected
    }
}

extension PortChoice {
    init(_ mode: ListenMode) {
        switch mode {
        case .auto: self = .automatic
        case .direct: self = .direct
        case .redirect: self = .redirected
        }
    }
}

extension ListenerPort {
    /// The word for it in the control interface.
    var word: String {
        switch self {
        case .direct: ListenMode.direct.rawValue
        case .redirected: ListenMode.redirect.rawValue
        }
    }
}
