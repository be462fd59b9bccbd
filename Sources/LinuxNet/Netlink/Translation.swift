// Destination of datagrams and connections that address translation in a namespace leads elsewhere: one entry of the kernel's connection
// tracking, `linux/netfilter/nfnetlink_conntrack.h`. The rules that lead them are never read: a container's root wrote those.

internal import CLinux
internal import SystemPackage

/// Destination of datagrams or of a connection that were meant for another address.
package struct Translation: Hashable, Sendable {
    /// The address and port that they are led to.
    package let destination: SocketAddress
    /// True when that is an address of the namespace itself.
    package let isLocal: Bool
}

extension NamespaceEntry {
    /// Finds out where address translation leads datagrams of a namespace's programs. One datagram is sent there that every DNS
    /// server drops; no reply is read.
    /// - Parameters:
    ///   - address: an address and a port that the programs send to.
    ///   - namespace: the namespace.
    /// - Returns: nil where datagrams go to that very address, or the kernel does not track them.
    /// - Throws: ``LinuxError`` when the namespace cannot be entered, the datagram cannot be sent, or the kernel refuses to say.
    package static func translation(
        of address: SocketAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> Translation? {
        try run(in: namespace) { () throws(LinuxError) -> Translation? in
            let socket = try UDPSocket.connected(to: address)
            _ = try socket.send(response.span)
            let destination = try ConnectionTracking().destination(from: try socket.localAddress(), to: address)
            return translation(to: destination, insteadOf: address)
        }
    }

    /// Finds out where address translation leads connections of a namespace's programs. One is begun, and given up at once.
    /// - Parameters:
    ///   - address: an address and a port that the programs connect to.
    ///   - namespace: the namespace.
    /// - Returns: nil where connections go to that very address, or the kernel does not track them.
    /// - Throws: ``LinuxError`` when the namespace cannot be entered, there is no route, or the kernel refuses to say.
    package static func translation(
        ofConnectionsTo address: SocketAddress, in namespace: borrowing NetworkNamespace
    ) throws(LinuxError) -> Translation? {
        try run(in: namespace) { () throws(LinuxError) -> Translation? in
            // Bound before: of a connection that is refused at once the kernel forgets the port.
            let route = try UDPSocket.connected(to: address)
            let socket = try Descriptor.socket(address.family, SOCK_STREAM)
            try socket.bind(to: try route.localAddress().withPort(0), "TCP to \(address)")
            let source = try socket.localAddress()
            let flows = try NewFlows()
            try? TCPSocket.connect(socket, to: address)
            return translation(to: try flows.destination(from: source), insteadOf: address)
        }
    }

    private static func translation(
        to destination: SocketAddress?, insteadOf address: SocketAddress
    ) -> Translation? {
        guard let destination, destination != address else { return nil }
        let isLocal = (try? UDPSocket.bound(to: destination.withPort(0))) != nil
        return Translation(destination: destination, isLocal: isLocal)
    }

    /// The header of a DNS message that is no query (QR, RFC 1035 §4.1.1): servers drop it.
    private static let response: [UInt8] = [0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

extension NetlinkRequest {
    /// The entry of the flow of datagrams from one address to another.
    static func flow(from source: SocketAddress, to destination: SocketAddress) -> NetlinkRequest {
        let type = UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(truncatingIfNeeded: IPCTNL_MSG_CT_GET.rawValue)
        var request = NetlinkRequest("IPCTNL_MSG_CT_GET", type, isAcknowledged: false)
        // struct nfgenmsg: family, version, and a number that is not used.
        request.append(fixed: [UInt8(destination.family), UInt8(NFNETLINK_V0), 0, 0])
        let isV6 = destination.family == AF_INET6
        request.nest(CTA_TUPLE_ORIG.rawValue) { tuple in
            tuple.nest(CTA_TUPLE_IP.rawValue) { addresses in
                let types = isV6 ? (CTA_IP_V6_SRC, CTA_IP_V6_DST) : (CTA_IP_V4_SRC, CTA_IP_V4_DST)
                addresses.append(attribute: types.0.rawValue, octets: source.networkOctets)
                addresses.append(attribute: types.1.rawValue, octets: destination.networkOctets)
            }
            tuple.nest(CTA_TUPLE_PROTO.rawValue) { ports in
                ports.append(attribute: CTA_PROTO_NUM.rawValue, octets: [UInt8(IPPROTO_UDP)])
                ports.append(attribute: CTA_PROTO_SRC_PORT.rawValue, octets: octets(ofPort: source.port))
                ports.append(attribute: CTA_PROTO_DST_PORT.rawValue, octets: octets(ofPort: destination.port))
            }
        }
        return request
    }

    private static func octets(ofPort port: UInt16) -> [UInt8] {
        [UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port)]
    }
}

/// Asks the kernel for flows of the namespace that this thread is in.
struct ConnectionTracking: ~Copyable {
    /// Octets of an entry: some hundred. Helpers may add more.
    private static let answerLength = 8 * 1024

    private let descriptor: Descriptor

    init() throws(LinuxError) {
        descriptor = try NftablesWriter.makeSocket()
    }

    /// The address at which the other end of a flow is: where its packets go, and its replies come from.
    /// - Returns: nil where there is no such flow.
    func destination(from source: SocketAddress, to destination: SocketAddress) throws(LinuxError) -> SocketAddress? {
        let request = NetlinkRequest.flow(from: source, to: destination)
        guard try descriptor.send(request.bytes.span, flags: .doNotWait) != nil else {
            throw LinuxError(call: request.name, errno: .resourceTemporarilyUnavailable, subject: "no room to send")
        }
        var buffer = [UInt8](repeating: 0, count: Self.answerLength)
        // The kernel answers while it is asked.
        guard let (count, origin) = try receiveNetlink(descriptor, request.name, into: &buffer), origin.port == 0 else {
            throw LinuxError(call: request.name, errno: .noData, subject: "no answer")
        }
        let answer: Answer
        do throws(NetlinkError) {
            answer = try Self.read(buffer.span.extracting(first: count))
        } catch {
            throw LinuxError(call: request.name, errno: .badMessage, subject: "\(error)")
        }
        switch answer {
        case .flow(let other): return other
        case .end(let end):
            let errno = Errno(rawValue: end.errorNumber)
            if errno == .noSuchFileOrDirectory { return nil }
            throw LinuxError(call: request.name, errno: errno, subject: end.text)
        }
    }

    /// The kernel's answer to a question for a flow.
    enum Answer: Equatable {
        /// The address that replies come from; nil: it is not said.
        case flow(SocketAddress?)
        /// There is none, or an error.
        case end(NetlinkAcknowledgement)
    }

    /// Reads the answer: of an entry the tuple of replies alone.
    static func read(_ datagram: Span<UInt8>) throws(NetlinkError) -> Answer {
        var messages = NetlinkReader(datagram)
        guard let message = try messages.next() else { return .flow(nil) }
        if message.type == .error { return .end(try NetlinkAcknowledgement(message)) }
        // Behind struct nfgenmsg.
        var attributes = try NetlinkAttributeReader(message, behind: 4)
        while let attribute = try attributes.next() {
            if attribute.isOf(CTA_TUPLE_REPLY.rawValue) { return .flow(try source(of: attribute)) }
        }
        return .flow(nil)
    }

    static func source(of tuple: borrowing NetlinkAttribute) throws(NetlinkError) -> SocketAddress? {
        var octets: [UInt8] = []
        var port: UInt16?
        var parts = tuple.nested
        while let part = try parts.next() {
            var values = part.nested
            let isAddress = part.isOf(CTA_TUPLE_IP.rawValue)
            guard isAddress || part.isOf(CTA_TUPLE_PROTO.rawValue) else { continue }
            while let value = try values.next() {
                if isAddress {
                    let isSource = value.isOf(CTA_IP_V4_SRC.rawValue) || value.isOf(CTA_IP_V6_SRC.rawValue)
                    if isSource { octets = value.value.indices.map { value.value[$0] } }
                } else if value.isOf(CTA_PROTO_SRC_PORT.rawValue), value.value.count >= 2 {
                    port = UInt16(value.value[0]) << 8 | UInt16(value.value[1])
                }
            }
        }
        guard let port else { return nil }
        let bits = octets.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        switch octets.count {
        case 4: return SocketAddress(v4: UInt32(truncatingIfNeeded: bits), port: port)
        case 16: return SocketAddress(v6: bits, port: port)
        default: return nil
        }
    }
}
