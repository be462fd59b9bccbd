// The links over which the host's default routes lead out: a network that is one of them is a part of the LAN.

import LinuxNet
import SystemPackage

/// Observes the default routes of the daemon's own namespace, of both families, in the main table.
///
/// Notifications only say that the routes have to be read again: the kernel does not notify of each route that goes (one of
/// IPv4 goes silently with its link or address), and a next hop comes and goes as a part of a route. A host may have a
/// million routes, and a routing daemon may change them without end: each turn takes a bounded number of datagrams.
struct DefaultRouteWatch: ~Copyable {
    /// Datagrams of notifications that one turn takes.
    private static let notificationsPerTurn = 256
    /// Datagrams of 32 KiB of a dump that one turn reads: some 5,000 routes, in a few milliseconds.
    private static let partsPerTurn = 16
    /// Octets of notifications that may wait. Lost ones do no harm: the routes are read again then, too.
    private static let receiveBuffer: Int32 = 256 * 1024

    /// Result of one call.
    enum Progress: Equatable {
        /// The routes have to be read on.
        case unfinished
        /// All was read.
        case done
    }

    private let subscription: RouteNetlink
    private var asking: RouteNetlink
    private var buffer = RouteNetlink.makeBuffer()
    /// The links of next hops that are in use, as they were when all routes were read the last time.
    private(set) var links: Set<UInt32> = []
    /// The links of all next hops: one that is dead comes back with its link, without a notification.
    private(set) var watchedLinks: Set<UInt32> = []
    /// True when the routes have to be read again from the beginning.
    private var isStale = true
    /// The families that have not been read to their end; empty: no reading is under way.
    private var unread: [RouteFamily] = []
    /// True when the first of ``unread`` has been asked for.
    private var isAsked = false
    private var found: Set<DefaultRouteMessage.NextHop> = []

    /// Subscribes, in the namespace that this thread is in. It takes no privilege.
    /// - Throws: ``LinuxError``, for example when the process has too many open files.
    init() throws(LinuxError) {
        let subscription = try RouteNetlink.subscribedToRoutes(receiveBuffer: Self.receiveBuffer)
        let asking = try RouteNetlink()
        self.subscription = subscription
        self.asking = asking
    }

    /// Readable when notifications have come; for ``takeEvents()``.
    var descriptor: Descriptor {
        _read { yield subscription.descriptor }
    }

    /// True when ``read()`` has something to do.
    var needsReading: Bool { isStale || !unread.isEmpty }

    /// Takes notifications that have come, up to a limit: there may be more.
    mutating func takeEvents() {
        var isAffected = false
        for _ in 0..<Self.notificationsPerTurn {
            do throws(LinuxError) {
                switch try subscription.receive(
                    using: &buffer,
                    { message, _ in
                        switch message {
                        case .defaultRoute, .defaultRouteDeleted: isAffected = true
                        default: break
                        }
                    })
                {
                case .received: break
                case .overflowed: isAffected = true
                case .empty:
                    isStale = isStale || isAffected
                    return
                }
            } catch {
                // A message that cannot be read may be of a default route.
                isAffected = true
            }
        }
        isStale = isStale || isAffected
    }

    /// Has the routes read again: the host's link or address that one may hang on has changed.
    mutating func setStale() { isStale = true }

    /// Reads a part of the routes.
    /// - Throws: ``LinuxError``; the next call begins anew.
    mutating func read() throws(LinuxError) -> Progress {
        if isStale {
            // The rest of an answer that is given up may be long: it goes with its socket.
            if isAsked { asking = try RouteNetlink() }
            isStale = false
            unread = RouteFamily.allCases
            isAsked = false
            found = []
        }
        do throws(LinuxError) {
            while let family = unread.first {
                guard try read(family) else { return .unfinished }
                unread.removeFirst()
                isAsked = false
            }
        } catch {
            isStale = true
            throw error
        }
        links = Set(found.filter { !$0.isDead }.map(\.link))
        watchedLinks = Set(found.map(\.link))
        return .done
    }

    /// Reads a part of the routes of one family.
    /// - Returns: true at their end.
    private mutating func read(_ family: RouteFamily) throws(LinuxError) -> Bool {
        let request = NetlinkRequest.routes(family)
        do throws(LinuxError) {
            if !isAsked { try asking.begin(request, using: &buffer) }
            isAsked = true
            var new: Set<DefaultRouteMessage.NextHop> = []
            let progress = try asking.read(request.name, atMost: Self.partsPerTurn, using: &buffer) { message in
                if case .defaultRoute(let route) = message { new.formUnion(route.nextHops) }
            }
            found.formUnion(new)
            // Other routes may have changed meanwhile (NLM_F_DUMP_INTR); of a default route there is a notification.
            return progress != .unfinished
        } catch  where Self.isWithoutTable(error) {
            return true
        }
    }

    /// True when a family has no routes at all, or the kernel does not have the family.
    private static func isWithoutTable(_ error: LinuxError) -> Bool {
        [.noSuchFileOrDirectory, .notSupported, .addressFamilyNotSupported].contains(error.errno)
    }
}
