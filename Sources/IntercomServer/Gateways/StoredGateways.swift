// Listeners of gateways that outlive the daemon: the service manager keeps their sockets, where questions wait for the next one.

import DNSWire
import LinuxNet
import Registry
import Systemd

/// The listeners of gateways that were kept over the daemon's end, until they are taken or let go of.
struct StoredGateways: ~Copyable {
    private static let prefix = "gateway."
    private static let radix = 36

    private var udp: [String: Handover<Descriptor>] = [:]
    private var tcp: [String: Handover<Descriptor>] = [:]
    /// All names that the service manager keeps something under.
    private var kept: Set<String> = []

    /// The name under which a listener is kept: `gateway.`, the interface and the address.
    static func name(of address: IPAddress, on interface: UInt32) -> String {
        "\(prefix)\(String(interface, radix: radix)).\(String(address.number, radix: radix))"
    }

    /// True for names that listeners of gateways are kept under.
    static func isName(_ text: String) -> Bool { text.hasPrefix(prefix) }

    /// Takes in one socket.
    mutating func add(_ named: consuming NamedDescriptor) {
        let name = named.name
        kept.insert(name)
        switch named.descriptor.transport {
        case .datagram?: udp[name] = Handover(named.takeDescriptor())
        case .stream?: tcp[name] = Handover(named.takeDescriptor())
        case nil: break
        }
    }

    /// The listener at an address of an interface, if it was kept whole and serves, perhaps after a repair.
    mutating func take(_ address: IPAddress, on interface: UInt32) -> ListenerSockets? {
        let name = Self.name(of: address, on: interface)
        guard let udp = udp.removeValue(forKey: name)?.take(), let tcp = tcp.removeValue(forKey: name)?.take(),
            let cookie = try? udp.networkNamespaceCookie()
        else { return nil }
        let expected = SocketAddress(address, port: 53)
        guard udp.boundInterface == interface, tcp.boundInterface == interface,
            (try? tcp.localAddress()) == expected
        else { return nil }
        let sockets = ListenerSockets(udp: udp, tcp: tcp, cookie: cookie)
        guard (try? sockets.repair()) != nil else { return nil }
        return sockets
    }

    /// Notes that a listener is to be kept.
    /// - Returns: false where it is already.
    mutating func keep(_ name: String) -> Bool { kept.insert(name).inserted }

    /// Notes that a listener is not to be kept any more.
    /// - Returns: false where it was not.
    mutating func letGo(of name: String) -> Bool { kept.remove(name) != nil }

    /// Closes those that nobody has taken, and lets go of all but those that are in use.
    /// - Returns: the names under which the others are still kept.
    mutating func closeAll(but used: Set<String>) -> Set<String> {
        udp = [:]
        tcp = [:]
        defer { kept.formIntersection(used) }
        return kept.subtracting(used)
    }
}
