// Port 53 of a listener that has the address which programs ask, kept from all translation inside one namespace.

internal import CLinux

/// The rules that leave questions to a listener and its answers out of connection tracking (nft(8) `notrack`), and so out of what
/// others translate in the namespace, Docker's rules on custom networks among them. They cost an answer half of what translation
/// of the address to itself does: connections are neither looked up nor kept.
///
/// The packets have the state `untracked`, in rules of a firewall that asks for states.
enum UntrackedPort {
    private static let chain = "raw"
    /// Before connections are tracked: NF_IP_PRI_RAW, `linux/netfilter_ipv4.h`.
    private static let priority: Int32 = -300

    /// Appends the chain to the table for IPv4.
    /// - Parameters:
    ///   - translations: those of addresses to themselves; each has a rule for questions and one for answers.
    ///   - batch: the transaction that has made the table.
    static func write(_ translations: [PortTranslation], into batch: inout NftablesBatch) {
        batch.makeFilterChain(
            AF_INET, table: PortRedirection.table, chain, hook: NF_INET_LOCAL_OUT, priority: priority)
        // Answers first: they leave at the daemon's cost.
        for rule in translations.flatMap({ [answers(of: $0), questions(to: $0)] }) {
            batch.appendRule(AF_INET, table: PortRedirection.table, chain: chain, rule + [.untracked, .accept])
        }
    }

    /// Source in struct iphdr, and source port in struct udphdr and tcphdr.
    private static func answers(of translation: PortTranslation) -> [NftablesExpression] {
        match(translation, address: 12, port: 0)
    }

    /// Destination in struct iphdr, and destination port in struct udphdr and tcphdr; but not what we ask of the former server.
    private static func questions(to translation: PortTranslation) -> [NftablesExpression] {
        match(translation, address: 16, port: 2)
            + (translation.exceptMark.map {
                [.meta(.mark), .compare(.notEqual, NetlinkRequest.octets(of: $0))]
            } ?? [])
    }

    private static func match(_ translation: PortTranslation, address: UInt32, port: UInt32) -> [NftablesExpression] {
        [
            .payload(.network, offset: address, length: 4), .compare(.equal, translation.address.networkOctets),
            .meta(.transportProtocol), .compare(.equal, [translation.transport.number]),
            .payload(.transport, offset: port, length: 2), .compare(.equal, translation.address.networkPort),
        ]
    }
}
