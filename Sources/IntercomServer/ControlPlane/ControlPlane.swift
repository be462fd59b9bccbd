// The control plane: one thread that owns the registry, changes it, and tells the workers what changed.

import Attachment
import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
package import Logging
import Registry
import Systemd
import Tables
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
        /// Directory that persists declarations made over the control socket.
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

    let options: Options
    let logger: Logger
    let startedAt = ContinuousClock.now

    var configuration: Configuration
    var configurationFile: ConfigurationFile
    var hostResolver: HostResolver
    var registry: Registry
    var state: StateDirectory
    /// The namespace that the daemon is in; no container is there.
    let hostIdentity: NamespaceIdentity?
    /// Containers with namespaces.
    private(set) var containers: Containers! = nil
    /// What the kernel shows.
    private(set) var discovery: Discovery! = nil
    /// Declarations of the configuration that wait for their namespace, by name.
    var configured: [String: DeclarationNumber] = [:]
    /// What of the configuration could not be had, and why: by what it is about.
    var shortfalls: [String: String] = [:]
    /// What is to be done without being told of.
    var tasks: [ControlTask: ContinuousClock.Instant] = [:]
    /// The upstream groups that the workers know.
    var upstreamGroups: [UInt32: UpstreamList] = [:]
    /// The upstreams that are being probed, by the token of the probe.
    var probes: [UInt64: UpstreamPlace] = [:]
    /// When those of each namespace may be probed again.
    var probeTimes: [Vantage: ProbeTime] = [:]
    /// Whether ``upstreamGroups`` has to be found out anew.
    var upstreamsChanged = true

    var epoll: Epoll
    let controlSocket: ControlSocket
    let requests: OpenerRequests
    let workers: WorkerPool
    private var signals: SignalFD
    /// The path of a control socket that we made; nil where the service manager did.
    private let ownSocket: String?
    /// How far the start has come.
    var start = Start()
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
        self.configuration = configuration
        self.configurationFile = options.configurationFile
        let workerCount = configuration.server.workers > 0 ? configuration.server.workers : min(Processors.count, 4)
        hostResolver = try HostResolver(logger: logger)
        hostIdentity = try? NetworkNamespace.current().identity
        registry = Registry(domain: configuration.server.domain, ttl: configuration.server.ttl)
        state = StateDirectory(path: options.stateDirectory, logger: logger)
        signals = try SignalFD([.terminate, .interrupt, .hangUp, .user2])
        epoll = try Epoll()
        let inotify = try Inotify()
        try epoll.add(inotify.descriptor, token: ControlToken.inotify.word, interest: [.readable])
        try hostResolver.watch(by: epoll, token: ControlToken.resolver.word)
        requests = try OpenerRequests(
            options.openerSocket.map { RemoteOpener(path: $0, logger: logger) } ?? LocalOpener())
        var inheritance = Inheritance(logger: logger)
        let path = options.socket ?? configuration.control.socket
        ownSocket = inheritance.hasControlSocket ? nil : path
        let group = configuration.control.group
        controlSocket = try ControlSocket(
            listener: try inheritance.takeControlSocket(orMakeAt: path, group: group), group: group, logger: logger)
        try epoll.add(signals.descriptor, token: ControlToken.signals.word, interest: [.readable])
        workers = try WorkerPool(
            count: workerCount, settings: ServerSettings(configuration, workers: workerCount), logger: logger)
        try epoll.add(workers.descriptor, token: ControlToken.mailbox.word, interest: [.readable])
        try epoll.add(requests.descriptor, token: ControlToken.requests.word, interest: [.readable])
        containers = Containers(
            of: self, requests: requests, watch: ContainerWatch(inotify), storedListeners: inheritance.takeListeners())
        containers.room.defaultPort = ListenerPort(configuration.server.listen)
        discovery = Discovery(of: self)
        try startHeartbeat()
        logger.info("listening for control calls at \(ownSocket ?? "the socket of the service manager")")
    }

    /// Turns until SIGTERM or SIGINT, then ends cleanly.
    package func run() throws {
        // Where it enters namespaces itself it makes threads for that, which would inherit the limit.
        if options.openerSocket != nil { limitThread(to: AllowedSystemCalls.controlPlane, logger) }
        try begin()
        while !isStopping, failure == nil {
            let count = try epoll.wait(timeoutMilliseconds: timeout())
            for index in 0..<count {
                let (word, _) = epoll.event(index)
                guard let token = ControlToken(word: word) else { continue }
                switch token {
                case .signals: takeSignals()
                case .mailbox: workers.takeReplies(take)
                case .requests: requests.takeResults()
                case .control: takeCalls()
                case .inotify: containers.takePathEvents()
                case .mounts: discovery.takeMountEvents()
                case .resolver: takeResolverChange()
                case .heartbeat: beat()
                case .process(let ticket): containers.processEnded(ticket)
                case .redirection(let ticket): containers.serveRedirection(ticket)
                case .netlink(let ticket): discovery.takeKernelEvents(ticket)
                case .namespaces: discovery.takePathEvents()
                case .routes: discovery.takeRouteEvents()
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
                    try reload { _ in }
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
        workers.stop()
        // Questions that come meanwhile are answered by the next daemon.
        if !isReplaced { containers.takeBackAll() }
        if let ownSocket { try? Files.unlink(ownSocket) }
    }

    // MARK: - Workers

    /// What all answers have in common, from the configuration.
    var settings: ServerSettings { ServerSettings(configuration, workers: workers.count) }

    /// Sends all workers what changed in the registry, then listeners of new containers. `done` is called exactly once, and
    /// monitors are told, when it is in force in each; while the daemon starts, when it begins to answer.
    func publish(then done: (() -> Void)? = nil) {
        guard start.hasEnded else {
            if let done { start.waiting.append(done) }
            return
        }
        if upstreamsChanged {
            discovery.selectInterfaces()
            registry.setHostDomains(hostDomains)
        }
        let events = registry.takeEvents()
        let changes = registry.takeChanges()
        if !changes.isEmpty { workers.post(.directory(changes)) }
        if upstreamsChanged { publishUpstreams() }
        containers.publishListeners()
        // Where nobody waits for it, the workers need not say that they have it.
        if events.isEmpty, done == nil { return }
        workers.ask(workers.indices, { .fence(token: $0) }) { [self] _ in
            tellMonitors(events)
            done?()
        }
    }

    /// The worker that serves a view.
    func worker(of view: ViewID) -> Int { Int(view.rawValue) % workers.count }

    /// The name that people call a container by.
    func name(of container: ContainerID) -> String { registry[container]?.name ?? "" }

    /// Takes what a worker says unasked.
    private func take(_ report: WorkerReply) {
        switch report {
        case .needsSockets(let view, let kind, let count): openSockets(for: view, kind, count)
        case .unanswered(let view, let servers): probeUpstreams(of: view, servers)
        case .looped(let token): takeLoop(token)
        case .listenerRepaired(let view): containers.listenerWasRepaired(of: view)
        case .listenerFailed(let view, let error): containers.listenerFailed(of: view, error)
        case .log(let event, let backlog): logger.write(event, backlog)
        case .ended(let worker, let error): failure = WorkerFailure(worker: worker, cause: error)
        case .reached, .resolved, .counters, .flushed: break
        }
    }
}
