// Discovery: what the kernel shows of networks and containers goes into the registry.

import Attachment
import ControlAPI
import LinuxNet
import Logging
import Registry
import SystemPackage
import Tables

/// Observes the kernel and the paths of namespaces, as configured.
///
/// Without an opener it waits for one, and tries again by itself: what is attached already goes on meanwhile.
final class Discovery {
    unowned let plane: ControlPlane
    /// Observes links and addresses; nil until the opener has made its socket.
    var kernel: KernelWatch?
    /// Looks for namespaces at paths.
    var paths: NamespacePaths?
    /// Observes the host's default routes.
    var routes: DefaultRouteWatch?
    /// When routes may be read next.
    var nextRouteReading = ContinuousClock.Instant.now
    private var mounts: MountTable?
    /// Why directories of namespaces cannot be looked into.
    var directoryProblems: [String] = []
    /// Why the kernel is not observed, though it should be.
    private(set) var kernelProblem: String?
    private var backoff = Backoff()
    private var nextCatchUp = ContinuousClock.Instant.now
    /// Told once, when the first attempt to observe the kernel has ended.
    private var onFirstAttempt: (() -> Void)?

    init(of plane: ControlPlane) {
        self.plane = plane
    }

    var logger: Logger { plane.logger }
    private var configuration: Configuration.Discover { plane.configuration.discover }

    /// True while links and addresses are observed.
    var isObserving: Bool { kernel?.coversAll != nil }

    /// Octets of notifications that may wait in a namespace's socket; nil: one socket observes all.
    var roomOfNamespace: Int32? { kernel?.roomOfNamespace ?? nil }

    /// What is wrong, for `status`.
    var warnings: [String] {
        let room = plane.containers.room
        let second = room.secondPaths.map { "\($0.path) is the namespace of \($0.other), which is attached" }
        let truncated = kernel?.topology.truncated ?? []
        return [kernelProblem].compactMap { $0 } + directoryProblems
            + truncated.map {
                "container \($0) has more than \(KernelNamespace.containerLimit) links or addresses; only the first are answered"
            }
            + (room.problems.map(\.failure.description) + second).sorted()
    }

    // MARK: - Beginning and end

    /// Subscribes to the kernel; `then` is called when that was tried once.
    func start(then: (() -> Void)? = nil) {
        guard configuration.isEnabled else {
            then?()
            return
        }
        onFirstAttempt = then
        subscribe()
    }

    /// Has the opener make the socket that observes the kernel.
    func subscribe() {
        guard configuration.isEnabled, !isObserving else { return }
        let room = Int32(clamping: configuration.receiveBuffer)
        plane.containers.requests.request { opener in
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
                selection: interfaceSelection, receiveBuffer: room, subscription: subscription, by: plane.epoll)
        } catch {
            return subscriptionFailed(error)
        }
        kernelProblem = nil
        backoff = Backoff()
        watchRoutes()
        plane.containers.room.observe(true)
        plane.containers.carryOut()
        takeChanges()
        plane.publish()
        endFirstAttempt()
    }

    private func subscriptionFailed(_ error: LinuxError) {
        let problem = "networks and containers are not discovered: \(error)"
        if kernelProblem != problem { logger.error("\(problem); that is tried again") }
        kernelProblem = problem
        plane.schedule(.subscribe, after: backoff.next())
        endFirstAttempt()
    }

    private func endFirstAttempt() {
        onFirstAttempt?()
        onFirstAttempt = nil
    }

    /// Discovers nothing any more: what nobody declared goes.
    private func stop() {
        paths = nil
        directoryProblems = []
        kernelProblem = nil
        for path in Array(plane.containers.room.paths) { plane.containers.handle(.pathGone(path)) }
        plane.containers.room.observe(false)
        plane.containers.carryOut()
        kernel?.select(InterfaceSelection(patterns: [], exclude: []))
        takeChanges()
        kernel = nil
        stopWatchingRoutes()
    }

    /// Discovers what the configuration says now.
    func restart(since old: Configuration.Discover) {
        if configuration.receiveBuffer != old.receiveBuffer {
            logger.warning("[discover] receive-buffer: takes effect at a restart")
        }
        guard configuration.isEnabled else { return stop() }
        if isObserving { selectInterfaces() } else { subscribe() }
        watchNamespaces()
    }

    // MARK: - Interfaces

    private var interfaceSelection: InterfaceSelection {
        InterfaceSelection(
            patterns: configuration.interfaces, exclude: configuration.exclude,
            declared: Set(plane.registry.networks.compactMap { $0.declared?.interface }))
    }

    /// Networks were declared, or the configuration is another: other interfaces may be networks.
    func selectInterfaces() {
        guard isObserving else { return }
        kernel?.select(interfaceSelection)
        takeChanges()
    }

    // MARK: - Links of containers

    /// Observes the links of a container.
    /// - Returns: its number in the host's namespace; nil where they cannot be observed.
    func observe(
        _ opened: consuming OpenedNamespace, cookie: NamespaceCookie, name: String, path: String
    ) -> NamespaceID? {
        do throws(LinuxError) {
            let number = try kernel?.observe(opened, cookie: cookie, name: name, path: path, by: plane.epoll)
            scheduleCatchUp()
            return number
        } catch {
            logger.warning(
                "container \(name): its links are not known: \(error)", metadata: .about(container: name, .notAttached))
            return nil
        }
    }

    /// Gives a container the name of another path.
    func rename(_ number: NamespaceID, name: String, path: String) {
        kernel?.rename(number, name: name, path: path)
        takeChangesLater()
    }

    /// Observes the links of a container no more.
    func forget(_ number: NamespaceID) {
        kernel?.forget(number)
        takeChanges()
    }

    /// Sets whether a container is told of at any change of its links and addresses, also one that makes no difference.
    func tell(_ number: NamespaceID, always: Bool) { kernel?.tell(number, always: always) }

    // MARK: - Notifications

    func takeKernelEvents(_ ticket: Ticket) {
        do throws(LinuxError) {
            try kernel?.takeEvents(ticket)
        } catch {
            logger.error("the kernel cannot be observed: \(error)", metadata: .about(limitedAs: "netlink"))
        }
        scheduleCatchUp()
        takeChanges()
        plane.publish()
    }

    /// Reads again what notifications were lost of, at once or when it is due.
    private func scheduleCatchUp() {
        guard let due = kernel?.catchUpIsDue else { return }
        plane.schedule(.catchUp, after: max(.zero, ContinuousClock.now.duration(to: max(due, nextCatchUp))))
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
                "netlink receive buffer overflowed; all links and addresses were read again (raise [discover] receive-buffer if this repeats)",
                metadata: .about(limitedAs: "catch-up"))
        }
        nextCatchUp = .now + max(start.duration(to: .now) * 9, .milliseconds(10))
        scheduleCatchUp()
        takeChanges()
        plane.publish()
    }

    private func takeChangesLater() { plane.schedule(.takeChanges, after: .zero) }

    /// Has the registry know what the kernel shows.
    func takeChanges() {
        takeOutletChange()
        guard let changes = kernel?.takeChanges(), !changes.isEmpty else { return }
        var changed: [ContainerID] = []
        for change in changes {
            switch change {
            case .network(let network): plane.registry.observe(network)
            case .networkGone(let interface): plane.registry.forget(network: interface)
            case .container(let container): changed.append(plane.registry.observe(container))
            case .containerGone(let cookie): plane.registry.forget(container: cookie)
            }
        }
        for container in changed { plane.containers.linksChanged(of: container) }
    }

    // MARK: - Mounts

    /// Makes mounts tell of themselves, once; a failure costs what cannot be noticed otherwise, and is said.
    func watchMounts() {
        guard !areMountsWatched else { return }
        do throws(LinuxError) {
            let table = try MountTable()
            try plane.epoll.add(table.descriptor, token: ControlToken.mounts.word, interest: [.priority])
            mounts = consume table
        } catch {
            logger.warning("mounts cannot be watched, so namespaces are not noticed that appear at a path: \(error)")
        }
    }

    private var areMountsWatched: Bool {
        switch mounts {
        case .some: true
        case .none: false
        }
    }
}
