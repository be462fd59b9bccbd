// Containers of other hosts: the bridge that tells of them, one at a time, and what it is told of those here.

import ControlAPI
import DNSWire
import LinuxNet
import Logging
import Registry
import Tables
import Varlink

/// Owns the cluster's socket and the session of the bridge that has attached.
///
/// A session lives as long as the connection of its `Attach`. What a bridge has told stays when its session ends, and the
/// next one may go on from its cursor, or tell everything anew.
final class Cluster {
    /// Why a session is over.
    enum End {
        case replaced(agent: String)
        case connection
    }

    /// A bridge that has attached.
    struct Session {
        /// Number that its calls have.
        let number: Int
        /// The client of its `Attach`.
        let client: Ticket
        /// Parameters of its `Attach`.
        let bridge: ControlAPI.Attach.Parameters
        /// Containers of this host that the bridge is still to be told of.
        var pending: Set<ContainerID> = []
        /// True when it has been told that everything was told.
        var hasSynced = false
        /// Version of the list of shared networks that it was told last; nil: none.
        var toldNetworks: Int?
        /// Last report of the bridge.
        var report: Report.Parameters?
        /// Time at which it came.
        var reportTime: ContinuousClock.Instant?
    }

    let publisher: Publisher
    let logger: Logger
    /// The socket; nil while no network is shared.
    private(set) var socket: ControlSocket?
    private(set) var settings: Configuration.Cluster
    var session: Session?
    /// Number of the session that began last: how many there were since the start.
    private(set) var lastSession = 0
    /// Place of the bridge in its store; nil: everything is to be told.
    private(set) var cursor: String?
    /// Time of the end of the last session; nil: there was none.
    private(set) var endOfLastSession: ContinuousClock.Instant?
    /// Number of entries that were refused since the start, and the last reason.
    private(set) var refused = (count: 0, last: "")
    /// Keys of the containers of this host.
    var keys = ExportKeys()

    init(_ settings: Configuration.Cluster, publisher: Publisher, logger: Logger) {
        self.settings = settings
        self.publisher = publisher
        self.logger = logger
    }

    // MARK: - Start and configuration

    /// True when a network is shared, whether it is here or not.
    private(set) var isInUse = false

    /// Takes the service manager's socket, or makes one where networks are shared. Without it everything else goes on.
    func open(_ configuration: Configuration, _ inheritance: inout Inheritance) {
        note(configuration)
        guard socket == nil, isInUse || inheritance.has(.cluster) else { return }
        do throws(LinuxError) {
            socket = try ControlSocket(.cluster, settings.socket, group: settings.group, &inheritance, logger: logger)
        } catch {
            report(error)
        }
    }

    /// Takes calls from now on.
    func start(by loop: EventLoop) {
        do throws(LinuxError) {
            try socket?.start(by: loop)
        } catch {
            report(error)
        }
    }

    private func report(_ error: LinuxError) {
        logger.error(
            "bridges to other hosts cannot attach: \(error) (under systemd: enable intercom-cluster.socket, restart intercom)"
        )
    }

    /// Notes which networks are shared.
    func configure(_ configuration: Configuration, by loop: EventLoop) {
        note(configuration)
        guard socket == nil, isInUse else { return }
        var nothing = Inheritance()
        open(configuration, &nothing)
        start(by: loop)
    }

    private func note(_ configuration: Configuration) {
        settings = configuration.cluster
        isInUse =
            !settings.networks.isEmpty || configuration.networks.contains { $0.sharedAs?.isEmpty == false }
        publisher.registry.deniesUnready = settings.unsynced == .nxdomain
        let patterns = settings.networks
        publisher.registry.setShared { name in patterns.contains { Glob.matches(name, $0) } }
    }

    // MARK: - Sessions

    /// Knowledge of other hosts, for which the start waits.
    var knowledge: Start.OtherHosts {
        guard isInUse, !publisher.registry.isClusterKnown else { return .known }
        return session == nil ? .untold : .beingTold
    }

    /// Begins a session; the former one ends.
    func attach(_ call: MethodCall<ControlAPI.Attach>) throws(ControlError) {
        guard isInUse else { throw .noSharedNetwork() }
        let bridge = call.parameters
        try publisher.change { registry throws(RegistryError) in try registry.setOwnHost(bridge.host) }
        if let former = session {
            end(.replaced(agent: bridge.agent))
            socket?.reply(VarlinkReply.encode(ControlAPI.Attach.Reply(ended: true)), to: former.client)
        }
        lastSession += 1
        session = Session(number: lastSession, client: call.client, bridge: bridge)
        publisher.registry.isExported = settings.exports
        keys.tellAll()
        logger.info(
            "\(bridge.agent) \(bridge.version) has attached as host \(bridge.host) (session \(lastSession))",
            metadata: .about(.clusterChanged))
        call.watch(
            .cluster,
            beginning: ControlAPI.Attach.Reply(
                session: lastSession, cursor: cursor, entries: publisher.registry.remoteCount))
    }

    /// Ends the session; everything that was told stays.
    private func end(_ end: End) {
        guard let session else { return }
        self.session = nil
        endOfLastSession = .now
        publisher.registry.abandonTelling()
        publisher.registry.isExported = false
        let why =
            switch end {
            case .replaced(let agent): "\(agent) has attached in its place"
            case .connection: "its connection has ended; what it told stays"
            }
        logger.warning(
            "session \(session.number) of \(session.bridge.agent) is over: \(why)", metadata: .about(.clusterChanged))
    }

    /// Takes note of a client that has gone.
    func clientHasGone(_ client: Ticket) {
        if session?.client == client { end(.connection) }
    }

    /// Checks that a call is of the bridge that has attached last.
    func check(_ number: Int) throws(ControlError) {
        guard session?.number == number else { throw .sessionEnded(number) }
    }

    // MARK: - What the bridge tells

    /// Adds, replaces and removes hosts and entries.
    /// - Returns: those that cannot be.
    func apply(_ call: Apply.Parameters) throws(ControlError) -> [Apply.Refusal] {
        try check(call.session)
        guard (call.put?.count ?? 0) <= Apply.entryLimit else {
            throw .tooMany("entries", count: call.put?.count ?? 0, limit: Apply.entryLimit)
        }
        var refusals: [Apply.Refusal] = []
        for host in call.hosts ?? [] {
            do throws(RegistryError) {
                try publisher.registry.putHost(
                    host.host, isLost: host.state == .lost, address: host.address.flatMap { IPAddress($0) })
            } catch {
                refusals.append(Apply.Refusal(host: host.host, key: "", reason: "\(error)"))
            }
        }
        for key in call.gone ?? [] { publisher.registry.removeRemote(host: key.host, key: key.key) }
        for entry in call.put ?? [] {
            do throws(RegistryError) {
                try publisher.registry.put(RemoteDefinition(entry), limit: settings.maximumEntries)
            } catch {
                publisher.registry.removeRemote(host: entry.host, key: entry.key)
                refusals.append(Apply.Refusal(host: entry.host, key: entry.key, reason: "\(error)"))
            }
        }
        for host in call.goneHosts ?? [] { publisher.registry.removeHost(named: host) }
        note(refusals)
        if let cursor = call.cursor, !publisher.registry.isTelling { self.cursor = cursor }
        return refusals
    }

    private func note(_ refusals: [Apply.Refusal]) {
        guard let last = refusals.last else { return }
        let subject = last.key.isEmpty ? "host \(last.host)" : "entry \(last.key) of host \(last.host)"
        refused = (refused.count + refusals.count, "\(subject): \(last.reason)")
        logger.warning("refused \(refused.last)", metadata: .about(limitedAs: "cluster"))
    }

    /// Begins to have everything told anew.
    func begin(_ call: Begin.Parameters) throws(ControlError) {
        try check(call.session)
        publisher.registry.beginTelling(expected: max(0, min(call.expected ?? 0, settings.maximumEntries)))
    }

    /// Removes what was not told anew.
    /// - Returns: the number of entries that were removed.
    func complete(_ call: Complete.Parameters) throws(ControlError) -> Int {
        try check(call.session)
        let removed = publisher.registry.completeTelling(keeping: Set(call.keep ?? []))
        cursor = call.cursor ?? cursor
        if !publisher.registry.isClusterKnown {
            logger.info(
                "all hosts are known: \(DisplayText.counted(publisher.registry.remoteCount, "container")) elsewhere",
                metadata: .about(.clusterChanged))
        }
        publisher.registry.isClusterKnown = true
        return removed
    }

    private static func sentence(_ report: Report.Parameters) -> String {
        report.message.map { "\(report.state.rawValue) (\($0))" } ?? report.state.rawValue
    }

    /// Takes note of the bridge's state towards its store.
    func report(_ call: Report.Parameters) throws(ControlError) {
        try check(call.session)
        if session?.report?.state != call.state {
            logger.info(
                "bridge \(session?.bridge.agent ?? ""): \(Self.sentence(call))",
                metadata: .about(.clusterChanged))
        }
        session?.report = call
        session?.reportTime = .now
    }

    // MARK: - Forgetting

    /// Time at which the next host is forgotten; nil: none is.
    var nextDeadline: ContinuousClock.Instant? {
        guard settings.forgetAfter > 0, session == nil, publisher.registry.remoteHostCount > 0 else { return nil }
        return endOfLastSession.map { $0 + .seconds(settings.forgetAfter) }
    }

    /// Forgets a host, as no bridge has come back in time: one in a turn, as it may have many containers.
    func forgetDue(now: ContinuousClock.Instant) {
        guard let nextDeadline, nextDeadline <= now, let host = publisher.registry.anyRemoteHost else { return }
        if publisher.registry.isClusterKnown {
            logger.warning(
                "no bridge has attached for \(settings.forgetAfter) s: \(DisplayText.counted(publisher.registry.remoteCount, "container")) of other hosts forgotten",
                metadata: .about(.clusterChanged))
        }
        publisher.registry.isClusterKnown = false
        cursor = nil
        publisher.registry.removeHost(named: host.name)
    }
}

extension RemoteDefinition {
    fileprivate init(_ entry: Entry) throws(RegistryError) {
        // Definitions of a bridge come from elsewhere; nobody here asks for their source.
        var container = ContainerDefinition(name: entry.name, source: .publisher("cluster"))
        container.hostname = entry.hostname
        container.id = entry.id
        container.isDraining = entry.draining ?? false
        for port in entry.ports ?? [] {
            container.ports.append(
                try PortDefinition(number: port.port, protocol: port.protocol, service: port.service))
        }
        for place in entry.places {
            var endpoint = EndpointDefinition(network: place.network, aliases: place.aliases ?? [])
            for text in place.addresses { endpoint.addresses.append(try IPAddress(ofContainer: text)) }
            container.endpoints.append(endpoint)
        }
        self.init(host: entry.host, key: entry.key, container: container, isDeclared: entry.declared ?? false)
    }
}
