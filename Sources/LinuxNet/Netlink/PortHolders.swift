// Servers in a namespace that keep a listener of ours from its port, with the processes that have them.

internal import CLinux

/// A server's socket, and the process that has it.
package struct HeldPort: Hashable, Sendable {
    /// The port.
    package let port: UInt16
    /// True for TCP, false for UDP.
    package let isStream: Bool
    /// The first process that has the socket; nil: none was found.
    package let process: ListedProcess?
}

extension NamespaceEntry {
    /// Sockets whose processes are looked for: a container's root may have any number.
    private static let maximumHolders = 16

    /// Lists the servers in a namespace that have a port at an address, also by having it at all addresses.
    /// - Parameters:
    ///   - port: the port; nil: any, at that very address.
    ///   - address: the address of a listener, an IPv4 address.
    ///   - namespace: the namespace.
    /// - Throws: ``LinuxError`` when the namespace cannot be entered, or the kernel lists no sockets.
    package static func holders(
        ofPort port: UInt16?, at address: SocketAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> [HeldPort] {
        let identity = namespace.identity
        let sockets = try run(in: namespace) { () throws(LinuxError) in
            var found: [(Descriptor.Transport, DumpedSocket)] = []
            for transport in Descriptor.Transport.all {
                found += try servers(onPort: port, at: address, over: transport).map { (transport, $0) }
            }
            return found
        }.prefix(maximumHolders)
        let owners = ProcessTable.owners(of: Set(sockets.map { UInt64($0.1.inode) }), in: identity)
        return sockets.map { transport, socket in
            HeldPort(port: socket.port, isStream: transport == .stream, process: owners[UInt64(socket.inode)])
        }
    }

    /// Finds a process that has a port at an address of the namespace that this thread is in, or at all its addresses, over UDP
    /// or TCP; nil: nobody has it any more, or it cannot be seen.
    static func holder(ofPortAt address: SocketAddress) -> ListedProcess? {
        guard let identity = try? NetworkNamespace.current().identity else { return nil }
        let sockets = Descriptor.Transport.all.flatMap {
            (try? servers(onPort: address.port, at: address, over: $0)) ?? []
        }.prefix(maximumHolders)
        let owners = ProcessTable.owners(of: Set(sockets.map { UInt64($0.inode) }), in: identity)
        return sockets.lazy.compactMap { owners[UInt64($0.inode)] }.first
    }

    /// Sockets of the namespace that this thread is in.
    private static func servers(
        onPort port: UInt16?, at address: SocketAddress, over transport: Descriptor.Transport
    ) throws(LinuxError) -> [DumpedSocket] {
        let own = address.networkOctets
        guard let port else {
            return try SocketDump().sockets(.servers(over: transport, at: address), family: AF_INET)
                .filter { $0.address == own && !$0.isConnected }
        }
        // A socket at :: has the port of all IPv4 addresses as well, but for IPV6_V6ONLY.
        var found: [DumpedSocket] = []
        for family in [AF_INET, AF_INET6] {
            found += try SocketDump().sockets(.listeners(onPort: port, family, over: transport), family: family)
                .filter { $0.port == port && !$0.isConnected }
                .filter { $0.address == own || $0.address.allSatisfy { $0 == 0 } }
        }
        return found
    }
}
