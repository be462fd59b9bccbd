// Notifications of nftables in one namespace: nfnetlink's group NFNLGRP_NFTABLES, `linux/netfilter/nf_tables.h`.

internal import CLinux

/// Subscribes to the changes that others make to rules, and writes ours.
package struct NftablesMonitor: ~Copyable, Sendable {
    /// Datagrams that one look takes: who changes rules without end shall not hold whoever looks.
    package static let datagramsPerLook = 64
    /// More datagrams than the receive buffer holds: net.core.rmem_max is 208 KiB, and the kernel counts 768 octets and more
    /// for each. An overflowed buffer takes no more before it was read to its end.
    package static let datagramsOfBuffer = 1024

    /// Readable when somebody has changed something.
    package let descriptor: Descriptor
    /// Writes our rules in the same namespace. Its changes are not taken for somebody else's.
    package let writer: NftablesWriter

    /// In the namespace that this thread is in.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noNftables`` where the kernel has no nfnetlink.
    init() throws(LinuxError) {
        let made = try NftablesWriter.makeSocket()
        try made.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(NFNLGRP_NFTABLES.rawValue))
        writer = try NftablesWriter()
        descriptor = made
    }

    /// Takes over the sockets of a monitor that another process has made.
    package init(adopting descriptor: consuming Descriptor, writer: consuming NftablesWriter) {
        self.descriptor = descriptor
        self.writer = writer
    }

    /// Takes notifications that have come, up to a limit: there may be more. It never waits.
    /// - Returns: true when somebody else has changed something in the table, or may have: notifications were lost.
    package func takeChanges(of table: String, atMost limit: Int = datagramsPerLook) -> Bool {
        var buffer = RouteNetlink.makeBuffer()
        let own = writer.port
        var isChanged = false
        for _ in 0..<limit {
            do throws(LinuxError) {
                guard let (count, origin) = try receiveNetlink(descriptor, "recvmsg", into: &buffer) else { break }
                // Programs in the namespace may send to the group, too; the kernel's port is 0 (netlink(7)).
                guard origin.port == 0 else { continue }
                let datagram = buffer.span.extracting(first: count)
                if origin.is_truncated != 0 || Self.isChange(datagram, of: table, except: own) { isChanged = true }
            } catch {
                // ENOBUFS: the receive buffer overflowed; what it still holds comes next.
                isChanged = true
            }
        }
        return isChanged
    }

    /// True when a datagram tells of a change of a table that was not made by the socket of this port, or cannot be read.
    static func isChange(_ datagram: Span<UInt8>, of table: String, except port: UInt32) -> Bool {
        do throws(NetlinkError) {
            var messages = NetlinkReader(datagram)
            while let message = try messages.next() {
                guard message.port != port, message.type != generation else { continue }
                // The first attribute of every other message is the table's name: NFTA_TABLE_NAME, NFTA_CHAIN_TABLE …
                var attributes = try NetlinkAttributeReader(message, behind: MemoryLayout<nfgenmsg>.size)
                guard families.contains(Int32(message.payload[0])) else { continue }
                while let attribute = try attributes.next() {
                    if attribute.isOf(NFTA_TABLE_NAME.rawValue), attribute.text == table { return true }
                }
            }
            return false
        } catch {
            return true
        }
    }

    /// Ends the notifications of each transaction, and is about no table.
    private static let generation = NetlinkMessageType(
        UInt32(NFNL_SUBSYS_NFTABLES) << 8 | NFT_MSG_NEWGEN.rawValue)

    /// Those of tables that we write.
    private static let families = [AF_INET, AF_INET6, NftablesBatch.inet]
}
