// The control plane: one thread that owns the registry, changes it, and tells the workers what changed.

import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
package import Logging
import Registry
import Systemd
import Varlink

/// The daemon's main loop: signals, the control socket, the ends of containers, the workers' replies.
///
/// It runs on the thread that calls ``run()`` and is used from there alone.
package final class ControlPlane {
    /// What the command line says.
    package struct Options: Sendable {
        /// The configuration file, which has been read once.
        package var configurationFile: ConfigurationFile
        /// The control socket; nil: as configured.
        package var socket: String?
        /// Where it is kept what the control socket declares.
        package var stateDirectory: String
        /// The socket of the opener; nil: this process enters namespaces itself.
        package var openerSocket: String?

        package init(
            configurationFile: ConfigurationFile, socket: String?, stateDirectory: String, openerSocket: String? = nil
        ) {
            self.configurationFile = configurationFile
            self.socket = socket
            self.stateDirectory = stateDirectory
            self.openerSocket = openerSocket
        }
    }

    /// What waits for workers: called with their replies once all have come.
    private struct Waiting {
        var remaining: Int
        var replies: [WorkerReply] = []
        let done: ([WorkerReply]) -> Void
    }

    let options: Options
    let logger: Logger
    let opener: any Opener
    let startedAt = ContinuousClock.now

    var configuration: Configuration
    var configurationFile: ConfigurationFile
    var hostResolver: HostResolver
    var registry: Registry
    var state: StateDirectory
    var storedListeners: StoredListeners
    /// Where each container with a namespace is attached.
    var attachments: [ContainerID: Attachment] = [:]
    /// Containers of the configuration whose namespace is not there yet.
    var awaited: [String: Configuration.Container] = [:]
    /// What could not be had, and why: by what it is about.
    var shortfalls: [String: String] = [:]
    var mounts: MountTable?
    /// The container that each namespace with a listener belongs to.
    var containerOfNamespace: [NamespaceIdentity: ContainerID] = [:]
    /// The namespace that the daemon is in; no container is there.
    let hostIdentity: NamespaceIdentity?
    /// What hears the kernel; nil where nothing is discovered.
    var kernel: KernelWatch?
    /// Where namespaces are looked for.
    var paths: NamespacePaths?
    /// The paths that are looked at, and what came of each.
    var found: [String: FoundNamespace] = [:]
    /// Why directories of namespaces cannot be looked into.
    var directoryProblems: [String] = []
    /// When the kernel may be asked for everything again.
    var nextCatchUp = ContinuousClock.Instant.now
    /// Listeners that have failed, until they have stayed well for a while.
    var failedListeners: [ContainerID: FailedListener] = [:]
    /// What is to be done without being told of.
    var tasks: [ControlTask: ContinuousClock.Instant] = [:]
    /// Listeners of new containers: handed over behind the names that they are to answer with.
    var newListeners: [(container: ContainerID, worker: Int, message: WorkerMessage)] = []
    /// The upstream groups that the workers know.
    var upstreamGroups: [UInt32: UpstreamList] = [:]
    /// The upstreams that are being probed, by the token of the probe.
    var probes: [UInt64: UpstreamPlace] = [:]
    /// When those of each namespace may be probed again.
    var probeTimes: [Vantage: ProbeTime] = [:]
    /// Whether ``upstreamGroups`` has to be found out anew.
    var upstreamsChanged = true

    var epoll: Epoll
    var watch: ContainerWatch
    let controlSocket: ControlSocket
    /// Of the containers that serve DNS on port 53 themselves.
    var redirections = SlotTable<Redirection>()
    private(set) var workers: [WorkerHandle] = []
    private let workerCount: Int
    private let replies: Mailbox<WorkerReply>
    private var signals: SignalFD
    /// The path of a control socket that we made; nil where the service manager did.
    private let ownSocket: String?
    private var waiting: [UInt64: Waiting] = [:]
    private var lastToken: UInt64 = 0
    /// What there was before is not all there again: no listener answers yet.
    private var isStarting = true
    private var isStopping = false
    /// Why the daemon ends by itself.
    private var failure: WorkerFailure?
    /// Whether another daemon begins when this one ends.
    private var isReplaced = false
    /// Where the service manager wants signs of life.
    var heartbeat: Timer?
    /// Whether the workers have not turned since the last sign of life was due.
    var isBeating = false

    /// Makes everything that can fail: the loop, the control socket, the workers.
    ///
    /// Takes over what the service manager hands down, and blocks the signals that it listens to for all threads made
    /// from now on: so no other thread may be there yet.
    /// - Throws: ``ConfigurationError`` or `LinuxError`, each with a message for the operator.
    package init(configuration: Configuration, options: Options, logger: Logger) throws {
        self.options = options
        self.logger = logger
        opener = options.openerSocket.map { RemoteOpener(path: $0, logger: logger) } ?? LocalOpener()
        self.configuration = configuration
        self.configurationFile = options.configurationFile
        workerCount = configuration.server.workers > 0 ? configuration.server.workers : min(Processors.count, 4)
        hostResolver = try HostResolver(logger: logger)
        hostIdentity = try? NetworkNamespace.current().identity
        registry = Registry(domain: configuration.server.domain, ttl: configuration.server.ttl)
        state = StateDirectory(path: options.stateDirectory, logger: logger)
        signals = try SignalFD([.terminate, .interrupt, .hangUp, .user2])
        epoll = try Epoll()
        let inotify = try Inotify()
        try epoll.add(inotify.descriptor, token: ControlToken.inotify.word, interest: [.readable])
        watch = ContainerWatch(inotify)
        try hostResolver.watch(by: epoll, token: ControlToken.resolver.word)
        replies = try Mailbox()
        var inheritance = Inheritance(logger: logger)
        let path = options.socket ?? configuration.control.socket
        storedListeners = inheritance.takeListeners()
        ownSocket = inheritance.hasControlSocket ? nil : path
        let group = configuration.control.group
        controlSocket = try ControlSocket(
            listener: try inheritance.takeControlSocket(orMakeAt: path, group: group), group: group, logger: logger)
        try epoll.add(signals.descriptor, token: ControlToken.signals.word, interest: [.readable])
        try epoll.add(replies.descriptor, token: ControlToken.mailbox.word, interest: [.readable])
        for index in 0..<workerCount {
            workers.append(
                try WorkerHandle(index: index, settings: settings, replies: replies, logger: logger))
        }
        try controlSocket.start(by: epoll, token: ControlToken.control.word) { [unowned self] call, client in
            carryOut(call, of: client)
        }
        try startHeartbeat()
        logger.info("listening for control calls at \(ownSocket ?? "the socket of the service manager")")
    }

    /// Turns until SIGTERM or SIGINT, then ends cleanly.
    package func run() throws {
        startDiscovery()
        // Where it enters namespaces itself it makes threads for that, which would inherit the limit.
        if options.openerSocket != nil { limitThread(to: AllowedSystemCalls.controlPlane, logger) }
        applyConfiguration()
        try restoreDeclarations()
        changeKeptListeners()
        closeUnclaimedListeners()
        isStarting = false
        publish(then: serviceIsReady)
        while !isStopping, failure == nil {
            let count = try epoll.wait(timeoutMilliseconds: timeout())
            for index in 0..<count {
                let (word, _) = epoll.event(index)
                guard let token = ControlToken(word: word) else { continue }
                switch token {
                case .signals: takeSignals()
                case .mailbox: takeReplies()
                case .control: takeCalls()
                case .inotify: takePathEvents()
                case .mounts: takeMountEvents()
                case .resolver: takeResolverChange()
                case .heartbeat: beat()
                case .process(let ticket): processEnded(ticket)
                case .redirection(let ticket): serveRedirection(ticket)
                case .netlink(let ticket): takeKernelEvents(ticket)
                case .namespaces: takeNamespaceEvents()
                }
            }
            carryOutTasks()
        }
        // The next daemon begins at once, with what this one leaves.
        if failure != nil { isReplaced = true }
        shutDown()
        if let failure { throw failure }
    }

    // MARK: - Signals

    private func takeSignals() {
        while let signal = signals.read() {
            switch signal {
            case .hangUp:
                do throws(ControlError) {
                    _ = try reload()
                    publish()
                } catch {
                    logger.error("\(error.message)", metadata: .about(.configurationRefused))
                }
            default:
                logger.info("ending on \(signal)")
                isStopping = true
                // RestartKillSignal= of the unit.
                isReplaced = signal == .user2
            }
        }
    }

    private func shutDown() {
        serviceStops()
        endMonitors()
        for worker in workers { worker.inbox.post(.stop) }
        for worker in workers { worker.join() }
        // Who asks meanwhile is answered by the next daemon.
        if !isReplaced {
            for container in attachments.keys { removeResolverFiles(of: container) }
            for attachment in attachments.values { removeRedirection(attachment.redirection) }
        }
        if let ownSocket { try? Files.unlink(ownSocket) }
    }

    // MARK: - Workers

    /// What all answers have in common, from the configuration.
    var settings: ServerSettings { ServerSettings(configuration, workers: workerCount) }

    /// Sends all workers what changed in the registry; `done` is called, and monitors are told, once it is in force in each.
    func publish(then done: (() -> Void)? = nil) {
        if isStarting { return }
        if upstreamsChanged { selectInterfaces() }
        let events = registry.takeEvents()
        let changes = registry.takeChanges()
        if !changes.isEmpty { for worker in workers { worker.inbox.post(.directory(changes)) } }
        if upstreamsChanged { publishUpstreams() }
        for listener in newListeners { workers[listener.worker].inbox.post(listener.message) }
        newListeners.removeAll()
        // Where nobody waits for it, the workers need not say that they have it.
        if events.isEmpty, done == nil { return }
        ask(workers.indices, { .fence(token: $0) }) { [self] _ in
            tellMonitors(events)
            done?()
        }
    }

    /// The worker that serves a view.
    func worker(of view: ViewID) -> Int { Int(view.rawValue) % workers.count }

    /// Asks some workers; `done` is called with their replies once all have come.
    func ask(
        _ indices: some Collection<Int>, _ message: (UInt64) -> WorkerMessage,
        then done: @escaping ([WorkerReply]) -> Void
    ) {
        lastToken += 1
        waiting[lastToken] = Waiting(remaining: indices.count, done: done)
        for index in indices { workers[index].inbox.post(message(lastToken)) }
    }

    /// Takes what a worker says by itself.
    private func take(_ report: WorkerReply) {
        switch report {
        case .needsSockets(let view, let kind, let count): openSockets(for: view, kind, count)
        case .unanswered(let view, let servers): probeUpstreams(of: view, servers)
        case .looped(let token): takeLoop(token)
        case .listenerRepaired(let view): listenerWasRepaired(of: view)
        case .listenerFailed(let view, let error): listenerFailed(of: view, error)
        case .log(let event, let backlog): logger.write(event, backlog)
        case .ended(let worker, let error): failure = WorkerFailure(worker: worker, cause: error)
        case .reached, .resolved, .counters, .flushed: break
        }
    }

    private func takeReplies() {
        for reply in replies.takeAll() {
            guard let token = reply.token else {
                take(reply)
                continue
            }
            waiting[token]?.replies.append(reply)
            waiting[token]?.remaining -= 1
            if let entry = waiting[token], entry.remaining == 0 {
                waiting[token] = nil
                entry.done(entry.replies)
            }
        }
    }
}
