// Discovery: what the kernel shows of networks and containers goes into the registry.

import Attachment
import ControlAPI
import DNSWire
import Diagnosis
import LinuxNet
import Logging
import Registry
import SystemPackage
import Tables

/// Observes links and addresses of the host and of containers, as configured.
///
/// Without an opener it waits for one, and tries again by itself: what is attached already goes on meanwhile.
final class Discovery {
    private let publisher: Publisher
    private let loop: EventLoop
    private let requests: OpenerRequests
    private let logger: Logger
    private var configuration: Configuration.Discover
    /// Observes links and addresses; nil until the opener has made its socket.
    private var kernel: KernelWatch?
    /// Observes the host's default routes.
    let routes: RouteDiscovery
    /// True when it was tried once to observe the kernel, or nothing is to be observed.
    private(set) var hasBeenTried = false
    /// Why the kernel is not observed, though it should be.
    private var problem: String?
    private var backoff = Backoff()
    private var nextCatchUp = ContinuousClock.Instant.now
    /// Containers for ``takeChanges()``.
    private var changed: [ContainerID] = []
    /// Containers for ``takeReaddressed()``.
    private var readdressed: [ContainerID] = []

    init(
        _ configuration: Configuration.Discover, publisher: Publisher, loop: EventLoop, requests: OpenerRequests,
        logger: Logger
    ) {
        self.configuration = configuration
        self.publisher = publisher
        self.loop = loop
        self.requests = requests
        self.logger = logger
        routes = RouteDiscovery(publisher: publisher, loop: loop, logger: logger)
    }

    /// True while links and addresses are observed.
    var isObserving: Bool { kernel?.coversAll != nil }

    /// Octets of notifications that may wait in a namespace's socket; nil: one socket observes all.
    var roomOfNamespace: Int32? { kernel?.roomOfNamespace ?? nil }

    /// Sentences about what is wrong, for `status`.
    var warnings: [String] {
        [problem].compactMap(\.self)
            + (kernel?.topology.truncated ?? []).map {
                "container \($0) has more than \(KernelNamespace.containerLimit) links or addresses; only the first are answered"
            }
    }

    // MARK: - Beginning and end

    /// Has the opener make the socket that observes the kernel.
    func subscribe() {
        guard configuration.isEnabled, !isObserving else {
            hasBeenTried = true
            return
        }
        let room = Int32(clamping: configuration.receiveBuffer)
        requests.request { opener in
            Result { () throws(LinuxError) in Handover(try opener.subscribeKernel(receiveBuffer: room)) }
        } late: { [self] in
            subscriptionFailed(LinuxError(call: "recvmsg", errno: .timedOut, kind: .openerAway))
        } done: { [self] (result: Result<Handover<KernelSubscription>, LinuxError>) in
            switch result {
            case .success(let handover): if let made = handover.take() { begin(made, room) }
            case .failure(let error): subscriptionFailed(error)
            }
        }
    }

    private func begin(_ subscription: consuming KernelSubscription, _ room: Int32) {
        guard configuration.isEnabled, !isObserving else { return }
        do throws(LinuxError) {
            kernel = try KernelWatch.start(
                selection: interfaceSelection, receiveBuffer: room, subscription: subscription, by: loop.epoll)
        } catch {
            return subscriptionFailed(error)
        }
        problem = nil
        backoff = Backoff()
        routes.start()
        readRoutes()
        hasBeenTried = true
    }

    private func subscriptionFailed(_ error: LinuxError) {
        let new = "networks and containers are not discovered: \(error)"
        if problem != new { logger.error("\(new); that is tried again") }
        problem = new
        loop.schedule(.subscribe, after: backoff.next())
        hasBeenTried = true
    }

    /// Discovers what the configuration says now. Where that is nothing, ``stop()`` is the caller's to say.
    func configure(_ new: Configuration.Discover) {
        if new.receiveBuffer != configuration.receiveBuffer {
            logger.warning("[discover] receive-buffer: takes effect at a restart")
        }
        configuration = new
        guard new.isEnabled else { return }
        if isObserving { selectInterfaces() } else { subscribe() }
    }

    /// Observes nothing any more: what nobody declared goes.
    func stop() {
        problem = nil
        kernel?.select(InterfaceSelection(patterns: [], exclude: []))
        applyChanges()
        kernel = nil
        routes.stop()
    }

    // MARK: - Interfaces

    private var interfaceSelection: InterfaceSelection {
        InterfaceSelection(
            patterns: configuration.interfaces, exclude: configuration.exclude,
            declared: Set(publisher.registry.networks.compactMap { $0.definition?.interface }))
    }

    /// Networks were declared, or the configuration is another: other interfaces may be networks.
    func selectInterfaces() {
        guard isObserving else { return }
        kernel?.select(interfaceSelection)
    }

    /// The name of a container that is found at a path: the path's last part; the path itself, which is no name, where a
    /// runtime numbers its files.
    func name(ofContainerAt path: String) -> String {
        configuration.unnamed.contains { Glob.matches(path, $0) } ? path : ContainerWatch.split(path).name
    }

    // MARK: - Links of containers

    /// Observes the links of a container.
    /// - Returns: its number in the host's namespace; nil where they cannot be observed.
    func observe(
        _ opened: consuming OpenedNamespace, cookie: NamespaceCookie, name: String, path: String
    ) -> NamespaceID? {
        do throws(LinuxError) {
            let number = try kernel?.observe(opened, cookie: cookie, name: name, path: path, by: loop.epoll)
            scheduleCatchUp()
            return number
        } catch {
            logger.warning(
                "container \(name): its links are not known: \(error)", metadata: .about(container: name, .notAttached))
            return nil
        }
    }

    /// The links of a container, with what keeps each from its network; none where they are not observed.
    func links(of number: NamespaceID) -> [LinkFacts] { kernel?.topology.links(of: number) ?? [] }

    /// The way of packets between two containers over a bridge, as the kernel has it now; nil where they share none.
    func wiring(from asker: NamespaceID, to service: NamespaceID, at address: IPAddress) -> WiringFacts? {
        kernel?.wiring(from: asker, to: service, at: address) ?? nil
    }

    /// The ways by which packets of a container come out of its namespace.
    func waysOut(of number: NamespaceID?) -> WaysOut {
        number.flatMap { kernel?.topology.waysOut(of: $0) }
            ?? .unguarded("its links are not known ([discover] enabled)")
    }

    /// True where a device of the host's leads into a namespace that is no container we know.
    /// - Parameter number: a container that does not count: it says itself which links it has.
    func leadsElsewhere(_ device: UInt32, but number: NamespaceID? = nil) -> Bool {
        kernel?.topology.leadsElsewhere(device, but: number) ?? false
    }

    /// Gives a container the name of another path.
    func rename(_ number: NamespaceID, name: String, path: String) {
        kernel?.rename(number, name: name, path: path)
    }

    /// Observes the links of a container no more.
    func forget(_ number: NamespaceID) {
        kernel?.forget(number)
        applyChanges()
    }

    // MARK: - Notifications

    func takeKernelEvents(_ ticket: Ticket) {
        do throws(LinuxError) {
            try kernel?.takeEvents(ticket)
        } catch {
            logger.error("cannot read netlink notifications: \(error)", metadata: .about(limitedAs: "netlink"))
        }
        scheduleCatchUp()
    }

    /// Reads again what notifications were lost of, at once or when it is due.
    private func scheduleCatchUp() {
        guard let due = kernel?.catchUpIsDue else { return }
        loop.schedule(.catchUp, after: max(.zero, ContinuousClock.now.duration(to: max(due, nextCatchUp))))
    }

    /// Notifications were lost: links and addresses are read again. Who makes the kernel send too many shall not keep us
    /// busy: nine tenths of the time are for others.
    func catchUp() {
        let start = ContinuousClock.now
        for (place, error) in kernel?.catchUp() ?? [] {
            logger.error(
                "links and addresses of \(place) cannot be read: \(error)", metadata: .about(limitedAs: "netlink"))
        }
        if isObserving, kernel?.catchUpIsDue == nil {
            logger.info(
                "netlink receive buffer overflowed; re-read all links and addresses (raise [discover] receive-buffer if this repeats)",
                metadata: .about(limitedAs: "catch-up"))
        }
        nextCatchUp = .now + max(start.duration(to: .now) * 9, .milliseconds(10))
        scheduleCatchUp()
    }

    // MARK: - Routes

    /// Reads a part of the default routes.
    func readRoutes() {
        // The kernel does not notify of each route that goes with its link.
        if let links = routes.read() { kernel?.setOutlets(links) }
    }

    // MARK: - Changes

    /// Has the registry know what the kernel shows.
    /// - Returns: the containers whose links or addresses have changed since the last call.
    func takeChanges() -> [ContainerID] {
        applyChanges()
        defer { changed = [] }
        return changed
    }

    /// Containers of which nothing but addresses has changed since the last call: for after ``takeChanges()``.
    func takeReaddressed() -> [ContainerID] {
        defer { readdressed = [] }
        return readdressed
    }

    private func applyChanges() {
        if kernel?.takeOutletChange() == true { routes.noteLinkChange() }
        guard let changes = kernel?.takeChanges() else { return }
        changed += (kernel?.takeTouched() ?? []).compactMap { publisher.registry.container(of: $0)?.id }
        for change in changes {
            switch change {
            case .network(let network): publisher.registry.observe(network)
            case .networkGone(let interface): publisher.registry.forget(network: interface)
            case .container(let container): changed.append(publisher.registry.observe(container))
            case .readdressed(let container): readdressed.append(publisher.registry.observe(container))
            case .containerGone(let cookie): publisher.registry.forget(container: cookie)
            }
        }
    }
}
