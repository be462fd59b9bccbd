// A transaction of nftables, `linux/netfilter/nfnetlink.h`: requests between a begin and an end, all in force or none.

internal import CLinux

/// Requests that one datagram carries to the kernel. Nothing is asked and nothing is read: what is in a container's nftables
/// was put there by its root.
struct NftablesBatch {
    /// The family of tables whose rules see packets of IPv4 and of IPv6.
    static let inet = Int32(NFPROTO_INET)

    /// Between begin and end, in order.
    private var requests: [NetlinkRequest] = []

    /// True when there is nothing to be done.
    var isEmpty: Bool { requests.isEmpty }

    /// Removes a table of any content, whether it is there or not: it is made before it is deleted.
    ///
    /// The request that makes it has no flags. With them, a dormant table of somebody else's would be woken up first.
    mutating func removeTable(_ family: Int32, _ name: String) {
        for (call, type) in [("NFT_MSG_NEWTABLE", NFT_MSG_NEWTABLE), ("NFT_MSG_DELTABLE", NFT_MSG_DELTABLE)] {
            add(call, type, family, []) { $0.append(attribute: NFTA_TABLE_NAME.rawValue, text: name) }
        }
    }

    /// Makes a table that is not there.
    mutating func makeTable(_ family: Int32, _ name: String) {
        add("NFT_MSG_NEWTABLE", NFT_MSG_NEWTABLE, family, []) {
            $0.append(attribute: NFTA_TABLE_NAME.rawValue, text: name)
            $0.append(attribute: NFTA_TABLE_FLAGS.rawValue, network: 0)
        }
    }

    /// Makes a chain of address translation that packets of the namespace's own programs pass; it accepts what no rule takes.
    mutating func makeOutputChain(_ family: Int32, table: String, _ name: String, priority: Int32) {
        makeChain(family, table: table, name, type: "nat", hook: NF_INET_LOCAL_OUT, priority: priority)
    }

    /// After translation of addresses: NF_IP_PRI_FILTER, `linux/netfilter_ipv4.h`.
    private static let filterPriority: Int32 = 0

    /// Makes a chain of filters at a hook, or leaves it as it is; it accepts what no rule takes.
    mutating func makeFilterChain(
        _ family: Int32, table: String, _ name: String, hook: nf_inet_hooks, priority: Int32 = filterPriority
    ) {
        makeChain(family, table: table, name, type: "filter", hook: hook.rawValue, priority: priority)
    }

    private mutating func makeChain(
        _ family: Int32, table: String, _ name: String, type: String, hook: nf_inet_hooks, priority: Int32
    ) {
        makeChain(family, table: table, name, type: type, hook: hook.rawValue, priority: priority)
    }

    /// Makes a chain at a hook.
    /// - Parameter device: the interface whose packets pass it; nil: the hook has those of all.
    mutating func makeChain(
        _ family: Int32, table: String, _ name: String, type: String, hook: UInt32, priority: Int32,
        device: String? = nil
    ) {
        add("NFT_MSG_NEWCHAIN", NFT_MSG_NEWCHAIN, family, .create) {
            $0.append(attribute: NFTA_CHAIN_TABLE.rawValue, text: table)
            $0.append(attribute: NFTA_CHAIN_NAME.rawValue, text: name)
            $0.append(attribute: NFTA_CHAIN_TYPE.rawValue, text: type)
            $0.append(attribute: NFTA_CHAIN_POLICY.rawValue, network: UInt32(NF_ACCEPT))
            $0.nest(NFTA_CHAIN_HOOK.rawValue) {
                $0.append(attribute: NFTA_HOOK_HOOKNUM.rawValue, network: hook)
                $0.append(attribute: NFTA_HOOK_PRIORITY.rawValue, network: UInt32(bitPattern: priority))
                if let device { $0.append(attribute: NFTA_HOOK_DEV.rawValue, text: device) }
            }
        }
    }

    /// Appends a rule to a chain.
    mutating func appendRule(
        _ family: Int32, table: String, chain: String, _ expressions: [NftablesExpression]
    ) {
        add("NFT_MSG_NEWRULE", NFT_MSG_NEWRULE, family, [.create, .append]) {
            $0.append(attribute: NFTA_RULE_TABLE.rawValue, text: table)
            $0.append(attribute: NFTA_RULE_CHAIN.rawValue, text: chain)
            $0.nest(NFTA_RULE_EXPRESSIONS.rawValue) {
                for expression in expressions { expression.append(to: &$0) }
            }
        }
    }

    mutating func add(
        _ name: String, _ type: nf_tables_msg_types, _ family: Int32, _ flags: NetlinkFlags,
        _ body: (inout NetlinkRequest) -> Void
    ) {
        let number = UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(truncatingIfNeeded: type.rawValue)
        var request = NetlinkRequest(name, number, flags: flags, isAcknowledged: false)
        request.append(fixed: Self.fixedPart(family: UInt8(truncatingIfNeeded: family), resource: 0))
        body(&request)
        requests.append(request)
    }

    // MARK: - As it is sent

    /// The messages numbered from `sequence` on, begin and end included. The last request is acknowledged: the answer shows
    /// that the transaction was carried out.
    func messages(from sequence: UInt32) -> [NetlinkRequest] {
        var messages = requests
        if let last = messages.indices.last { messages[last].flags.insert(.acknowledge) }
        messages.insert(Self.frame("NFNL_MSG_BATCH_BEGIN", NFNL_MSG_BATCH_BEGIN), at: 0)
        messages.append(Self.frame("NFNL_MSG_BATCH_END", NFNL_MSG_BATCH_END))
        for index in messages.indices { messages[index].sequence = sequence &+ UInt32(truncatingIfNeeded: index) }
        return messages
    }

    private static func frame(_ name: String, _ type: some BinaryInteger) -> NetlinkRequest {
        var request = NetlinkRequest(name, type, isAcknowledged: false)
        request.append(fixed: fixedPart(family: UInt8(AF_UNSPEC), resource: UInt16(NFNL_SUBSYS_NFTABLES)))
        return request
    }

    /// `struct nfgenmsg`: family, version 0, and a number in network order.
    private static func fixedPart(family: UInt8, resource: UInt16) -> [UInt8] {
        [family, UInt8(NFNETLINK_V0), UInt8(truncatingIfNeeded: resource >> 8), UInt8(truncatingIfNeeded: resource)]
    }
}
