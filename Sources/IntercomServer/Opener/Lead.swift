// Questions of a container that are led to its listener, or refused: the addresses, and the rules that follow.

import DNSWire
import LinuxNet
import Registry

/// Servers whose questions rules lead to a listener, in one namespace, and whether those to all others are refused.
struct Lead: Sendable, Equatable {
    /// Port of the listener at 127.0.0.11.
    var port: UInt16
    /// Port of the listener at ::1; nil: there is none.
    var v6Port: UInt16?
    /// Addresses that programs ask at port 53; 127.0.0.11 is the first. None: no question is led anywhere.
    private(set) var addresses: [IPAddress]
    /// True where port 53 and 853 of all other servers are refused.
    var isLocked: Bool

    /// - Parameters:
    ///   - port: that of the listener at 127.0.0.11.
    ///   - v6Port: that of the listener at ::1.
    ///   - others: addresses beside 127.0.0.11; those on which a program of the container's own answers are left out, and
    ///     link-local ones.
    ///   - isLocked: see ``isLocked``.
    init(to port: UInt16, v6Port: UInt16? = nil, from others: [IPAddress] = [], isLocked: Bool = false) {
        self.port = port
        self.v6Port = v6Port
        self.isLocked = isLocked
        addresses = [.v4(.intercom)]
        for address in others
        where address.isOneHost && !address.isOwnServer && !address.isLinkLocal && !addresses.contains(address) {
            addresses.append(address)
        }
    }

    /// Leads nothing.
    private init(isLocked: Bool) {
        port = Self.dnsPort
        addresses = []
        self.isLocked = isLocked
    }

    /// Refuses questions to other servers, and leads none: a listener at port 53 needs no rules.
    static let lock = Lead(isLocked: true)

    /// The rules, for a writer in the namespace.
    var rules: PortRedirection {
        PortRedirection(
            leading: addresses.map { SocketAddress($0, port: Self.dnsPort) }, to: listener, v6Port: v6Port,
            exceptMark: SocketMark.ownQuestion, isLocked: isLocked)
    }

    private static let dnsPort: UInt16 = 53

    private var listener: SocketAddress { Containers.listenerAddress.withPort(port) }

    /// Sets the rules in a namespace, without addresses of its own.
    /// - Throws: ``LinuxError``, as ``PortRedirection/set(in:leading:to:v6Port:exceptMark:isLocked:)``.
    func set(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> SetLead {
        var made = try PortRedirection.set(
            in: namespace, leading: addresses.map { SocketAddress($0, port: Self.dnsPort) }, to: listener,
            v6Port: v6Port, exceptMark: SocketMark.ownQuestion, isLocked: isLocked)
        var led = self
        let v6Listener = made.v6Listener.take()
        switch v6Listener {
        case .some(let listener): led.v6Port = try listener.udp.localAddress().port
        case .none: break
        }
        let leads = Set(made.redirection.translations.map(\.address))
        led.addresses = addresses.filter { leads.contains(SocketAddress($0, port: Self.dnsPort)) }
        return SetLead(led, monitor: made.takeMonitor(), v6Listener: v6Listener)
    }
}

/// Rules that were set.
struct SetLead: ~Copyable, Sendable {
    /// Addresses and ports that are in force.
    let lead: Lead
    /// Tells when somebody changes the rules.
    let monitor: NftablesMonitor
    /// A listener at ::1 that was made for them.
    var v6Listener: ListenerSockets?

    init(_ lead: Lead, monitor: consuming NftablesMonitor, v6Listener: consuming ListenerSockets?) {
        self.lead = lead
        self.monitor = monitor
        self.v6Listener = v6Listener
    }

    /// Gives up all but the monitor.
    consuming func takeMonitor() -> NftablesMonitor { monitor }
}

extension IPAddress {
    /// True for fe80::/10 (RFC 4291 §2.5.6): a question to such an address has a source of that scope, which no answer of a
    /// listener at ::1 reaches.
    fileprivate var isLinkLocal: Bool {
        switch self {
        case .v4: false
        case .v6(let address): address.bits >> 118 == 0x3FA
        }
    }

    /// The address without its port.
    init(_ address: SocketAddress) {
        let bits = address.number
        self =
            bits >> 32 == 0xFFFF
            ? .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: bits))) : .v6(IPv6Address(bits: bits))
    }
}

extension SocketAddress {
    init(_ address: IPAddress, port: UInt16) {
        switch address {
        case .v4(let address): self.init(v4: address.bits, port: port)
        case .v6(let address): self.init(v6: address.bits, port: port)
        }
    }
}
