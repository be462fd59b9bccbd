// Default routes of the host: a network that one leads out over is a part of the LAN, which the registry is told.

import LinuxNet
import Logging
import Registry

extension Discovery {
    /// Time after a change of a link until routes that go with it silently have gone: the kernel notifies of the link first.
    private static var timeOfLinkChange: Duration { .milliseconds(200) }
    /// The pause after routes could not be read.
    private static var patienceForRoutes: Duration { .seconds(1) }

    /// Observes default routes from now on.
    func watchRoutes() {
        guard !areRoutesWatched else { return }
        do throws(LinuxError) {
            let new = try DefaultRouteWatch()
            try plane.epoll.add(new.descriptor, token: ControlToken.routes.word, interest: [.readable])
            routes = consume new
        } catch {
            logger.warning(
                "default routes are not known, so that reverse names of the LAN are not forwarded from a bridge into it: \(error)"
            )
        }
        readRoutes()
    }

    private var areRoutesWatched: Bool {
        switch routes {
        case .some: true
        case .none: false
        }
    }

    /// Observes default routes no more.
    func stopWatchingRoutes() {
        routes = nil
        plane.registry.observeDefaultRoutes(over: [])
    }

    /// Notifications about routes have come.
    func takeRouteEvents() {
        routes?.takeEvents()
        scheduleRoutes()
    }

    /// A link of a default route, or its address, has changed some time ago.
    func outletHasChanged() {
        routes?.setStale()
        scheduleRoutes()
    }

    /// Has routes read later that may go with a link which has changed.
    func takeOutletChange() {
        if kernel?.takeOutletChange() == true { plane.schedule(.outletHasChanged, after: Self.timeOfLinkChange) }
    }

    private func scheduleRoutes() {
        guard routes?.needsReading == true else { return }
        plane.schedule(.readRoutes, after: max(.zero, ContinuousClock.now.duration(to: nextRouteReading)))
    }

    /// Reads a part of the routes. Whoever changes routes without end shall not keep us busy: nine tenths of the time are for
    /// others.
    func readRoutes() {
        let start = ContinuousClock.now
        var pause = Duration.milliseconds(10)
        do throws(LinuxError) {
            if try routes?.read() == .done { takeRoutes() }
        } catch {
            logger.error("default routes cannot be read: \(error)", metadata: .about(limitedAs: "routes"))
            pause = Self.patienceForRoutes
        }
        nextRouteReading = .now + max(start.duration(to: .now) * 9, pause)
        scheduleRoutes()
    }

    private func takeRoutes() {
        guard let links = routes?.links, let watched = routes?.watchedLinks else { return }
        kernel?.setOutlets(watched)
        plane.registry.observeDefaultRoutes(over: Set(links.map { InterfaceIndex(rawValue: $0) }))
        plane.publish()
    }
}
