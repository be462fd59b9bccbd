// The sockets by which the kernel is heard, and the topology that they keep up.

import LinuxNet
import Registry
import SystemPackage

/// Hears links and addresses of the host and of all namespaces that it listens to.
///
/// One socket hears them all (NETLINK_LISTEN_ALL_NSID); where that is not to be had, each namespace has one that hears. A
/// socket is a namespace's own, also one that only asks: what it answers is counted in that namespace, as what is told is.
struct KernelWatch: ~Copyable {
    /// One socket. (Not private: swiftc 6.3 breaks on the metadata of a private type in a table.)
    struct Ear: ~Copyable {
        var netlink: RouteNetlink
        /// Whose links it answers for, and tells of; nil: it tells of all, and says of which.
        let place: Place?
    }

    private(set) var topology: KernelTopology
    /// Whether one socket hears all namespaces.
    let hearsAll: Bool
    private let receiveBuffer: Int32
    /// The host's number in itself: what is told of the host may carry it.
    private let hostNumber: NamespaceID
    /// Answers for the host.
    private var asking: RouteNetlink
    private var ears = SlotTable<Ear>()
    private var earOfNamespace: [NamespaceID: Ticket] = [:]
    private var buffer = RouteNetlink.makeBuffer()
    /// Something was lost: only ``catchUp()`` shows what is.
    private(set) var hasGap = false

    private init(
        _ selection: InterfaceSelection, _ receiveBuffer: Int32, _ ear: borrowing KernelEar,
        asking: consuming RouteNetlink
    ) {
        topology = KernelTopology(selection: selection)
        self.receiveBuffer = receiveBuffer
        hearsAll = ear.hearsAll
        hostNumber = ear.hostNumber
        self.asking = asking
    }

    /// Hears the host; namespaces come by ``listen(to:cookie:name:path:by:)``.
    /// - Parameters:
    ///   - receiveBuffer: octets of notifications that may wait in a namespace's own socket.
    ///   - ear: the opener's socket that observes the host, and perhaps all namespaces.
    ///   - epoll: tells by ``ControlToken/netlink(_:)`` when something has come.
    /// - Throws: ``LinuxError``, for example `notPermitted` without CAP_NET_ADMIN.
    static func start(
        selection: InterfaceSelection, receiveBuffer: Int32, ear: consuming KernelEar, by epoll: borrowing Epoll
    ) throws(LinuxError) -> KernelWatch {
        var watch = KernelWatch(selection, receiveBuffer, ear, asking: try RouteNetlink())
        _ = try watch.add(
            Ear(netlink: ear.takeNetlink(), place: watch.hearsAll ? nil : .host), hears: true, by: epoll)
        try dump(.host, &watch.asking, &watch.topology, &watch.buffer)
        return watch
    }

    // MARK: - Namespaces

    /// Octets that may wait in a namespace's socket, which has to hear; nil: one socket hears for all.
    var roomOfNamespace: Int32? { hearsAll ? nil : receiveBuffer }

    /// Listens to a namespace from now on; what there is in it is known then.
    /// - Parameter opened: its socket hears as ``roomOfNamespace`` says.
    /// - Throws: ``LinuxError``; nothing is listened to then.
    mutating func listen(
        to opened: consuming OpenedNamespace, cookie: NamespaceCookie, name: String, path: String,
        by epoll: borrowing Epoll
    ) throws(LinuxError) -> NamespaceID {
        let id = opened.number
        let hostID = opened.hostNumber
        forget(id)
        let ear = Ear(netlink: opened.takeNetlink(), place: .namespace(id))
        let ticket = try add(ear, hears: !hearsAll, by: epoll)
        earOfNamespace[id] = ticket
        topology.add(HeardNamespace(id: id, hostID: hostID, cookie: cookie, name: name, path: path))
        do throws(LinuxError) {
            try dump(ticket)
        } catch {
            forget(id)
            throw error
        }
        return id
    }

    /// The file of a namespace has another name.
    mutating func rename(_ id: NamespaceID, name: String, path: String) {
        topology.rename(id, name: name, path: path)
    }

    /// Says whether a container is told at any change of its links and addresses, also one that makes no difference.
    mutating func tell(_ id: NamespaceID, always: Bool) {
        topology.tell(id, always: always)
    }

    /// Listens no more.
    mutating func forget(_ id: NamespaceID) {
        topology.remove(id)
        if let ticket = earOfNamespace.removeValue(forKey: id) { ears.remove(ticket) }
    }

    /// Says anew which interfaces may be networks.
    mutating func select(_ selection: InterfaceSelection) { topology.select(selection) }

    private mutating func add(
        _ ear: consuming Ear, hears: Bool, by epoll: borrowing Epoll
    ) throws(LinuxError) -> Ticket {
        let ticket = ears.insert(ear)
        guard hears, let position = ears.position(of: ticket) else { return ticket }
        do throws(LinuxError) {
            try epoll.add(
                ears[position].netlink.descriptor, token: ControlToken.netlink(ticket).word, interest: [.readable])
        } catch {
            ears.remove(ticket)
            throw error
        }
        return ticket
    }

    // MARK: - What is told

    /// Takes what has come by one socket.
    /// - Throws: ``LinuxError``; ``hasGap`` then.
    mutating func takeEvents(_ ticket: Ticket) throws(LinuxError) {
        guard let position = ears.position(of: ticket) else { return }
        do throws(LinuxError) {
            while true {
                let reception = try Self.receive(
                    ears[position].netlink, ears[position].place, hostNumber, &topology, &buffer)
                if reception == .empty { return }
                if reception == .overflowed { hasGap = true }
            }
        } catch {
            hasGap = true
            throw error
        }
    }

    private static func receive(
        _ netlink: borrowing RouteNetlink, _ place: Place?, _ hostNumber: NamespaceID, _ topology: inout KernelTopology,
        _ buffer: inout [UInt8]
    ) throws(LinuxError) -> RouteNetlink.Reception {
        try netlink.receive(using: &buffer) { message, namespace in
            topology.take(
                message, from: place ?? namespace.flatMap { $0 == hostNumber ? nil : .namespace($0) } ?? .host)
        }
    }

    /// What is different since the last call.
    mutating func takeChanges() -> [KernelChange] { topology.takeChanges() }

    // MARK: - Dumps

    /// Asks for everything again, after something was lost.
    /// - Throws: ``LinuxError``; ``hasGap`` still then.
    mutating func catchUp() throws(LinuxError) {
        hasGap = true
        try Self.dump(.host, &asking, &topology, &buffer)
        for ticket in Array(earOfNamespace.values) { try dump(ticket) }
        hasGap = false
    }

    private mutating func dump(_ ticket: Ticket) throws(LinuxError) {
        guard let position = ears.position(of: ticket), let place = ears[position].place else { return }
        try Self.dump(place, &ears[position].netlink, &topology, &buffer)
    }

    /// Asks for all links and addresses of a place.
    private static func dump(
        _ place: Place, _ netlink: inout RouteNetlink, _ topology: inout KernelTopology, _ buffer: inout [UInt8]
    ) throws(LinuxError) {
        topology.beginDump(of: place)
        for question in [NetlinkRequest.links(), .addresses()] {
            var attempts = 0
            while try !netlink.ask(question, using: &buffer, { topology.take($0, from: place) }) {
                attempts += 1
                guard attempts < 100 else {
                    throw LinuxError(call: "rtnetlink", errno: .resourceTemporarilyUnavailable, subject: "\(place)")
                }
            }
        }
        topology.endDump(of: place)
    }
}
