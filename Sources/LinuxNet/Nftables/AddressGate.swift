// A gate for the packets of one container, in the host's namespace: to which addresses they may go.

internal import CLinux

/// A block of addresses, or a single one.
package struct AddressBlock: Hashable, Sendable {
    /// The first address, in network order: 4 or 16 octets, all bits behind the prefix 0.
    package let octets: [UInt8]
    /// Bits that all addresses of it have in common.
    package let prefixLength: Int

    /// The block of an address in network order; nil where the length does not fit it.
    package init?(_ octets: [UInt8], prefixLength: Int) {
        guard octets.count == 4 || octets.count == 16, (0...octets.count * 8).contains(prefixLength) else { return nil }
        self.octets = zip(octets, Self.mask(prefixLength, octets: octets.count)).map { $0 & $1 }
        self.prefixLength = prefixLength
    }

    /// Octets with this many leading bits set.
    private static func mask(_ bits: Int, octets: Int) -> [UInt8] {
        (0..<octets).map { UInt8(truncatingIfNeeded: 0xFF00 >> min(8, max(0, bits - 8 * $0))) }
    }

    /// True where the destination, or the source, of a packet is in the block.
    fileprivate func matches(_ end: AddressGate.End) -> [NftablesExpression] {
        AddressGate.load(end, isV6: octets.count == 16)
            + (prefixLength < octets.count * 8 ? [.mask(Self.mask(prefixLength, octets: octets.count))] : [])
            + [.compare(.equal, octets)]
    }
}

/// The reach of one container: addresses that are put into its sets, its networks, and blocks of the operator's.
///
/// A chain at the host's end of each of its links (family `netdev`, hook ingress) sees every frame that leaves it, before a bridge
/// does. What has a source of others' is dropped, and answered by nobody: neither the host's ICMP nor the peer's answer carries data
/// to whoever has that address. Of the rest it lets pass what goes to an address of the sets, to a block, or to a network of its own.
/// To the host's own addresses it lets pass what a name of ours or a block leads to, and nothing that an upstream says. Whatever else is
/// IP gets a mark; the chain of table `inet` at hook prerouting, where connections are known, lets pass packets of established
/// connections, and rejects the rest with ICMP. A frame with the mark that a bridge would pass on to another port is dropped (family
/// `bridge`). A broadcast has another mark, with which neighbors have it, and the host has not. Frames that are neither IP nor ARP are
/// dropped at the link.
///
/// Sets are named by the namespace's cookie, so that they belong to a container over restarts of whoever writes them. No rule here
/// accepts for good: tables of others drop what they drop.
package struct AddressGate: Hashable, Sendable {
    /// Name of the tables, and the only ones that are touched.
    package static let table = "intercom-policy"
    /// The most addresses of one family in the sets of one container.
    package static let capacity = 4096
    /// The most links of one container.
    package static let maximumDevices = 256
    /// The most blocks of a kind.
    package static let maximumBlocks = 4096

    /// The host's end of a link of the container.
    package struct Device: Hashable, Sendable {
        /// `ifi_index`.
        package let index: UInt32
        /// Name of the interface.
        package let name: String

        package init(index: UInt32, name: String) {
            self.index = index
            self.name = name
        }
    }

    /// SO_NETNS_COOKIE of its namespace.
    package var cookie: UInt64
    /// The host's ends of its links.
    package var devices: [Device]
    /// Indexes of devices that were its own and are no more.
    package var formerDevices: [UInt32] = []
    /// Its networks: all but the host is reached there.
    package var networks: [AddressBlock]
    /// Blocks that it may reach, the host's addresses in them too.
    package var blocks: [AddressBlock]
    /// Its own addresses: its packets have one of these.
    package var sources: [AddressBlock]

    package init(
        cookie: UInt64, devices: [Device], networks: [AddressBlock], blocks: [AddressBlock], sources: [AddressBlock]
    ) {
        self.cookie = cookie
        self.devices = devices
        self.networks = networks
        self.blocks = blocks
        self.sources = sources
    }

    /// An end of a packet.
    fileprivate enum End {
        case source, destination
    }

    // MARK: - Names and numbers

    static let family = Int32(NFPROTO_NETDEV)
    /// Marks of packets that no rule lets pass, but that may belong to a connection; and of those that neighbors may have, and the
    /// host may not. Numbers that masks of other programs do not meet, as ``SocketMark``.
    private static let undecided: UInt32 = 0x1C54
    private static let neighborly: UInt32 = 0x1C55
    /// Before tc and everything else at the link.
    private static let ingressPriority: Int32 = -450
    /// Behind connection tracking (−200), before destinations are translated (−100), `linux/netfilter_ipv4.h`.
    private static let preroutingPriority: Int32 = -150
    private static let ingressHook = UInt32(NF_NETDEV_INGRESS.rawValue)
    /// NF_BR_FORWARD, `linux/netfilter_bridge.h`.
    private static let bridgeForwardHook: UInt32 = 2

    /// Name of the container's chain.
    static func chain(_ cookie: UInt64) -> String { "c-\(String(cookie, radix: 16))" }
    /// Name of a device's chain.
    static func chain(ofDevice index: UInt32) -> String { "d-\(index)" }
    /// Name of the chain that packets with a source of the container's come to.
    static func sourceChain(_ cookie: UInt64) -> String { "s-\(String(cookie, radix: 16))" }
    /// Name of the chain that packets to the host's own addresses come to.
    static func hostChain(_ cookie: UInt64) -> String { "h-\(String(cookie, radix: 16))" }

    /// A set of addresses of a container.
    enum Told: CaseIterable {
        /// By upstreams: never the host's own.
        case v4, v6
        /// By names of ours and of the operator's: they may be the host's.
        case ownV4, ownV6

        init(isV6: Bool, isOwn: Bool) {
            self = isOwn ? (isV6 ? .ownV6 : .ownV4) : (isV6 ? .v6 : .v4)
        }

        var isV6: Bool { self == .v6 || self == .ownV6 }
        /// Octets of an address.
        var length: Int { isV6 ? 16 : 4 }
        fileprivate var prefix: String {
            switch self {
            case .v4: "v4"
            case .v6: "v6"
            case .ownV4: "o4"
            case .ownV6: "o6"
            }
        }
    }

    /// Name of a set of a container.
    static func set(_ cookie: UInt64, _ told: Told) -> String { "\(told.prefix)-\(String(cookie, radix: 16))" }

    // MARK: - Rules

    /// Octets that a packet's end lies at, behind a comparison of the family.
    fileprivate static func load(_ end: End, isV6: Bool) -> [NftablesExpression] {
        let place: (v4: UInt32, v6: UInt32) = end == .source ? (12, 8) : (16, 24)
        return [
            .meta(.protocolType), .compare(.equal, isV6 ? EtherType.ipv6 : EtherType.ipv4),
            .payload(.network, offset: isV6 ? place.v6 : place.v4, length: isV6 ? 16 : 4),
        ]
    }

    private enum EtherType {
        static let ipv4: [UInt8] = [0x08, 0x00]
        static let ipv6: [UInt8] = [0x86, 0xDD]
        static let arp: [UInt8] = [0x08, 0x06]
    }

    private static let icmpv6 = UInt8(IPPROTO_ICMPV6)
    /// Neighbor Solicitation and Advertisement (RFC 4861 §4.3, §4.4).
    private static let neighborTypes: [UInt8] = [135, 136]

    private static let isICMPv6: [NftablesExpression] = [.meta(.transportProtocol), .compare(.equal, [icmpv6])]

    /// Packets without which a link is of no use, beside ARP: ICMPv6 to groups and addresses of the link (Neighbor Discovery, MLD), and
    /// DHCP.
    private static var linkRules: [[NftablesExpression]] {
        [
            // ff02::/16 and fe80::/10.
            AddressBlock([0xFF, 0x02] + [UInt8](repeating: 0, count: 14), prefixLength: 16),
            AddressBlock([0xFE, 0x80] + [UInt8](repeating: 0, count: 14), prefixLength: 10),
        ].compactMap { $0.map { $0.matches(.destination) + isICMPv6 } }
            + [
                load(.destination, isV6: false) + [
                    .compare(.equal, [255, 255, 255, 255]), .meta(.transportProtocol),
                    .compare(.equal, [UInt8(IPPROTO_UDP)]), .payload(.transport, offset: 2, length: 2),
                    .compare(.equal, [0, 67]),
                ]
            ]
    }

    /// True for a destination of a kind in the host's routing table: RTN_LOCAL, an address of the host's; RTN_ANYCAST, which a host that
    /// forwards hears as its own (RFC 4291 §2.6.1); RTN_BROADCAST.
    private static func isDestination(_ kind: Int) -> [NftablesExpression] {
        [.destinationType, .compare(.equal, NetlinkRequest.octets(of: UInt32(truncatingIfNeeded: kind)))]
    }

    private static var isHost: [NftablesExpression] { isDestination(RTN_LOCAL) }

    private func isTold(_ told: Told) -> [NftablesExpression] {
        Self.load(.destination, isV6: told.isV6) + [.lookUp(set: Self.set(cookie, told))]
    }

    /// Rules for all that leaves the container.
    private var rules: [[NftablesExpression]] {
        var rules: [[NftablesExpression]] = [[.meta(.protocolType), .compare(.equal, EtherType.arp), .accept]]
        for type in Self.neighborTypes {
            let isType: [NftablesExpression] = [.payload(.transport, offset: 0, length: 1), .compare(.equal, [type])]
            rules.append(Self.isHost + Self.isICMPv6 + isType + [.accept])
        }
        for source in sources { rules.append(source.matches(.source) + [.goTo(chain: Self.sourceChain(cookie))]) }
        // It may have no address yet, or that of the link alone.
        rules.append(Self.isHost + [.count, .drop])
        for rule in Self.linkRules { rules.append(rule + [.accept]) }
        rules.append([.count, .drop])
        return rules
    }

    /// Rules for what has a source of its own.
    private var sourceRules: [[NftablesExpression]] {
        var rules: [[NftablesExpression]] = []
        for kind in [RTN_LOCAL, RTN_ANYCAST] {
            rules.append(Self.isDestination(kind) + [.goTo(chain: Self.hostChain(cookie))])
        }
        for rule in Self.linkRules { rules.append(rule + [.accept]) }
        rules.append(Self.isDestination(RTN_BROADCAST) + Self.mark(Self.neighborly) + [.accept])
        for told in Told.allCases { rules.append(isTold(told) + [.accept]) }
        for block in blocks + networks { rules.append(block.matches(.destination) + [.accept]) }
        rules.append(Self.mark(Self.undecided) + [.accept])
        return rules
    }

    /// Rules for what goes to the host's own addresses.
    private var hostRules: [[NftablesExpression]] {
        let passing = [isTold(.ownV4), isTold(.ownV6)] + blocks.map { $0.matches(.destination) }
        return passing.map { $0 + [.accept] } + [Self.mark(Self.undecided) + [.accept]]
    }

    private static func mark(_ mark: UInt32) -> [NftablesExpression] {
        [.immediate(.one, NetlinkRequest.octets(of: mark)), .setMark]
    }

    private static func isMarked(_ mark: UInt32) -> [NftablesExpression] {
        [.meta(.mark), .compare(.equal, NetlinkRequest.octets(of: mark))]
    }

    // MARK: - Transactions

    /// Rules that are the same for all containers, in place of those that there are.
    private static func writeJudges(into batch: inout NftablesBatch) {
        let (inet, bridge) = (NftablesBatch.inet, Int32(NFPROTO_BRIDGE))
        batch.keepTable(inet, table)
        batch.makeFilterChain(
            inet, table: table, "prerouting", hook: NF_INET_PRE_ROUTING, priority: preroutingPriority)
        batch.keepChain(inet, table: table, "judge")
        for chain in ["prerouting", "judge"] { batch.emptyChain(inet, table: table, chain) }
        batch.appendRule(inet, table: table, chain: "prerouting", isMarked(undecided) + [.goTo(chain: "judge")])
        batch.appendRule(inet, table: table, chain: "prerouting", isMarked(neighborly) + [.count, .drop])
        batch.appendRule(
            inet, table: table, chain: "judge", isInState(NftablesExpression.ConnectionState.established) + letPass)
        // No other connection that a helper of the kernel's expects, as of FTP.
        for number in [UInt8(IPPROTO_ICMP), icmpv6] {
            batch.appendRule(
                inet, table: table, chain: "judge",
                isInState(NftablesExpression.ConnectionState.related)
                    + [.meta(.transportProtocol), .compare(.equal, [number])] + letPass)
        }
        batch.appendRule(inet, table: table, chain: "judge", [.count, .rejectProhibited])
        batch.keepTable(bridge, table)
        batch.makeChain(
            bridge, table: table, "forward", type: "filter", hook: bridgeForwardHook, priority: 0)
        batch.emptyChain(bridge, table: table, "forward")
        batch.appendRule(bridge, table: table, chain: "forward", isMarked(undecided) + [.count, .drop])
    }

    private static var letPass: [NftablesExpression] { mark(0) + [.accept] }

    /// True for a packet whose connection is in one of these states.
    private static func isInState(_ states: UInt32) -> [NftablesExpression] {
        [
            .connectionState, .mask(NetlinkRequest.octets(of: states)),
            .compare(.notEqual, NetlinkRequest.octets(of: 0)),
        ]
    }

    /// The transaction by which gates are in force, whatever was there before; addresses in their sets stay.
    static func batch(of gates: [AddressGate]) -> NftablesBatch {
        var batch = NftablesBatch()
        writeJudges(into: &batch)
        batch.keepTable(family, table)
        var number: UInt32 = 0
        for gate in gates { gate.write(into: &batch, &number) }
        return batch
    }

    /// Writes the gate.
    /// - Parameter number: of the last set in the transaction.
    private func write(into batch: inout NftablesBatch, _ number: inout UInt32) {
        let (family, table) = (Self.family, Self.table)
        for told in Told.allCases {
            number += 1
            batch.keepSet(
                family, table: table, Self.set(cookie, told), keyLength: told.length, size: UInt32(Self.capacity),
                number: number)
        }
        for (chain, rules) in [
            (Self.hostChain(cookie), hostRules), (Self.sourceChain(cookie), sourceRules), (Self.chain(cookie), rules),
        ] {
            batch.keepChain(family, table: table, chain)
            batch.emptyChain(family, table: table, chain)
            for rule in rules { batch.appendRule(family, table: table, chain: chain, rule) }
        }
        // A device of this index may be another one.
        for device in formerDevices + devices.map(\.index) {
            batch.removeChain(family, table: table, Self.chain(ofDevice: device))
        }
        for device in devices {
            let chain = Self.chain(ofDevice: device.index)
            batch.makeChain(
                family, table: table, chain, type: "filter", hook: Self.ingressHook, priority: Self.ingressPriority,
                device: device.name)
            batch.appendRule(family, table: table, chain: chain, [.goTo(chain: Self.chain(cookie))])
        }
    }

    /// The transaction by which the gates of containers are gone, whether they were there or not.
    /// - Parameters:
    ///   - cookies: the containers' namespaces.
    ///   - devices: indexes of the host's ends of their links.
    static func removal(of cookies: [UInt64], devices: [UInt32]) -> NftablesBatch {
        var batch = NftablesBatch()
        batch.keepTable(family, table)
        for device in devices { batch.removeChain(family, table: table, chain(ofDevice: device)) }
        var number: UInt32 = 0
        for cookie in cookies {
            // Those that lead to others go first; one that is not there is made for it.
            for chain in [chain(cookie), sourceChain(cookie), hostChain(cookie)] {
                batch.removeChain(family, table: table, chain)
            }
            for told in Told.allCases {
                number += 1
                batch.removeSet(
                    family, table: table, set(cookie, told), keyLength: told.length, size: UInt32(capacity),
                    number: number)
            }
        }
        return batch
    }

    /// The transaction by which nothing is left of any gate.
    static var removalOfAll: NftablesBatch {
        var batch = NftablesBatch()
        for family in [family, NftablesBatch.inet, Int32(NFPROTO_BRIDGE)] { batch.removeTable(family, table) }
        return batch
    }
}
