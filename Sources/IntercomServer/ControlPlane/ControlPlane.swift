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
        let count = configuration.server.workers > 0 ? configuration.server.workers : min(Processors.count, 4)
        // The control plane's and the workers'.
        Memory.share(heaps: 1 + count)
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

    // MARK: - Parts of parts

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
}
