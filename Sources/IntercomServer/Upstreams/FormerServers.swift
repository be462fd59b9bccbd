// Former servers: who answered a container's questions before these were led to us. What we do not know, we ask of them.

import Attachment
import ControlAPI
import DNSWire
import Forwarding
import LinuxNet
import Logging
import Registry
import SystemPackage

/// Finds the former servers of intercepted containers, and has workers ask them.
///
/// A resolver address is the former server's address, too, but for 127.0.0.11: there Docker's rules lead port 53 to random
/// ports of dockerd's in that namespace, which are other ones when it has started anew.
final class FormerServers {
    /// Servers of one container: libc asks no more (resolv.conf(5), MAXNS).
    private static let limit = 3
    /// The first pause between two looks for the ports of one container, and the longest: each pause is twice as long as the
    /// last while nothing is found.
    private static let pauses = Duration.seconds(1)...Duration.seconds(30)

    private struct Container {
        /// The resolver addresses whose questions are led to us.
        var resolvers: [ServerAddress] = []
        /// The former servers, as far as they were found.
        var servers: [ServerAddress] = []
        /// Those that workers know.
        var posted: [ServerAddress] = []
        /// Reason why none of them could be asked the last time.
        var failure: (reason: String, time: ContinuousClock.Instant)?
        var isLooking = false
        var lastLook: ContinuousClock.Instant?
        var pause = FormerServers.pauses.lowerBound
    }

    private let containers: Containers
    private let requests: OpenerRequests
    private let publisher: Publisher
    private let workers: WorkerPool
    private let logger: Logger
    private var known: [ContainerID: Container] = [:]
    /// Servers that ask us in turn.
    private var looping: Set<UpstreamPlace> = []
    /// The moment at which some container's server was found at a new port: those of others are back, too.
    private var lastReturn: ContinuousClock.Instant?

    init(
        containers: Containers, requests: OpenerRequests, publisher: Publisher, workers: WorkerPool, logger: Logger
    ) {
        self.containers = containers
        self.requests = requests
        self.publisher = publisher
        self.workers = workers
        self.logger = logger
    }

    /// The former servers of a container that are asked, in their order.
    func servers(of container: ContainerID) -> [ServerAddress] { known[container]?.posted ?? [] }

    // MARK: - What changes them

    /// Takes the resolver addresses of a container whose questions are going to be led to us.
    /// - Parameters:
    ///   - resolvers: at least one.
    ///   - container: the container that asks there.
    ///   - done: is called when its former servers are known, as far as they can be.
    func set(_ resolvers: [ServerAddress], of container: ContainerID, then done: @escaping () -> Void) {
        known[container, default: Container()].resolvers = resolvers
        look(for: container, then: done)
    }

    /// Leaves out servers whose questions are not led to us, as those at addresses of the container's own; none are left
    /// where it is not intercepted any more or has ended.
    func narrow(to addresses: [IPAddress], of container: ContainerID) {
        guard var state = known[container] else { return }
        // Nobody can be led away from a link-local server; what we do not know is asked of it all the same.
        let isLeft = { (server: ServerAddress) in
            addresses.isEmpty || !addresses.contains(server.address) && server.scope == nil
        }
        state.resolvers.removeAll(where: isLeft)
        state.servers.removeAll(where: isLeft)
        known[container] = state
        post(container)
        if addresses.isEmpty { known[container] = nil }
    }

    /// None of a container's former servers can be reached where it is thought to be.
    /// - Returns: the servers.
    func lookAgain(for container: ContainerID) -> [ServerAddress] {
        guard let state = known[container] else { return [] }
        let servers = state.posted.map(\.description).joined(separator: ", ")
        known[container]?.failure = ("no reply of \(servers)", .now)
        if !state.isLooking, isDue(state) { look(for: container) {} }
        return state.posted
    }

    /// Leaves out a server that asks us in turn.
    func leaveOut(_ place: UpstreamPlace) {
        guard case .namespace(let view) = place.vantage, looping.insert(place).inserted else { return }
        post(ContainerID(of: ViewID(rawValue: view)))
    }

    /// Asks all servers again: things may be different now.
    func leaveOutNobody() {
        let places = looping
        looping = []
        for case .namespace(let view) in places.map(\.vantage) { post(ContainerID(of: ViewID(rawValue: view))) }
    }

    // MARK: - Looking

    private func isDue(_ state: Container) -> Bool {
        guard state.resolvers.contains(where: \.isIntercom) else { return false }
        guard let last = state.lastLook else { return true }
        return last.duration(to: .now) >= state.pause || lastReturn.map { last < $0 } ?? false
    }

    private func look(for container: ContainerID, then done: @escaping () -> Void) {
        guard let resolvers = known[container]?.resolvers else { return done() }
        guard resolvers.contains(where: \.isIntercom) else {
            found(nil, for: container)
            return done()
        }
        known[container]?.isLooking = true
        known[container]?.lastLook = .now
        guard let (identity, source) = containers.namespace(of: container) else {
            found(nil, for: container)
            return done()
        }
        let failed = { [self] (error: LinuxError) in
            let name = publisher.name(of: container)
            logger.warning(
                "container \(name): the ports of its former server at 127.0.0.11 cannot be found: \(error)",
                metadata: .about(container: name, limitedAs: "former servers"))
            known[container]?.failure = ("the ports of dockerd at 127.0.0.11 cannot be found: \(error)", .now)
            found(nil, for: container)
            done()
        }
        requests.request { opener in
            Result { () throws(LinuxError) in
                try opener.findServers(in: try source.openNamespace(identity, by: opener))
            }
        } late: {
            failed(LinuxError(call: "setns", errno: .timedOut, subject: source.description))
        } done: { [self] (result: Result<BoundPorts, LinuxError>) in
            switch result {
            case .failure(let error): failed(error)
            case .success(let ports):
                found(ports, for: container)
                done()
            }
        }
    }

    /// Takes the ports of the servers at 127.0.0.11 in a container's namespace. Where there are none any more, the last ones
    /// stay: they refuse, and so it is looked again.
    private func found(_ ports: BoundPorts?, for container: ContainerID) {
        guard var state = known[container] else { return }
        state.isLooking = false
        let docker = ports.flatMap { server(at: $0, of: container) }
        let last = state.servers.first(where: \.isIntercom)
        let servers = state.resolvers.compactMap { $0.isIntercom ? docker ?? last : $0 }
        if let docker, let last, docker != last { lastReturn = .now }
        let isNew = servers != state.servers
        state.pause = isNew ? Self.pauses.lowerBound : min(state.pause * 2, Self.pauses.upperBound)
        state.servers = Array(servers.prefix(Self.limit))
        known[container] = state
        post(container)
    }

    /// The server at 127.0.0.11 that is not ours. Of several it is the oldest: dockerd's is there before the container's first
    /// program.
    private func server(at ports: BoundPorts, of container: ContainerID) -> ServerAddress? {
        let own = [containers.attached(container)?.port, 53]
        let datagram = ports.datagram.first { !own.contains($0) }
        let stream = ports.stream.first { !own.contains($0) }
        return (datagram ?? stream).map {
            ServerAddress(address: .v4(.intercom), port: $0, streamPort: stream ?? datagram)
        }
    }

    // MARK: - Shown

    /// The state of all former servers; nil where no container has any.
    /// - Parameter reports: what workers have found out about servers.
    func describe(_ reports: [UpstreamReport]) -> Status.FormerServers? {
        guard !known.isEmpty else { return nil }
        let ofPlace = Dictionary(grouping: reports) { UpstreamPlace(server: $0.server, vantage: $0.vantage) }
        var counts = FormerServerCounts()
        var last: (text: String, time: ContinuousClock.Instant)?
        for (container, state) in known {
            let vantage = Vantage.namespace(container.view.rawValue)
            let reports = state.posted.flatMap { ofPlace[UpstreamPlace(server: $0, vantage: vantage)] ?? [] }
            let condition = FormerServerCounts.Condition(state.posted, reports)
            counts.add(condition)
            guard condition == .failing, let failure = state.failure, last.map({ $0.time < failure.time }) ?? true
            else {
                continue
            }
            last = ("\(publisher.name(of: container)): \(failure.reason)", failure.time)
        }
        return Status.FormerServers(
            containers: known.count, answering: counts.answering, untried: counts.untried, failing: counts.failing,
            lastError: last?.text, seconds: last.map { Int($0.time.duration(to: .now).components.seconds) })
    }

    // MARK: - What workers are told

    /// Tells the worker of a container which servers are asked, and the registry whether there is any.
    private func post(_ container: ContainerID) {
        guard let state = known[container] else { return }
        let vantage = Vantage.namespace(container.view.rawValue)
        let servers = state.servers.filter { !looping.contains(UpstreamPlace(server: $0, vantage: vantage)) }
        guard servers != state.posted else { return }
        known[container]?.posted = servers
        let send = { [workers, publisher] in
            workers.post(.formerServers(container.view, servers), to: publisher.worker(of: container.view))
        }
        publisher.registry.setFormerServers(!servers.isEmpty, of: container)
        guard servers.isEmpty else { return send() }
        // Its names are not asked there any more before there is nobody to ask.
        publisher.whenInForce { [unowned self] in if known[container]?.posted.isEmpty ?? true { send() } }
    }
}

extension Registry.Container {
    /// Origin of what is known of a former server: the kernel for dockerd's ports in the namespace, the source that gave the
    /// address, or the container's resolv.conf.
    func origin(ofFormerServer server: ServerAddress) -> String {
        if server.isIntercom { return "kernel" }
        let giver = definitions.first { $0.intercept?.addresses.contains(server.address) == true }
        return giver?.source.name ?? "resolv.conf"
    }
}
