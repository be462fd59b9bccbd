// The sockets that notify of the kernel's links and addresses, and the topology that they keep up.

import LinuxNet
import Registry
import SystemPackage
import Tables

/// Observes links and addresses of the host and of all namespaces that it is told of.
///
/// One socket covers them all (NETLINK_LISTEN_ALL_NSID): the kernel looks at each subscribed socket of the machine for each
/// notification, so one for each of 3,000 namespaces would cost any change of any link 0.9 ms. Where that is not to be had,
/// each namespace has one that is subscribed. A socket is a namespace's own, also one that only answers: answers are counted in that
/// namespace, as notifications are.
///
/// A container's root can harm its own namespace alone. No turn takes more than ``datagramsPerTurn``. When a buffer
/// has overflowed, links and addresses are read again and again, each namespace by itself, and notifications are
/// passed over until the buffer has been read to its end: a flood that keeps it full delays what others change by the
/// time between two readings. A namespace that cannot be read is tried again later, by itself; one that has very much
/// is read in parts, one a turn.
struct KernelWatch: ~Copyable {
    /// Datagrams that one turn takes from one socket.
    private static let datagramsPerTurn = 256
    /// One socket. (Not private: swiftc 6.3 breaks on the metadata of a private type in a table.)
    struct PlaceSocket: ~Copyable {
        var netlink: RouteNetlink
        /// Namespace whose links it shows; nil: those of all, each with its number.
        let place: Place?
        /// True from an overflow until the buffer has been read to its end. What it holds meanwhile is passed over: it is older
        /// than what was lost, and would be older than a dump.
        var hasOverflowed = false
    }

    private(set) var topology: KernelTopology
    /// True when one socket covers all namespaces.
    let coversAll: Bool
    private let receiveBuffer: Int32
    /// The host's namespace, and its number in itself: notifications about the host may carry it.
    private let host: NetworkNamespace
    private let hostNumber: NamespaceID
    /// Answers for the host.
    private var asking: RouteNetlink
    private var sockets = SlotTable<PlaceSocket>()
    private var hostSocket: Ticket?
    private var socketOfNamespace: [NamespaceID: Ticket] = [:]
    private var buffer = RouteNetlink.makeBuffer()
    /// Places that have to be read again.
    private var gaps = KernelGaps()
    /// Places that have been read in part.
    private var readings: [Place: KernelReading] = [:]

    private init(
        _ selection: InterfaceSelection, _ receiveBuffer: Int32, _ subscription: borrowing KernelSubscription,
        host: consuming NetworkNamespace, asking: consuming RouteNetlink
    ) {
        topology = KernelTopology(selection: selection)
        self.receiveBuffer = receiveBuffer
        coversAll = subscription.coversAll
        hostNumber = subscription.hostNumber
        self.host = host
        self.asking = asking
    }

    /// Observes the host; namespaces come by ``observe(_:cookie:name:path:by:)``.
    /// - Parameters:
    ///   - receiveBuffer: octets of notifications that may wait in a namespace's own socket.
    ///   - subscription: the opener's socket that covers the host, and perhaps all namespaces.
    ///   - epoll: tells by ``ControlToken/netlink(_:)`` when something has come.
    /// - Throws: ``LinuxError``, for example `notPermitted` without CAP_NET_ADMIN.
    static func start(
        selection: InterfaceSelection, receiveBuffer: Int32, subscription: consuming KernelSubscription,
        by epoll: borrowing Epoll
    ) throws(LinuxError) -> KernelWatch {
        var watch = KernelWatch(
            selection, receiveBuffer, subscription, host: try NetworkNamespace.current(), asking: try RouteNetlink())
        watch.hostSocket = try watch.add(
            PlaceSocket(netlink: subscription.takeNetlink(), place: watch.coversAll ? nil : .host), notifies: true,
            by: epoll)
        watch.gaps.add(.host)
        _ = watch.catchUp()
        return watch
    }

    // MARK: - Namespaces

    /// Octets that may wait in a namespace's socket, which has to be subscribed; nil: one socket covers all.
    var roomOfNamespace: Int32? { coversAll ? nil : receiveBuffer }

    /// Observes a namespace from now on; what there is in it is known then, unless it has a gap.
    /// - Parameter opened: its socket is subscribed as ``roomOfNamespace`` says.
    /// - Throws: ``LinuxError``; the namespace is not observed then.
    mutating func observe(
        _ opened: consuming OpenedNamespace, cookie: NamespaceCookie, name: String, path: String,
        by epoll: borrowing Epoll
    ) throws(LinuxError) -> NamespaceID {
        let id = opened.number
        let hostID = opened.hostNumber
        forget(id)
        let socket = PlaceSocket(netlink: opened.takeNetlink(), place: .namespace(id))
        socketOfNamespace[id] = try add(socket, notifies: !coversAll, by: epoll)
        topology.add(WatchedNamespace(id: id, hostID: hostID, cookie: cookie, name: name, path: path))
        do throws(LinuxError) {
            if try !read(.namespace(id)) { gaps.add(.namespace(id)) }
        } catch {
            // It is tried again by itself: who keeps its links changing is not known by them meanwhile.
            gaps.add(.namespace(id))
        }
        return id
    }

    /// The file of a namespace has another name.
    mutating func rename(_ id: NamespaceID, name: String, path: String) {
        topology.rename(id, name: name, path: path)
    }

    /// Observes a namespace no more.
    mutating func forget(_ id: NamespaceID) {
        topology.remove(id)
        gaps.remove(.namespace(id))
        readings[.namespace(id)] = nil
        if let ticket = socketOfNamespace.removeValue(forKey: id) { sockets.remove(ticket) }
    }

    /// Sets the links of the host that default routes lead out over.
    mutating func setOutlets(_ links: Set<UInt32>) { topology.outlets = links }

    /// True once when one of these links, or an address of it, has changed.
    mutating func takeOutletChange() -> Bool { topology.takeOutletChange() }

    /// Says anew which interfaces may be networks.
    mutating func select(_ selection: InterfaceSelection) { topology.select(selection) }

    private mutating func add(
        _ socket: consuming PlaceSocket, notifies: Bool, by epoll: borrowing Epoll
    ) throws(LinuxError) -> Ticket {
        let ticket = sockets.insert(socket)
        guard notifies, let position = sockets.position(of: ticket) else { return ticket }
        do throws(LinuxError) {
            try epoll.add(
                sockets[position].netlink.descriptor, token: ControlToken.netlink(ticket).word, interest: [.readable])
        } catch {
            sockets.remove(ticket)
            throw error
        }
        return ticket
    }

    // MARK: - Notifications

    /// Takes notifications that have come by one socket, up to ``datagramsPerTurn``: there may be more.
    /// - Throws: ``LinuxError`` for a message that cannot be read; it is made up for as an overflow is.
    mutating func takeEvents(_ ticket: Ticket) throws(LinuxError) {
        guard let position = sockets.position(of: ticket) else { return }
        // It is readable for the rest of a dump, too; notifications are among that.
        if let place = sockets[position].place, readings[place] != nil { return gaps.add(place) }
        defer { findHosts() }
        do throws(LinuxError) {
            for _ in 0..<Self.datagramsPerTurn {
                switch try receive(position) {
                case .received: break
                case .overflowed: noteOverflow(of: position)
                case .empty:
                    if sockets[position].hasOverflowed { addGaps(of: position) }
                    sockets[position].hasOverflowed = false
                    return
                }
            }
        } catch {
            noteOverflow(of: position)
            throw error
        }
    }

    private mutating func noteOverflow(of position: Int) {
        sockets[position].hasOverflowed = true
        addGaps(of: position)
    }

    /// All places that a socket covers have to be read again.
    private mutating func addGaps(of position: Int) {
        if let place = sockets[position].place { return gaps.add(place) }
        gaps.add(.host)
        for id in socketOfNamespace.keys { gaps.add(.namespace(id)) }
    }

    private mutating func receive(_ position: Int) throws(LinuxError) -> RouteNetlink.Reception {
        guard !sockets[position].hasOverflowed else {
            return try sockets[position].netlink.receive(using: &buffer) { _, _ in }
        }
        let place = sockets[position].place
        let hostNumber = hostNumber
        return try Self.receive(sockets[position].netlink, &topology, &buffer) { namespace in
            place ?? namespace.flatMap { $0 == hostNumber ? nil : .namespace($0) } ?? .host
        }
    }

    private static func receive(
        _ netlink: borrowing RouteNetlink, _ topology: inout KernelTopology, _ buffer: inout [UInt8],
        _ place: (NamespaceID?) -> Place
    ) throws(LinuxError) -> RouteNetlink.Reception {
        try netlink.receive(using: &buffer) { message, namespace in topology.take(message, from: place(namespace)) }
    }

    /// The differences since the last call.
    mutating func takeChanges() -> [KernelChange] { topology.takeChanges() }

    /// Containers whose links or addresses changed without a difference.
    mutating func takeTouched() -> [NamespaceCookie] { topology.takeTouched() }

    // MARK: - Questions

    /// Asks the kernel one question about a place that is observed; for who explains, now and then.
    /// - Returns: the last message of its answer; nil where there is none, or the place is just being read.
    mutating func ask(_ question: NetlinkRequest, in place: Place) -> RouteMessage? {
        guard readings[place] == nil else { return nil }
        var answer: RouteMessage?
        switch place {
        case .host: _ = try? asking.ask(question, using: &buffer) { answer = $0 }
        case .namespace(let id):
            guard let ticket = socketOfNamespace[id], let position = sockets.position(of: ticket) else { return nil }
            let isSubscribed = !coversAll
            _ = try? sockets[position].netlink.ask(question, using: &buffer) { message in
                // Notifications that come meanwhile are among it, where the socket is subscribed.
                if isSubscribed { topology.take(message, from: place) }
                answer = message
            }
        }
        return answer
    }

    // MARK: - Dumps

    /// Time at which ``catchUp()`` has something to do; nil: nothing is missing.
    var catchUpIsDue: ContinuousClock.Instant? { gaps.nextDue }

    /// Reads again the places that have to be and that are due, for a slice of time.
    /// - Returns: which of them could not be read, and why; each is tried again later.
    mutating func catchUp() -> [(place: Place, error: LinuxError)] {
        let start = ContinuousClock.now
        var failures: [(Place, LinuxError)] = []
        for place in gaps.due(at: start) {
            if start.duration(to: .now) > KernelGaps.slice { return failures }
            do throws(LinuxError) {
                if try read(place) { gaps.remove(place) } else { gaps.yield(place, from: .now) }
            } catch {
                gaps.postpone(place, from: .now)
                failures.append((place, error))
            }
        }
        lookAgain()
        return failures
    }

    /// All that was due has been read. While a buffer stays full, only dumps show what changes.
    private mutating func lookAgain() {
        for ticket in subscribedSockets {
            guard let position = sockets.position(of: ticket), sockets[position].hasOverflowed else { continue }
            addGaps(of: position)
        }
    }

    /// The sockets that are subscribed.
    private var subscribedSockets: [Ticket] {
        [hostSocket].compactMap(\.self) + (coversAll ? [] : Array(socketOfNamespace.values))
    }

    /// Reads links and addresses of a place: the host's whole, those of a container in parts.
    /// - Returns: true when all was read.
    private mutating func read(_ place: Place) throws(LinuxError) -> Bool {
        var reading = readings.removeValue(forKey: place) ?? KernelReading(of: place)
        let isWhole: Bool
        switch place {
        case .host: isWhole = try reading.goOn(by: &asking, into: &topology, using: &buffer)
        case .namespace(let id):
            guard let ticket = socketOfNamespace[id], let position = sockets.position(of: ticket) else { return true }
            isWhole = try reading.goOn(by: &sockets[position].netlink, into: &topology, using: &buffer)
        }
        if !isWhole { readings[place] = reading }
        findHosts()
        return isWhole
    }

    /// Asks which number the host has in namespaces with a link that hangs on another namespace's: the kernel gives it one
    /// when it shows such a link.
    private mutating func findHosts() {
        for id in topology.takeNamespacesWithoutHost() {
            // An answer that is being read is not disturbed; its end shows the links once more.
            guard readings[.namespace(id)] == nil, let ticket = socketOfNamespace[id],
                let position = sockets.position(of: ticket),
                let hostID = try? sockets[position].netlink.knownNumber(of: host, using: &buffer)
            else { continue }
            topology.setHost(hostID, in: id)
        }
    }
}
