// Requests about tables that outlive their rules: sets with elements that expire, chains that others lead to.

internal import CLinux

extension NftablesBatch {
    // MARK: - Tables and chains

    /// Makes a table, or leaves it as it is.
    mutating func keepTable(_ family: Int32, _ name: String) {
        add("NFT_MSG_NEWTABLE", NFT_MSG_NEWTABLE, family, .create) {
            $0.append(attribute: NFTA_TABLE_NAME.rawValue, text: name)
        }
    }

    /// Makes a chain that rules of others lead to, or leaves it as it is.
    mutating func keepChain(_ family: Int32, table: String, _ name: String) {
        add("NFT_MSG_NEWCHAIN", NFT_MSG_NEWCHAIN, family, .create) {
            $0.append(attribute: NFTA_CHAIN_TABLE.rawValue, text: table)
            $0.append(attribute: NFTA_CHAIN_NAME.rawValue, text: name)
        }
    }

    /// Removes the rules of a chain that is there.
    mutating func emptyChain(_ family: Int32, table: String, _ name: String) {
        add("NFT_MSG_DELRULE", NFT_MSG_DELRULE, family, []) {
            $0.append(attribute: NFTA_RULE_TABLE.rawValue, text: table)
            $0.append(attribute: NFTA_RULE_CHAIN.rawValue, text: name)
        }
    }

    /// Removes a chain that no rule leads to, whether it is there or not: it is made before it is removed.
    mutating func removeChain(_ family: Int32, table: String, _ name: String) {
        keepChain(family, table: table, name)
        add("NFT_MSG_DELCHAIN", NFT_MSG_DELCHAIN, family, []) {
            $0.append(attribute: NFTA_CHAIN_TABLE.rawValue, text: table)
            $0.append(attribute: NFTA_CHAIN_NAME.rawValue, text: name)
        }
    }

    // MARK: - Sets of addresses

    /// Numbers that nft(8) shows types of keys by: TYPE_IPADDR and TYPE_IP6ADDR of its `datatype.h`.
    private static func keyType(length: Int) -> UInt32 { length == 4 ? 7 : 8 }

    /// Makes a set of addresses that expire, or leaves it as it is.
    /// - Parameters:
    ///   - keyLength: octets of an address.
    ///   - size: the most elements.
    ///   - number: another for each set of the transaction.
    mutating func keepSet(
        _ family: Int32, table: String, _ name: String, keyLength: Int, size: UInt32, number: UInt32
    ) {
        add("NFT_MSG_NEWSET", NFT_MSG_NEWSET, family, .create) {
            $0.append(attribute: NFTA_SET_TABLE.rawValue, text: table)
            $0.append(attribute: NFTA_SET_NAME.rawValue, text: name)
            $0.append(attribute: NFTA_SET_FLAGS.rawValue, network: NFT_SET_TIMEOUT.rawValue)
            $0.append(attribute: NFTA_SET_KEY_TYPE.rawValue, network: Self.keyType(length: keyLength))
            $0.append(attribute: NFTA_SET_KEY_LEN.rawValue, network: UInt32(keyLength))
            $0.append(attribute: NFTA_SET_ID.rawValue, network: number)
            $0.nest(NFTA_SET_DESC.rawValue) { $0.append(attribute: NFTA_SET_DESC_SIZE.rawValue, network: size) }
        }
    }

    /// Removes a set that no rule looks into, whether it is there or not.
    mutating func removeSet(
        _ family: Int32, table: String, _ name: String, keyLength: Int, size: UInt32, number: UInt32
    ) {
        keepSet(family, table: table, name, keyLength: keyLength, size: size, number: number)
        add("NFT_MSG_DELSET", NFT_MSG_DELSET, family, []) {
            $0.append(attribute: NFTA_SET_TABLE.rawValue, text: table)
            $0.append(attribute: NFTA_SET_NAME.rawValue, text: name)
        }
    }

    /// Puts elements into a set, each for a time of its own from now on, whether they are there or not.
    ///
    /// Before Linux 6.12 an element that is there keeps its time. So each is added, removed and added; the kernel has all of it in
    /// force at once.
    mutating func put(_ elements: [NftablesElement], into set: String, _ family: Int32, table: String) {
        change("NFT_MSG_NEWSETELEM", NFT_MSG_NEWSETELEM, elements, of: set, family, table)
        change("NFT_MSG_DELSETELEM", NFT_MSG_DELSETELEM, elements, of: set, family, table)
        change("NFT_MSG_NEWSETELEM", NFT_MSG_NEWSETELEM, elements, of: set, family, table)
    }

    /// Removes elements that are in a set.
    mutating func remove(_ elements: [NftablesElement], from set: String, _ family: Int32, table: String) {
        change("NFT_MSG_DELSETELEM", NFT_MSG_DELSETELEM, elements, of: set, family, table)
    }

    private mutating func change(
        _ name: String, _ type: nf_tables_msg_types, _ elements: [NftablesElement], of set: String, _ family: Int32,
        _ table: String
    ) {
        let isNew = type == NFT_MSG_NEWSETELEM
        add(name, type, family, isNew ? .create : []) {
            $0.append(attribute: NFTA_SET_ELEM_LIST_TABLE.rawValue, text: table)
            $0.append(attribute: NFTA_SET_ELEM_LIST_SET.rawValue, text: set)
            $0.nest(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) { list in
                for element in elements {
                    list.nest(NFTA_LIST_ELEM.rawValue) {
                        $0.nest(NFTA_SET_ELEM_KEY.rawValue) {
                            $0.append(attribute: NFTA_DATA_VALUE.rawValue, octets: element.key)
                        }
                        guard isNew else { return }
                        let time = UInt64(element.seconds) * 1000
                        $0.append(
                            attribute: NFTA_SET_ELEM_TIMEOUT.rawValue,
                            octets: NetlinkRequest.networkOctets(of: UInt32(truncatingIfNeeded: time >> 32))
                                + NetlinkRequest.networkOctets(of: UInt32(truncatingIfNeeded: time)))
                    }
                }
            }
        }
    }
}

/// An element of a set of addresses, with its time.
struct NftablesElement: Hashable, Sendable {
    /// The address in network order, 4 or 16 octets.
    var key: [UInt8]
    /// Seconds until it expires.
    var seconds: UInt32
}
