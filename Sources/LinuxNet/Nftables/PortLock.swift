// Port 53 and 853 of all servers but ours, refused inside one namespace, so that its programs ask nobody but our listener.

internal import CLinux

/// The rules that keep DNS inside a namespace: what leaves it for another server is rejected, over UDP and TCP, IPv4 and IPv6.
///
/// They are in a table `inet intercom`, beside the tables of ``PortRedirection``, which translate before these rules judge.
/// Whoever has CAP_NET_ADMIN or CAP_NET_RAW over the namespace can go round them.
enum PortLock {
    /// DNS (RFC 1035 §4.2) and DNS over TLS and QUIC (RFC 7858 §3.1, RFC 9250 §4.1.1).
    private static let ports: [UInt16] = [53, 853]
    private static let family = NftablesBatch.inet
    private static let table = PortRedirection.table
    /// ARPHRD_LOOPBACK, `linux/if_arp.h`; as the kernel has it in memory.
    private static let loopbackType = [UInt8](NetlinkRequest.octets(of: UInt32(772)).prefix(2))

    /// Appends the rules, in place of all that the table held.
    /// - Parameters:
    ///   - batch: the transaction.
    ///   - exceptMark: packets with this mark leave: our questions to servers that are reached from the namespace.
    static func write(into batch: inout NftablesBatch, exceptMark: UInt32) {
        batch.removeTable(family, table)
        batch.makeTable(family, table)
        batch.makeFilterChain(family, table: table, "output", hook: NF_INET_LOCAL_OUT)
        for exception in exceptions(exceptMark) {
            batch.appendRule(family, table: table, chain: "output", exception + [.accept])
        }
        // Packets of namespaces behind this one, as those of containers in a container.
        batch.makeFilterChain(family, table: table, "forward", hook: NF_INET_FORWARD)
        for chain in ["output", "forward"] {
            for question in questions {
                batch.appendRule(family, table: table, chain: chain, question + [.rejectProhibited])
            }
        }
    }

    /// Appends the removal of the rules.
    static func remove(in batch: inout NftablesBatch) { batch.removeTable(family, table) }

    /// Packets that stay in the namespace, and ours. The interface is that of the destination before translation, so that one
    /// that was translated to a loopback address is known by the address.
    private static func exceptions(_ mark: UInt32) -> [[NftablesExpression]] {
        [
            [.meta(.mark), .compare(.equal, NetlinkRequest.octets(of: mark))],
            [.meta(.outputType), .compare(.equal, loopbackType)],
            // 127.0.0.0/8: the first octet of the destination in struct iphdr.
            [
                .meta(.networkFamily), .compare(.equal, [UInt8(NFPROTO_IPV4)]),
                .payload(.network, offset: 16, length: 1), .compare(.equal, [127]),
            ],
            // ::1: the destination in struct ip6_hdr.
            [
                .meta(.networkFamily), .compare(.equal, [UInt8(NFPROTO_IPV6)]),
                .payload(.network, offset: 24, length: 16),
                .compare(.equal, [UInt8](repeating: 0, count: 15) + [1]),
            ],
        ]
    }

    /// Packets to a port of DNS: the destination's port is the second field of struct udphdr and tcphdr.
    private static var questions: [[NftablesExpression]] {
        ports.flatMap { port in
            PortTranslation.Transport.allCases.map { transport in
                [
                    .meta(.transportProtocol), .compare(.equal, [transport.number]),
                    .payload(.transport, offset: 2, length: 2),
                    .compare(.equal, [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]),
                ]
            }
        }
    }
}
