// Expressions of a rule: what a packet is compared with, and what is done with it, `linux/netfilter/nf_tables.h`.

internal import CLinux

/// One expression of a rule of nftables; nft(8) prints them with `--debug=netlink`. A comparison that does not hold ends the
/// rule.
enum NftablesExpression: Hashable, Sendable {
    /// Loads octets of the packet into register 1.
    case payload(Header, offset: UInt32, length: UInt32)
    /// Loads what the kernel knows about the packet into register 1.
    case meta(Key)
    /// Compares register 1 with octets as they lie in the packet or, of ``meta(_:)``, in memory.
    case compare(Comparison, [UInt8])
    /// Puts octets into a register.
    case immediate(Register, [UInt8])
    /// Ends the chain: the packet goes on.
    case accept
    /// Ends the packet, and tells its sender by ICMP that this is forbidden (RFC 1812 §5.2.7.1 code 13, RFC 4443 §3.1 code 1).
    case rejectProhibited
    /// Gives the connection the destination in registers 1 (address) and 2 (port, network order).
    case destinationNAT(family: Int32)
    /// Leaves the packet out of connection tracking, and so out of all translation of addresses.
    case untracked
    /// Ends the packet, and tells nobody.
    case drop
    /// Goes on with the rules of another chain of the table, and does not come back.
    case goTo(chain: String)
    /// Counts the packet and its octets.
    case count
    /// Continues where register 1 is an element of a set.
    case lookUp(set: String)
    /// Keeps those bits of register 1 that are set in these octets.
    case mask([UInt8])
    /// Loads the state of the packet's connection into register 1: a bit of ``ConnectionState``, in memory's order.
    case connectionState
    /// Loads the kind of the destination's address into register 1: RTN_* of the host's routing table, in memory's order.
    case destinationType
    /// Gives the packet the mark in register 1.
    case setMark

    /// `ip_conntrack_info`: bits of ``connectionState``.
    enum ConnectionState {
        /// Packets have passed both ways.
        static let established: UInt32 = 1 << 1
        /// The packet belongs to such a connection, as an ICMP error does, or as a helper of the kernel's expects it.
        static let related: UInt32 = 1 << 2
    }

    /// `nft_payload_bases`: where an offset is counted from.
    enum Header: Sendable {
        /// The IP header.
        case network
        /// The UDP or TCP header.
        case transport
    }

    /// `nft_meta_keys`.
    enum Key: Sendable {
        /// The number of the transport protocol: 6 TCP, 17 UDP.
        case transportProtocol
        /// The mark of the packet, which it has of its socket (socket(7) SO_MARK).
        case mark
        /// The family of the packet: ``NftablesBatch/inet`` tables see both.
        case networkFamily
        /// The type of the interface that the packet leaves by (ARPHRD_*), two octets.
        case outputType
        /// The EtherType of the frame, two octets in network order.
        case protocolType
    }

    /// `nft_cmp_ops`.
    enum Comparison: Sendable {
        case equal, notEqual
    }

    /// `nft_registers`.
    enum Register: Sendable {
        case one, two
    }
}

extension NftablesExpression {
    /// Appends the expression as an element of NFTA_RULE_EXPRESSIONS.
    func append(to request: inout NetlinkRequest) {
        request.nest(NFTA_LIST_ELEM.rawValue) { element in
            element.append(attribute: NFTA_EXPR_NAME.rawValue, text: name)
            element.nest(NFTA_EXPR_DATA.rawValue) { appendData(to: &$0) }
        }
    }

    /// The module of the kernel that carries it out, nft_NAME.
    private var name: String {
        switch self {
        case .payload: "payload"
        case .meta: "meta"
        case .compare: "cmp"
        case .immediate, .accept, .drop, .goTo: "immediate"
        case .count: "counter"
        case .lookUp: "lookup"
        case .mask: "bitwise"
        case .connectionState: "ct"
        case .destinationType: "fib"
        case .setMark: "meta"
        case .rejectProhibited: "reject"
        case .destinationNAT: "nat"
        case .untracked: "notrack"
        }
    }

    private func appendData(to data: inout NetlinkRequest) {
        switch self {
        case .payload(let header, let offset, let length):
            data.append(attribute: NFTA_PAYLOAD_DREG.rawValue, network: Register.one.number)
            data.append(attribute: NFTA_PAYLOAD_BASE.rawValue, network: header.number)
            data.append(attribute: NFTA_PAYLOAD_OFFSET.rawValue, network: offset)
            data.append(attribute: NFTA_PAYLOAD_LEN.rawValue, network: length)
        case .meta(let key):
            data.append(attribute: NFTA_META_KEY.rawValue, network: key.number)
            data.append(attribute: NFTA_META_DREG.rawValue, network: Register.one.number)
        case .compare(let comparison, let octets):
            data.append(attribute: NFTA_CMP_SREG.rawValue, network: Register.one.number)
            data.append(attribute: NFTA_CMP_OP.rawValue, network: comparison.number)
            data.nest(NFTA_CMP_DATA.rawValue) { $0.append(attribute: NFTA_DATA_VALUE.rawValue, octets: octets) }
        case .immediate(let register, let octets):
            data.append(attribute: NFTA_IMMEDIATE_DREG.rawValue, network: register.number)
            data.nest(NFTA_IMMEDIATE_DATA.rawValue) { $0.append(attribute: NFTA_DATA_VALUE.rawValue, octets: octets) }
        case .accept: Self.append(verdict: NF_ACCEPT, to: &data)
        case .drop: Self.append(verdict: NF_DROP, to: &data)
        case .untracked: break
        case .goTo(let chain): Self.append(verdict: NFT_GOTO.rawValue, chain: chain, to: &data)
        case .count, .lookUp, .mask, .connectionState, .destinationType, .setMark: appendJudgement(to: &data)
        case .rejectProhibited:
            data.append(attribute: NFTA_REJECT_TYPE.rawValue, network: NFT_REJECT_ICMPX_UNREACH.rawValue)
            data.append(
                attribute: NFTA_REJECT_ICMP_CODE.rawValue,
                octets: [UInt8(truncatingIfNeeded: NFT_REJECT_ICMPX_ADMIN_PROHIBITED.rawValue)])
        case .destinationNAT(let family):
            data.append(attribute: NFTA_NAT_TYPE.rawValue, network: NFT_NAT_DNAT.rawValue)
            data.append(attribute: NFTA_NAT_FAMILY.rawValue, network: UInt32(bitPattern: family))
            data.append(attribute: NFTA_NAT_REG_ADDR_MIN.rawValue, network: Register.one.number)
            data.append(attribute: NFTA_NAT_REG_PROTO_MIN.rawValue, network: Register.two.number)
            data.append(attribute: NFTA_NAT_FLAGS.rawValue, network: UInt32(NF_NAT_RANGE_PROTO_SPECIFIED))
        }
    }
}

extension NftablesExpression {
    private static func append(verdict: some BinaryInteger, chain: String? = nil, to data: inout NetlinkRequest) {
        data.append(attribute: NFTA_IMMEDIATE_DREG.rawValue, network: NFT_REG_VERDICT.rawValue)
        data.nest(NFTA_IMMEDIATE_DATA.rawValue) { data in
            data.nest(NFTA_DATA_VERDICT.rawValue) {
                $0.append(attribute: NFTA_VERDICT_CODE.rawValue, network: UInt32(truncatingIfNeeded: verdict))
                if let chain { $0.append(attribute: NFTA_VERDICT_CHAIN.rawValue, text: chain) }
            }
        }
    }

    /// Data of the expressions by which an ``AddressGate`` judges.
    private func appendJudgement(to data: inout NetlinkRequest) {
        switch self {
        case .lookUp(let set):
            data.append(attribute: NFTA_LOOKUP_SET.rawValue, text: set)
            data.append(attribute: NFTA_LOOKUP_SREG.rawValue, network: Register.one.number)
        case .mask(let octets):
            data.append(attribute: NFTA_BITWISE_SREG.rawValue, network: Register.one.number)
            data.append(attribute: NFTA_BITWISE_DREG.rawValue, network: Register.one.number)
            data.append(attribute: NFTA_BITWISE_LEN.rawValue, network: UInt32(octets.count))
            data.nest(NFTA_BITWISE_MASK.rawValue) { $0.append(attribute: NFTA_DATA_VALUE.rawValue, octets: octets) }
            data.nest(NFTA_BITWISE_XOR.rawValue) {
                $0.append(attribute: NFTA_DATA_VALUE.rawValue, octets: [UInt8](repeating: 0, count: octets.count))
            }
        case .connectionState:
            data.append(attribute: NFTA_CT_KEY.rawValue, network: NFT_CT_STATE.rawValue)
            data.append(attribute: NFTA_CT_DREG.rawValue, network: Register.one.number)
        case .destinationType:
            data.append(attribute: NFTA_FIB_DREG.rawValue, network: Register.one.number)
            data.append(attribute: NFTA_FIB_RESULT.rawValue, network: NFT_FIB_RESULT_ADDRTYPE.rawValue)
            data.append(attribute: NFTA_FIB_FLAGS.rawValue, network: NFTA_FIB_F_DADDR.rawValue)
        case .setMark:
            data.append(attribute: NFTA_META_KEY.rawValue, network: NFT_META_MARK.rawValue)
            data.append(attribute: NFTA_META_SREG.rawValue, network: Register.one.number)
        default: break
        }
    }
}

// The kernel's numbers.

extension NftablesExpression.Header {
    fileprivate var number: UInt32 {
        switch self {
        case .network: NFT_PAYLOAD_NETWORK_HEADER.rawValue
        case .transport: NFT_PAYLOAD_TRANSPORT_HEADER.rawValue
        }
    }
}

extension NftablesExpression.Key {
    fileprivate var number: UInt32 {
        switch self {
        case .transportProtocol: NFT_META_L4PROTO.rawValue
        case .mark: NFT_META_MARK.rawValue
        case .networkFamily: NFT_META_NFPROTO.rawValue
        case .outputType: NFT_META_OIFTYPE.rawValue
        case .protocolType: NFT_META_PROTOCOL.rawValue
        }
    }
}

extension NftablesExpression.Comparison {
    fileprivate var number: UInt32 {
        switch self {
        case .equal: NFT_CMP_EQ.rawValue
        case .notEqual: NFT_CMP_NEQ.rawValue
        }
    }
}

extension NftablesExpression.Register {
    fileprivate var number: UInt32 {
        switch self {
        case .one: NFT_REG_1.rawValue
        case .two: NFT_REG_2.rawValue
        }
    }
}
