// Addresses at which a TCP port is open in a namespace: sock_diag(7), `linux/inet_diag.h`.

internal import CLinux

extension NamespaceEntry {
    /// The most addresses that are given: a container's root may listen at any number.
    private static let maximumAddresses = 16

    /// Lists the addresses at which programs inside a namespace listen on a TCP port, `0.0.0.0` and `::` for all: the kernel is
    /// asked, no connection is made.
    /// - Throws: ``LinuxError`` when the namespace cannot be entered, or the kernel lists no sockets.
    package static func addresses(
        listeningOn port: UInt16, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> [LinkAddress] {
        try run(in: namespace) { () throws(LinuxError) in
            var addresses: [LinkAddress] = []
            for family in [AF_INET, AF_INET6] {
                let sockets = try SocketDump().sockets(.listeners(onPort: port, family), family: family)
                for socket in sockets where socket.port == port && addresses.count < maximumAddresses {
                    let address = LinkAddress(networkOctets: socket.address)
                    if !addresses.contains(address) { addresses.append(address) }
                }
            }
            return addresses
        }
    }
}

extension LinkAddress {
    /// - Parameter octets: 4 or 16, in network order.
    fileprivate init(networkOctets octets: [UInt8]) {
        let bits = octets.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        self = octets.count == 4 ? .v4(UInt32(truncatingIfNeeded: bits)) : .v6(bits)
    }
}

extension NetlinkRequest {
    /// All sockets of a family that serve a port, at whichever address: of TCP those that listen, of UDP those that are not
    /// connected.
    static func listeners(
        onPort port: UInt16, _ family: Int32, over transport: Descriptor.Transport = .stream
    ) -> NetlinkRequest {
        var request = NetlinkRequest("SOCK_DIAG_BY_FAMILY", SOCK_DIAG_BY_FAMILY, flags: .dump, isAcknowledged: false)
        // struct inet_diag_req_v2: family, protocol, no extension, padding, states as bits, no particular socket.
        request.append(
            fixed: [UInt8(family), UInt8(transport.protocolNumber), 0, 0]
                + octets(of: 1 << UInt32(transport.servingState))
                + [UInt8](repeating: 0, count: MemoryLayout<inet_diag_sockid>.size))
        // struct inet_diag_bc_op and struct inet_diag_hostcond: the source is at any address (a prefix of no bits, of no
        // family), and this port. The steps are those of ``servers(over:at:)``.
        let length = UInt8(MemoryLayout<inet_diag_bc_op>.size + MemoryLayout<inet_diag_hostcond>.size)
        request.append(
            attribute: INET_DIAG_REQ_BYTECODE,
            octets: [UInt8(INET_DIAG_BC_S_COND), length, length + 4, 0] + [UInt8(AF_UNSPEC), 0, 0, 0]
                + octets(of: UInt32(port)))
        return request
    }
}
