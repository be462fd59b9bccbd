// Port 53 of resolver addresses, led to our listener inside one namespace, so that whoever serves DNS there keeps the port.

internal import CLinux

/// Translation of one address and port to another. Connection tracking brings the answers back under the address that
/// was asked.
package struct PortTranslation: Hashable, Sendable {
    /// Transport of the questions.
    package enum Transport: Sendable, CaseIterable {
        /// UDP, udp(7).
        case udp
        /// TCP, tcp(7).
        case tcp

        /// IPPROTO_*.
        var number: UInt8 {
            switch self {
            case .udp: UInt8(IPPROTO_UDP)
            case .tcp: UInt8(IPPROTO_TCP)
            }
        }
    }

    /// Address that programs ask, such as 127.0.0.11:53.
    package let address: SocketAddress
    /// The protocol that is led; the other goes its own way.
    package let transport: Transport
    /// Address at which their questions arrive; of the same family.
    package let target: SocketAddress
    /// Packets of sockets with this mark (socket(7) SO_MARK) keep their destination; nil: none do.
    package let exceptMark: UInt32?

    /// - Returns: nil where one address is IPv4 and the other is IPv6.
    package init?(
        of address: SocketAddress, _ transport: Transport, to target: SocketAddress, exceptMark: UInt32? = nil
    ) {
        guard address.family == target.family else { return nil }
        self.address = address
        self.transport = transport
        self.target = target
        self.exceptMark = exceptMark
    }

    /// AF_INET or AF_INET6.
    var family: Int32 { address.family }

    /// True where the listener has the very address and port that programs ask: nothing is to be translated, but others are to be
    /// kept from it.
    var isInPlace: Bool { address == target }

    /// The rule, as nft(8) writes it: `meta mark != 1 ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:40000`.
    var expressions: [NftablesExpression] {
        // struct iphdr and struct ip6_hdr: where the destination is; struct udphdr and tcphdr: where the port is.
        let (offset, length): (UInt32, UInt32) = family == AF_INET6 ? (24, 16) : (16, 4)
        var expressions: [NftablesExpression] = []
        if let exceptMark {
            expressions += [.meta(.mark), .compare(.notEqual, NetlinkRequest.octets(of: exceptMark))]
        }
        return expressions + [
            .payload(.network, offset: offset, length: length), .compare(.equal, address.networkOctets),
            .meta(.transportProtocol), .compare(.equal, [transport.number]),
            .payload(.transport, offset: 2, length: 2), .compare(.equal, address.networkPort),
            .immediate(.one, target.networkOctets), .immediate(.two, target.networkPort),
            .destinationNAT(family: family),
        ]
    }
}

/// The translations of one namespace, in a table of nftables for each family that has any, and the lock on DNS of other servers.
package struct PortRedirection: Hashable, Sendable {
    /// The only tables of nftables that are touched have this name.
    package static let table = "intercom"
    private static let chain = "output"
    /// Before Docker's and iptables' translation of destinations, which is at −100 (NF_IP_PRI_NAT_DST), whoever came first.
    private static let priority: Int32 = -101

    /// In the order in which the kernel tries them.
    package let translations: [PortTranslation]
    /// True where DNS of other servers is refused.
    package let isLocked: Bool

    /// The port of the listener; 0 where there is no translation.
    package var port: UInt16 { translations.first?.target.port ?? 0 }

    /// Translations in the order in which the kernel is to try them.
    /// - Parameters:
    ///   - translations: those of all families.
    ///   - isLocked: true: DNS of other servers is refused.
    package init(_ translations: [PortTranslation], isLocked: Bool = false) {
        self.translations = translations
        self.isLocked = isLocked
    }

    /// Leads what comes to an address and port, over UDP and TCP, to another port of that address.
    package init(of address: SocketAddress, to port: UInt16) {
        self.init(
            PortTranslation.Transport.allCases.compactMap {
                PortTranslation(of: address, $0, to: address.withPort(port))
            })
    }

    // MARK: - In a namespace

    /// Writes the rules in a namespace, in place of all that its tables of this name held.
    /// - Returns: what tells of it when somebody changes them.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noNftables`` when there can be no rules.
    package func set(in namespace: borrowing NetworkNamespace) throws(LinuxError) -> NftablesMonitor {
        try NamespaceEntry.run(in: namespace) { () throws(LinuxError) in
            // Subscribed first: no change after this is missed.
            let monitor = try NftablesMonitor()
            try write(by: monitor.writer)
            return monitor
        }
    }

    /// Writes the rules anew in the namespace of a writer, whatever is there.
    /// - Throws: ``LinuxError``, as ``set(in:)``.
    package func write(by writer: borrowing NftablesWriter) throws(LinuxError) {
        let batch = batch
        if !batch.isEmpty { try writer.commit(batch) }
        removeRest(by: writer)
    }

    /// Removes tables that rules before these may have left. A kernel without the family has none.
    private func removeRest(by writer: borrowing NftablesWriter) {
        let others = [AF_INET, AF_INET6].filter { !families.contains($0) }
        for family in others + (isLocked ? [] : [NftablesBatch.inet]) {
            var batch = NftablesBatch()
            batch.removeTable(family, Self.table)
            try? writer.commit(batch)
        }
    }

    /// Removes the tables from the namespace of a writer.
    /// - Throws: ``LinuxError``, as ``set(in:)``.
    package func remove(by writer: borrowing NftablesWriter) throws(LinuxError) {
        var batch = NftablesBatch()
        for family in families { batch.removeTable(family, Self.table) }
        if isLocked { PortLock.remove(in: &batch) }
        if !batch.isEmpty { try writer.commit(batch) }
    }

    /// The families that have a table; the first translation's first.
    private var families: [Int32] {
        [AF_INET, AF_INET6].filter { family in translations.contains { $0.family == family } }
    }

    /// One transaction, in which nobody sees the tables gone.
    var batch: NftablesBatch {
        var batch = NftablesBatch()
        for family in families {
            batch.removeTable(family, Self.table)
            batch.makeTable(family, Self.table)
            writeRules(of: translations.filter { $0.family == family }, family, into: &batch)
        }
        if isLocked { PortLock.write(into: &batch, exceptMark: SocketMark.ownQuestion) }
        return batch
    }

    /// Rules of one family. Where the listener has all that is asked, nothing is translated, and connection tracking left out: that
    /// costs half as much. Where it does not, the kernel tracks connections in any case, and translation to itself costs no more.
    private func writeRules(
        of translations: [PortTranslation], _ family: Int32, into batch: inout NftablesBatch
    ) {
        if family == AF_INET, translations.allSatisfy(\.isInPlace) {
            return UntrackedPort.write(translations, into: &batch)
        }
        batch.makeOutputChain(family, table: Self.table, Self.chain, priority: Self.priority)
        for translation in translations {
            batch.appendRule(family, table: Self.table, chain: Self.chain, translation.expressions)
        }
    }
}

extension SocketAddress {
    /// The port's two octets in network order.
    var networkPort: [UInt8] {
        [UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port)]
    }
}
