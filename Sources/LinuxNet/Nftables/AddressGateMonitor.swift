// Notifications of nftables in the host's namespace: whether somebody has removed the tables of gates.

internal import CLinux

/// Notices that tables of gates are removed, as `nft flush ruleset` does and whoever loads all rules of a host anew.
package struct AddressGateMonitor: ~Copyable, Sendable {
    /// Readable when anything of nftables has changed.
    package let descriptor: Descriptor

    /// The change since the last look.
    package enum Change: Sendable, Equatable {
        /// Nothing to the tables of gates.
        case none
        /// One of them was removed.
        case removed
        /// Notifications were lost.
        case unknown
    }

    /// In the namespace that this thread is in; needs CAP_NET_ADMIN.
    /// - Throws: ``LinuxError``; of kind ``LinuxError/Kind/noNftables`` where the kernel has no nfnetlink.
    package init() throws(LinuxError) {
        let made = try NftablesWriter.makeSocket()
        try made.setOption(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(NFNLGRP_NFTABLES.rawValue))
        descriptor = made
    }

    /// Takes over the socket of a monitor that another process has made.
    package init(adopting descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Takes notifications that have come, up to a limit: there may be more. It never waits.
    package func takeChange(atMost limit: Int = NftablesMonitor.datagramsPerLook) -> Change {
        var buffer = RouteNetlink.makeBuffer()
        var change = Change.none
        for _ in 0..<limit {
            do throws(LinuxError) {
                guard let (count, origin) = try receiveNetlink(descriptor, "recvmsg", into: &buffer) else { break }
                guard origin.port == 0 else { continue }
                if Self.isRemoval(buffer.span.extracting(first: count)) { return .removed }
            } catch {
                change = .unknown
            }
        }
        return change
    }

    /// True for a datagram that tells of the removal of a table of gates.
    static func isRemoval(_ datagram: Span<UInt8>) -> Bool {
        do throws(NetlinkError) {
            var messages = NetlinkReader(datagram)
            while let message = try messages.next() {
                let removal = UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(truncatingIfNeeded: NFT_MSG_DELTABLE.rawValue)
                guard message.type.rawValue == removal else { continue }
                var attributes = try NetlinkAttributeReader(message, behind: MemoryLayout<nfgenmsg>.size)
                while let attribute = try attributes.next() {
                    if attribute.isOf(NFTA_TABLE_NAME.rawValue), attribute.text == AddressGate.table { return true }
                }
            }
        } catch {
            return false
        }
        return false
    }
}
