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
    /// Finds upstreams that ask us.
    let loops: LoopProbes
    /// Makes sockets in containers' namespaces.
    let sockets: NamespaceSockets

    init(
        host: consuming HostResolver, _ configuration: Configuration.Forward, workers: WorkerPool, loops: LoopProbes,
        sockets: NamespaceSockets, logger: Logger
    ) {
        self.host = host
        self.configuration = configuration
        self.workers = workers
        self.loops = loops
        self.sockets = sockets
        self.logger = logger
    }

    // MARK: - What changes them

    /// Contents of the host's resolv.conf.
    var resolver: ResolverConfiguration { host.configuration }

    /// Networks have come or gone, or have other servers.
    func noteChange() { haveChanged = true }

    /// Takes the configuration that holds now, and reads the host's resolv.conf again.
    func configure(_ new: Configuration.Forward) {
        configuration = new
        host.read()
        loops.forget()
        haveChanged = true
    }

    /// Something has happened to the host's resolv.conf: perhaps its upstreams are others.
    /// - Returns: true where it says something else, which containers have from it, too.
    func takeResolverChange() -> Bool {
        let old = host.configuration
        guard host.update() else { return false }
        loops.forget()
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

    // MARK: - What workers are told

    /// Domains that the host's own upstreams know, though they are under the domain of containers or `local`: its search
    /// domains and those of clouds. None where the configuration has upstreams of its own.
    var hostDomains: [Name] {
        guard configuration.upstreams.isEmpty else { return [] }
        return host.configuration.search.compactMap { try? Name($0) } + Registry.cloudDomains
    }

    /// Posts each group that has changed, and has the cache forget what other upstreams have said.
    func post(of registry: Registry) {
        guard haveChanged else { return }
        haveChanged = false
        var new = [UpstreamGroupID.default.rawValue: list([], from: configuration.from)]
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

    private func warnOfLoopback() {
        logger.warning(
            "upstreams of \(HostResolver.path) on the host's loopback cannot be asked from a container's namespace; give [forward] or its network others"
        )
    }

    /// A group of these servers; where there are none, of the configuration's; else of the host's.
    private func list(_ servers: [ServerAddress], from: ForwardFrom) -> UpstreamList {
        var list = UpstreamList(servers: servers.isEmpty ? configuration.upstreams : servers)
        list.origin = from == .host ? .host : .namespace
        // In a container's namespace that is our own listener.
        if from == .namespace { list.servers.removeAll { $0.isIntercom } }
        if list.servers.isEmpty {
            let host = host.configuration
            // The host's loopback is another in a container.
            list.servers = host.nameservers.filter { from == .host || !$0.address.isLoopback }
            list.rotates = host.options.contains("rotate")
            list.usesStreams = host.options.contains("use-vc")
            // A longer timeout is for servers that need longer; containers wait as long, by the same line of theirs. A
            // shorter one is when a libc turns to the next server, which we do by each server's own measure.
            if let timeout = host.timeout {
                list.patience = max(list.patience, .seconds(timeout) - .milliseconds(500))
            }
        }
        return list
    }
}
