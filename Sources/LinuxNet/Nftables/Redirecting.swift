// Rules that lead questions to a listener, set in its namespace: for addresses that are not the namespace's own.

internal import CLinux
internal import SystemPackage

/// Rules that are in force in a namespace, and the descriptors that came of setting them.
package struct SetRedirection: ~Copyable, Sendable {
    /// The rules in force.
    package let redirection: PortRedirection
    /// Tells when somebody changes them, and writes them anew.
    package let monitor: NftablesMonitor
    /// A listener at ::1, made because the rules lead IPv6 addresses and there was none.
    package var v6Listener: ListenerSockets?

    /// Takes over what came of setting rules.
    package init(
        _ redirection: PortRedirection, monitor: consuming NftablesMonitor, v6Listener: consuming ListenerSockets?
    ) {
        self.redirection = redirection
        self.monitor = monitor
        self.v6Listener = v6Listener
    }

    /// Gives up all but the monitor.
    package consuming func takeMonitor() -> NftablesMonitor { monitor }
}

extension PortRedirection {
    /// Sets rules that lead questions to a listener in a namespace, in place of all that its tables of this name held.
    ///
    /// An address that the namespace itself has is left out: who serves DNS there is a program of its own. Without IPv6 in the
    /// namespace all IPv6 addresses are.
    /// - Parameters:
    ///   - namespace: where the listener is.
    ///   - addresses: those that programs ask, with their port.
    ///   - listener: address and port of the listener.
    ///   - v6Port: the port of its listener at ::1; nil: one is made if an IPv6 address is led.
    ///   - exceptMark: packets with this mark keep their destination.
    ///   - isLocked: true: DNS of other servers is refused.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noNftables`` when there can be no rules.
    package static func set(
        in namespace: borrowing NetworkNamespace, leading addresses: [SocketAddress], to listener: SocketAddress,
        v6Port: UInt16?, exceptMark: UInt32, isLocked: Bool
    ) throws(LinuxError) -> SetRedirection {
        try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
            var others = addresses.filter { !UDPSocket.isLocal($0) || $0.withPort(0) == listener.withPort(0) }
            var v6Listener: ListenerSockets?
            var v6Port = v6Port
            if v6Port == nil, others.contains(where: { $0.family == AF_INET6 }) {
                v6Listener = try? NamespaceEntry.makeListener(at: .v6Loopback)
                v6Port = try? v6Listener?.udp.localAddress().port
            }
            if v6Port == nil { others.removeAll { $0.family == AF_INET6 } }
            let redirection = PortRedirection(
                leading: others, to: listener, v6Port: v6Port, exceptMark: exceptMark, isLocked: isLocked)
            // Subscribed first: no change after this is missed.
            let monitor = try NftablesMonitor()
            try redirection.write(by: monitor.writer)
            return SetRedirection(redirection, monitor: monitor, v6Listener: v6Listener)
        }
    }

    /// Rules that lead questions to other addresses to a listener, over UDP and TCP.
    /// - Parameters:
    ///   - addresses: those that programs ask, with their port.
    ///   - listener: address and port of the listener.
    ///   - v6Port: the port of its listener at ::1; nil: IPv6 addresses are left out.
    ///   - exceptMark: packets with this mark keep their destination.
    ///   - isLocked: true: DNS of other servers is refused.
    package init(
        leading addresses: [SocketAddress], to listener: SocketAddress, v6Port: UInt16?, exceptMark: UInt32,
        isLocked: Bool
    ) {
        let targets = [listener] + (v6Port.map { [.v6Loopback.withPort($0)] } ?? [])
        self.init(
            addresses.flatMap { address in
                PortTranslation.Transport.allCases.flatMap { transport in
                    targets.compactMap { PortTranslation(of: address, transport, to: $0, exceptMark: exceptMark) }
                }
            }, isLocked: isLocked)
    }
}

extension SocketAddress {
    /// ::1 with any port (RFC 4291 §2.5.3).
    fileprivate static var v6Loopback: SocketAddress { SocketAddress(v6: 1, port: 0) }
}

extension UDPSocket {
    /// True when an address is one of the namespace that this thread is in. It sends nothing.
    static func isLocal(_ address: SocketAddress) -> Bool {
        guard canBind(address) else { return false }
        // With net.ipv4.ip_nonlocal_bind every address can be bound, those for documentation as well (RFC 5737, RFC 3849).
        let nobodys =
            address.family == AF_INET6
            ? SocketAddress(v6: 0x2001_0DB8 << 96 | 1, port: 0) : SocketAddress(v4: 0xC000_0201, port: 0)
        guard address.withPort(0) != nobodys, canBind(nobodys) else { return true }
        // Programs are answered by their own address from that very address, unless it is a secondary one.
        return (try? connected(to: address).localAddress().withPort(0)) == address.withPort(0)
    }

    private static func canBind(_ address: SocketAddress) -> Bool {
        do throws(LinuxError) {
            _ = try bound(to: address.withPort(0)).rawValue
            return true
        } catch {
            return false
        }
    }
}
