// Upstream groups: the servers that each group of questions goes to, as configured, or as the host has them.

import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry

/// Follows the configuration, the networks and the host's resolv.conf, and tells workers of each group that changes.
final class Upstreams {
    private let workers: WorkerPool
    private let logger: Logger
    private var host: HostResolver
    private var configuration: Configuration.Forward
    /// The groups that the workers know.
    private(set) var groups: [UInt32: UpstreamList] = [:]
    /// True when ``groups`` has to be found out anew, at the end of the turn.
    private(set) var haveChanged = true
    /// True when the cache holds answers of other upstreams.
    private var isCacheStale = false
    /// Serves the host itself: then no server at 127.0.0.11 is ever asked, which would be us.
    let hostListener: HostListener
    /// Serves guests at the host's addresses on their networks.
    let gateways: GatewayListeners
    /// Answers systemd-resolved for the host.
    let resolveHook: ResolveHook
    /// Finds upstreams that ask us.
    let loops: LoopProbes
    /// Makes sockets in containers' namespaces.
    let sockets: NamespaceSockets
    /// Knows whom containers asked before us.
    let former: FormerServers

    init(
        host: consuming HostResolver, _ configuration: Configuration.Forward, workers: WorkerPool, loops: LoopProbes,
        sockets: NamespaceSockets, former: FormerServers, hostListener: HostListener, gateways: GatewayListeners,
        resolveHook: ResolveHook, logger: Logger
    ) {
        self.host = host
        self.configuration = configuration
        self.workers = workers
        self.loops = loops
        self.sockets = sockets
        self.former = former
        self.hostListener = hostListener
        self.gateways = gateways
        self.resolveHook = resolveHook
        self.logger = logger
        hostListener.servesHostChanged = { [unowned self] in noteChange() }
    }

    // MARK: - What changes them

    /// Contents of the host's resolv.conf.
    var resolver: ResolverConfiguration { host.configuration }

    /// Has the host's own listener opened or closed, as the host's files say.
    func followHost() { hostListener.follow(servesHost: host.servesHost) }

    /// Networks have come or gone, or have other servers.
    func noteChange() { haveChanged = true }

    /// Takes the configuration that holds now, and reads the host's resolv.conf again.
    func configure(_ new: Configuration.Forward) {
        configuration = new
        host.read()
        forgetLoops()
        haveChanged = true
    }

    /// Something has happened to the host's resolv.conf: perhaps its upstreams are others.
    /// - Returns: true where it says something else, which containers have from it, too.
    func takeResolverChange() -> Bool {
        let old = host.configuration
        guard host.update() else { return false }
        forgetLoops()
        haveChanged = true
        // Also where the file says the same: systemd-resolved's stub stays when the servers behind it are others.
        if configuration.upstreams.isEmpty { isCacheStale = true }
        return host.configuration != old
    }

    /// No upstream had an answer: perhaps one of them asks us.
    /// - Parameters:
    ///   - view: the container that got no answer.
    ///   - servers: those that it asks from its own namespace.
    func probe(for view: ViewID?, _ servers: [ServerAddress]) {
        let hosts = Set(groups.values.filter { $0.origin == .host }.flatMap(\.servers))
        loops.probe(hosts, and: servers, of: view, by: sockets)
    }

    /// The former servers of a container cannot be reached: perhaps they are elsewhere now, or one of them asks us.
    func formerServersLost(of view: ViewID) {
        let servers = former.lookAgain(for: ContainerID(of: view))
        loops.probe([], and: servers, of: view, by: sockets)
    }

    /// The question of a probe has come to a listener of ours.
    func takeLoop(_ token: UInt64) {
        if let place = loops.takeLoop(token) { former.leaveOut(place) }
    }

    /// Has all servers asked again, those too that were found to ask us.
    private func forgetLoops() {
        loops.forget()
        former.leaveOutNobody()
    }

    // MARK: - What workers are told

    /// Domains that the host's own upstreams know, though they are under the domain of containers or `local`: its search
    /// domains and those of clouds.
    var hostDomains: [Name] {
        host.configuration.search.compactMap { try? Name($0) } + Registry.cloudDomains
    }

    /// True where containers ask the host's upstreams: the configuration has none of its own.
    var containersFollowHost: Bool { configuration.upstreams.isEmpty }

    /// Posts each group that has changed, and has the cache forget what other upstreams have said.
    func post(of registry: Registry) {
        guard haveChanged else { return }
        haveChanged = false
        var new = [UpstreamGroupID.default.rawValue: list([], from: configuration.from)]
        new[UpstreamGroupID.former.rawValue] = formerList
        new[UpstreamGroupID.neighbours.rawValue] = UpstreamList(servers: [], origin: .former, keepsAnswers: false)
        if hostListener.servesHost { new[UpstreamGroupID.host.rawValue] = hostList }
        for group in registry.upstreamGroups {
            new[group.id.rawValue] = list(group.upstreams, from: group.from ?? configuration.from)
        }
        for (group, list) in new where groups[group] != list {
            if list.servers.isEmpty, list.origin == .namespace { warnOfLoopback() }
            workers.post(.upstreams(group: group, list))
        }
        for group in groups.keys where new[group] == nil { workers.post(.upstreams(group: group, nil)) }
        groups = new
        if isCacheStale { workers.ask(workers.indices, { .flush(token: $0, .everything) }) { _ in } }
        isCacheStale = false
    }

    /// Former servers take the place of the host's upstreams, which stand in for them; not of those that the configuration
    /// names.
    private var formerList: UpstreamList {
        guard configuration.upstreams.isEmpty else { return list([], from: configuration.from) }
        return UpstreamList(servers: [], origin: .former, standIn: UpstreamGroupID.default.rawValue)
    }

    /// The servers of the host itself: those of its resolv.conf, whatever the configuration says, without ours. Where
    /// systemd-resolved asks us, they are those behind its stub, which would ask us again.
    private var hostList: UpstreamList {
        var list = UpstreamList(servers: [])
        takeHostServers(into: &list, from: .host)
        if host.isDelegated {
            list.servers = host.serversBehindStub.filter { !$0.isIntercom && !HostResolver.stubs.contains($0.address) }
        }
        return list
    }

    private func warnOfLoopback() {
        logger.warning(
            "upstreams of \(HostResolver.path) on the host's loopback cannot be asked from a container's namespace; give [forward] or its network others"
        )
    }

    /// A group of these servers; where there are none, of the configuration's; else of the host's.
    private func list(_ servers: [ServerAddress], from: ForwardFrom) -> UpstreamList {
        var list = UpstreamList(servers: servers.isEmpty ? configuration.upstreams : servers)
        list.origin = from == .host ? .host : .namespace
        // In a container's namespace that is our own listener; on the host where the host is served.
        if from == .namespace || hostListener.servesHost { list.servers.removeAll { $0.isIntercom } }
        if list.servers.isEmpty { takeHostServers(into: &list, from: from) }
        return list
    }

    /// Fills in the servers and options of the host's resolv.conf.
    private func takeHostServers(into list: inout UpstreamList, from: ForwardFrom) {
        let host = host.configuration
        // The host's loopback is another in a container.
        list.servers = host.nameservers.filter { from == .host || !$0.address.isLoopback }
        if hostListener.servesHost { list.servers.removeAll { $0.isIntercom } }
        list.rotates = host.options.contains("rotate")
        list.usesStreams = host.options.contains("use-vc")
        // A longer timeout is for servers that need longer; containers wait as long, by the same line of theirs. A
        // shorter one is when a libc turns to the next server, which we do by each server's own measure.
        if let timeout = host.timeout {
            list.patience = max(list.patience, .seconds(timeout) - .milliseconds(500))
        }
    }
}
