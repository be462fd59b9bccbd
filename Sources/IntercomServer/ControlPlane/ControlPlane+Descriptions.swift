// Descriptions of networks, containers and the state of the daemon, as the control interface shows them.

import Attachment
import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
import Registry
import Tables

extension ControlPlane {
    /// - Parameter places: the containers that are shown, of all on the network.
    func describe(_ network: Registry.Network, containersAt places: Range<Int> = 0..<Int.max) -> ControlAPI.Network {
        let members = publisher.registry.members(of: network.id, at: places).compactMap { container in
            container.endpoint(on: network.id).map { endpoint in
                ControlAPI.Network.Member(
                    container: container.name, addresses: endpoint.addresses.map(\.description),
                    aliases: endpoint.aliases)
            }
        }.sorted { $0.container < $1.container }
        let declared = network.definition
        return ControlAPI.Network(
            name: network.name, interface: network.interface, subnets: network.subnets.map(\.description),
            internal: network.isInternal, upstreams: declared?.upstreams.map(\.description) ?? [],
            routes: declared?.routes.map {
                Route(domain: "\($0.domain)", upstreams: $0.upstreams.map(\.description))
            } ?? [],
            forwardFrom: (declared?.forwardFrom ?? configuration.forward.from).rawValue,
            ttl: Int(declared?.ttl ?? publisher.registry.ttl), source: network.source?.name ?? "kernel",
            containers: members,
            facts: places.lowerBound > 0 ? [] : publisher.registry.facts(of: network).map { ControlAPI.Fact($0) },
            continued: places.lowerBound > 0 ? true : nil, policy: declared?.policy,
            search: declared?.search.map(\.textWithoutDot).nonEmpty,
            gatewayUnknown: declared.flatMap { $0.hasGatewayListener ? $0.unknownSources.rawValue : nil },
            gatewayListeners: gateways.describe(network.id).nonEmpty)
    }

    /// - Parameters:
    ///   - container: the container.
    ///   - isBrief: true: as in a table: without links, ports and names of endpoints, and with one fact of each source.
    func describe(_ container: Registry.Container, isBrief: Bool = false) -> ControlAPI.Container {
        let namespace = containers.namespaceOfContainer[container.id]
        let attachment = namespace.flatMap { containers.room[$0] }
        var netns = attachment?.path
        var pid: Int?
        switch attachment?.source {
        case .path(let path)?: netns = path
        case .pid(let number)?: pid = Int(number)
        case nil: break
        }
        let endpoints = container.endpoints.map { endpoint in
            ControlAPI.Container.Endpoint(
                network: publisher.registry[endpoint.network]?.name ?? "",
                addresses: endpoint.addresses.map(\.description),
                aliases: endpoint.aliases, names: isBrief ? [] : publisher.registry.names(of: endpoint))
        }
        let facts = facts(of: container, at: attachment?.source, netns, pid)
        let state = state(of: container)
        let resolvers = containers.resolverAddresses(of: container.id)
        let resolverFile = namespace.flatMap { containers.resolverFiles.file(of: $0) }
        return ControlAPI.Container(
            name: container.name, id: container.runtimeID, hostname: container.hostname, netns: netns, pid: pid,
            networks: endpoints,
            links: isBrief ? [] : container.links.map { Link(container: $0.container, name: $0.name) },
            ports: isBrief
                ? []
                : container.ports.map {
                    Port(port: Int($0.number), protocol: $0.transport.rawValue, service: $0.service)
                },
            resolvConf: resolverFile?.path, resolvConfWriter: resolverFile.map { $0.isOurs ? "intercom" : "other" },
            listener: attachment?.port != nil ? Containers.listenerAddress.description : nil,
            listen: attachment?.port?.word ?? (container.declared?.listen ?? configuration.server.listen).rawValue,
            intercept: container.definitions.lazy.compactMap(\.intercept).first.map {
                $0.addresses.map(\.description)
            },
            resolvers: resolvers?.servers.map(\.host).nonEmpty,
            intercepted: resolvers?.intercepted.map(\.description).nonEmpty, draining: container.isDraining,
            state: state.word, reason: state.reason, cure: state.cure, source: container.source?.name ?? "kernel",
            facts: isBrief ? facts.oneOfEachSource : facts, policy: container.policy)
    }

    /// All facts about a container, those of its namespace behind its name.
    private func facts(
        of container: Registry.Container, at place: NamespaceSource?, _ netns: String?, _ pid: Int?
    ) -> [ControlAPI.Fact] {
        var facts = publisher.registry.facts(of: container).map { ControlAPI.Fact($0) }
        if let source = container.source, let netns, case .path? = place {
            facts.insert(ControlAPI.Fact(fact: "netns", value: netns, source: source.name), at: 1)
        }
        if let source = container.source, let pid {
            facts.insert(ControlAPI.Fact(fact: "pid", value: "\(pid)", source: source.name), at: 1)
        }
        facts += upstreams.former.servers(of: container.id).map {
            ControlAPI.Fact(fact: "former server", value: "\($0)", source: container.origin(ofFormerServer: $0))
        }
        return facts
    }

    // MARK: - States

    /// The state of a container that the registry knows.
    func state(of container: Registry.Container) -> State {
        guard let namespace = containers.namespaceOfContainer[container.id] else {
            // One that a source tells of is known before its namespace is entered.
            let awaited = container.published.lazy.compactMap { [self] in sources.state(of: $0) }.first
            return awaited ?? (container.isDraining ? .draining : .elsewhere)
        }
        return containers.room.state(of: namespace, isDraining: container.isDraining) ?? .starting
    }

    /// Containers that the registry does not know: those that are waited for, then those that ended, the last one first,
    /// but for names that somebody has again.
    var absentContainers: [ControlAPI.Container] {
        let modes = Dictionary(
            containers.definitions.values.map { ($0.definition.name, $0.definition.listen) },
            uniquingKeysWith: { first, _ in first })
        func mode(_ name: String) -> ListenMode { (modes[name] ?? nil) ?? configuration.server.listen }
        let waiting = containers.room.waiting.map { declaration, failure in
            ControlAPI.Container(
                absent: declaration.name, declaration.source, .noListener(failure), mode(declaration.name),
                source: declaration.declarer)
        }
        let ended = containers.room.ended.reversed().map { ended in
            ControlAPI.Container(
                absent: ended.name, ended.source, .ended(ended.why), mode(ended.name),
                seconds: Int(ended.at.duration(to: .now).components.seconds), source: ended.declarer ?? "kernel")
        }
        let names = Set(waiting.map(\.name))
        return (waiting + ended.filter { !names.contains($0.name) }).filter {
            !publisher.registry.hasContainer(named: $0.name)
        }
    }

    // MARK: - Status

    /// Reply to `status`.
    func describeStatus(_ counters: [WorkerCounters]) -> Status.Reply {
        let groups = describeUpstreams()
        let registry = publisher.registry
        return Status.Reply(
            version: Release.number, pid: Int(ProcessDescriptor.own),
            uptime: uptime,
            configuration: configured.file.isPresent ? configured.file.path : nil,
            networks: registry.networkCount, containers: registry.containerCount,
            leftOut: registry.observedLeftOut,
            upstreams: groups.first?.servers ?? [], groups: groups,
            servers: describeServers(counters.flatMap(\.upstreams)),
            cache: Status.Cache(counters, limit: configuration.cache.size),
            workers: counters.sorted { $0.worker < $1.worker }.map { Status.Worker($0) },
            awaited: containers.room.waiting.map(\.declaration.name).sorted(), warnings: warnings,
            states: countStates(), formerServers: upstreams.former.describe(counters.flatMap(\.upstreams)),
            latency: describeLatency(counters),
            host: hostService, domain: "\(configuration.server.domain)", guests: Status.Guests(counters))
    }

    /// Service of the host itself: by its listener, else by the hook of systemd-resolved; nil where it is not.
    private var hostService: Status.HostService? {
        let domain = configuration.server.domain
        if let listener = upstreams.hostListener.describe(domain: domain) { return listener }
        return resolveHook.socket == nil ? nil : Status.HostService(domain: "\(domain)", reason: nil, way: .hook)
    }

    /// Times of answers of all workers together.
    private func describeLatency(_ counters: [WorkerCounters]) -> [Status.Latency] {
        var latency = Latency()
        for worker in counters { latency.add(worker.latency) }
        return [("local", latency.local), ("cache", latency.cached), ("upstream", latency.forwarded)].compactMap {
            source, times in
            guard let p50 = times.quantile(0.5), let p99 = times.quantile(0.99) else { return nil }
            return Status.Latency(
                source: source, samples: Int(clamping: times.count), p50: Int(clamping: p50), p99: Int(clamping: p99))
        }
    }

    /// Seconds since the start, rounded down.
    var uptime: Int { Int(start.began.duration(to: .now).components.seconds) }

    /// Number of containers in each state, those that none is in included. A machine without a namespace here is told apart
    /// from a container that has lost its listener.
    var containersByState: [(state: String, count: Int)] {
        let elsewhere = "elsewhere"
        let states = ["ready", "draining", "starting", "no listener", "unheard", "not asked", elsewhere]
        var counts: [String: Int] = [:]
        let registry = publisher.registry
        for container in registry.containers(numbered: 0..<registry.containerNumbersEnd) {
            let state = state(of: container)
            counts[state == .elsewhere ? elsewhere : state.word, default: 0] += 1
        }
        return states.map { ($0, counts[$0] ?? 0) }
    }

    /// Number of containers in each state, the most frequent first.
    func countStates() -> [Status.StateCount] {
        var counts: [String: Int] = [:]
        let registry = publisher.registry
        for container in registry.containers(numbered: 0..<registry.containerNumbersEnd) {
            counts[state(of: container).word, default: 0] += 1
        }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { Status.StateCount(state: $0.key, containers: $0.value) }
    }

    /// All groups of upstreams as they are in force, the default one first.
    func describeUpstreams() -> [Status.UpstreamGroup] {
        func describe(_ id: UpstreamGroupID, network: String?, domain: Name?) -> Status.UpstreamGroup? {
            upstreams.groups[id.rawValue].map { list in
                Status.UpstreamGroup(
                    network: network, domain: domain?.description, from: list.origin == .host ? "host" : "namespace",
                    servers: list.servers.map(\.description))
            }
        }
        let others = publisher.registry.upstreamGroups.map { ($0.id, $0.network, $0.domain) }
        return ([(.default, nil, nil)] + others).compactMap { describe($0.0, network: $0.1, domain: $0.2) }
    }

    /// The servers that workers have asked, each once: what they have found out on their own, taken together.
    func describeServers(_ reports: [UpstreamReport]) -> [Status.Server] {
        let servers = Dictionary(grouping: reports) { UpstreamPlace(server: $0.server, vantage: $0.vantage) }
        return servers.map { place, reports in
            let times = reports.compactMap(\.roundTrip)
            return Status.Server(
                server: place.server.description, container: name(of: place.vantage),
                roundTrip: times.isEmpty ? nil : times.reduce(0, +) / times.count,
                failures: reports.map(\.failures).max() ?? 0, resting: reports.contains(where: \.isResting),
                looping: reports.contains(where: \.isAvoided))
        }.sorted { ($0.container ?? "", $0.server) < ($1.container ?? "", $1.server) }
    }

    private func name(of vantage: Vantage) -> String? {
        switch vantage {
        case .host: nil
        case .namespace(let view): publisher.name(of: ContainerID(of: ViewID(rawValue: view)))
        }
    }
}

extension [ControlAPI.Fact] {
    /// The first fact of each source.
    fileprivate var oneOfEachSource: Self {
        var seen: Set<String> = []
        return filter { seen.insert($0.source).inserted }
    }
}

extension Array {
    /// Itself; nil where it has no element.
    fileprivate var nonEmpty: Self? { isEmpty ? nil : self }
}

extension ControlAPI.Container {
    fileprivate init(
        absent name: String, _ place: NamespaceSource, _ state: State, _ listen: ListenMode, seconds: Int? = nil,
        source: String
    ) {
        var netns: String?
        var pid: Int?
        switch place {
        case .path(let path): netns = path
        case .pid(let number): pid = Int(number)
        }
        self.init(
            name: name, id: nil, hostname: nil, netns: netns, pid: pid, networks: [], links: [], ports: [],
            resolvConf: nil, listener: nil, listen: listen.rawValue, draining: false, state: state.word,
            reason: state.reason,
            cure: state.cure, ended: seconds, source: source, facts: [])
    }

    /// True when somebody who says this name, or the path of its namespace, means it.
    func isCalled(_ text: String) -> Bool { text == netns || text.lowercased() == name.lowercased() }
}

extension ControlAPI.Fact {
    init(_ fact: Registry.Fact) {
        let (source, link) =
            switch fact.origin {
            case .declared(let source): (source.name, String?.none)
            case .observed(let link): ("kernel", link)
            }
        self.init(
            fact: fact.kind.rawValue, value: fact.value, network: fact.network, source: source, link: link,
            inForce: fact.isInForce)
    }
}
