// Listeners that outlive the daemon: the service manager keeps their sockets, where queries wait for the next one.

import LinuxNet
import Logging
import Systemd

/// The name under which a namespace's listener is kept. The sockets keep the namespace alive, so that its inode is no
/// other's as long as they are kept; the cookie proves that they are its own.
struct StoredListenerName: Hashable, CustomStringConvertible {
    let inode: UInt64
    let cookie: UInt64

    init(inode: UInt64, cookie: UInt64) {
        self.inode = inode
        self.cookie = cookie
    }

    /// Reads `netns-4026532201-17`; nil for any other text.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "netns", let inode = UInt64(parts[1]), let cookie = UInt64(parts[2]),
            "netns-\(inode)-\(cookie)" == text
        else { return nil }
        self.init(inode: inode, cookie: cookie)
    }

    var description: String { "netns-\(inode)-\(cookie)" }
}

/// The listeners that were kept over the daemon's end, until they are taken or let go of.
struct StoredListeners: ~Copyable {
    /// The sockets that have come of a listener.
    struct Pair: ~Copyable {
        let name: StoredListenerName
        var udp: Descriptor?
        var tcp: Descriptor?
    }

    private var pairs = SlotTable<Pair>()
    /// By the inode of the namespace: it has one listener.
    private var tickets: [UInt64: Ticket] = [:]
    /// Kept, and of no use.
    private var useless: Set<String> = []
    /// Kept, and in use.
    private var used: Set<String> = []

    // MARK: - At the start

    /// Takes in one socket.
    mutating func add(_ named: consuming NamedDescriptor) {
        let text = named.name
        guard let name = StoredListenerName(text),
            (try? named.descriptor.networkNamespaceCookie()) == name.cookie,
            let ticket = tickets[name.inode] ?? insert(name), let position = pairs.position(of: ticket),
            pairs[position].name == name
        else {
            useless.insert(text)
            return
        }
        switch named.descriptor.transport {
        case .datagram?: pairs[position].udp = named.takeDescriptor()
        case .stream?: pairs[position].tcp = named.takeDescriptor()
        case nil: useless.insert(text)
        }
    }

    private mutating func insert(_ name: StoredListenerName) -> Ticket? {
        let ticket = pairs.insert(Pair(name: name))
        tickets[name.inode] = ticket
        return ticket
    }

    /// The listener of a namespace that is open, if it was kept and is bound to this address.
    mutating func take(_ identity: NamespaceIdentity, boundTo address: SocketAddress) -> ListenerSockets? {
        guard let ticket = tickets.removeValue(forKey: identity.inode), var pair = pairs.remove(ticket) else {
            return nil
        }
        guard let udp = pair.udp.take(), let tcp = pair.tcp.take(), (try? udp.localAddress()) == address,
            (try? tcp.localAddress()) == address
        else {
            useless.insert("\(pair.name)")
            return nil
        }
        used.insert("\(pair.name)")
        return ListenerSockets(udp: udp, tcp: tcp, cookie: pair.name.cookie)
    }

    // MARK: - Afterwards

    /// Notes that a listener is to be kept.
    /// - Returns: false where it is already.
    mutating func use(_ name: String) -> Bool { used.insert(name).inserted }

    /// Notes that a listener is not to be kept any more.
    /// - Returns: false where it was not.
    mutating func disuse(_ name: String) -> Bool { used.remove(name) != nil }

    /// Closes those that nobody has taken.
    /// - Returns: the names under which they are still kept.
    mutating func closeAll() -> Set<String> {
        for position in 0..<pairs.count { useless.insert("\(pairs[position].name)") }
        pairs = SlotTable()
        tickets = [:]
        defer { useless = [] }
        return useless
    }
}

extension ControlPlane {
    /// Has the service manager keep the listener of a container that has been attached; without one it lives as long as we.
    func store(_ sockets: borrowing ListenerSockets, as name: StoredListenerName) {
        guard ServiceManager.isListening, storedListeners.use("\(name)") else { return }
        do throws(SystemdError) {
            try ServiceManager.store(sockets, as: "\(name)")
        } catch {
            logger.warning("\(name) is not kept over a restart: \(error)", metadata: .about(limitedAs: "store"))
        }
    }

    /// Has the service manager let go of a listener, so that its namespace can end.
    func forgetStored(_ name: StoredListenerName) {
        if storedListeners.disuse("\(name)") { forget("\(name)") }
    }

    private func forget(_ name: String) {
        do throws(SystemdError) {
            try ServiceManager.forget(name)
        } catch {
            logger.warning("\(name) may be kept for ever: \(error)", metadata: .about(limitedAs: "store"))
        }
    }

    /// Lets go of listeners whose containers have ended while nobody watched.
    func closeUnclaimedListeners() {
        for name in storedListeners.closeAll() { forget(name) }
    }
}
