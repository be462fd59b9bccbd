// The control plane: one thread that owns the registry, changes it, and tells the workers what changed.

import Attachment
import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
package import Logging
import Registry
import Tables
import Varlink

/// The daemon's main loop: makes the parts, and hands each event to the part that it is for.
///
/// Each part is a type of its own that knows only those named before it here: `EventLoop`, `WorkerPool`,
/// `ControlSocket`, `Publisher` (the registry), `OpenerRequests`, `Discovery` (links), `Containers`,
/// `NamespaceDiscovery`, `Upstreams` (with `HostListener`, `ResolveHook` and `GatewayListeners`),
/// `ConfiguredDeclarations`, `DeclaredState`, `PublishedSources`, `Cluster`, `QuestionWatchers` (with
/// `PolicyGates`), `ServiceNotifier`. Methods of the
/// control socket stand above all of them.
///
/// It runs on the thread that calls ``run()`` and is used from there alone.
package final class ControlPlane {
    /// Why the daemon ends.
    private enum End {
        /// A signal; `isReplaced`: the next daemon begins at once.
        case signal(isReplaced: Bool)
        case failure(WorkerFailure)

        var isReplaced: Bool { if case .signal(let isReplaced) = self { isReplaced } else { true } }
    }

    let logger: Logger
    let loop: EventLoop
    let workers: WorkerPool
    let controlSocket: ControlSocket
    let publisher: Publisher
    let requests: OpenerRequests
    let discovery: Discovery
    let containers: Containers
    let namespaces: NamespaceDiscovery
    let upstreams: Upstreams
    let configured: ConfiguredDeclarations
    let sources: PublishedSources
    let questions: QuestionWatchers
    let service: ServiceNotifier
    var start = Start(now: .now)

    /// Makes everything that can fail: the loop, the control socket, the workers.
    ///
    /// Takes over what the service manager hands down, and blocks the signals that it takes for all threads made from now
    /// on: so no other thread may be there yet.
    /// - Throws: `LinuxError`, with a message for the operator.
    package init(options: DaemonOptions, logger: Logger) throws {
        self.logger = logger
        let configuration = options.configurationFile.configuration
        let loop = try EventLoop(signals: [.terminate, .interrupt, .hangUp, .user2])
        self.loop = loop
        let host = try HostResolver(logger: logger)
        try host.watch(by: loop)
        requests = try OpenerRequests(
            options.openerSocket.map { RemoteOpener(path: $0, logger: logger) } ?? LocalOpener())
        try loop.watch(requests.descriptor, as: .requests)
        var inheritance = Inheritance(logger: logger)
        controlSocket = try ControlSocket(
            .control, options.socket ?? configuration.control.socket, group: configuration.control.group, &inheritance,
            logger: logger)
        let count = configuration.server.workers > 0 ? configuration.server.workers : min(Processors.count, 4)
        workers = try WorkerPool(count: count, settings: ServerSettings(configuration, workers: count), logger: logger)
        try loop.watch(workers.descriptor, as: .mailbox)
        publisher = Publisher(
            Registry(domain: configuration.server.domain, ttl: configuration.server.ttl), workers: workers,
            monitors: controlSocket)
        let cluster = Cluster(configuration.cluster, publisher: publisher, logger: logger)
        cluster.open(configuration, &inheritance)
        discovery = Discovery(
            configuration.discover, publisher: publisher, loop: loop, requests: requests, logger: logger)
        containers = Containers(
            publisher: publisher, discovery: discovery, entrances: Entrances(by: requests, inheritance.takeListeners()),
            redirections: Redirections(requests: requests, loop: loop, publisher: publisher, logger: logger),
            resolverFiles: ContainerResolverFiles(
                configuration, host.configuration, requests: requests, logger: logger),
            hearing: HearingProofs(
                publisher: publisher, workers: workers, loop: loop,
                isCrowded: { [requests] in requests.isCrowded },
                makeSocket: { [requests] in requests.makeSocket(for: $0, $1, $2) }),
            watch: try ContainerWatch(by: loop),
            port: PortChoice(configuration.server.listen), logger: logger)
        namespaces = NamespaceDiscovery(configuration.discover, containers: containers, loop: loop, logger: logger)
        upstreams = Upstreams(
            host: host, configuration.forward, workers: workers,
            loops: LoopProbes(workers: workers, publisher: publisher, logger: logger),
            sockets: NamespaceSockets(
                containers: containers, requests: requests, publisher: publisher, workers: workers, logger: logger),
            former: FormerServers(
                containers: containers, requests: requests, publisher: publisher, workers: workers, logger: logger),
            hostListener: HostListener(requests: requests, publisher: publisher, logger: logger),
            gateways: GatewayListeners(
                requests: requests, publisher: publisher, stored: inheritance.takeGateways(), logger: logger),
            resolveHook: ResolveHook(
                domain: configuration.server.domain, workers: workers, &inheritance, logger: logger),
            logger: logger)
        let former = upstreams.former
        containers.interception.willBegin = { [unowned former] in former.set($1, of: $0, then: $2) }
        containers.interception.changed = { [unowned former] in former.narrow(to: $1, of: $0) }
        configured = ConfiguredDeclarations(
            options.configurationFile, publisher: publisher, containers: containers,
            hosts: HostsFiles(publisher: publisher, loop: loop, logger: logger), logger: logger)
        sources = PublishedSources(
            publisher: publisher, containers: containers, upstreams: upstreams, cluster: cluster,
            state: DeclaredState(path: options.stateDirectory, logger: logger), logger: logger)
        questions = QuestionWatchers(
            workers: workers, publisher: publisher, socket: controlSocket, log: QueryLog(logger: logger),
            denials: PolicyJournal(publisher: publisher, logger: logger),
            gates: PolicyGates(
                forwardsFrom: configuration.forward.from,
                containers: containers, requests: requests, loop: loop, publisher: publisher, workers: workers,
                logger: logger))
        service = ServiceNotifier(logger: logger)
        try service.startHeartbeat(by: loop)
    }

    // MARK: - The loop

    /// Turns until SIGTERM or SIGINT, then ends cleanly; after ``begin()``.
    /// - Throws: `LinuxError`; `WorkerFailure` when the daemon ends because a worker did.
    package func run() throws {
        while true {
            endTurn()
            guard let end = try turn() else { continue }
            shutDown(isReplaced: end.isReplaced)
            if case .failure(let failure) = end { throw failure }
            return
        }
    }

    /// Waits, and has each part do what there is to do.
    private func turn() throws(LinuxError) -> End? {
        var end: End?
        let deadlines = [
            containers.room.nextDeadline, containers.hearing.nextDeadline, containers.hearing.waiters.nextDeadline,
            requests.nextDeadline, workers.nextDeadline, start.nextDeadline, sources.nextDeadline,
            questions.nextDeadline, cluster.nextDeadline, gateways.nextDeadline, gates.nextDeadline,
        ]
        for token in try loop.wait(until: deadlines) {
            switch token {
            case .signals: end = takeSignals() ?? end
            case .mailbox: workers.takeReplies { report in end = take(report) ?? end }
            case .requests: requests.takeResults()
            case .control: takeCalls()
            case .cluster: takeClusterCalls()
            case .resolveHook: takeLookups()
            case .inotify: containers.takePathEvents()
            case .mounts: namespaces.takeMountEvents()
            case .resolver: takeResolverChange()
            case .heartbeat: service.beat(with: workers) { [self] in statusLine }
            case .process(let ticket): containers.processEnded(ticket)
            case .redirection(let ticket): containers.redirections.serve(ticket)
            case .netlink(let ticket): discovery.takeKernelEvents(ticket)
            case .namespaces: namespaces.takePathEvents()
            case .routes: discovery.routes.takeEvents()
            case .proof(let ticket): containers.hearing.serve(ticket)
            case .hosts: configured.hosts.takeEvents()
            case .gates: gates.takeEvents()
            }
        }
        carryOutDue()
        return end
    }

    private func carryOutDue() {
        requests.expire()
        workers.expire()
        containers.expireProofs()
        containers.tick(now: .now)
        sources.work()
        gateways.expire()
        gates.tick(now: .now)
        questions.turn()
        cluster.forgetDue(now: .now)
        for task in loop.takeDueTasks() {
            switch task {
            case .lookForAbsent: containers.endAbsent()
            case .catchUp: discovery.catchUp()
            case .subscribe: discovery.subscribe()
            case .readRoutes: discovery.readRoutes()
            case .outletHasChanged: discovery.routes.outletHasChanged()
            case .trimMemory: Memory.trim()
            }
        }
    }

    /// Brings what has changed in a turn into force, in this order: the registry knows what the kernel shows; the start
    /// goes on; workers get names, upstream groups, listeners; monitors and callers are told when that is in force.
    private func endTurn() {
        takeKernelChanges()
        for container in publisher.registry.takeLockChanges() { containers.lockChanged(of: container) }
        goOnWithStart()
        // The names of one publication come into force together.
        guard !publisher.isHeld, !sources.isBusy else { return }
        sources.settleWaits()
        if upstreams.haveChanged {
            // Networks were declared, perhaps for interfaces that were none.
            discovery.selectInterfaces()
            publisher.registry.setHostDomains(
                upstreams.hostDomains, forContainers: upstreams.containersFollowHost)
        }
        takeKernelChanges()
        // A published container that was found, or is entered later, comes with its own servers then.
        if publisher.registry.takeOwnGroupChange() { upstreams.noteChange() }
        containers.followSearches()
        if let networks = publisher.registry.takeGateways() { gateways.follow(networks) }
        publisher.postNames()
        upstreams.post(of: publisher.registry)
        gates.follow()
        publisher.postListeners()
        publisher.confirm()
        cluster.export()
    }

    private func takeKernelChanges() {
        containers.observe(discovery.isObserving)
        for container in discovery.takeChanges() {
            containers.linksChanged(of: container)
            gates.linksChanged(of: container)
        }
        for container in discovery.takeReaddressed() { containers.addressesChanged(of: container) }
    }

    // MARK: - Events for several parts

    /// Declarations over a restart.
    var state: DeclaredState { sources.state }

    /// Listeners at the host's addresses, for guests.
    var gateways: GatewayListeners { upstreams.gateways }

    /// The hook of systemd-resolved.
    var resolveHook: ResolveHook { upstreams.resolveHook }

    /// Gates of policies.
    var gates: PolicyGates { questions.gates }

    /// Containers of other hosts.
    var cluster: Cluster { sources.cluster }

    /// The configuration that holds now.
    var configuration: Configuration { configured.file.configuration }

    /// Counts of what there is, in one line for the service manager.
    var statusLine: String {
        let registry = publisher.registry
        return [
            DisplayText.counted(registry.networkCount, "network"),
            DisplayText.counted(registry.containerCount, "container"),
            DisplayText.counted(containers.room.listenerCount, "listener"),
        ].joined(separator: ", ")
    }

    private func takeSignals() -> End? {
        var end: End?
        while let signal = loop.nextSignal() {
            switch signal {
            case .hangUp:
                do throws(ControlError) {
                    try reload { _ in }
                } catch {
                    logger.error("\(error.message)", metadata: .about(.configurationRefused))
                }
            case .terminate, .interrupt, .user2:
                logger.info("ending on \(signal)")
                // RestartKillSignal= of the unit is SIGUSR2.
                end = .signal(isReplaced: signal == .user2)
            }
        }
        return end
    }

    private func takeCalls() {
        controlSocket.turn { call, caller in MethodTable.carryOut(call, of: caller, on: controlSocket, by: self) }
        for client in controlSocket.takeClosed() { sources.abandon(client) }
        publisher.registry.isWatched = controlSocket.hasMonitors
    }

    private func takeClusterCalls() {
        guard let socket = cluster.socket else { return }
        socket.turn { call, caller in MethodTable.carryOut(call, of: caller, on: socket, by: self) }
        for client in socket.takeClosed() { cluster.clientHasGone(client) }
    }

    private func takeLookups() {
        guard let socket = resolveHook.socket else { return }
        socket.turn { call, caller in MethodTable.carryOut(call, of: caller, on: socket, by: self) }
        _ = socket.takeClosed()
    }

    private func takeResolverChange() {
        let hasChanged = upstreams.takeResolverChange()
        upstreams.followHost()
        if hasChanged { containers.resolverFiles.rewrite(for: upstreams.resolver) }
    }

    /// Takes what a worker says unasked.
    private func take(_ report: WorkerReply) -> End? {
        switch report {
        case .needsSockets(let view, let kind, let count): upstreams.sockets.open(for: view, kind, count)
        case .unanswered(let view, let servers): upstreams.probe(for: view, servers)
        case .formerServersLost(let view): upstreams.formerServersLost(of: view)
        case .looped(let token): upstreams.takeLoop(token)
        case .heard(let token): containers.hearing.arrived(token)
        case .listenerRepaired(let view) where view == .host: break
        case .listenerRepaired(let view): containers.listenerWasRepaired(of: view)
        case .listenerFailed(let view, let error) where view == .host: upstreams.hostListener.failed(error)
        case .listenerFailed(let view, let error): containers.listenerFailed(of: view, error)
        case .gatewayFailed(let number, let error): gateways.failed(number, error)
        case .guestAsked(let view): gateways.asked(by: view)
        case .denied(let notes, let leftOut): questions.denials.take(notes, leftOut: leftOut)
        case .gateFailed(let view, let errno): gates.failed(ContainerID(of: view), errno: errno)
        case .admissionsLost(let worker): gates.connectionLost(of: worker)
        case .log(let event, let backlog): logger.write(event, backlog)
        case .ended(let worker, let error): return .failure(WorkerFailure(worker: worker, cause: error))
        case .reached, .resolved, .counters, .measured, .questions, .flushed, .kept: break
        }
        return nil
    }
}
