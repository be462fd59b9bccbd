// Flows that begin in a namespace: nfnetlink's group NFNLGRP_CONNTRACK_NEW, `linux/netfilter/nfnetlink_compat.h`.

internal import CLinux
internal import SystemPackage

/// Subscribes to flows that begin in the namespace that this thread is in.
///
/// Of a connection that is refused the kernel has no entry any more when somebody could ask for it: it is gone with the RST.
struct NewFlows: ~Copyable {
    /// Datagrams that one look takes: who begins flows without end shall not hold whoever looks.
    private static let datagramsPerLook = 64

    private let descriptor: Descriptor

    /// - Throws: ``LinuxError``, for example where the kernel tracks no connections.
    init() throws(LinuxError) {
        let made = try NftablesWriter.makeSocket()
        try made.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(NFNLGRP_CONNTRACK_NEW.rawValue))
        descriptor = made
    }

    /// The address at which the other end of a flow is that has begun: where its packets go, and its replies come from.
    /// - Parameter source: the end that has begun it.
    /// - Returns: nil where none was seen.
    /// - Throws: ``LinuxError`` when notifications were lost.
    func destination(from source: SocketAddress) throws(LinuxError) -> SocketAddress? {
        var buffer = RouteNetlink.makeBuffer()
        for _ in 0..<Self.datagramsPerLook {
            guard let (count, origin) = try receiveNetlink(descriptor, "recvmsg", into: &buffer) else { break }
            // Programs in the namespace may send to the group, too; the kernel's port is 0 (netlink(7)).
            guard origin.port == 0, origin.is_truncated == 0 else { continue }
            let found = try? Self.destination(from: source, in: buffer.span.extracting(first: count))
            if let found { return found }
        }
        return nil
    }

    /// Finds the other end of the flow from one address in a datagram of notifications; nil: it is not there.
    static func destination(
        from source: SocketAddress, in datagram: Span<UInt8>
    ) throws(NetlinkError) -> SocketAddress? {
        var messages = NetlinkReader(datagram)
        while let message = try messages.next() {
            var isOurs = false
            var other: SocketAddress?
            // Behind struct nfgenmsg.
            var attributes = try NetlinkAttributeReader(message, behind: 4)
            while let attribute = try attributes.next() {
                if attribute.isOf(CTA_TUPLE_ORIG.rawValue) {
                    isOurs = try ConnectionTracking.source(of: attribute) == source
                } else if attribute.isOf(CTA_TUPLE_REPLY.rawValue) {
                    other = try ConnectionTracking.source(of: attribute)
                }
            }
            if isOurs { return other }
        }
        return nil
    }
}
