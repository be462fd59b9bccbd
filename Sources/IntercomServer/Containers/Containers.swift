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
/// Order within one turn: all effects of an event are carried out before the next event is handled; listeners go to the
/// workers behind the names that they answer with, when the control plane publishes.
final class Containers {
    /// The address that containers ask.
    static var listenerAddress: SocketAddress { SocketAddress(v4: IPv4Address.intercom.bits, port: 53) }

    /// What came of a declaration.
    enum Outcome {
        case attached(ContainerID)
        /// A standing declaration is tried again.
        case failed(ControlError, Failure.Kind)
        case ended
    }

    /// A declaration, and who wants to know what comes of it.
    struct Definition {
        let definition: ContainerDefinition
        let source: NamespaceSource
        /// The resolv.conf that its runtime asked for.
        let resolverFile: String?
        /// The namespace that it had before the daemon's restart.
        let before: AttachedNamespace?
        /// The last refusal, in the words of the control interface.
        var refusal: ControlError?
        let tell: (Outcome) -> Void
    }

    /// What belongs to a container outside the room.
    struct Attached {
        let container: ContainerID
        let cookie: NamespaceCookie
        let worker: Int
        /// When the process began by which it came.
        var processStart: UInt64?
        /// Its number in the host's namespace, while its links are observed.
        var number: NamespaceID?
        /// The port of its listener.
        var port: UInt16 = 53
        /// The resolv.conf that its runtime asked for.
        var wantedResolverFile: String?
        /// The resolv.conf files that we wrote for it.
        var resolverFiles: [String] = []
        /// True when it was seen to that it has one, though nobody declared it.
        var hasSettledResolverFile = false
    }

    /// What came of an errand and nobody has taken yet.
    final class Entry {
        var entrance: Entrance
        /// A listener that the service manager has kept.
        var kept: ListenerSockets?

        init(_ entrance: consuming Entrance) {
            self.entrance = entrance
        }
    }

    unowned let plane: ControlPlane
    let requests: OpenerRequests
    var room = Attachments()
    var entries: [ErrandNumber: Entry] = [:]
    var attached: [NamespaceKey: Attached] = [:]
    var definitions: [DeclarationNumber: Definition] = [:]
    var namespaceOfContainer: [ContainerID: NamespaceKey] = [:]
    var watch: ContainerWatch
    var redirections = SlotTable<Redirection>()
    /// The rules of each namespace that has any.
    var tickets: [NamespaceKey: Ticket] = [:]
    /// Listeners for workers, behind the names that they are to answer with.
    private var newListeners: [(namespace: NamespaceKey, worker: Int, message: WorkerMessage)] = []
    var storedListeners: StoredListeners
    /// Ways in that were slow the last time.
    private var slow: Set<NamespaceSource> = []
    private var events: [Event] = []
    private var isBusy = false

    /// - Parameter watch: watched by the loop.
    init(
        of plane: ControlPlane, requests: OpenerRequests, watch: consuming ContainerWatch,
        storedListeners: consuming StoredListeners
    ) {
        self.plane = plane
        self.requests = requests
        self.watch = watch
        self.storedListeners = storedListeners
    }

    var logger: Logger { plane.logger }

    // MARK: - Declarations

    /// Declares a container with a namespace. `tell` is called with what comes of it, more than once where it is standing.
    /// - Parameter isStanding: whether it stays declared while it cannot be attached.
    @discardableResult
    func declare(
        _ definition: ContainerDefinition, at source: NamespaceSource, resolverFile: String?, isStanding: Bool,
        before: AttachedNamespace? = nil, tell: @escaping (Outcome) -> Void
    ) -> DeclarationNumber {
        let mode = definition.listen ?? plane.configuration.server.listen
        let number = room.declare(
            Attachment.Declaration(
                name: definition.name, source: source, port: ListenerPort(mode), isStanding: isStanding,
                declarer: definition.source.rawValue))
        definitions[number] = Definition(
            definition: definition, source: source, resolverFile: resolverFile, before: before, tell: tell)
        carryOut()
        return number
    }

    /// Takes a declaration back; unless the kernel shows the container, it is gone.
    func withdraw(_ number: DeclarationNumber) {
        room.withdraw(number, now: .now)
        carryOut()
        definitions[number] = nil
    }

    /// The declaration of a container that is waited for.
    func waiting(named name: String) -> DeclarationNumber? {
        definitions.first { $0.value.definition.name == name && room.namespace(of: $0.key) == nil }?.key
    }

    // MARK: - Events

    /// Hands something that happened to the room, and carries out what follows.
    func handle(_ event: Event) {
        events.append(event)
        carryOut()
    }

    /// Does what the room wants done. Events that come of it are handled afterwards, one after another.
    func carryOut() {
        if isBusy { return }
        isBusy = true
        defer { isBusy = false }
        var next = 0
        while true {
            for effect in room.takeEffects() { carryOut(effect) }
            guard next < events.count else { break }
            next += 1
            room.handle(events[next - 1], now: .now)
        }
        events.removeAll(keepingCapacity: true)
    }

    /// Has listeners handed to their workers, which know the names now.
    func publishListeners() {
        for listener in newListeners { plane.workers.post(listener.message, to: listener.worker) }
        newListeners.removeAll()
    }

    func hand(_ sockets: consuming ListenerSockets, to namespace: NamespaceKey) {
        guard let attached = attached[namespace] else { return }
        newListeners.append(
            (namespace, attached.worker, .listen(attached.container.view, Handover(sockets))))
    }

    func dropNewListeners(of namespace: NamespaceKey) { newListeners.removeAll { $0.namespace == namespace } }

    // MARK: - Entering

    /// Has the opener enter a namespace for an errand.
    func open(_ errand: ErrandNumber, _ source: NamespaceSource, _ port: ListenerPort?) {
        let before = room.declaration(of: errand).flatMap { definitions[$0]?.before }
        let request = EntranceRequest(
            source: source, port: port, receiveBuffer: plane.discovery.roomOfNamespace, host: plane.hostIdentity,
            kept: port == nil ? [] : storedListeners.inodes, before: before)
        requests.request(isSlow: slow.contains(source)) { opener in
            request.carryOut(by: opener)
        } late: { [self] in
            slow.insert(source)
            entered(errand, source, port, .failure(.late(source)))
        } done: { [self] result in
            if !slow.isEmpty { slow.remove(source) }
            entered(errand, source, port, result)
        }
    }

    private func entered(
        _ errand: ErrandNumber, _ source: NamespaceSource, _ port: ListenerPort?,
        _ result: Result<Handover<Entrance>, EntranceFailure>
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
        plane.discovery.takeChanges()
        plane.goOn()
        plane.publish()
    }

    private func facts(
        _ entrance: consuming Entrance, _ source: NamespaceSource, _ port: ListenerPort?
    ) -> (Opened, entry: Entry, refusal: ControlError?) {
        let entry = Entry(entrance)
        let identity = entry.entrance.identity
        let hasLinks: Bool
        switch entry.entrance.opened {
        case .some: hasLinks = plane.discovery.isObserving
        case .none: hasLinks = false
        }
        var opened = Opened(namespace: NamespaceKey(identity), listener: .none, hasLinks: hasLinks)
        var refusal: ControlError?
        if port != nil, let kept = storedListeners.take(identity) {
            let isDirect = (try? kept.udp.localAddress()) == Self.listenerAddress
            opened.listener = .kept(isDirect ? .direct : .redirected)
            entry.kept = consume kept
        } else if let port, entry.hasListener {
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
    var hasListener: Bool {
        switch entrance.listener {
        case .some: true
        case .none: false
        }
    }

    /// The listener that came of the errand, new or kept; once.
    func takeListener() -> ListenerSockets? {
        if let kept = kept.take() { return kept }
        return entrance.listener.take()
    }

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

extension ListenerPort {
    init(_ mode: ListenMode) { self = mode == .redirect ? .redirected : .direct }
}
