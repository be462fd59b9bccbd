// Docker's running containers and their networks, kept up to date: replies and events in, requests and notices out.

import DNSWire

/// The state of one Docker daemon, as a value: the adapter's loop carries out its effects and tells it what came.
///
/// Events are subscribed to first, then everything is listed and inspected: nothing that happens meanwhile is missed. An event
/// only says that a container is to be inspected. One that is connected to a network is about to start: it is asked for at once,
/// and Docker, which holds its lock meanwhile, replies as soon as it runs. Every ``relistInterval`` everything is read once more, since Docker skips
/// events for readers that are slow.
package struct DockerWatch: Sendable {
    /// Something that the loop has to do.
    package enum Effect: Equatable, Sendable {
        /// Connect and send ``DockerRequests/events``.
        case subscribe
        /// Connect and send a request.
        case ask(Question)
        /// Close all connections; nothing of them is to be told any more.
        case closeAll
        /// ``DockerWatch/networks`` or ``DockerWatch/containers`` may be different.
        case changed
        /// Everything has been read; it is to be published whole, as whoever listens may have forgotten some of it.
        case reread
        /// A line for the log.
        case say(Notice)
    }

    /// A line for the log.
    package enum Notice: Equatable, Sendable {
        /// Everything has been read: for the first time, or again after Docker was away.
        case complete(containers: Int, networks: Int, isAgain: Bool)
        /// Docker cannot be read; it is asked again until it can.
        case away(reason: String)
        /// One container cannot be inspected; the others can.
        case unreadable(container: String, reason: String)
        /// An event cannot be read.
        case oddEvent(reason: String)
    }

    /// Time between two readings of everything.
    package static let relistInterval = Duration.seconds(60)
    /// Time until a container that could not be inspected is inspected again.
    static let inspectAgain = Duration.seconds(5)
    /// Wait after the first failure; each further one doubles it.
    static let firstBackOff = Duration.milliseconds(200)
    /// Longest wait after a failure.
    static let longestBackOff = Duration.seconds(10)
    /// Requests that are under way at once. Docker holds a container's lock while it starts, and its reply waits for that: others
    /// are not to wait with it.
    static let maximumRequests = 32
    /// Containers about to start that are asked for at once. Any more are inspected when their events say that they have.
    static let maximumStarting = 256

    private enum Phase: Equatable {
        case away(until: Duration)
        case subscribing
        case subscribed
    }

    /// Networks of the last list.
    package private(set) var networks: [RuntimeNetwork] = []
    /// Running containers by their ids.
    package private(set) var containers: [String: RuntimeContainer] = [:]
    /// True once everything has been read; until then nothing is to be published.
    package private(set) var isComplete = false

    private var phase = Phase.away(until: .zero)
    private var lines = JSONLines()
    private var effects: [Effect] = []
    private var backOff = DockerWatch.firstBackOff
    private var awayReason: String?
    private var inspections = Inspections()
    /// Lists that are under way.
    private var lists: Set<Question> = []
    /// True when networks have to be listed once more, for something has changed since the request.
    private var listsNetworksAgain = false
    /// True from the lists until each container in them has been inspected.
    private var isListing = false
    private var relistAt = Duration.zero
    /// Names of all networks of the last list, of `host` and `none`, too.
    private var networkNames: Set<String> = []
    private var hasChanged = false

    /// A watch that has read nothing; the first ``advance(to:)`` starts it.
    package init() {}

    /// The effects since the last call, in their order.
    package mutating func takeEffects() -> [Effect] {
        if hasChanged, isComplete, !lists.contains(.networks) {
            effects.append(.changed)
            hasChanged = false
        }
        defer { effects.removeAll() }
        return effects
    }

    /// The time of the next ``advance(to:)``.
    package var deadline: Duration? {
        switch phase {
        case .away(let until): until
        case .subscribing: nil
        case .subscribed: min(relistAt, inspections.retryAt ?? relistAt)
        }
    }

    /// Does what is due at a time.
    /// - Parameter now: time since any moment that stays the same.
    package mutating func advance(to now: Duration) {
        switch phase {
        case .away(let until) where until <= now:
            phase = .subscribing
            effects.append(.subscribe)
        case .subscribed:
            if relistAt <= now { list(now) }
            inspections.retry(now)
            inspect()
        default: break
        }
    }

    // MARK: - The stream of events

    /// Docker sends events from now on.
    package mutating func subscribed(at now: Duration) {
        guard phase == .subscribing else { return }
        phase = .subscribed
        list(now)
    }

    /// Takes octets of the stream.
    package mutating func received(events octets: [UInt8], at now: Duration) {
        do throws(RuntimeWireError) {
            for line in try lines.receive(octets) { take(line) }
        } catch {
            return failed(error.description, at: now)
        }
        inspect()
    }

    /// The stream has ended, could not be opened, or Docker cannot be asked: everything is read again when it can be.
    package mutating func failed(_ reason: String, at now: Duration) {
        effects.append(.closeAll)
        if awayReason != reason { effects.append(.say(.away(reason: reason))) }
        awayReason = reason
        lines = JSONLines()
        inspections = Inspections()
        lists = []
        (listsNetworksAgain, isListing) = (false, false)
        phase = .away(until: now + backOff)
        backOff = min(backOff * 2, Self.longestBackOff)
    }

    private mutating func take(_ line: [UInt8]) {
        let event: DockerEvent
        do throws(RuntimeWireError) {
            event = try DockerEvent(line)
        } catch {
            // What it was about is seen when everything is read once more.
            effects.append(.say(.oddEvent(reason: error.description)))
            return
        }
        switch event {
        case .changed(let id): inspections.add(id, isEvent: true)
        case .ended(let id):
            inspections.ended(id)
            remove(id)
        case .connected(let container, _), .disconnected(let container, _):
            if containers[container] != nil || inspections.isUnderWay(container) {
                inspections.add(container, isEvent: true)
            } else if case .connected = event, inspections.start(container, atMost: Self.maximumStarting) {
                effects.append(.ask(.starting(container)))
            }
        case .network: listNetworks()
        case .other: break
        }
    }

    // MARK: - Replies

    /// Takes the body of a reply.
    /// - Parameters:
    ///   - question: a request of ``Effect/ask(_:)``.
    ///   - octets: body of a reply of status 200.
    ///   - now: the time.
    package mutating func answered(_ question: Question, _ octets: [UInt8], at now: Duration) {
        guard phase == .subscribed else { return }
        do throws(RuntimeWireError) {
            switch question {
            case .networks: take(networks: try DockerNetwork.list(octets))
            case .containers: take(list: try DockerContainerSummary.list(octets))
            case .container(let id): take(RuntimeContainer(try DockerContainer(octets)), as: id)
            case .starting(let id): take(starting: RuntimeContainer(try DockerContainer(octets)), as: id)
            }
        } catch {
            return refused(question, status: nil, reason: error.description, at: now)
        }
        goOn(now)
    }

    /// Takes a reply that is none, or says that something went wrong.
    /// - Parameters:
    ///   - question: a request of ``Effect/ask(_:)``.
    ///   - status: status of the reply; nil where there was none.
    ///   - reason: what went wrong, for the log.
    ///   - now: the time.
    package mutating func refused(_ question: Question, status: Int?, reason: String, at now: Duration) {
        guard phase == .subscribed else { return }
        // It is inspected when it has started.
        if case .starting(let id) = question { return _ = inspections.started(id) }
        guard case .container(let id) = question else { return failed(reason, at: now) }
        if status == 404 {
            inspections.done(id)
            remove(id)
        } else if inspections.failed(id, retryAt: now + Self.inspectAgain) {
            effects.append(.say(.unreadable(container: id, reason: reason)))
        }
        goOn(now)
    }

    private mutating func take(networks list: [DockerNetwork]) {
        lists.remove(.networks)
        networkNames = Set(list.map(\.name))
        let new = list.compactMap { RuntimeNetwork($0) }
        if new != networks {
            networks = new
            hasChanged = true
        }
        if listsNetworksAgain { listNetworks() }
    }

    private mutating func take(list: [DockerContainerSummary]) {
        lists.remove(.containers)
        let ids = Set(list.map(\.id))
        for id in containers.keys where !ids.contains(id) && !inspections.hasEvent(id) { remove(id) }
        for id in list.map(\.id) { inspections.add(id, isEvent: false) }
    }

    private mutating func take(_ container: RuntimeContainer, as id: String) {
        inspections.done(id)
        guard container.pid != nil else { return remove(id) }
        put(container, as: id)
    }

    /// Takes a reply that Docker gave as a container started, unless something newer is known. The event has it inspected again.
    private mutating func take(starting container: RuntimeContainer, as id: String) {
        guard inspections.started(id), containers[id] == nil, container.pid != nil else { return }
        put(container, as: id)
    }

    private mutating func put(_ container: RuntimeContainer, as id: String) {
        if containers.updateValue(container, forKey: id) != container { hasChanged = true }
        // A network that came into being after the list.
        if container.endpoints.contains(where: { !networkNames.contains($0.network) }) { listNetworks() }
    }

    private mutating func remove(_ id: String) {
        if containers.removeValue(forKey: id) != nil { hasChanged = true }
    }

    // MARK: - Requests

    /// Reads everything once more.
    private mutating func list(_ now: Duration) {
        relistAt = now + Self.relistInterval
        guard !isListing else { return }
        isListing = true
        inspections.forgetEvents()
        listNetworks()
        if lists.insert(.containers).inserted { effects.append(.ask(.containers)) }
    }

    private mutating func listNetworks() {
        listsNetworksAgain = !lists.insert(.networks).inserted
        if !listsNetworksAgain { effects.append(.ask(.networks)) }
    }

    private mutating func inspect() {
        for id in inspections.next(atMost: Self.maximumRequests) { effects.append(.ask(.container(id))) }
    }

    /// Asks what is to be asked next, or ends a reading of everything.
    private mutating func goOn(_ now: Duration) {
        inspect()
        guard isListing, lists.isEmpty, inspections.isIdle else { return }
        isListing = false
        backOff = Self.firstBackOff
        if !isComplete || awayReason != nil {
            effects.append(
                .say(.complete(containers: containers.count, networks: networks.count, isAgain: isComplete)))
        }
        (isComplete, awayReason) = (true, nil)
        hasChanged = false
        effects.append(.reread)
    }
}
