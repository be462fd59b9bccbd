// Default routes of the host: a network that one leads out over is a part of the LAN, which the registry is told.

import LinuxNet
import Logging
import Registry

/// Observes default routes, as long as links are observed.
final class RouteDiscovery {
    /// Time after a change of a link until routes that go with it silently have gone: the kernel notifies of the link first.
    private static let timeOfLinkChange = Duration.milliseconds(200)
    /// The pause after routes could not be read.
    private static let patience = Duration.seconds(1)
    /// The shortest pause between two readings.
    private static let shortestPause = Duration.milliseconds(10)

    private let publisher: Publisher
    private let loop: EventLoop
    private let logger: Logger
    private var routes: DefaultRouteWatch?
    /// Time from which on routes may be read.
    private var nextReading = ContinuousClock.Instant.now

    init(publisher: Publisher, loop: EventLoop, logger: Logger) {
        self.publisher = publisher
        self.loop = loop
        self.logger = logger
    }

    /// Observes default routes from now on.
    func start() {
        guard !isObserving else { return }
        do throws(LinuxError) {
            let new = try DefaultRouteWatch()
            try loop.watch(new.descriptor, as: .routes)
            routes = consume new
        } catch {
            logger.warning(
                "cannot read default routes; reverse names of a LAN bridge are not forwarded: \(error)"
            )
        }
        scheduleReading()
    }

    private var isObserving: Bool {
        switch routes {
        case .some: true
        case .none: false
        }
    }

    /// Observes default routes no more.
    func stop() {
        routes = nil
        publisher.registry.observeDefaultRoutes(over: [])
    }

    // MARK: - Changes

    /// Takes notifications about routes.
    func takeEvents() {
        routes?.takeEvents()
        scheduleReading()
    }

    /// A link of a default route has changed: routes may go with it, in a moment.
    func noteLinkChange() { loop.schedule(.outletHasChanged, after: Self.timeOfLinkChange) }

    /// A link of a default route, or its address, has changed some time ago.
    func outletHasChanged() {
        routes?.setStale()
        scheduleReading()
    }

    private func scheduleReading() {
        guard routes?.needsReading == true else { return }
        loop.schedule(.readRoutes, after: max(.zero, ContinuousClock.now.duration(to: nextReading)))
    }

    /// Reads a part of the routes. Whoever changes routes without end shall not keep us busy: nine tenths of the time are for
    /// others.
    /// - Returns: the links of all next hops, once all routes have been read.
    func read() -> Set<UInt32>? {
        let start = ContinuousClock.now
        var pause = Self.shortestPause
        var watched: Set<UInt32>?
        do throws(LinuxError) {
            if try routes?.read() == .done { watched = take() }
        } catch {
            logger.error("default routes cannot be read: \(error)", metadata: .about(limitedAs: "routes"))
            pause = Self.patience
        }
        nextReading = .now + max(start.duration(to: .now) * 9, pause)
        scheduleReading()
        return watched
    }

    private func take() -> Set<UInt32>? {
        guard let links = routes?.links else { return nil }
        publisher.registry.observeDefaultRoutes(over: Set(links.map { InterfaceIndex(rawValue: $0) }))
        return routes?.watchedLinks
    }
}
