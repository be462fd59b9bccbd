// Servers in a namespace that are bound to one address: sock_diag(7), `linux/inet_diag.h`.

internal import CLinux
internal import SystemPackage

/// Ports at which servers in a namespace are bound to one IPv4 address; the oldest socket first.
package struct BoundPorts: Hashable, Sendable {
    /// UDP ports of sockets that are not connected.
    package var datagram: [UInt16]
    /// TCP ports of sockets that listen.
    package var stream: [UInt16]

    package init(datagram: [UInt16] = [], stream: [UInt16] = []) {
        self.datagram = datagram
        self.stream = stream
    }
}

extension NamespaceEntry {
    /// Lists the servers that are bound to an IPv4 address inside a namespace: the kernel is asked, no socket is touched.
    /// - Throws: ``LinuxError`` when the namespace cannot be entered, or the kernel lists no sockets.
    package static func boundPorts(
        at address: SocketAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> BoundPorts {
        try run(in: namespace) { () throws(LinuxError) in
            // A socket each: what is left of one dump is in no other's way.
            BoundPorts(
                datagram: try SocketDump().ports(.servers(over: .datagram, at: address), at: address),
                stream: try SocketDump().ports(.servers(over: .stream, at: address), at: address))
        }
    }
}

extension Descriptor.Transport {
    /// Both.
    static let all: [Self] = [.datagram, .stream]

    /// Number of the protocol (`linux/in.h`).
    var protocolNumber: Int { self == .stream ? IPPROTO_TCP : IPPROTO_UDP }

    /// State of a server's socket (`net/tcp_states.h`, which holds for UDP as well): one that is not connected is closed.
    var servingState: Int { self == .stream ? TCP_LISTEN : TCP_CLOSE }
}

extension NetlinkRequest {
    /// All sockets that are bound to an IPv4 address and serve: of UDP those that are not connected, of TCP those that
    /// listen. The kernel passes over sockets at other addresses.
    static func servers(over transport: Descriptor.Transport, at address: SocketAddress) -> NetlinkRequest {
        var request = NetlinkRequest("SOCK_DIAG_BY_FAMILY", SOCK_DIAG_BY_FAMILY, flags: .dump, isAcknowledged: false)
        // struct inet_diag_req_v2: family, protocol, no extension, padding, states as bits, no particular socket.
        request.append(
            fixed: [UInt8(AF_INET), UInt8(transport.protocolNumber), 0, 0]
                + octets(of: 1 << UInt32(transport.servingState))
                + [UInt8](repeating: 0, count: MemoryLayout<inet_diag_sockid>.size))
        request.append(attribute: INET_DIAG_REQ_BYTECODE, octets: condition(address.networkOctets))
        return request
    }

    /// The kernel's program for "the source address is this one, at any port": struct inet_diag_bc_op with the steps that
    /// follow where that is so and where it is not, then struct inet_diag_hostcond.
    private static func condition(_ address: [UInt8]) -> [UInt8] {
        let length = MemoryLayout<inet_diag_bc_op>.size + MemoryLayout<inet_diag_hostcond>.size + address.count
        // A step to the program's end takes the socket, one of four octets further leaves it out.
        let operation = [UInt8(INET_DIAG_BC_S_COND), UInt8(length), UInt8(length + 4), 0]
        // Port -1 is any.
        return operation + [UInt8(AF_INET), UInt8(8 * address.count), 0, 0] + octets(of: .max) + address
    }
}

/// One socket of a dump: the part of `struct inet_diag_msg` that is looked at.
struct DumpedSocket: Hashable {
    /// Its own address, in network order.
    let address: [UInt8]
    /// Its own port.
    let port: UInt16
    /// True when it has a peer.
    let isConnected: Bool
    /// Number of its inode: a later socket has a higher one.
    let inode: UInt32

    /// Reads a message of the kernel's; nil where it is about another family.
    init?(_ message: borrowing NetlinkMessage, family: Int32) throws(NetlinkError) {
        let payload = message.payload
        // Family, state, timer, retransmissions; struct inet_diag_sockid; expiry, queues, user, inode.
        let identity = 4
        let inode = identity + MemoryLayout<inet_diag_sockid>.size + 16
        guard payload.count >= inode + 4 else { throw .truncatedPayload(message.type, octets: payload.count) }
        guard Int32(payload[0]) == family else { return nil }
        port = UInt16(payload[identity]) << 8 | UInt16(payload[identity + 1])
        isConnected = payload[identity + 2] != 0 || payload[identity + 3] != 0
        let length = family == AF_INET ? 4 : 16
        address = (identity + 4..<identity + 4 + length).map { payload[$0] }
        self.inode = payload.hostWord32(inode)
    }
}

/// Asks the kernel for the sockets of the namespace that this thread is in.
struct SocketDump: ~Copyable {
    /// Datagrams of a reply that are read: a container's root may have any number of sockets at the address, and the one that
    /// is looked for was there before them. Each brings some two hundred sockets.
    private static let maximumDatagrams = 64
    /// Ports that are given back.
    static let maximumPorts = 16

    private let descriptor: Descriptor

    init() throws(LinuxError) {
        let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let made = Descriptor(
            adopting: try system("socket", "sock_diag") { socket(AF_NETLINK, type, NETLINK_SOCK_DIAG) })
        try system("connect", "sock_diag") { clinux_connect_netlink(made.rawValue) }
        descriptor = made
    }

    /// Asks, and gives the ports of the sockets at an address, the oldest first.
    func ports(_ request: NetlinkRequest, at address: SocketAddress) throws(LinuxError) -> [UInt16] {
        Self.ports(of: try sockets(request, family: AF_INET), at: address)
    }

    /// Asks, and gives the sockets of a family.
    func sockets(_ request: NetlinkRequest, family: Int32) throws(LinuxError) -> [DumpedSocket] {
        guard try descriptor.send(request.bytes.span, flags: .doNotWait) != nil else {
            throw LinuxError(call: request.name, errno: .resourceTemporarilyUnavailable, subject: "no room to send")
        }
        var buffer = RouteNetlink.makeBuffer()
        var sockets: [DumpedSocket] = []
        for _ in 0..<Self.maximumDatagrams {
            // The kernel answers while it is asked: what has not come now does not come.
            guard let (count, origin) = try receiveNetlink(descriptor, request.name, into: &buffer) else {
                throw LinuxError(call: request.name, errno: .noData, subject: "no answer")
            }
            guard origin.port == 0 else { continue }
            let end: NetlinkAcknowledgement?
            do throws(NetlinkError) {
                end = try Self.read(buffer.span.extracting(first: count), into: &sockets, family: family)
            } catch {
                throw LinuxError(call: request.name, errno: .badMessage, subject: "\(error)")
            }
            guard let end else { continue }
            guard end.errorNumber == 0 else {
                throw LinuxError(call: request.name, errno: Errno(rawValue: end.errorNumber), subject: end.text)
            }
            return sockets
        }
        return sockets
    }

    /// Reads one datagram of a dump.
    /// - Returns: the dump's end, if this is it.
    static func read(
        _ datagram: Span<UInt8>, into sockets: inout [DumpedSocket], family: Int32 = AF_INET
    ) throws(NetlinkError) -> NetlinkAcknowledgement? {
        var messages = NetlinkReader(datagram)
        while let message = try messages.next() {
            if message.type == .error || message.type == .done { return try NetlinkAcknowledgement(message) }
            guard message.type == NetlinkMessageType(SOCK_DIAG_BY_FAMILY) else { continue }
            if let socket = try DumpedSocket(message, family: family) { sockets.append(socket) }
        }
        return nil
    }

    /// The ports of the sockets that are at an address and have no peer, the oldest first.
    static func ports(of sockets: [DumpedSocket], at address: SocketAddress) -> [UInt16] {
        let octets = address.networkOctets
        return sockets.filter { $0.address == octets && $0.port != 0 && !$0.isConnected }.sorted { $0.inode < $1.inode }
            .prefix(maximumPorts).map(\.port)
    }
}
