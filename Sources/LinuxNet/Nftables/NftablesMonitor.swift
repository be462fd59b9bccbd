// What becomes of nftables in a namespace: nfnetlink's group NFNLGRP_NFTABLES, `linux/netfilter/nf_tables.h`.

internal import CLinux

/// Hears of every change of the rules of one namespace, whoever makes it.
package struct NftablesMonitor: ~Copyable, Sendable {
    /// Readable when something has changed.
    package let descriptor: Descriptor

    /// In the namespace that this thread is in.
    /// - Throws: ``LinuxError``: `protocolNotSupported` where the kernel has no nfnetlink.
    init() throws(LinuxError) {
        let socket = try Self.socket()
        // One without a number of its own hears nothing that was not asked for.
        try system("bind", "nfnetlink") { clinux_bind_netlink(socket.rawValue) }
        try socket.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(NFNLGRP_NFTABLES.rawValue))
        descriptor = socket
    }

    /// Takes over the socket of a monitor that another process has made.
    package init(adopting descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// The same socket once more: what one takes the other does not hear.
    func duplicate() throws(LinuxError) -> NftablesMonitor {
        NftablesMonitor(adopting: try descriptor.duplicate())
    }

    /// A socket of nfnetlink.
    static func socket() throws(LinuxError) -> Descriptor {
        let type = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        return Descriptor(
            adopting: try system("socket", "nfnetlink") { CLinux.socket(AF_NETLINK, type, NETLINK_NETFILTER) })
    }

    /// Takes all that has happened.
    /// - Returns: whether something of this table was removed, or may have been: some news were lost.
    package func takeRemovals(from table: String) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 32 * 1024)
        var isRemoved = false
        do throws(LinuxError) {
            while let count = try descriptor.receive(into: &buffer) {
                let datagram = buffer.span.extracting(0..<count)
                if Self.tellsOfRemoval(datagram, from: table) { isRemoved = true }
            }
        } catch {
            // ENOBUFS: there was no room for all of it.
            return true
        }
        return isRemoved
    }

    static func tellsOfRemoval(_ datagram: Span<UInt8>, from table: String) -> Bool {
        do throws(NetlinkError) {
            var messages = NetlinkReader(datagram)
            while let message = try messages.next() {
                guard removals.contains(message.type.rawValue) else { continue }
                var attributes = try NetlinkAttributeReader(message, behind: MemoryLayout<nfgenmsg>.size)
                while let attribute = try attributes.next() {
                    // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE and NFTA_RULE_TABLE are one number.
                    if attribute.isOf(NFTA_TABLE_NAME.rawValue), attribute.text == table { return true }
                }
            }
            return false
        } catch {
            // What cannot be read may be anything.
            return true
        }
    }

    /// The types of messages that tell of a table, chain or rule that is gone.
    private static let removals: [UInt16] = [NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE].map {
        UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(truncatingIfNeeded: $0.rawValue)
    }
}
