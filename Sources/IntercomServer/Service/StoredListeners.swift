// Listeners that outlive the daemon: the service manager keeps their sockets, where queries wait for the next one.

import LinuxNet
import Logging
import Systemd
import Tables

/// The name under which a namespace's listener is kept: its inode. The sockets keep the namespace alive, so that the inode is
/// no other's as long as they are kept.
///
/// It is short: the names of all descriptors are handed down in one string of the environment (`LISTEN_FDNAMES`), which has at
/// most 128 KiB (MAX_ARG_STRLEN, execve(2)). 5 characters are room for 20,000.
struct StoredListenerName: Hashable, CustomStringConvertible {
    /// Number at which the kernel begins (PROC_DYNAMIC_FIRST, `fs/proc/generic.c`).
    private static let firstInode: UInt64 = 0xF000_0000
    private static let radix = 36

    let inode: UInt64

    init(inode: UInt64) {
        self.inode = inode
    }

    /// Reads what ``description`` says; nil for any other text.
    init?(_ text: String) {
        guard let number = UInt64(text, radix: Self.radix) else { return nil }
        self.init(inode: Self.firstInode &+ number)
        guard description == text else { return nil }
    }

    var description: String { String(inode &- Self.firstInode, radix: Self.radix) }
}

/// The listeners that were kept over the daemon's end, until they are taken or let go of.
struct StoredListeners: ~Copyable {
    /// The sockets that have come of a listener.
    struct Pair: ~Copyable {
        /// Both are of one namespace (SO_NETNS_COOKIE).
        let cookie: UInt64
        var udp: Descriptor?
        var tcp: Descriptor?
        /// Those at ::1, of a container whose questions to IPv6 addresses are led here.
        var v6UDP: Descriptor?
        var v6TCP: Descriptor?
    }

    /// The listener at ::1 that goes with the one that was taken last.
    private var v6: ListenerSockets?
    private var pairs = SlotTable<Pair>()
    /// By the inode of the namespace: it has one listener.
    private var tickets: [UInt64: Ticket] = [:]
    /// The inodes of the namespaces whose listeners nobody has taken yet. Each request to enter a namespace takes a copy.
    private(set) var inodes: Set<UInt64> = []
    /// All names that the service manager keeps something under.
    private var kept: Set<String> = []

    // MARK: - At the start

    /// Takes in one socket.
    mutating func add(_ named: consuming NamedDescriptor) {
        kept.insert(named.name)
        guard let name = StoredListenerName(named.name), let cookie = try? named.descriptor.networkNamespaceCookie()
        else { return }
        let ticket = tickets[name.inode] ?? pairs.insert(Pair(cookie: cookie))
        tickets[name.inode] = ticket
        inodes.insert(name.inode)
        guard let position = pairs.position(of: ticket), pairs[position].cookie == cookie else { return }
        switch (named.descriptor.transport, named.descriptor.isV6) {
        case (.datagram?, false): pairs[position].udp = named.takeDescriptor()
        case (.stream?, false): pairs[position].tcp = named.takeDescriptor()
        case (.datagram?, true): pairs[position].v6UDP = named.takeDescriptor()
        case (.stream?, true): pairs[position].v6TCP = named.takeDescriptor()
        case (nil, _): break
        }
    }

    /// The listener of a namespace that is open, if it was kept whole and serves, perhaps after a repair.
    mutating func take(_ identity: NamespaceIdentity) -> ListenerSockets? {
        inodes.remove(identity.inode)
        v6 = nil
        guard let ticket = tickets.removeValue(forKey: identity.inode), var pair = pairs.remove(ticket),
            let udp = pair.udp.take(), let tcp = pair.tcp.take()
        else { return nil }
        let sockets = ListenerSockets(udp: udp, tcp: tcp, cookie: pair.cookie)
        if let udp = pair.v6UDP.take(), let tcp = pair.v6TCP.take() {
            v6 = ListenerSockets(udp: udp, tcp: tcp, cookie: pair.cookie)
        }
        guard Self.serves(sockets, at: Containers.listenerAddress) else { return nil }
        return sockets
    }

    /// The listener at ::1 that was kept with the one that ``take(_:)`` gave last, if it serves.
    mutating func takeV6() -> ListenerSockets? {
        guard let sockets = v6.take(), Self.serves(sockets, at: SocketAddress(v6: 1, port: 0)) else { return nil }
        return sockets
    }

    /// Checks sockets that lay in the store, where root in their namespace may have destroyed them.
    private static func serves(_ sockets: borrowing ListenerSockets, at expected: SocketAddress) -> Bool {
        do throws(LinuxError) {
            let address = try sockets.tcp.localAddress()
            let isOurs = address.withPort(0) == expected.withPort(0)
            guard isOurs, address.port != 0 else { return false }
            _ = try sockets.repair()
            return true
        } catch {
            return false
        }
    }

    // MARK: - Afterwards

    /// True when the service manager keeps a listener under a name: for a container that is new here, since the last daemon.
    func isKept(_ name: StoredListenerName) -> Bool { kept.contains("\(name)") }

    /// Notes that a listener is to be kept.
    /// - Returns: false where it is already.
    mutating func keep(_ name: String) -> Bool { kept.insert(name).inserted }

    /// Notes that a listener is not to be kept any more.
    /// - Returns: false where it was not.
    mutating func letGo(of name: String) -> Bool { kept.remove(name) != nil }

    /// Closes those that nobody has taken, and lets go of all but those that are in use.
    /// - Returns: the names under which the others are still kept.
    mutating func closeAll(but used: Set<String>) -> Set<String> {
        pairs = SlotTable()
        tickets = [:]
        inodes = []
        defer { kept.formIntersection(used) }
        return kept.subtracting(used)
    }
}
